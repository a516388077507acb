package meta_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// ReDoc names the type of each member, and fits a phone. "any" is what it says of a schema that says nothing. device_info alone
// takes anything.
func TestReDocNamesTypes(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	tab := browser.Open(t, 360, 740)
	var vague []string
	var width int
	err := chromedp.Run(tab,
		chromedp.Navigate(w.URL+"/redoc"),
		browser.Poll(`document.querySelectorAll('[id^="operation/"]').length > 150`, nil),
		chromedp.Evaluate(`[...document.querySelectorAll("td span")].filter((e) => /^(any$|any |Array of any)/.test(e.textContent.trim()))
			.map((e) => e.closest("tr").textContent.slice(0, 80)).filter((row) => !row.startsWith("device_info"))`, &vague),
		chromedp.Evaluate(`document.documentElement.scrollWidth`, &width),
	)
	if err != nil {
		t.Fatal(err)
	}
	if len(vague) > 0 {
		t.Errorf("%d members are of any type: %q", len(vague), vague[:min(10, len(vague))])
	}
	if width > 360 {
		t.Errorf("the page is %d pixels wide", width)
	}
	browser.Screenshot(t, tab, "redoc-phone")
}
