package web_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// deskReport is a report with a picture, in Dili, with the people who work on it.
type deskReport struct {
	*testenv.System
	t                            *testing.T
	citizen, moderator, official *testenv.Client
	agency                       uuid.UUID
	id, number, image            string
}

func newDeskReport(t *testing.T) *deskReport {
	t.Helper()
	w := setupAll(t)
	d := &deskReport{System: w, t: t, citizen: w.Citizen(), moderator: w.Staff(identity.Moderator), agency: w.Agency("ROADS")}
	d.official = w.Staff(identity.Official, d.agency)
	w.Exec(`UPDATE users SET full_name = 'Ana Costa' WHERE id = $1`, d.moderator.ID)
	w.Exec(`UPDATE users SET full_name = 'Rui Alves', preferred_language = 'en' WHERE id = $1`, d.official.ID)
	w.Exec(`UPDATE agencies SET name = 'Roads', name_tet = 'Estrada' WHERE id = $1`, d.agency)
	w.Exec(`UPDATE users SET preferred_language = 'pt' WHERE id = $1`, d.citizen.ID)
	d.id, d.number = d.file("Deep hole")
	d.image = d.moderator.Get("/reports/" + d.id).Object().Items("images")[0].Text("id")
	return d
}

// file makes a report of the citizen with a processed picture.
func (d *deskReport) file(title string) (string, string) {
	d.t.Helper()
	picture := d.citizen.Form("/reports/pre-upload-image", nil, "file", "a.jpg", d.JPEG(90)).Want(http.StatusCreated).Object().Text("upload_id")
	d.ProcessUpload(picture)
	return file(d.System, d.citizen, object{"title": title, "description": "Motorbikes fall here.\nCall 7731 2345.", "images": []object{{"upload_id": picture}},
		"municipality": "Dili", "suco": "Comoro"})
}

// open opens the report at the desk.
func (d *deskReport) open(who *testenv.Client, width, height int) context.Context {
	d.t.Helper()
	return d.openNumber(who, d.number, width, height)
}

func (d *deskReport) openNumber(who *testenv.Client, number string, width, height int) context.Context {
	d.t.Helper()
	tab := tabOf(d.t, d.System, who, "/desk?lang=en&report="+number, width, height)
	atDesk(d.t, tab, chromedp.WaitVisible(deskID("open-report")))
	return tab
}

// wantStatus fails the test unless the report has the status.
func (d *deskReport) wantStatus(want string) {
	d.t.Helper()
	if got := d.Text(`SELECT status FROM reports WHERE id = $1`, d.id); got != want {
		d.t.Fatalf("the report is %s, not %s", got, want)
	}
}

func atDesk(t *testing.T, tab context.Context, actions ...chromedp.Action) {
	t.Helper()
	soon, cancel := context.WithTimeout(tab, browser.Patience)
	defer cancel()
	if err := chromedp.Run(soon, actions...); err != nil {
		var body string
		_ = chromedp.Run(tab, chromedp.Text("body", &body)) // what a person saw
		browser.Screenshot(t, tab, "failed-"+strings.ReplaceAll(t.Name(), "/", "-"))
		t.Fatalf("%v; the page says:\n%s", err, body)
	}
}

func deskID(name string) string { return `[data-testid="` + name + `"]` }

// dialogID is a control of the dialog that is open.
func dialogID(name string) string { return `[role=dialog] ` + deskID(name) }

// deskDoes presses the control of an action, types into the dialog, and confirms. It waits until the dialog is gone.
func deskDoes(name string, fill ...chromedp.Action) chromedp.Tasks {
	return append(append(chromedp.Tasks{chromedp.Click(deskID(name)), chromedp.WaitVisible(dialogID(name + "-send"))}, fill...),
		chromedp.Click(dialogID(name+"-send")), chromedp.WaitNotPresent("[role=dialog]"))
}

func deskWrites(name, words string) chromedp.Action { return chromedp.SendKeys(dialogID(name), words) }

func deskChooses(name, value string) chromedp.Action {
	return chromedp.Evaluate(`(() => { const s = document.querySelector('`+dialogID(name)+`'); s.value = "`+value+`"; s.dispatchEvent(new Event("change")); if (s.value !== "`+value+`") throw new Error("no such choice"); })()`, nil)
}

// deskShows fails the test unless the report comes to show these words.
func deskShows(t *testing.T, tab context.Context, words ...string) {
	t.Helper()
	for _, want := range words {
		atDesk(t, tab, browser.Poll(fmt.Sprintf(`document.querySelector('%s').textContent.includes(%q)`, deskID("open-report"), want), nil))
	}
}

// deskOffers is the data-testids of the actions that are offered.
func deskOffers(t *testing.T, tab context.Context) string {
	t.Helper()
	var names []string
	atDesk(t, tab, chromedp.Evaluate(`["main-acts", "acts"].flatMap((c, i) => [...document.querySelectorAll("." + c + " [data-testid]")].filter((el) => !i || !el.closest(".main-acts"))).map((el) => el.dataset.testid).filter((id) => id !== "next-report")`, &names))
	return strings.Join(names, " ")
}

// A moderator and an official take a report from pending to fixed, each act once.
func TestDeskTakesAReportToItsEnd(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.moderator.Post("/staff/templates", object{"title": "Thanks", "status": "verified", "body": object{"pt": "Obrigado pelo relato.", "en": "Thank you."}}).Want(http.StatusCreated)
	tab := d.open(d.moderator, 1280, 900)
	deskShows(t, tab, "Deep hole", "Motorbikes fall here.", d.number, "Pothole", "Comoro", "Nobody yet")
	if got := deskOffers(t, tab); got != "verify reject duplicate assign correct edit sheet" {
		t.Errorf("a moderator is offered %s", got)
	}
	templateID := d.Text(`SELECT id FROM staff_templates`)
	atDesk(t, tab, deskDoes("verify", deskChooses("template", templateID)))
	d.wantStatus("verified")
	if note := d.Text(`SELECT note FROM report_status_history WHERE report_id = $1 AND new_status = 'verified'`, d.id); note != "Obrigado pelo relato." {
		t.Errorf("the note is %q", note)
	}
	official := d.official.ID.String()
	atDesk(t, tab, deskDoes("assign", deskChooses("agency", d.agency.String()), deskChooses("person", official), deskWrites("note", "The corner is dark.")))
	d.WaitUntil(`SELECT assigned_user_id = $2 FROM reports WHERE id = $1`, d.id, d.official.ID)
	atDesk(t, tab, chromedp.WaitVisible(deskID("hand-back")))
	deskShows(t, tab, "Roads", "Rui Alves", "Deadline")

	work := d.open(d.official, 412, 800)
	if got := deskOffers(t, work); got != "start duplicate assign hand-back correct edit sheet" {
		t.Errorf("an official is offered %s", got)
	}
	atDesk(t, work, deskDoes("start"))
	d.wantStatus("in_progress")
	atDesk(t, work, deskDoes("stop", deskWrites("note", "Rain.")))
	d.wantStatus("verified")
	atDesk(t, work, deskDoes("start"), deskDoes("fix", deskWrites("note", "Filled with asphalt.")))
	d.wantStatus("fixed")
	atDesk(t, work, deskDoes("reopen", deskWrites("note", "It broke again.")))
	d.wantStatus("in_progress")
	atDesk(t, work, deskDoes("hand-back", deskWrites("note", "This is a national road.")))
	d.WaitUntil(`SELECT assigned_agency_id IS NULL FROM reports WHERE id = $1`, d.id)
}

// writeJPEG saves a picture as a file and returns its path.
func (d *deskReport) writeJPEG() string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "repair.jpg")
	if err := os.WriteFile(path, d.JPEG(200), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}
