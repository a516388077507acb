package meta

import (
	"context"
	"mime"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/functions/meta/guide"
	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

const (
	markdownType = "text/markdown"
	// guidePolicy is the Content-Security-Policy of the guides: text and a stylesheet, no script.
	guidePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

type guideInput struct {
	Name   string `path:"name" doc:"The name of a guide. With .md at the end, the answer is Markdown."`
	Accept string `header:"Accept" hidden:"true"`
}

type guideListInput struct {
	Accept string `header:"Accept" hidden:"true"`
}

type guideOutput struct {
	Policy      string   `header:"Content-Security-Policy"`
	ContentType string   `header:"Content-Type"`
	Vary        []string `header:"Vary"` // a list is added to what the header has
	Body        []byte
}

func registerGuides(api *httpapi.API) {
	list := guideOperation("/docs/guides", "The list of guides for authors of clients")
	httpapi.Register(api, list, func(_ context.Context, in *guideListInput) (*guideOutput, error) {
		return guidePage(guide.List(), prefersMarkdown(in.Accept))
	})
	one := guideOperation("/docs/guides/{name}", "A guide for authors of clients")
	httpapi.Register(api, one.WithProblems(errNoFile), func(_ context.Context, in *guideInput) (*guideOutput, error) {
		name, asked := strings.CutSuffix(in.Name, ".md")
		g, ok := guide.Find(name)
		if !ok {
			return nil, errNoFile
		}
		return guidePage(g.Source, asked || prefersMarkdown(in.Accept))
	})
}

func guideOperation(path, summary string) httpapi.Operation {
	op := operation(path, summary)
	op.Description = "An HTML page. With Accept: text/markdown, the Markdown that it is made from."
	op.Cache, op.Limit = httpapi.Shared, admission.LimitView
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: contentOf("text/html")}}
	op.Responses["200"].Content[markdownType] = op.Responses["200"].Content["text/html"]
	return op
}

// guidePage answers with a guide: its source, or the page made from it.
func guidePage(source string, markdown bool) (*guideOutput, error) {
	if markdown {
		return &guideOutput{ContentType: markdownType + "; charset=utf-8", Vary: []string{"Accept"}, Body: []byte(source)}, nil
	}
	page, err := guide.Page(source)
	if err != nil {
		return nil, err
	}
	return &guideOutput{Policy: guidePolicy, ContentType: "text/html; charset=utf-8", Vary: []string{"Accept"}, Body: page}, nil
}

// prefersMarkdown reports whether an Accept header names text/markdown, and HTML not with a higher quality.
func prefersMarkdown(accept string) bool {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality[kind] = 1
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality[kind] = q
		}
	}
	return quality[markdownType] > 0 && quality[markdownType] >= quality["text/html"]
}
