package public_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// TestReportPageChecksTheProofInTheBrowser presses the button on an untouched
// report, then on one whose history was tampered with behind the system's back.
func TestReportPageChecksTheProofInTheBrowser(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, number := file(w, w.Citizen(), object{"title": "Hole in front of the school"})
	tab := browser.Open(t, 412, 900)
	var heading, verdict string
	var checks []string
	press := chromedp.Tasks{
		chromedp.Navigate(w.URL + "/r/" + number + "?lang=en"),
		chromedp.Text("h1", &heading),
		chromedp.Click("#verify"),
		chromedp.WaitVisible("#verdict.good, #verdict.bad"),
		chromedp.Text("#verdict", &verdict),
		chromedp.Evaluate(`[...document.querySelectorAll("#checks li")].map(li => li.className + li.textContent)`, &checks),
	}
	if err := chromedp.Run(tab, press); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report")
	if heading != "Hole in front of the school" || verdict != "The proof holds. Nothing was changed." || len(checks) < 2 {
		t.Errorf("got %q, %q, %q", heading, verdict, checks)
	}

	// Somebody with every right on the database rewrites the past.
	w.Exec(`SET ROLE none;
		ALTER TABLE ledger_events DISABLE TRIGGER ALL;
		ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_hash_of_payload;
		UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '"pothole"', '"bridge"'), 'UTF8');
		ALTER TABLE ledger_events ENABLE TRIGGER ALL;
		RESET ROLE`, pgx.QueryExecModeSimpleProtocol)
	if err := chromedp.Run(tab, press); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-tampered")
	if verdict != "The proof does not hold." || !strings.HasPrefix(strings.Join(checks, ""), "bad") {
		t.Errorf("report %s was tampered with, and the page says %q, %q", id, verdict, checks)
	}
}

func TestMapPageShowsReportsAndOpensOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for range 3 {
		file(w, c, nil)
	}
	_, bridge := file(w, c, object{"issue_type": "bridge", "latitude": -8.5, "longitude": 125.6})
	tab := browser.Open(t, 900, 640)
	ready := chromedp.WaitReady(`body[data-ready="true"]`)
	if err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/map?lang=pt#11/-8.53/125.58"), ready); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map")

	if err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/map?lang=pt&issue_type=bridge#15/-8.5/125.6"), ready); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-bridge")
	var label, link string
	err := chromedp.Run(tab,
		chromedp.MouseClickXY(450, 58+(640-58)/2), // the middle of the map, where the bridge is
		chromedp.WaitVisible("#card a"),
		chromedp.Text("#card h2", &label), chromedp.AttributeValue("#card a", "href", &link, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-card")
	if label != "Ponte" || !strings.HasPrefix(link, "/r/"+bridge) {
		t.Errorf("the card says %q and leads to %q", label, link)
	}
}
