package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	admin "github.com/lafaekstreet/backend/shared/settings"
)

var (
	// quotedNames are one or more names in quotes: "`a`, `b` and `c`".
	quotedNames = "((?:`[a-z_]+`(?:, | and | or |/)?)+)"
	// namedSettings are the ways in which documents name settings: "setting `a`", "`a` under `PUT /admin/settings`", "`PUT
	// /admin/settings` (`a`)". The README's table of settings has one in each row.
	namedSettings = []*regexp.Regexp{
		regexp.MustCompile("(?i)settings? " + quotedNames), regexp.MustCompile(quotedNames + " under\\s+`PUT /admin/settings`"),
		regexp.MustCompile("`PUT /admin/settings` \\(" + quotedNames),
	}
	quoted = regexp.MustCompile("`([a-z_]+)`")
)

// An operator who reads of a setting finds it: in cdk.json, or under PUT /admin/settings.
func TestSettingsThatDocumentsNameExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"change_epoch": true} // a row that the runbook has an operator write
	for _, of := range []any{settings{}, admin.Settings{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			known[name] = true
		}
	}
	pages, err := filepath.Glob("decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range append(pages, "RUNBOOK.md", "../README.md", "../SECURITY.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range settingsIn(string(text)) {
			found++
			if !known[name] {
				t.Errorf("%s names the setting %s, which is none", page, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d settings are named: the pattern does not match", found)
	}
}

// settingsIn lists the settings that a document names.
func settingsIn(text string) []string {
	var out []string
	if _, table, ok := strings.Cut(text, "| setting | what it is | default |\n"); ok {
		table, _, _ = strings.Cut(table, "\n\n")
		for row := range strings.SplitSeq(table, "\n") {
			first, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
			for _, name := range quoted.FindAllStringSubmatch(first, -1) {
				out = append(out, name[1])
			}
		}
	}
	for _, pattern := range namedSettings {
		for _, names := range pattern.FindAllStringSubmatch(text, -1) {
			for _, name := range quoted.FindAllStringSubmatch(names[1], -1) {
				out = append(out, name[1])
			}
		}
	}
	return out
}
