package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// Each refusal says where and what to do, and the report stays.
func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	_, number := file(w, c, object{"latitude": -8.9, "longitude": 125.9})
	known := w.Text(`SELECT id FROM reports`)
	line := through(t, w)
	tab := tabOf(t, w, c, "/report?lang=en", 360, 740)
	var status int
	var body, retryAfter string
	line.lookAt(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/reports" {
			return false
		}
		rw.Header().Set("Content-Type", "application/problem+json")
		if retryAfter != "" {
			rw.Header().Set("Retry-After", retryAfter)
		}
		rw.WriteHeader(status)
		fmt.Fprint(rw, body)
		return true
	})
	if err := chromedp.Run(tab, choose(t, "a.jpg", photo(t, 320, 200, 1)), chromedp.WaitVisible("#picture-image"), fillIn("It stays here")); err != nil {
		t.Fatal(err)
	}
	again := `(async () => { const by = (id) => document.querySelector("[data-testid=" + id + "]");
		for (let i = 0; i < 100 && by("send").hidden; i++) { if (by("other").offsetParent) by("other").click(); else if (by("next").offsetParent && !by("next").disabled) by("next").click(); await new Promise((r) => setTimeout(r, 100)); }
		by("send").click(); })()`
	for _, refusal := range []struct {
		status     int
		body       string
		where, say string
	}{
		{422, `{"code":"outside_area","detail":"This place is outside the area of this service.","errors":[{"field":"latitude","message":"outside"}]}`, "#place-error", "This place is outside the area of this service."},
		{413, `{"code":"too_large","detail":"This is too large."}`, "#photo-error", "This is too large. Choose another photo, or delete it and send the report without it."},
		{415, `{"code":"unsupported_image","detail":"Send a JPEG."}`, "#photo-error", "Send a JPEG. Choose another photo, or delete it and send the report without it."},
		{403, `{"code":"account_suspended","detail":"This account is suspended."}`, "#send-error", "This account is suspended. Your report is still here. Change it and send it again."},
		{409, `{"code":"client_id_reused","detail":"Another report has this id.","report_id":"` + known + `"}`, "#send-error", "Another report has this id. An earlier version of this report has arrived. Look at it, or send this one as a new report."},
	} {
		status, body = refusal.status, refusal.body
		var said, words string
		err := chromedp.Run(tab, chromedp.Evaluate(again, nil, awaited), browser.Poll(`document.querySelector("`+refusal.where+`").textContent !== "" && document.querySelector("`+refusal.where+`").offsetParent !== null`, nil),
			chromedp.TextContent(refusal.where, &said), chromedp.Value("#words", &words))
		if err != nil {
			t.Fatalf("%d: %v", refusal.status, err)
		}
		if said != refusal.say || words != "It stays here" {
			t.Errorf("%d: the page says %q, words %q", refusal.status, said, words)
		}
	}
	browser.Screenshot(t, tab, "report-reused")
	var link string
	if err := chromedp.Run(tab, chromedp.WaitVisible("#send-extra a"), chromedp.Text("#send-extra a", &link)); err != nil || link != number {
		t.Errorf("the earlier report is linked as %q, %v", link, err)
	}
	for i, refusal := range []struct {
		status          int
		retryAfter, say string
	}{
		{429, "120", "You sent many reports in a short time. It is sent by itself after "},
		{503, "60", "Our system does not answer right now. It is sent by itself when it does."},
	} {
		status, body, retryAfter = refusal.status, `{"code":"x","detail":"x"}`, refusal.retryAfter
		steps := chromedp.Tasks{chromedp.Evaluate(again, nil, awaited)}
		if i > 0 {
			steps = chromedp.Tasks{chromedp.Click("#done button")}
		}
		var said string
		err := chromedp.Run(tab, steps, browser.Poll(`document.querySelector("#done").textContent.includes("`+refusal.say[:20]+`")`, nil), chromedp.Text("#done p", &said))
		if err != nil {
			t.Fatalf("%d: %v", refusal.status, err)
		}
		if !strings.HasPrefix(said, refusal.say) {
			t.Errorf("%d: the page says %q", refusal.status, said)
		}
	}
	line.answer.Store(nil)
	if err := chromedp.Run(tab, chromedp.Click("#done button"), arrived); err != nil {
		t.Fatal(err)
	}
	if got := w.Int(`SELECT count(*) FROM reports WHERE description = 'It stays here'`); got != 1 {
		t.Errorf("%d reports in the end", got)
	}
}

// Open reports of the same kind near by are shown before sending, and none of another kind or further away. A place outside the
// country is said at once, a file that is no picture too.
func TestSimilarReportsAreShownBeforeSending(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	_, number := file(w, c, object{"issue_type": "drainage", "latitude": -8.5575, "longitude": 125.5601})
	file(w, c, object{"issue_type": "pothole", "latitude": -8.5575, "longitude": 125.5601})
	file(w, c, object{"issue_type": "drainage", "latitude": -8.5700, "longitude": 125.5601})
	tab := tabOf(t, w, nil, "/report?lang=en", 360, 740)
	var badFile, outside, missing, shown, elsewhere string
	north := bytes.Replace(photo(t, 320, 200, 1), []byte("\x00\x01\x00\x02\x00\x00\x00\x02S"), []byte("\x00\x01\x00\x02\x00\x00\x00\x02N"), 1)
	err := chromedp.Run(tab, choose(t, "a.jpg", []byte("no picture")), browser.Poll(`document.querySelector("#photo-error").textContent !== ""`, nil), chromedp.Text("#photo-error", &badFile),
		choose(t, "b.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")), browser.Poll(`document.querySelector("#photo-error").textContent.includes("HEIC")`, nil),
		choose(t, "c.jpg", north), chromedp.WaitVisible("#picture-image"),
		chromedp.Click(id("next")), chromedp.WaitVisible(id("locate")), chromedp.Text("#photo-place-about", &elsewhere), chromedp.WaitNotVisible(id("photo-place")), chromedp.Click(id("next")), chromedp.Text("#place-error", &missing),
		place("-6.2, 106.8"), chromedp.Text("#place-error", &outside), place("8,5569 S; 125,5603 E"), chromedp.Click(id("next")), chromedp.WaitVisible(id("words")),
		chromedp.Click(`[name=issue_type][value=drainage]`), chromedp.Click(id("next")), chromedp.WaitVisible(id("other")), chromedp.TextContent("#similar", &shown))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-similar")
	if !strings.HasPrefix(badFile, "This file cannot be read as a photo.") || !strings.HasPrefix(missing, "Say where it is") || !strings.HasPrefix(outside, "This place is not in Timor-Leste.") {
		t.Errorf("the page says %q, %q, %q", badFile, missing, outside)
	}
	if elsewhere != "The photo says that it was taken outside Timor-Leste: 8.55690, 125.56030. Choose the place in another way." {
		t.Errorf("of a photo from elsewhere the page says %q", elsewhere)
	}
	if strings.Count(shown, "LS-") != 1 || !strings.Contains(shown, number) || !strings.Contains(shown, "m away") {
		t.Errorf("shown: %q", shown)
	}
	if err := chromedp.Run(tab, chromedp.Click(id("other")), chromedp.WaitVisible(id("send"))); err != nil {
		t.Fatal(err)
	}
}
