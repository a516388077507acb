package meta

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// problemWords has for each code what happened, and what a client should do.
//
//go:embed pages/problems.json
var problemWords []byte

// codeWords are the words about one code.
type codeWords struct {
	Happened string `json:"happened"`
	Do       string `json:"do"`
}

// codeFacts are what the document says of one code.
type codeFacts struct {
	statuses   map[string]bool
	operations []string          // "GET /path/{id}", in alphabetical order
	examples   []json.RawMessage // one for each status
}

// problemPages makes the pages about codes out of the words and the document.
type problemPages struct {
	words map[string]codeWords
	facts map[string]*codeFacts
}

// general is how many operations answer a code for which a page does not list them.
const general = 40

func registerProblems(api *httpapi.API) {
	pages := sync.OnceValues(newProblemPages)
	list := guideOperation("/docs/problems", "The codes of errors")
	httpapi.Register(api, list, func(_ context.Context, in *guideListInput) (*guideOutput, error) {
		p, err := pages()
		if err != nil {
			return nil, err
		}
		return guidePage(p.list(), prefersMarkdown(in.Accept))
	})
	one := guideOperation(problem.Path+"{code}", "What a code of an error means, and what a client should do")
	httpapi.Register(api, one.WithProblems(errNoFile), func(_ context.Context, in *codeInput) (*guideOutput, error) {
		p, err := pages()
		if err != nil {
			return nil, err
		}
		text, ok := p.page(in.Code)
		if !ok {
			return nil, errNoFile
		}
		return guidePage(text, prefersMarkdown(in.Accept))
	})
}

type codeInput struct {
	Code   string `path:"code" doc:"The member code of a problem document"`
	Accept string `header:"Accept" hidden:"true"`
}

// apiDocument is the part of the OpenAPI document that is about errors.
type apiDocument struct {
	Paths map[string]map[string]struct {
		Codes map[string][]string `json:"x-problem-codes"`
		Items []string            `json:"x-item-problem-codes"`
	} `json:"paths"`
	Components struct {
		Examples map[string]struct {
			Value json.RawMessage `json:"value"`
		} `json:"examples"`
	} `json:"components"`
}

func newProblemPages() (*problemPages, error) {
	p := &problemPages{facts: make(map[string]*codeFacts)}
	if err := json.Unmarshal(problemWords, &p.words); err != nil {
		return nil, fmt.Errorf("read words about problems: %w", err)
	}
	var d apiDocument
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, fmt.Errorf("read errors of the document: %w", err)
	}
	for code := range p.words {
		p.facts[code] = &codeFacts{statuses: make(map[string]bool)}
	}
	p.read(d)
	return p, nil
}

// read takes the facts about the codes out of the document.
func (p *problemPages) read(d apiDocument) {
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for method, op := range d.Paths[path] {
			name := strings.ToUpper(method) + " " + path
			for status, codes := range op.Codes {
				for _, code := range codes {
					if f := p.facts[code]; f != nil {
						f.statuses[status] = true
						f.operations = append(f.operations, name)
					}
				}
			}
			for _, code := range op.Items {
				if f := p.facts[code]; f != nil {
					f.operations = append(f.operations, name+" (of single items)")
				}
			}
		}
	}
	for code, f := range p.facts {
		slices.Sort(f.operations)
		for _, status := range slices.Sorted(maps.Keys(f.statuses)) {
			if e, ok := d.Components.Examples[code+"_"+status]; ok {
				f.examples = append(f.examples, e.Value)
			}
		}
	}
}

// list is the page of all codes, in Markdown.
func (p *problemPages) list() string {
	var b strings.Builder
	b.WriteString("# Codes of errors\n\nThe member `code` of a problem document never changes with the language. " +
		"A newer version may answer codes that are not here: then decide by the status. " +
		"[Errors and retries](/docs/guides/errors) says how to handle them all.\n\n")
	for _, code := range slices.Sorted(maps.Keys(p.words)) {
		fmt.Fprintf(&b, "- [`%s`](%s%s). %s\n", code, problem.Path, code, p.words[code].Happened)
	}
	return b.String()
}

// page is the page of one code, in Markdown.
func (p *problemPages) page(code string) (string, bool) {
	words, ok := p.words[code]
	if !ok {
		return "", false
	}
	f := p.facts[code]
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n## What the client should do\n\n%s\n", code, words.Happened, words.Do)
	if text, ok := locale.Text(locale.English, "problem."+code, nil); ok && !strings.Contains(text, "{") {
		fmt.Fprintf(&b, "\nThe person reads: %q in English, and the same in Portuguese and Tetum.\n", text)
	}
	for _, example := range f.examples {
		var shown bytes.Buffer
		if json.Indent(&shown, example, "", "  ") == nil {
			fmt.Fprintf(&b, "\n## Example\n\n```json\n%s\n```\n", shown.String())
		}
	}
	switch n := len(f.operations); {
	case n > general:
		fmt.Fprintf(&b, "\n## Operations\n\n%d operations can answer it.\n", n)
	case n > 0:
		fmt.Fprintf(&b, "\n## Operations\n\n- `%s`\n", strings.Join(f.operations, "`\n- `"))
	}
	b.WriteString("\n[All codes](/docs/problems)\n")
	return b.String(), true
}
