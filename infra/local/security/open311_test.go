package security

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// sent files a report over Open311 and returns its number.
func sent(w *testenv.System, key string, more map[string]string) string {
	w.Helper()
	fields := map[string]string{"api_key": key, "service_code": "pothole", "lat": "-8.55691", "long": "125.56034", "description": "Deep hole", "first_name": "Ana", "last_name": "Soares",
		"phone": "+670 7700 1122"}
	maps.Copy(fields, more)
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return w.Anonymous().Post("//open311/v2/requests.json", form).Want(http.StatusOK).List()[0].Text("service_request_id")
}

// Whoever confirms the address that another system names does not become the reporter, and is mailed nothing. Only staff read the contact.
func TestNobodyBecomesTheReporterOfWhatAnotherSystemSends(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	ana, mod := w.Citizen(), w.Staff(identity.Moderator)
	address := w.Text(`UPDATE users SET email_verified_at = now() WHERE id = $1 RETURNING email::text`, ana.ID)
	number := sent(w, key, map[string]string{"email": address})
	o := outbox.New(&database.DB{Pool: w.DB}, nil, nil)
	if n, err := reportwrite.Claim(t.Context(), o, ana.ID); n != 0 || err != nil {
		t.Errorf("claimed %d, %v", n, err)
	}
	if n := ana.Get("/reports/my-reports").Want(http.StatusOK).Object().Number("total"); n != 0 {
		t.Error("it is among the own reports")
	}
	if _, err := w.DB.Exec(t.Context(), `UPDATE reports SET user_id = $1`, ana.ID); err == nil || !strings.Contains(err.Error(), "reports_one_owner") {
		t.Errorf("the report of a key gets a reporter: %v", err)
	}
	mod.Post("/reports/"+number+"/status", object{"status": "verified"}).Want(http.StatusOK)
	mod.Post("/reports/"+number+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
	if n := w.Int(`SELECT (SELECT count(*) FROM notifications) + (SELECT count(*) FROM outbox WHERE queue = 'notify' AND body ? 'contact')`); n != 0 {
		t.Errorf("%d messages to the person", n)
	}
	mod.Post("/reports/"+number+"/status", object{"status": "pending", "note": "A second look."}).Want(http.StatusOK)
	mod.Post("/reports/"+number+"/status", object{"status": "verified"}).Want(http.StatusOK)
	contact := mod.Get("/reports/" + number + "/reporter").Want(http.StatusOK).Object()
	if contact.Text("full_name") != "Ana Soares" || contact.Text("phone_number") != "+670 7700 1122" || contact.Text("email") != address || contact.Text("sent_by") != "FixMyStreet" ||
		contact.Text("system_email") != "ops@example.org" {
		t.Errorf("%v", contact.Values)
	}
	ana.Get("/reports/" + number + "/reporter").Want(http.StatusForbidden)
	for _, path := range []string{"/public/reports/" + number, "/reports/" + number, "//open311/v2/requests/" + number + ".json?extensions=true", "//open311/v2/requests.xml?extensions=true&api_key=" + key,
		"//r/" + number, "/public/export.csv?status=verified", "/public/feed.atom"} {
		body := string(ana.Get(path).Want(http.StatusOK).Body)
		for _, private := range []string{"Soares", "7700 1122", address, "ops@example.org", key} {
			if strings.Contains(body, private) {
				t.Errorf("%s has %q", path, private)
			}
		}
	}
}

// A key reads nothing that others do not read, and signs nobody in. A report that is anonymous has no contact for staff either.
func TestAnAPIKeyIsNoToken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	number := sent(w, key, map[string]string{"attribute[anonymous]": "true", "email": "ana@example.tl"})
	for _, path := range []string{"//open311/v2/requests/" + number + ".json", "//open311/v2/requests.json?extensions=true"} {
		with, without := w.Anonymous().With("X-API-Key", key).Get(path).Want(http.StatusOK), w.Anonymous().Get(path).Want(http.StatusOK)
		if string(with.Body) != string(without.Body) || strings.Contains(string(with.Body), "Deep hole") || strings.Contains(string(with.Body), "125.56034") {
			t.Errorf("%s: %s", path, with.Body)
		}
	}
	w.Anonymous().WithToken(key).Get("/users/me").Want(http.StatusUnauthorized)
	w.Staff(identity.Moderator).Get("/reports/"+number+"/reporter").WantProblem(http.StatusNotFound, "reporter_unknown")
}

// What another system wrote down about a person is in the export of the account with the address, and goes with it.
func TestErasureReachesWhatOtherSystemsSent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	ana := w.Citizen()
	address := w.Text(`UPDATE users SET email_verified_at = now() WHERE id = $1 RETURNING email::text`, ana.ID)
	number := sent(w, key, map[string]string{"email": strings.ToUpper(address), "device_id": "d1", "account_id": "a1"})
	sent(w, key, map[string]string{"email": "somebody@example.tl", "description": "Another hole"})
	records := ana.Get("/users/me/export").Want(http.StatusOK).Object().Items("records.sent_for_me")
	if len(records) != 1 || records[0].Text("full_name") != "Ana Soares" || records[0].Text("device_id") != "d1" || records[0].Text("account_id") != "a1" {
		t.Errorf("the export has %v", records)
	}
	ana.Do(http.MethodDelete, "/users/"+ana.ID.String(), nil).Want(http.StatusOK)
	stranger := w.Citizen() // has never confirmed the address
	w.Exec(`UPDATE users SET email = 'somebody@example.tl', email_verified_at = NULL WHERE id = $1`, stranger.ID)
	stranger.Do(http.MethodDelete, "/users/"+stranger.ID.String(), nil).Want(http.StatusOK)
	const left = `SELECT concat_ws('|', c.full_name, c.phone_number, c.email, c.device_id, c.account_id, r.report_number = $1) FROM open311_contacts c JOIN reports r ON r.id = c.report_id WHERE c.email IS NULL`
	if got := w.Text(left, number); got != "t" {
		t.Errorf("left: %s", got)
	}
	if n := w.Int(`SELECT count(*) FROM open311_contacts WHERE email = 'somebody@example.tl'`); n != 1 {
		t.Error("the contact of somebody else is gone")
	}
	if got := differs(w.Staff(identity.Moderator), number); got != "" {
		t.Errorf("it does not verify: %s", got)
	}
}

// differs are the checks of a report that fail, without those about the log's publication.
func differs(c *testenv.Client, number string) string {
	var out []string
	for _, check := range c.Get("/blockchain/report/" + number + "/verify").Want(http.StatusOK).Object().Items("checks") {
		if check.At("ok") != true && check.Text("name") != "anchored" {
			out = append(out, check.Text("name"))
		}
	}
	return strings.Join(out, " ")
}

// The log commits to the key that sent a report, and to everything that it sent. A report that is given to another key does not verify.
func TestTheLogKnowsWhichSystemSentAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	other, _ := w.APIKey("Neighbour")
	number := sent(w, key, map[string]string{"attribute[title]": "Hole", "attribute[severity]": "high", "attribute[accuracy]": "6.5", "address_string": "Rua de Caicoli"})
	mod := w.Staff(identity.Moderator)
	if got := differs(mod, number); got != "" {
		t.Errorf("it does not verify: %s", got)
	}
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER USER`)
	w.Exec(`UPDATE reports SET api_key_id = $1`, other)
	if got := differs(mod, number); got != "content" {
		t.Errorf("of another key it differs in %q", got)
	}
}

// A key writes on what everybody may comment on, and on its own reports. It does not learn of reports that are taken down, nor whether an
// update_id of another key is taken; and an update by one key is no update of another.
func TestAnAPIKeyUpdatesWhatItMay(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("Dili")
	_, other := w.APIKey("Baucau")
	number := sent(w, key, nil)
	try := func(key, number, words string) string {
		t.Helper()
		form := url.Values{"api_key": {key}, "service_request_id": {number}, "update_id": {"1"}, "description": {words}}
		r := w.Anonymous().Post("//open311/v2/servicerequestupdates.json", form)
		return strconv.Itoa(r.Status) + " " + r.List()[0].Text("update_id")
	}
	mine := try(key, number, "Mine.")
	if got := try(other, number, "Theirs."); got != "403 " {
		t.Errorf("before the verdict another key gets %s", got)
	}
	w.Staff(identity.Moderator).Post("/reports/"+number+"/status", object{"status": "verified"}).Want(http.StatusOK)
	if got := try(other, number, "Theirs."); !strings.HasPrefix(got, "200 ") || got == mine {
		t.Errorf("another key gets %s for its own first update, the first key got %s", got, mine)
	}
	if got := try(key, number, "Mine."); got != mine || w.Int(`SELECT count(*) FROM report_comments`) != 2 {
		t.Errorf("the repeat gets %s", got)
	}
	removed := sent(w, key, map[string]string{"description": "To be removed"})
	w.Staff(identity.Admin).Delete("/reports/" + removed + "?reason_code=offensive").Want(http.StatusOK)
	if a, b := try(other, removed, "x"), try(other, "LS-2020-000001", "x"); a != b || a != "404 " {
		t.Errorf("a removed report gets %s, one that never was %s", a, b)
	}
}
