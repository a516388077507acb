package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// From the installation to the first change of a setting. A refused password is said at its field. When the session has ended,
// the page says so, and what was typed is saved after the sign-in.
func TestAdministrationFromSetUpToWork(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	a := openAdmin(t, w, nil, "")
	const address, password = "boss@example.tl", "kareta-mean-tolu"
	a.click("first-setup")
	a.set(a.id("setup-token"), "local-admin-setup")
	a.set(a.id("setup-name"), "Ana Boss")
	a.set(a.id("email"), address)
	a.set(a.id("setup-password"), "password1")
	a.click("setup-send")
	a.do(chromedp.WaitVisible(a.id("setup-password") + `[aria-invalid="true"]`))
	a.set(a.id("setup-password"), password)
	a.click("setup-send")
	a.do(chromedp.WaitVisible(a.id("secret")))
	browser.AccessibleInThemes(t, a.tab, "admin set-up")
	var qr bool
	var codes []string
	a.do(browser.Poll(`document.querySelector('[data-testid=qr]').naturalWidth > 0`, &qr), chromedp.Evaluate(`[...document.querySelectorAll('[data-testid=recovery-codes] code')].map((c) => c.textContent)`, &codes))
	if len(codes) < 8 {
		t.Fatalf("recovery codes %q", codes)
	}
	browser.Screenshot(t, a.tab, "admin-set-up")
	secret := a.text(a.id("secret"))
	a.set(a.id("code"), a.totp(secret, 0))
	a.click("code-send") // refused by the browser: the codes are not saved
	var complete bool
	a.do(chromedp.Evaluate(`document.querySelector('[data-testid=codes-saved]').form.checkValidity()`, &complete))
	if n := w.Int(`SELECT count(*) FROM sessions`); complete || n != 0 {
		t.Errorf("the form is complete (%v), or there are %d sessions, before the codes were saved", complete, n)
	}
	a.click("codes-saved")
	a.click("code-send")
	a.says("Signed in as Ana Boss.")
	a.says("There is no agency yet.")

	a.open("#settings", "Days to say")
	a.set(`[name=dispute_days]`, "45")
	w.Exec(`UPDATE sessions SET revoked_at = now()`)
	a.click("settings-send")
	a.says("You are signed out.")
	a.set(a.id("email"), address)
	a.set(`[role=dialog] [type=password]`, password)
	a.click("sign-in")
	a.set(`[role=dialog] `+a.id("code"), codes[0])
	a.do(chromedp.Click(`[role=dialog] ` + a.id("code-send")))
	a.says("Saved. It holds everywhere")
	if got := w.Text(`SELECT value->>'dispute_days' FROM app_settings`); got != "45" {
		t.Errorf("dispute_days is %s", got)
	}

	b := openAdmin(t, w, nil, "#setup") // once more
	b.set(b.id("setup-token"), "local-admin-setup")
	b.set(b.id("setup-name"), "Rui")
	b.set(b.id("email"), "rui@example.tl")
	b.set(b.id("setup-password"), password)
	b.click("setup-send")
	b.says("Sign in instead.")
}

// An administrator without a second factor sets it up here, and goes on. Others are told that the page is not for them.
func TestAdministrationAsksForTheSecondFactor(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	boss := w.Staff(identity.Admin)
	w.Exec(`UPDATE sessions SET second_factor_at = NULL WHERE id = $1`, boss.SessionID)
	a := openAdmin(t, w, boss, "")
	a.says("Set up your second factor")
	a.set(a.id("code"), "000000")
	a.click("code-send")
	a.do(chromedp.WaitVisible(`form > .error`))
	a.set(a.id("code"), a.totp(a.text(a.id("secret")), 0))
	a.click("code-send")
	a.do(chromedp.WaitVisible(a.id("recovery-codes")))
	a.click("codes-saved")
	a.click("codes-done")
	a.do(chromedp.WaitVisible(a.id("invite")))

	m := openAdmin(t, w, w.Staff(identity.Moderator), "")
	m.says("This page is for administrators")
	m.do(chromedp.WaitVisible(`a.button[href="/desk"]`))
	browser.AccessibleInThemes(t, m.tab, "admin for a moderator")
}

// Invitations, roles, suspension, the reports of a person.
func TestAdministrationOfPeople(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	citizen := w.Citizen()
	w.Exec(`UPDATE users SET full_name = 'Zeca Problema', email = 'zeca@example.tl' WHERE id = $1`, citizen.ID)
	_, number := file(w, citizen, object{"title": "Buat aat"})
	agency := w.Agency("DILI-ROADS")
	a := openAdmin(t, w, w.Staff(identity.Admin), "")

	a.click("invite")
	a.set(a.id("invite-email"), "Nina@example.tl")
	a.choose(a.id("invite-role"), "government_official")
	a.choose(a.id("invite-agency"), agency.String())
	a.click("invite-send")
	a.says("An invitation was mailed to nina@example.tl.")
	a.says("Invite another") // the list is still there
	a.do(chromedp.WaitVisible(a.id("list")))
	a.do(chromedp.Click(`.note.good a`))
	a.do(chromedp.WaitVisible(`dl.card`))
	if facts := a.text(`dl.card`); !strings.Contains(facts, "Invited as") || !strings.Contains(facts, "Official of an agency") || strings.Contains(facts, "Citizen") {
		t.Errorf("an invited person: %s", facts)
	}
	if got := w.Text(`SELECT i.role || ' ' || i.agency_id || ' ' || i.full_name FROM invitations i`); got != "government_official "+agency.String()+" Nina" {
		t.Errorf("invited: %s", got)
	}
	before := w.Text(`SELECT encode(token_hmac, 'hex') FROM invitations`)
	a.click("invite-again")
	w.WaitUntil(`SELECT encode(token_hmac, 'hex') <> $1 FROM invitations`, before)

	a.open("#people", "Name or e-mail")
	a.click("invite") // an address that has an account leads to it
	a.set(a.id("invite-email"), "zeca@example.tl")
	a.click("invite-send")
	a.says("Zeca Problema")
	a.says(number)
	browser.AccessibleInThemes(t, a.tab, "admin person")
	a.click("reject")
	a.says("Choose reports first.")
	a.click("choose")
	a.click("reject")
	a.choose(`[name=reason_code]`, "offensive")
	a.set(a.id("note"), "La bele.")
	a.click("reject-send")
	w.WaitUntil(`SELECT status = 'rejected' FROM reports WHERE report_number = $1`, number)
	a.do(chromedp.WaitNotPresent(`[role=dialog]`))

	a.click("suspend")
	a.set(a.id("reason"), "Insults people")
	a.click("suspend-send")
	a.says("Insults people")
	w.WaitUntil(`SELECT suspended_at IS NOT NULL FROM users WHERE id = $1`, citizen.ID)
	a.click("reinstate")
	a.click("reinstate-send")
	a.do(chromedp.WaitVisible(a.id("suspend")))
	a.click("clear-name")
	a.set(a.id("reason"), "Insult")
	a.click("clear-name-send")
	w.WaitUntil(`SELECT full_name = '' FROM users WHERE id = $1`, citizen.ID)
	a.do(chromedp.WaitNotPresent(a.id("clear-name"))) // else the form of the role is made anew after the choice

	a.choose(a.id("role"), "moderator")
	a.click("rights-send")
	w.WaitUntil(`SELECT role = 'moderator' FROM users WHERE id = $1`, citizen.ID)
	a.do(browser.Poll(`document.querySelector("dl.card").innerText.includes("Moderator")`, nil)) // else the page asks before it is left
	a.do(chromedp.Reload())                                                                      // the address of a person can be opened again
	a.says("zeca@example.tl")

	a.open("#people", "Name or e-mail")
	a.set(a.id("find"), "nina")
	a.do(chromedp.Click(`[role=search] [type=submit]`), browser.Poll(`document.querySelectorAll("[data-testid=list] li").length === 1`, nil))
	var hash string
	a.do(chromedp.Evaluate(`location.hash`, &hash), chromedp.NavigateBack(), browser.Poll(`document.querySelectorAll("[data-testid=list] li").length === 3`, nil))
	if hash != "#people?q=nina" {
		t.Errorf("the address is %s", hash)
	}
}

// The list has pages. The last administrator stays one, and is told why. What is typed and not saved is not lost by a link.
func TestAdministrationPagesThroughPeople(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	boss := w.Staff(identity.Admin)
	w.Exec(`INSERT INTO users (id, email, full_name, created_at) SELECT gen_random_uuid(), 'p' || n || '@example.tl', 'Person ' || n, now() - n * interval '1 minute' FROM generate_series(1, 45) n`)
	a := openAdmin(t, w, boss, "")
	a.says("Page 1 of 3, 46 in all")
	a.do(chromedp.Click(`nav.pager a:last-child`))
	a.says("Page 2 of 3")
	a.do(chromedp.NavigateBack())
	a.says("Page 1 of 3")
	a.open("#people/"+boss.ID.String(), "Role and agency")
	a.choose(a.id("role"), "citizen")
	a.click("rights-send")
	a.says("The last administrator cannot be demoted")
	a.do(chromedp.Evaluate(`location.hash = "#audit"`, nil))
	a.says("Leave without saving?")
	a.do(chromedp.Click(`[role=dialog] button:not([type=submit])`), chromedp.WaitNotPresent(`[role=dialog]`))
	var hash string
	a.do(chromedp.Evaluate(`location.hash`, &hash))
	if !strings.HasPrefix(hash, "#people/") {
		t.Errorf("the address is %s after staying", hash)
	}
	a.do(chromedp.Evaluate(`location.hash = "#audit"`, nil))
	a.click("leave-send")
	a.says("Who did what and when")
}

// Agencies with an area from a file. What the API refuses is said at the field.
func TestAdministrationOfAgencies(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	a := openAdmin(t, w, w.Staff(identity.Admin), "#agencies")
	upload := func(name, content string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		a.do(chromedp.SetUploadFiles(a.id("area-file"), []string{path}))
	}
	a.click("agency-new")
	a.set(`[name=code]`, "op-dili")
	a.set(`[name=name]`, "Public Works Dili")
	a.set(`[name=contact_email]`, "op@example.tl")
	a.do(chromedp.Click(`[name=municipality_codes][value=TL-DI]`), chromedp.Click(`[name=issue_types][value=pothole]`))
	upload("a.geojson", `{"type": "Point", "coordinates": [125.5, -8.5]}`)
	a.says("There is no polygon in this file.")
	upload("far.geojson", `{"type": "Polygon", "coordinates": [[[126.9, -8.5], [127, -8.5], [127, -8.4], [126.9, -8.5]]]}`)
	a.says("The area has 3 corners.")
	a.click("agency-send")
	a.do(chromedp.WaitVisible(a.id("area-file") + `[aria-invalid="true"]`))
	upload("good.geojson", `{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry":
		{"type": "Polygon", "coordinates": [[[125.55, -8.57], [125.6, -8.57], [125.6, -8.54], [125.57, -8.53], [125.55, -8.57]]]}}]}`)
	a.says("The area has 4 corners.")
	a.click("agency-send")
	a.do(chromedp.WaitVisible(a.id("agency-remove")))
	if got := w.Text(`SELECT code || ' ' || municipality_codes::text || issue_types::text || ST_NPoints(area) FROM agencies WHERE code = 'OP-DILI'`); got != "OP-DILI {TL-DI}{pothole}5" {
		t.Errorf("stored: %s", got)
	}
	browser.AccessibleInThemes(t, a.tab, "admin agency")

	// The area is drawn on the map, too: here by typing its corners, as somebody does who cannot point.
	a.click("area-draw")
	var around bool
	a.do(chromedp.WaitVisible(`.map-edit textarea`), chromedp.Evaluate(`(() => { const top = (s) => document.querySelector(s).getBoundingClientRect().top;
		return top(".map-help") < top(".area-map") && top(".map-edit") < top("[data-testid=area-draw]") && !document.querySelector(".outline"); })()`, &around), chromedp.Evaluate(`(() => { const corners = document.querySelector(".map-edit textarea");
		corners.value = "-8.57, 125.55\n-8.57, 125.60\n-8.54, 125.60"; corners.dispatchEvent(new Event("change")); })()`, nil))
	a.click("area-draw")
	a.says("The area has 3 corners.")
	a.do(chromedp.WaitNotPresent(".map-help"), browser.Poll(`document.querySelector(".outline img").naturalWidth > 0`, nil))
	if !around {
		t.Error("the help is not above the map, or the button not below it")
	}
	browser.Screenshot(t, a.tab, "agency-area")
	a.click("agency-send")
	w.WaitUntil(`SELECT ST_NPoints(area) = 4 FROM agencies WHERE code = 'OP-DILI'`)

	// What another administrator changed meanwhile stays.
	w.Exec(`UPDATE agencies SET contact_email = 'new@example.tl' WHERE code = 'OP-DILI'`)
	a.set(`[name=name_tet]`, "Obras Dili")
	a.click("agency-send")
	w.WaitUntil(`SELECT name_tet = 'Obras Dili' AND contact_email = 'new@example.tl' AND ST_NPoints(area) = 4 FROM agencies WHERE code = 'OP-DILI'`)

	w.Exec(`UPDATE users SET agency_id = (SELECT id FROM agencies WHERE code = 'OP-DILI')`)
	a.click("agency-remove")
	a.click("agency-remove-send")
	a.says("First give its people another agency")
	w.Exec(`UPDATE users SET agency_id = NULL`)
	a.click("agency-remove-send")
	a.says("no agency yet")
}

// Settings: one at its limits, one that the API refuses, and two administrators at once.
func TestAdministrationOfSettings(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	boss := w.Staff(identity.Admin)
	a := openAdmin(t, w, boss, "#settings")
	a.says("From 1 to 365; default 30.")
	browser.AccessibleInThemes(t, a.tab, "admin settings")
	a.set(`[name=report_area]`, "130")
	a.click("settings-send")
	a.do(chromedp.WaitVisible(`[name=report_area][aria-invalid="true"]`))
	a.set(`[name=report_area]`, "123.04")
	a.set(`[name="deadlines.high"]`, "4")
	a.do(chromedp.SetValue(a.id("holiday"), "2027-03-10"), chromedp.Click(a.id("holiday-add")), chromedp.Click(`[name=fixed_needs_picture][value=bridge]`), chromedp.Click(`[name=publish_before_verdict]`))

	stored := func() object {
		t.Helper()
		var out object
		if err := json.Unmarshal(boss.Get("/admin/settings").Want(http.StatusOK).Body, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	others := stored()
	others["dispute_days"] = 60
	boss.Do(http.MethodPut, "/admin/settings", others).Want(http.StatusOK)
	a.click("settings-send")
	a.says("Somebody changed settings meanwhile")
	a.says("A face, a name or an offensive picture can be public")
	a.click("settings-confirm-send")
	a.says("Saved. It holds everywhere")
	got := stored()
	want := fmt.Sprint(60.0, map[string]any{"critical": 2.0, "high": 4.0, "low": 30.0, "medium": 15.0}, []any{"2027-03-10"}, []any{"bridge"}, true)
	if have := fmt.Sprint(got["dispute_days"], got["deadlines"], got["holidays"], got["fixed_needs_picture"], got["publish_before_verdict"]); have != want {
		t.Errorf("stored %s, want %s", have, want)
	}
	var shown string
	a.do(chromedp.Value(`[name=dispute_days]`, &shown))
	if shown != "60" {
		t.Errorf("the page shows %s days of the other administrator", shown)
	}
}

// A template, an announcement, and both in the audit log.
func TestAdministrationOfWords(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	a := openAdmin(t, w, w.Staff(identity.Admin), "#templates")
	a.click("template-new")
	a.set(`[name=title]`, "Repair is planned")
	a.set(`[name="body.tet"]`, "Ekipa sei ba iha semana ne'e.")
	a.choose(`[name=status]`, "in_progress")
	a.click("template-send")
	a.says("Ekipa sei ba iha semana ne'e.")
	a.do(chromedp.Click(a.id("list") + ` a`))
	a.set(`[name="body.pt"]`, "Uma equipa vem esta semana.")
	a.click("template-send")
	w.WaitUntil(`SELECT body_pt <> '' AND body_tet <> '' AND status = 'in_progress' FROM staff_templates`)
	a.do(chromedp.Click(a.id("list") + ` a`))
	a.click("template-remove")
	a.click("template-remove-send")
	a.says("There is no template yet.")

	a.open("#announcements", "For whom")
	a.choose(`[name=municipality_code]`, "TL-DI")
	a.set(`[name="title.pt"]`, "Estrada cortada")
	a.set(`[name="body.pt"]`, "Amanhã.")
	a.click("announce")
	a.says("This goes to everybody in Dili.")
	browser.AccessibleInThemes(t, a.tab, "admin announcement")
	a.click("announce-send")
	a.says("It will be sent within minutes.")
	if got := w.Text(`SELECT (title->>'tet') || ' ' || municipality_code FROM announcements`); got != "Estrada cortada TL-DI" {
		t.Errorf("announced %s", got)
	}

	a.open("#audit?entity=template", "Changed a template")
	a.says("Uma equipa vem esta semana.")
	browser.AccessibleInThemes(t, a.tab, "admin audit")
	a.open("#audit?entity=announcement", "Sent an announcement")
	a.choose(`[name=entity]`, "settings")
	a.do(chromedp.Click(`[role=search] [type=submit]`))
	a.says("There is nothing here yet.")
}
