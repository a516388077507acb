package web

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/report"
)

// tooNew are features that Chrome 80 or Safari 14 do not have.
var tooNew = map[string]*regexp.Regexp{
	"replaceChildren (Chrome 86)":             regexp.MustCompile(`\.replaceChildren\(`),
	"logical assignment (Chrome 85)":          regexp.MustCompile(`\?\?=|\|\|=|&&=`),
	"replaceAll (Chrome 85)":                  regexp.MustCompile(`\.replaceAll\(`),
	"at (Chrome 92)":                          regexp.MustCompile(`\.at\(`),
	"randomUUID (Chrome 92)":                  regexp.MustCompile(`randomUUID`),
	"structuredClone (Chrome 98)":             regexp.MustCompile(`structuredClone`),
	"Object.hasOwn (Chrome 93)":               regexp.MustCompile(`Object\.hasOwn\(`),
	"Promise.any (Chrome 85)":                 regexp.MustCompile(`Promise\.any\(`),
	"URLSearchParams.size (Chrome 113)":       regexp.MustCompile(`(?i)(search|query|params)\.size`),
	"findLast (Chrome 97)":                    regexp.MustCompile(`\.findLast`),
	"toSorted (Chrome 110)":                   regexp.MustCompile(`\.to(Sorted|Reversed|Spliced)\(`),
	"showModal (Safari 15.4)":                 regexp.MustCompile(`\.showModal\(`),
	"await outside of a function (Chrome 89)": regexp.MustCompile(`(?m)^(const .*= )?await `),
	"lookbehind (Safari 16.4)":                regexp.MustCompile(`\(\?<[=!]`),
	"AbortSignal.timeout (Chrome 103)":        regexp.MustCompile(`AbortSignal\.(timeout|any)`),
	"BroadcastChannel (Safari 15.4)":          regexp.MustCompile(`BroadcastChannel`),
	"fields of classes (Safari 14.1)":         regexp.MustCompile(`class [^\n]*\{\n(?:(?:  [^\n]*)?\n)*?  (?:static )?#?[a-z]\w* = `),
}

// styleTooNew is the same for styles. A flexible box has no gap in Chrome 80: use a grid, or margins.
var styleTooNew = map[string]*regexp.Regexp{
	"inset (Chrome 87)":        regexp.MustCompile(`[{; ]inset: `),
	"aspect-ratio (Chrome 88)": regexp.MustCompile(`aspect-ratio: `),
	":is, :where, :has":        regexp.MustCompile(`:(is|where|has)\(`),
	"nesting (Chrome 112)":     regexp.MustCompile(`(?m)^\s*&`),
	"gap of a flexible box":    regexp.MustCompile(`display: (inline-)?flex;[^}]*\bgap:`),
	"container queries":        regexp.MustCompile(`@container`),
	"color-mix":                regexp.MustCompile(`color-mix\(`),
}

func TestScriptsAndStylesRunInOldBrowsers(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(static, "static/*")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		raw, err := static.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rules := tooNew
		switch {
		case strings.HasSuffix(name, ".css"):
			rules = styleTooNew
		case !strings.HasSuffix(name, ".js"):
			continue
		}
		for what, rule := range rules {
			if found := rule.FindString(string(raw)); found != "" {
				t.Errorf("%s has %q: %s", name, found, what)
			}
		}
		if strings.HasSuffix(name, ".js") && regexp.MustCompile(`\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(`).Match(raw) {
			t.Errorf("%s makes markup of text", name)
		}
	}
}

func TestServedScriptsHaveNoCommentLines(t *testing.T) {
	t.Parallel()
	const source = "// One.\nimport a from \"./a.js\"; // kept\n/** Two. */\n/**\n * Three.\n */\nf(); /* kept */\n  // Four.\nconst u = \"http://x\";\n/* a */ g();\n"
	const want = "\nimport a from \"./a.js\"; // kept\n\n\n\n\nf(); /* kept */\n\nconst u = \"http://x\";\n/* a */ g();\n"
	if got := string(withoutComments([]byte(source))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	files, err := fs.Glob(static, "static/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := static.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(withoutComments(raw)), "\n") {
			if strings.Count(line, "`")%2 != 0 { // what looks like a comment may be text there
				t.Errorf("%s:%d: a text of several lines", name, i+1)
			}
			if strings.HasSuffix(strings.TrimSpace(line), "*/") && !strings.Contains(line, "/*") {
				t.Errorf("%s:%d: the end of a comment is left", name, i+1)
			}
		}
	}
}

// The scripts list kinds and severities in the order in which people choose among them; labels of the server have no order.
func TestScriptsKnowEveryKind(t *testing.T) {
	t.Parallel()
	core, err := static.ReadFile("static/core.js")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"issueTypes": report.IssueTypes(), "severities": report.Severities()} {
		values, _ := json.Marshal(want)
		line := "export const " + name + " = " + strings.ReplaceAll(string(values), ",", ", ") + ";"
		if !strings.Contains(string(core), line) {
			t.Errorf("core.js lacks %s", line)
		}
	}
}
