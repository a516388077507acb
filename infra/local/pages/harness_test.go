package pages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
)

type object = map[string]any

const setupToken = "a-setup-token-for-one-test"

// town is the running system.
type town struct {
	*testing.T
	api apiclient.Tester
	url string
}

func newTown(t *testing.T) *town {
	t.Helper()
	dir := t.TempDir()
	// An account without the right to install packages uses the PostgreSQL that was unpacked once for all tests.
	if tools, err := filepath.Abs("../../../.run/pg"); err == nil {
		if err := os.Symlink(tools, filepath.Join(dir, "pg")); err != nil {
			t.Fatal(err)
		}
	}
	env := config.Env{"PORT": "0", "PATH": os.Getenv("PATH"), "ADMIN_SETUP_TOKEN": setupToken}
	s, err := system.Start(t.Context(), system.Options{Dir: dir, Env: env, Out: t.Output(), Log: io.Discard, Watch: answers.Watched(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &town{t, apiclient.NewTester(t, s.URL()), s.URL()}
}

// until calls f until it returns true.
func (w *town) until(what string, f func() bool) {
	w.Helper()
	for range 1200 {
		if f() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.Fatalf("%s: not within two minutes", what)
}

var (
	sixDigits = regexp.MustCompile(`\b(\d{6})\b`)
	welcome   = regexp.MustCompile(`(/welcome\?token=[^\s"<>]+)`)
)

// mailed waits for a mail to an address in which pattern finds something, and returns that.
func (w *town) mailed(address string, pattern *regexp.Regexp) string {
	w.Helper()
	found := ""
	w.until("a mail to "+address, func() bool {
		var mails []struct{ Text string }
		if err := json.Unmarshal(w.api.Get("//_local/mail?to="+url.QueryEscape(address)).Want(200).Body, &mails); err != nil {
			w.Fatal(err)
		}
		for _, m := range mails {
			if match := pattern.FindStringSubmatch(m.Text); match != nil {
				found = match[1]
				return true
			}
		}
		return false
	})
	return found
}

// report reads a report as everybody may.
func (w *town) report(number string) apiclient.Object {
	w.Helper()
	return w.api.Get("/public/reports/" + number).Want(200).Object()
}

// code is the present code of a second factor.
func (w *town) code(secret string) string {
	w.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		w.Fatal(err)
	}
	return code
}

// photograph is a JPEG file of a size that a phone makes.
func (w *town) photograph() string {
	w.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 2000, 1500))
	for y := range 1500 {
		for x := range 2000 {
			img.Set(x, y, color.RGBA{uint8(x * y / 1000), uint8(x / 8), uint8(y / 6), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		w.Fatal(err)
	}
	name := filepath.Join(w.TempDir(), "photo.jpg")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		w.Fatal(err)
	}
	return name
}

// person is somebody at a browser.
type person struct {
	*town
	tab context.Context
}

// visitor opens a browser in Dili.
func (w *town) visitor(width int) person {
	w.Helper()
	tab := browser.Open(w.T, width, 800)
	if err := chromedp.Run(tab, browser.At(-8.5569, 125.5603, 8)); err != nil {
		w.Fatal(err)
	}
	return person{w, tab}
}

// named is the selector of a data-testid.
func named(testid string) string { return `[data-testid="` + testid + `"]` }

// do runs actions; step says which part of the story failed.
func (p person) do(step string, actions ...chromedp.Action) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.tab, browser.Patience)
	defer cancel()
	for _, a := range actions {
		if err := chromedp.Run(ctx, a); err != nil {
			browser.Screenshot(p.T, p.tab, "story-failed")
			var text string
			_ = chromedp.Run(p.tab, chromedp.Evaluate(`document.body.innerText`, &text))
			p.Fatalf("%s: %v\nthe page says:\n%s", step, err, strings.TrimSpace(text))
		}
	}
}

// open goes to a page.
func (p person) open(path string) chromedp.Action { return chromedp.Navigate(p.url + path) }

// press clicks a control that can be seen.
func press(testid string) chromedp.Action { return browser.Press(named(testid)) }

// write types a text into a field that can be seen.
func write(testid, text string) chromedp.Action {
	return chromedp.Tasks{chromedp.WaitVisible(named(testid)), chromedp.SendKeys(named(testid), text)}
}

// says waits until the page has a text.
func says(text string) chromedp.Action {
	quoted, _ := json.Marshal(text)
	return browser.Poll(`document.body.innerText.includes(`+string(quoted)+`)`, nil)
}

// signInByCode fills the form that is on the page.
func (p person) signInByCode(address string) {
	p.Helper()
	p.do("ask for a code", write("email", address), press("email-send"))
	p.do("sign in", write("code", p.mailed(address, sixDigits)), press("code-send"))
}

// awaited makes Evaluate wait for a promise.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
