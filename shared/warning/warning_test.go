package warning_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/warning"
)

func TestEveryCodeHasATextInEachLanguage(t *testing.T) {
	t.Parallel()
	all, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range warning.Codes() {
		for _, language := range locale.Languages() {
			if all["warning."+string(code)][language] == "" {
				t.Errorf("%s has no text in %s", code, language)
			}
		}
	}
}

func TestCollector(t *testing.T) {
	t.Parallel()
	c := warning.NewCollector(locale.WithLanguage(context.Background(), locale.Portuguese))
	if c.List() != nil {
		t.Error("warnings of nothing")
	}
	for range 2 { // a transaction that is tried again
		c.Add("title", warning.Cut)
	}
	if list := c.List(); len(list) != 1 || list[0].Message != "Este texto é demasiado longo. O fim foi cortado." {
		t.Errorf("got %v", list)
	}
	for i := range 100 {
		c.Add(fmt.Sprint("points", i), warning.PointDropped)
	}
	if n := len(c.List()); n != 50 {
		t.Errorf("%d warnings, want 50", n)
	}
	var none *warning.Collector
	if none.Add("a", warning.Cut); none.List() != nil || warning.FromContext(context.Background()) != nil {
		t.Error("a request without a collector has warnings")
	}
}
