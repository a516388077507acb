package meta_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/locale"
)

// words are the texts about codes: pages/problems.json.
func words(t *testing.T) map[string]map[string]string {
	t.Helper()
	raw, err := os.ReadFile("pages/problems.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]map[string]string
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every code that clients get has words, and nothing else has.
func TestEveryCodeHasItsWords(t *testing.T) {
	t.Parallel()
	texts, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	have := words(t)
	for key := range texts {
		code, is := strings.CutPrefix(key, "problem.")
		if !is {
			continue
		}
		if have[code]["happened"] == "" || have[code]["do"] == "" {
			t.Errorf("pages/problems.json does not say what happened and what to do for %s", code)
		}
		delete(have, code)
	}
	for code := range have {
		t.Errorf("pages/problems.json has %s, which no answer has", code)
	}
}

// Each code has a page with its example, and the list has each page.
func TestEveryCodeHasItsPage(t *testing.T) {
	t.Parallel()
	anybody := testenv.New(t, meta.Open).Anonymous().With("Accept", "text/markdown")
	list := string(anybody.Get("//docs/problems").Want(http.StatusOK).Body)
	for _, code := range slices.Sorted(maps.Keys(words(t))) {
		page := string(anybody.Get("//docs/problems/" + code).Want(http.StatusOK).Body)
		if !strings.HasPrefix(page, "# "+code+"\n") || !strings.Contains(page, "## What the client should do") {
			t.Errorf("the page of %s is %s", code, page)
		}
		if code != "method_not_allowed" && !strings.Contains(page, `"code": "`+code+`"`) {
			t.Errorf("the page of %s has no example", code)
		}
		if !strings.Contains(list, "](/docs/problems/"+code+")") {
			t.Errorf("the list does not have %s", code)
		}
	}
	anybody.Get("//docs/problems/none").WantProblem(http.StatusNotFound, "not_found")
}

// The type of a problem document is the address of a page about its code.
func TestTypeOfAProblemLeadsToItsPage(t *testing.T) {
	t.Parallel()
	anybody := testenv.New(t, meta.Open, reports.Open).Anonymous()
	refused := anybody.Get("/reports").WantProblem(http.StatusUnauthorized, "token_missing")
	address := refused.Object().Text("type")
	path, here := strings.CutPrefix(address, anybody.URL)
	if !here {
		t.Fatalf("type is %q, which is no address of %s", address, anybody.URL)
	}
	page := anybody.With("Accept", "text/html").Get("/" + path).Want(http.StatusOK)
	if !strings.Contains(string(page.Body), "<h1") || !strings.Contains(string(page.Body), "token_missing") {
		t.Errorf("%s is %s", address, page.Body)
	}
}
