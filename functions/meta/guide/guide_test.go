package guide

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The list names every file once. Each guide begins with its title and a paragraph, and its links lead somewhere.
func TestGuidesAreComplete(t *testing.T) {
	t.Parallel()
	found, err := fs.Glob(files, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(names()))
	for i, file := range found {
		found[i] = strings.TrimSuffix(file, ".md")
	}
	if !slices.Equal(found, want) {
		t.Errorf("files %v, names %v", found, want)
	}
	link := regexp.MustCompile(`\]\((/docs/guides/([a-z0-9-]+))?(?:#([a-z0-9-]+))?\)`)
	for _, name := range want {
		g, _ := Find(name)
		if !strings.HasPrefix(g.Source, "# "+g.Title()+"\n\n") || len(g.Summary()) < 20 || strings.HasPrefix(g.Summary(), "#") || !strings.HasSuffix(g.Summary(), ".") {
			t.Errorf("%s begins with %q, %q", name, g.Title(), g.Summary())
		}
		for _, m := range link.FindAllStringSubmatch(g.Source, -1) {
			target := Guide{Name: name, Source: g.Source}
			if m[2] != "" {
				var ok bool
				if target, ok = Find(m[2]); !ok {
					t.Errorf("%s: %s leads nowhere", name, m[1])
					continue
				}
			}
			page, err := Page(target.Source)
			if err != nil {
				t.Fatal(err)
			}
			if m[3] != "" && !strings.Contains(string(page), `id="`+m[3]+`"`) {
				t.Errorf("%s: %s has no heading %s", name, target.Name, m[3])
			}
		}
	}
}

func BenchmarkPage(b *testing.B) {
	g, _ := Find("log")
	for b.Loop() {
		if _, err := Page(g.Source); err != nil {
			b.Fatal(err)
		}
	}
}
