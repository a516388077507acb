package web

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources are the words of the code that may make keys of texts: "me.saved", or parts such as "did_" + action.
type sources struct {
	words              map[string]bool // also as a key writes them: small letters, "_" between them
	prefixes, suffixes map[string]bool
}

var (
	word   = regexp.MustCompile("[\"'`{]([a-zA-Z0-9_.-]+)[\"'`},]")
	phrase = regexp.MustCompile(`"([a-zA-Z' -]+)"`)
	member = regexp.MustCompile(`\b([a-z_]+): `) // of an object, whose keys are parts of keys of texts
	prefix = regexp.MustCompile(`"([a-z0-9_.]+[_.])"`)
	suffix = regexp.MustCompile(`\+ ?"([_.][a-z0-9_.]+)"`)
)

var asKey = strings.NewReplacer(".", "_", "-", "_", " ", "_", "'", "")

func readSources(t *testing.T) sources {
	t.Helper()
	out := sources{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, root := range []string{"../../functions", "../../shared"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.Contains(".go.js.html", filepath.Ext(path)) || filepath.Ext(path) == "" {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, of := range []struct {
				pattern *regexp.Regexp
				into    map[string]bool
			}{{word, out.words}, {phrase, out.words}, {member, out.words}, {prefix, out.prefixes}, {suffix, out.suffixes}} {
				for _, found := range of.pattern.FindAllSubmatch(raw, -1) {
					of.into[string(found[1])] = true
					of.into[asKey.Replace(strings.ToLower(string(found[1])))] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// use reports whether the code can make this key, or this end of one.
func (s sources) use(key string) bool {
	if s.words[key] {
		return true
	}
	for end := range s.suffixes {
		if rest, ok := strings.CutSuffix(key, end); ok && s.words[rest] {
			return true
		}
	}
	for begin := range s.prefixes {
		if rest, ok := strings.CutPrefix(key, begin); ok && rest != "" && s.use(rest) {
			return true
		}
	}
	return false
}

// A text that nothing says is in the way of whoever translates, and its weight is on every page of its topic.
func TestEveryTextOfAPageIsUsed(t *testing.T) {
	t.Parallel()
	all := readSources(t)
	files, err := filepath.Glob("../../shared/locale/catalog/pages/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := json.Unmarshal(raw, &texts); err != nil {
			t.Fatal(err)
		}
		for key := range texts {
			if !all.use(key) && !all.use(strings.TrimPrefix(key, "page.")) {
				t.Errorf("%s: nothing says %q", filepath.Base(file), key)
			}
		}
	}
	if all.use("me.a_text_that_nobody_wrote") || all.use("a_text_that_nobody_wrote") {
		t.Error("every text counts as used")
	}
}
