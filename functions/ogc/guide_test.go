package ogc

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The guide for GIS people names every collection and parameter, and the right figures.
func TestGuideHasTheParameters(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../meta/guide/gis.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(raw)
	want := []string{fmt.Sprintf("features on a page: %d without it, %d at most", defaultLimit, maxLimit), fmt.Sprintf("at most %d MB of features", maxBytes/1_000_000),
		fmt.Sprintf("more than %d,%03d\npoints", mostPoints/1000, mostPoints%1000)}
	for _, name := range []string{"limit", "bbox", "datetime", "f"} {
		want = append(want, "`"+name+"`")
	}
	for _, c := range known() {
		want = append(want, "`"+c.id+"`")
		for _, filter := range c.filters {
			want = append(want, "`"+filter+"`")
		}
	}
	for _, text := range want {
		if !strings.Contains(guide, text) {
			t.Errorf("the guide lacks %q", text)
		}
	}
}
