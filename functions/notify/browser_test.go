package notify

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
)

// rendered is a mail with a name for its screenshot.
type rendered struct {
	name string
	mail Mail
}

// everyMail renders each kind of mail in each language, with the longest words that people can write.
func (b *bundle) everyMail() []rendered {
	b.t.Helper()
	first, second := b.report("LS-2026-000001"), b.report("LS-2026-000002")
	b.exec(`UPDATE reports SET street = $1 WHERE id = $2`, strings.Repeat("Avenidanaksaun", 12), second)
	cards, err := b.w.readCards(b.t.Context(), []uuid.UUID{first, second}, false)
	if err != nil {
		b.t.Fatal(err)
	}
	work := cards[second]
	address := address
	unbroken := "Haree: " + strings.Repeat("x", 100) + " مرحبا، 12. العربية"
	var out []rendered
	for _, l := range locale.Languages() {
		for _, template := range mail.Templates() {
			m := mail.Message{To: address, Language: l, Template: template, Params: notification.AgencyParams("Public Works and Transport of the Municipality", "Obras Públikas", "Obras Públicas")}
			for name, value := range map[string]string{"code": "123456", "minutes": "10", "name": unbroken, "link": base + "/welcome?token=" + strings.Repeat("t", 300), "note": unbroken, "report_number": "LS-2026-000001"} {
				m.Params[name] = value
			}
			if template.ListsReports() {
				m.Sections = []mail.Section{{Total: 2, Reports: []uuid.UUID{first, second}}}
			}
			switch template {
			case mail.AgencyAssigned:
				m.Also = []locale.Language{locale.Portuguese}
			case mail.Digest:
				m.Sections, m.Stop = nil, mail.Stop{Kind: "digest", ID: b.person}
				for _, title := range []string{"overdue", "due_today", "new", "needs_review"} {
					m.Sections = append(m.Sections, mail.Section{Title: title, Total: 12, Reports: []uuid.UUID{first, second}})
				}
			case mail.Alerts:
				m.Sections = []mail.Section{{Title: "alert_new", Total: 1, Reports: []uuid.UUID{first}}, {Title: "alert_fixed", Total: 1, Reports: []uuid.UUID{second}}}
				m.Stop = mail.Stop{Kind: "alerts", ID: b.person}
			}
			sent, err := b.w.renderSealed(m, "k", cards)
			if err != nil {
				b.t.Fatal(err)
			}
			out = append(out, rendered{string(template) + "-" + string(l), sent})
		}
		for _, typ := range notification.Types() {
			for _, variant := range append([]notification.Variant{""}, notification.Variants(typ)...) {
				n := notice{id: uuid.New(), typ: typ, reportID: &first, userID: b.person, email: &address, language: l, author: true, params: notification.AgencyParams("Public Works", "Obras Públikas", "Obras Públicas")}
				for name, value := range map[string]string{"report_number": "LS-2026-000001", "status": "fixed", "reason": "personal_data", "note": unbroken, "original_number": "LS-2026-000002",
					"author": unbroken, "comment": unbroken, "due": "5.12.2026", "announcement": "image_refused", "variant": string(variant)} {
					n.params[name] = value
				}
				var card *card
				if n.reader() == readsOfficial {
					card = &work
				}
				title, body := notification.Text(l, typ, n.params)
				out = append(out, rendered{strings.TrimSuffix(string(typ)+"."+string(variant), ".") + "-" + string(l), b.w.renderNotification(n, title, body, card)})
			}
		}
	}
	return out
}

// Each kind of mail, in each language, is read at the width of a small phone: nothing is wider than the screen, each link is wide
// and high enough for a thumb, and without pictures nothing is lost. So it is in dark colours.
func TestMailsInABrowser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mails := b.everyMail()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &i); err != nil || i >= len(mails) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(mails[i].mail.HTML))
	}))
	t.Cleanup(site.Close)
	tab := browser.Open(t, 360, 640)
	if err := chromedp.Run(tab, network.Enable(), network.SetBlockedURLs([]string{base + "/*"})); err != nil { // as a mail program that shows no pictures
		t.Fatal(err)
	}
	for i, m := range mails {
		var found struct {
			Width         float64
			Small, Unseen []string
			Links         int
		}
		const look = `(() => {
			const lum = c => { const v = c.match(/[\d.]+/g).slice(0, 3).map(x => x / 255).map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
			const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(", 0)")) return c } return "rgb(255, 255, 255)" };
			const texts = [...document.querySelectorAll("p, a, h2, strong")].filter(e => e.textContent.trim());
			return {Width: document.documentElement.scrollWidth, Links: document.links.length,
				Small: [...document.links].filter(a => getComputedStyle(a).display === "inline-block").filter(a => a.getBoundingClientRect().height < 36).map(a => a.textContent),
				Unseen: texts.filter(e => { const a = lum(getComputedStyle(e).color), b = lum(ground(e)); return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5 }).map(e => e.textContent)}})()`
		if err := chromedp.Run(tab, chromedp.Navigate(fmt.Sprintf("%s/%d", site.URL, i))); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		for _, scheme := range []string{"light", "dark"} {
			err := chromedp.Run(tab, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.Evaluate(look, &found))
			if err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
			if found.Width > 360 || len(found.Small) > 0 || len(found.Unseen) > 0 {
				t.Errorf("%s, %s: %v px wide, small %q, hardly seen %q", m.name, scheme, found.Width, found.Small, found.Unseen)
			}
			if scheme == "light" || strings.HasSuffix(m.name, "-tet") {
				browser.Screenshot(t, tab, m.name+"-"+scheme)
			}
		}
	}
	if len(mails) < 90 {
		t.Errorf("only %d mails", len(mails))
	}
}
