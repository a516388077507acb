package web_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
)

func TestPagesInThreeLanguages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, number := file(w, w.Citizen(), object{"title": `<script>alert(1)</script>`})
	for lang, want := range map[string]string{"en": "What has happened", "pt": "O que aconteceu", "tet": "Saida mak akontese ona"} {
		got := w.Anonymous().Get("//r/" + number + "?lang=" + lang).Want(http.StatusOK)
		body := string(got.Body)
		if !strings.Contains(body, want) || !strings.Contains(body, `<html lang="`+lang+`">`) {
			t.Errorf("%s: got %s", lang, body)
		}
		if strings.Contains(body, "<script>alert") {
			t.Error("a title is run as a script")
		}
		if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
			t.Errorf("policy %q", policy)
		}
	}
	for _, other := range []string{"?lang=PT", "?lang=fr"} {
		if got := w.Anonymous().With("Accept-Language", "pt-BR").Get("//r/" + number + other).Want(http.StatusOK); !strings.Contains(string(got.Body), "O que aconteceu") {
			t.Errorf("%s: got %s", other, got.Body)
		}
	}
	if got := w.Anonymous().With("Accept-Language", "pt-BR").Get("//map").Want(http.StatusOK); !strings.Contains(string(got.Body), "Mapa de relatos") {
		t.Error("the browser's language is not taken")
	}
	w.Anonymous().Get("//r/LS-2020-000001").Want(http.StatusNotFound)
	w.Anonymous().Get("//r/nonsense").Want(http.StatusNotFound)
}

// budgets are the most bytes that the first view of a page may have on the wire, with its scripts and styles and without
// pictures.
var budgets = map[string]int{"/": 20_000, "/report": 40_000, "/r/": 30_000, "/desk": 80_000, "/me": 40_000, "/map": 40_000, "/stats": 40_000, "/admin": 80_000, "/welcome": 30_000}

func TestPagesAreSmall(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	_, number := file(w, c, nil)
	for range 10 {
		file(w, c, nil)
	}
	for page, budget := range budgets {
		path := page
		if page == "/r/" {
			path += number
		}
		for _, lang := range []string{"tet", "pt", "en"} {
			n := weigh(t, w, path+"?lang="+lang)
			t.Logf("%-8s %-3s %6d of %d bytes, %4.1f s", page, lang, n, budget, seconds(n))
			if n > budget {
				t.Errorf("%s in %s weighs %d bytes of %d", page, lang, n, budget)
			}
			patience := 8.0
			if page == "/desk" || page == "/admin" {
				patience = 20
			}
			if s := seconds(n); s > patience {
				t.Errorf("%s in %s works after %.1f s of %.0f on a slow link", page, lang, s, patience)
			}
		}
	}
}

// seconds is how long a first visit takes at 50 kbit/s, when an answer takes 500 ms to come back: DNS, TCP and TLS 1.3, then the page,
// then its files side by side.
func seconds(bytes int) float64 { return 5*0.5 + float64(8*bytes)/50_000 }

var assetAddress = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)

// weigh returns the bytes of a page with the files that it names, as they are on the wire.
func weigh(t *testing.T, w *testenv.System, path string) int {
	t.Helper()
	// A client that asks for gzip by itself gets the bytes as they are on the wire.
	wire := w.Anonymous().With("Accept-Encoding", "gzip")
	total := len(wire.Get("/" + path).Want(http.StatusOK).Body)
	seen := map[string]bool{}
	for _, found := range assetAddress.FindAllStringSubmatch(string(w.Anonymous().Get("/"+path).Body), -1) {
		if seen[found[1]] {
			continue
		}
		seen[found[1]] = true
		asset := wire.Get("/" + found[1]).Want(http.StatusOK)
		if !strings.Contains(asset.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s", found[1], asset.Header.Get("Cache-Control"))
		}
		total += len(asset.Body)
	}
	return total
}

func TestAnUnknownAssetIsNotFound(t *testing.T) {
	t.Parallel()
	setup(t).Anonymous().Get("//assets/000000000000/core.js").Want(http.StatusNotFound)
}

var (
	forScripts = regexp.MustCompile(`<script id="for-scripts" type="application/json">(.*)</script>`)
	imported   = regexp.MustCompile(`(?:from |import |import\()"\./([a-z_]+\.js)"`)
	saidText   = regexp.MustCompile(`\b(t|count|text)\("([a-z0-9_.]+)"(?: \+)?`)
)

// Every text that a script of a page says, also one that is imported later, is among those that the page gives it.
func TestScriptsFindTheirTexts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, number := file(w, w.Citizen(), nil)
	for page := range budgets {
		path := page
		if page == "/r/" {
			path += number
		}
		body := string(w.Anonymous().Get("/" + path).Want(http.StatusOK).Body)
		var given struct{ Texts map[string]map[string]string }
		if raw := forScripts.FindStringSubmatch(body); raw != nil {
			if err := json.Unmarshal([]byte(raw[1]), &given); err != nil {
				t.Fatal(err)
			}
		}
		said := 0
		for address, script := range scriptsOf(w, body) {
			for _, found := range saidText.FindAllStringSubmatch(script, -1) {
				key, built := found[2], strings.HasSuffix(found[0], "+")
				if found[1] == "text" && strings.Contains(script, "./desk_text.js") {
					key = "desk_report." + key
				}
				topic, rest, ok := strings.Cut(key, ".")
				if !ok || given.Texts == nil && !strings.Contains(script, "./core.js") {
					continue
				}
				said++
				if texts, ok := given.Texts[topic]; !ok || !built && texts[rest] == "" {
					t.Errorf("%s: %s says %q, which the page does not have", page, address, key)
				}
			}
		}
		t.Logf("%s: %d texts", page, said)
	}
}

// scriptsOf returns the scripts that a page names and those that they import, by their addresses.
func scriptsOf(w *testenv.System, body string) map[string]string {
	out := make(map[string]string)
	var open []string
	for _, found := range assetAddress.FindAllStringSubmatch(body, -1) {
		open = append(open, found[1])
	}
	for len(open) > 0 {
		address := open[0]
		open = open[1:]
		if _, seen := out[address]; seen || !strings.HasSuffix(address, ".js") {
			continue
		}
		out[address] = string(w.Anonymous().Get("/" + address).Want(http.StatusOK).Body)
		for _, found := range imported.FindAllStringSubmatch(out[address], -1) {
			open = append(open, address[:strings.LastIndex(address, "/")+1]+found[1])
		}
	}
	return out
}
