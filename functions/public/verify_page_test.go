package public_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

const (
	verifyFile = "verify.html"
	caseFile   = "../../infra/lafaek-log/judge/testdata/cases.json"
)

// emptyKeys matches what the README takes out of a served page.
var emptyKeys = regexp.MustCompile(`(<textarea id="keys"[^>]*>).*</textarea>`)

func text(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// runCases fills in each case, presses the button and notes what the page says.
const runCases = `(cases => cases.map(c => {
  const at = id => document.getElementById(id);
  for (const name of ["receipt", "proof", "checkpoint", "content", "keys"]) at(name).value = c.material[name] || "";
  if (c.repeat) at("proof").value = c.material.proof.repeat(c.repeat);
  document.querySelector("[data-testid=check]").click();
  const r = document.querySelector("[data-verdict]");
  return {verdict: r.dataset.verdict, first: r.innerText.trim().split(/\s/)[0], head: r.querySelector("p").textContent, codes: [...r.querySelectorAll("[data-code]")].map(e => e.dataset.code)};
}))`

// TestVerifyPageJudgesLikeTheCommand runs the page on the table of the package judge, as served and from a disk.
func TestVerifyPageJudgesLikeTheCommand(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Serve(public.Open)
	here, err := filepath.Abs(verifyFile)
	if err != nil {
		t.Fatal(err)
	}
	table := text(t, caseFile)
	var cases []struct {
		Name, Verdict string
		Codes         []string
	}
	if err := json.Unmarshal([]byte(table), &cases); err != nil || len(cases) < 50 {
		t.Fatal(len(cases), err)
	}
	for _, address := range []string{w.URL + "/verify?lang=pt", "file://" + here} {
		tab := browser.Open(t, 412, 900)
		var requests atomic.Int32
		chromedp.ListenTarget(tab, func(event any) {
			if e, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, "data:") {
				requests.Add(1)
			}
		})
		var got []struct {
			Verdict, First, Head string
			Codes                []string
		}
		if err := chromedp.Run(tab, network.Enable(), chromedp.Navigate(address), chromedp.Evaluate(runCases+"("+table+")", &got)); err != nil {
			t.Fatal(err)
		}
		browser.Screenshot(t, tab, "verify")
		if requests.Load() != 1 {
			t.Errorf("%s: %d requests, one for the page was expected", address, requests.Load())
		}
		for i, c := range cases {
			if got[i].Verdict != c.Verdict || got[i].First != c.Verdict || !slices.Equal(got[i].Codes, c.Codes) {
				t.Errorf("%s: %s: got %+v, want %s %v", address, c.Name, got[i], c.Verdict, c.Codes)
			}
			// Two histories are evidence: the page does not say that nothing is proven.
			if nothing := strings.HasSuffix(got[i].Head, " la iha prova") || strings.HasSuffix(got[i].Head, " sem prova") || strings.HasSuffix(got[i].Head, " nothing is proven"); nothing != (c.Verdict == "unproven" && c.Codes[0] != "fork") {
				t.Errorf("%s: %s: the page says %q", address, c.Name, got[i].Head)
			}
		}
	}
}

// TestVerifyPageHasEveryTextInThreeLanguages compares the page's texts with those of the command and of the catalogue.
func TestVerifyPageHasEveryTextInThreeLanguages(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(verifyFile)
	if err != nil {
		t.Fatal(err)
	}
	tab := browser.Open(t, 360, 640)
	var texts map[string][]string
	var wide bool
	var unnamed []string
	err = chromedp.Run(tab, chromedp.Navigate("file://"+here), chromedp.Evaluate(`T`, &texts),
		chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide),
		chromedp.Evaluate(`[...document.querySelectorAll("textarea, select, button")].filter(e => !(e.labels && e.labels.length && e.labels[0].textContent) && !e.textContent).map(e => e.id)`, &unnamed))
	if err != nil {
		t.Fatal(err)
	}
	if wide || len(unnamed) > 0 {
		t.Errorf("at 360 pixels the page is too wide: %v; without a label: %v", wide, unnamed)
	}
	for _, code := range judge.Codes() {
		if got := texts[string(code)]; len(got) != 3 || got[2] != (judge.Finding{Code: code, Value: "{v}"}).String() {
			t.Errorf("%s: the page says %q", code, got)
		}
	}
	for key, words := range texts {
		if len(words) != 3 || slices.Contains(words, "") || strings.Count(strings.Join(words, ""), "{v}")%3 != 0 {
			t.Errorf("%s: %q", key, words)
		}
	}
	var catalogue map[string]map[string]string
	if err := json.Unmarshal([]byte(text(t, "../../shared/locale/catalog/pages/common.json")), &catalogue); err != nil {
		t.Fatal(err)
	}
	forever := catalogue["page.public_for_ever"]
	if !slices.Equal(texts["forever"], []string{forever["tet"], forever["pt"], forever["en"]}) {
		t.Errorf("what is public for ever: %q", texts["forever"])
	}
	if !strings.Contains(text(t, "../meta/openapi.json"), forever["en"]) {
		t.Error("POST /reports does not say what is public for ever")
	}
}

// TestServedVerifyPageIsTheFileWithTheKeys holds the page to the README, which says how a reader compares the two.
func TestServedVerifyPageIsTheFileWithTheKeys(t *testing.T) {
	t.Parallel()
	w, _ := ofMadeUpEntries(t, 3)
	file := text(t, verifyFile)
	sum := sha256.Sum256([]byte(file))
	if !strings.Contains(text(t, "../../README.md"), hex.EncodeToString(sum[:])) {
		t.Errorf("the README does not have the SHA-256 of %s: %x", verifyFile, sum)
	}
	got := w.Anonymous().Get("//verify").Want(http.StatusOK)
	if emptied := emptyKeys.ReplaceAllString(string(got.Body), "$1</textarea>"); emptied != file {
		t.Error("the served page is another one")
	}
	_, rest, _ := strings.Cut(string(got.Body), `<textarea id="keys"`)
	_, rest, _ = strings.Cut(rest, ">")
	keys, _, _ := strings.Cut(rest, "</textarea>")
	if want := string(w.Anonymous().Get("//log/keys").Want(http.StatusOK).Body); html.UnescapeString(keys) != strings.TrimSpace(want) {
		t.Errorf("keys in the page %s, at /log/keys %s", html.UnescapeString(keys), want)
	}
	policy := got.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "'self'") || strings.Count(policy, "'sha256-") != 2 {
		t.Errorf("policy %s", policy)
	}
	tag := got.Header.Get("ETag")
	if again := w.Anonymous().With("If-None-Match", tag).Get("//verify"); tag == "" || again.Status != http.StatusNotModified {
		t.Errorf("%d for the tag %q", again.Status, tag)
	}
	if head := w.Anonymous().Do(http.MethodHead, "//verify", nil); head.Status != http.StatusOK || len(head.Body) > 0 || head.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("HEAD: %d %v", head.Status, head.Header)
	}
}

// TestVerifyPageOnARealReport files a report, publishes it, and asks the page as its reporter would, in Tetum.
func TestVerifyPageOnARealReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Serve(reports.Open, public.Open)
	c := w.Citizen()
	id, number := file(w, c, object{"title": "Kuak <b>boot</b>", "description": "Iha eskola nia oin."})
	w.Exec(`INSERT INTO log_keys (role, vkey, from_index) SELECT 'receipts', receipts_vkey, 0 FROM log_counter`)
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))
	answer := c.Get("/reports/" + id).Want(http.StatusOK)
	proof := string(w.Anonymous().Get("/public/blockchain/report/" + number + "/proof").Want(http.StatusOK).Body)
	var parts struct {
		Receipt json.RawMessage `json:"receipt"`
	}
	if err := json.Unmarshal(answer.Body, &parts); err != nil {
		t.Fatal(err)
	}
	receipt, content := string(parts.Receipt), string(answer.Body)
	tab := browser.Open(t, 412, 900)
	ask := func(content string) (string, string) {
		var verdict, words string
		err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/verify?lang=tet"), chromedp.SetValue("#receipt", receipt), chromedp.SetValue("#proof", proof),
			chromedp.SetValue("#content", content), chromedp.Click("[data-testid=check]"), chromedp.WaitVisible("[data-verdict]"),
			chromedp.AttributeValue("[data-verdict]", "data-verdict", &verdict, nil), chromedp.Text("#result", &words))
		if err != nil {
			t.Fatal(err)
		}
		return verdict, words
	}
	if verdict, words := ask(content); verdict != "kept" || !strings.HasPrefix(words, "kept · rai ona") || !strings.Contains(words, number) || !strings.Contains(words, "Konteúdu hanesan") {
		t.Errorf("%s: %s", verdict, words)
	}
	browser.Screenshot(t, tab, "verify-kept")
	if verdict, words := ask(strings.Replace(content, "oin.", "kotuk.", 1)); verdict != "differs" {
		t.Errorf("other words: %s: %s", verdict, words)
	}
	browser.Screenshot(t, tab, "verify-differs")
}
