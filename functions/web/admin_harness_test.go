package web_test

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/credential"
)

// administration is a tab with the page of administrators, and how its tests use it.
type administration struct {
	t   *testing.T
	w   *testenv.System
	tab context.Context
}

func openAdmin(t *testing.T, w *testenv.System, c *testenv.Client, hash string) *administration {
	t.Helper()
	return &administration{t, w, tabOf(t, w, c, "/admin?lang=en"+hash, 360, 740)}
}

// id selects an element by its data-testid.
func (*administration) id(name string) string { return `[data-testid="` + name + `"]` }

// do runs actions, and shows what the page reads where one fails.
func (a *administration) do(actions ...chromedp.Action) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.tab, browser.Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var text string
		_ = chromedp.Run(a.tab, chromedp.Evaluate(`location.hash + "\n" + document.body.innerText`, &text)) // it only helps
		browser.Screenshot(a.t, a.tab, "failed-"+a.t.Name())
		a.t.Fatalf("%v; the page reads %s", err, text)
	}
}

func (a *administration) click(name string) { a.t.Helper(); a.do(browser.Press(a.id(name))) }

// says waits until the page shows the words.
func (a *administration) says(words string) {
	a.t.Helper()
	quoted, _ := json.Marshal(words) // a string
	a.do(browser.Poll(`document.body.innerText.includes(`+string(quoted)+`)`, nil))
}

// set types into a control, in place of what is there.
func (a *administration) set(selector, value string) {
	a.t.Helper()
	a.do(chromedp.WaitVisible(selector), chromedp.Evaluate("document.querySelector(`"+selector+"`).value = ''", nil), chromedp.SendKeys(selector, value))
}

// choose takes an option of a select.
func (a *administration) choose(selector, value string) {
	a.t.Helper()
	a.do(chromedp.WaitVisible(selector), chromedp.SetValue(selector, value), chromedp.Evaluate(`document.querySelector('`+selector+`').dispatchEvent(new Event("change"))`, nil))
}

// open goes to an address of the page.
func (a *administration) open(hash, words string) {
	a.t.Helper()
	a.do(chromedp.Evaluate(`location.hash = "`+hash+`"`, nil))
	a.says(words)
}

// text reads the text of an element.
func (a *administration) text(selector string) string {
	a.t.Helper()
	var out string
	a.do(chromedp.Text(selector, &out))
	return out
}

// totp is the code of a secret as the page shows it, for a step from now.
func (a *administration) totp(shown string, step int64) string {
	a.t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(shown, " ", ""))
	if err != nil {
		a.t.Fatal(err)
	}
	return credential.TOTPCode(secret, credential.TOTPStep(time.Now())+step)
}
