package sdks

import (
	"regexp"
	"strings"
	"testing"
)

// TestGuideNamesTheOptions compares the guide for authors of apps with what the generators get here.
func TestGuideNamesTheOptions(t *testing.T) {
	t.Parallel()
	guide := read(t, "../../../functions/meta/guide/getting-started.md")
	options := []string{strings.Join(dartOptions()[:2], " "), strings.Join(dartOptions()[2:], " ")}
	for _, m := range regexp.MustCompile(`"(\w+/[\w+-]+)"`).FindAllStringSubmatch(read(t, "orval.config.cjs"), -1) {
		options = append(options, m[1])
	}
	if len(options) < 4 {
		t.Errorf("only %v were found", options)
	}
	for _, option := range options {
		if !strings.Contains(guide, "`"+option+"`") {
			t.Errorf("the guide does not name %s", option)
		}
	}
	for _, g := range generators() {
		if !strings.Contains(guide, g.name) {
			t.Errorf("the guide does not name %s", g.name)
		}
	}
}
