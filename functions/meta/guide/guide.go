// Package guide holds the guides for authors of clients: Markdown files of this folder, and the same as HTML.
package guide

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.md
var files embed.FS

// Guide is one guide.
type Guide struct {
	Name   string // the last part of its address
	Source string // Markdown
}

// names are the guides in the order of the list.
func names() []string {
	return []string{"getting-started", "offline", "pictures", "push", "errors", "rate-limits", "times", "languages", "proofs", "log", "gis", "webhooks", "riders",
		"compatibility", "changelog"}
}

// Find returns a guide by its name.
func Find(name string) (Guide, bool) {
	source, err := fs.ReadFile(files, name+".md")
	return Guide{Name: name, Source: string(source)}, err == nil
}

// Title is the first heading.
func (g Guide) Title() string {
	line, _, _ := strings.Cut(g.Source, "\n")
	return strings.TrimPrefix(line, "# ")
}

// Summary is the first sentence below the title.
func (g Guide) Summary() string {
	_, text, _ := strings.Cut(g.Source, "\n\n")
	text, _, _ = strings.Cut(text, "\n\n")
	text = strings.Join(strings.Fields(text), " ")
	if sentence, _, ok := strings.Cut(text, ". "); ok {
		return sentence + "."
	}
	return text
}

// List is the list of all guides, in Markdown.
func List() string {
	var b strings.Builder
	b.WriteString("# Guides for authors of clients\n\nThe [document](/docs) describes each call. These guides say how calls work together.\n\n")
	for _, name := range names() {
		g, _ := Find(name) // a test compares the names with the files
		fmt.Fprintf(&b, "- [%s](/docs/guides/%s). %s\n", g.Title(), name, g.Summary())
	}
	b.WriteString("\nEach guide is Markdown too: ask for it with `.md` at the end of its address, or with `Accept: text/markdown`.\n")
	return b.String()
}
