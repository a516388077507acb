package guide

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// frame is the page around a guide. Its stylesheet is functions/meta/pages/guide.css.
const frame = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s · LafaekStreet</title>
<link rel="stylesheet" href="/docs/guide.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<header class="bar"><nav aria-label="Documentation"><a href="/docs/guides">Guides</a><a href="/docs/problems">Errors</a><a href="/docs">Calls</a></nav></header>
<main>
%s</main>
</body>
</html>
`

// Page returns a page with the text of a Markdown file whose first line is its title. HTML in the file is left out.
func Page(markdown string) ([]byte, error) {
	var body bytes.Buffer
	if err := newMarkdown().Convert([]byte(markdown), &body); err != nil {
		return nil, fmt.Errorf("render guide: %w", err)
	}
	title := Guide{Source: markdown}.Title()
	return fmt.Appendf(nil, frame, html.EscapeString(title), scrollable(body.String())), nil
}

// scrollable lets wide code and tables scroll inside themselves, by keyboard too.
func scrollable(body string) string {
	return strings.NewReplacer("<pre>", `<pre tabindex="0">`, "<table>", `<div class="wide" tabindex="0"><table>`, "</table>", "</table></div>").Replace(body)
}

func newMarkdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(
		parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(headingLinks{}, 100))))
}

// headingLinks makes each heading below the title a link to itself, so that a reader can copy its address.
type headingLinks struct{}

// Transform implements parser.ASTTransformer.
func (headingLinks) Transform(document *ast.Document, _ text.Reader, _ parser.Context) {
	for n := document.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level == 1 {
			continue
		}
		link := ast.NewLink()
		if id, found := h.AttributeString("id"); found {
			link.Destination = fmt.Appendf(nil, "#%s", id)
		}
		for child := h.FirstChild(); child != nil; child = h.FirstChild() {
			link.AppendChild(link, child)
		}
		h.AppendChild(h, link)
	}
}
