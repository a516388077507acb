package open311_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// everything is every address that tells something of a report.
func everything(id, number string) []string {
	out := []string{"requests.csv", "requests.csv?service_request_id=" + number}
	for _, f := range []string{"xml", "json"} {
		out = append(out, "requests."+f, "requests."+f+"?extensions=true", "requests."+f+"?updated_after=2020-01-01T00:00:00Z&extensions=true",
			"requests."+f+"?service_request_id="+id+","+number+"&extensions=true", "servicerequestupdates."+f, "services."+f)
		for _, ref := range []string{id, number} {
			out = append(out, "requests/"+ref+"."+f+"?extensions=true", "tokens/"+ref+"."+f)
		}
	}
	return out
}

// Reports of every kind with private data: no answer has any of it.
func TestNothingPrivateIsInAnyAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	w.Exec(`UPDATE users SET full_name = 'Secret Person', phone_number = '+67077700001', email = 'secret@example.org' WHERE id = $1`, c.ID)
	picture := func() string {
		upload := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(3)).Want(http.StatusCreated).Object().Text("upload_id")
		w.ProcessUpload(upload)
		return upload
	}
	pending, pendingNumber := file(w, c, object{"title": "Secret before verdict", "street": "Secret street", "latitude": -8.555512, "longitude": 125.555512, "severity": "critical", "images": []object{{"upload_id": picture()}}})
	shown, shownNumber := file(w, c, object{"title": "Everybody sees this", "is_anonymous": true, "device_info": object{"model": "SecretPhone"}})
	hidden, hiddenNumber := file(w, c, object{"title": "Secret hidden words", "description": "Secret hidden words", "images": []object{{"upload_id": picture()}}})
	rejected, rejectedNumber := file(w, c, object{"title": "Secret rejected"})
	withdrawn, withdrawnNumber := file(w, c, object{"title": "Secret withdrawn"})
	w.Verify(shown)
	w.Verify(hidden)
	w.Exec(`UPDATE reports SET words_hidden = 'moderator', words_hidden_reason = 'offensive' WHERE id = $1`, hidden)
	w.Exec(`UPDATE report_images SET hidden = 'moderator', hidden_reason = 'offensive' WHERE report_id = $1`, hidden)
	admin.Post("/reports/"+rejected+"/status", object{"status": "rejected", "reason_code": "offensive", "note": "Secret note of a rejection"}).Want(http.StatusOK)
	c.Delete("/reports/" + withdrawn).Want(http.StatusOK)
	w.Exec(`INSERT INTO report_notes (id, report_id, content) VALUES ($1, $2, 'Secret internal note')`, uuid.New(), shown)
	pictures := w.Text(`SELECT string_agg(id::text, ' ') FROM report_images`)

	secrets := append([]string{"Secret", "SecretPhone", "+67077700001", "secret@example.org", c.ID.String(), "8.5555", "125.5555", "critical"}, strings.Fields(pictures)...)
	found := false
	for _, ref := range [][2]string{{pending, pendingNumber}, {shown, shownNumber}, {hidden, hiddenNumber}, {rejected, rejectedNumber}, {withdrawn, withdrawnNumber}} {
		gone := ref[0] == rejected || ref[0] == withdrawn
		for _, p := range everything(ref[0], ref[1]) {
			got := nobody.Get(path(p))
			body := string(got.Body)
			for _, secret := range secrets {
				if strings.Contains(body, secret) {
					t.Errorf("%s tells %q", p, secret)
				}
			}
			if salt := strings.Contains(body, "salt"); got.Status >= 500 || salt {
				t.Errorf("%s answers %d %.300s", p, got.Status, body)
			}
			if gone && strings.Contains(p, ref[1]) && strings.Contains(p, "/") && got.Status != http.StatusNotFound {
				t.Errorf("%s answers %d", p, got.Status)
			}
			if !strings.HasPrefix(p, "servicerequestupdates") && (strings.Contains(body, rejectedNumber) || strings.Contains(body, withdrawnNumber)) && got.Status == http.StatusOK {
				t.Errorf("%s has what was taken down", p)
			}
			found = found || strings.Contains(body, "Everybody sees this")
		}
	}
	if !found {
		t.Error("the public report is shown nowhere: the search proves nothing")
	}
}

// No search tells more of the place of a report without a verdict than the three decimals that it is shown with.
func TestSearchesGoByTheShownPlace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody := w.Citizen(), w.Anonymous()
	_, number := file(w, c, object{"latitude": -8.55651, "longitude": 125.56049}) // shown at -8.557, 125.560
	for query, want := range map[string]bool{
		"bbox=125.5604,-8.5566,125.5606,-8.5564": false, "bbox=125.5599,-8.5571,125.5601,-8.5569": true,
		"lat=-8.55651&long=125.56049&radius=20": false, "lat=-8.557&long=125.56&radius=5": true,
	} {
		if got := ids(t, nobody, query); want != (len(got) == 1 && got[0] == number) {
			t.Errorf("%q finds %v", query, got)
		}
	}
}

// With extensions=true a report has its attributes, pictures, our status and its place in the public log.
func TestExtensions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	upload := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(3)).Want(http.StatusCreated).Object().Text("upload_id")
	created := c.Post("/reports", object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603, "location_accuracy": 12.5,
		"is_anonymous": true, "municipality": "Dili", "images": []object{{"upload_id": upload}}}).Want(http.StatusCreated).Object()
	id, number := created.Text("id"), created.Text("report_number")
	w.ProcessUpload(upload)
	agency := w.Agency("WORKS")
	plain := items(t, nobody.Get(path("requests/"+number+".json")).Want(http.StatusOK))[0]
	for _, name := range []string{"attributes", "extended_attributes", "extensions"} {
		if _, there := plain[name]; there {
			t.Errorf("without extensions=true there is %s", name)
		}
	}
	admin.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	admin.Patch("/reports/"+id, object{"severity": "high"}).Want(http.StatusOK)
	admin.Post("/reports/"+id+"/assign", object{"agency_id": agency.String()}).Want(http.StatusOK)
	w.Exec(`UPDATE report_images SET verdict = 'relevant' WHERE report_id = $1`, id)

	for _, p := range []string{"requests/" + number + ".json?extensions=true", "requests.json?extensions=TRUE"} {
		one := nobody.Get(path(p)).Want(http.StatusOK).List()[0]
		answered := map[string]string{}
		for _, a := range one.Items("attributes") {
			answered[a.Text("name")] = a.Text("code") + " " + a.Text("value")
			if a.Text("label") == "" {
				t.Errorf("%v", a)
			}
		}
		if len(answered) != 3 || answered["severity"] != "high High" || answered["accuracy"] != "12.5 12.5" || answered["anonymous"] != "true Yes" {
			t.Errorf("attributes %v", answered)
		}
		photos := one.Items("extended_attributes.photos")
		if one.Text("extended_attributes.channel") != "app" || len(photos) != 1 || photos[0].Number("width") != 64 || photos[0].Text("media_url") != one.Text("media_url") {
			t.Errorf("%v", one)
		}
		if one.Text("extensions.id") != id || one.Text("extensions.status") != "verified" || one.Text("extensions.agency.code") != "WORKS" || one.Text("extensions.municipality") != "Dili" {
			t.Errorf("%v", one)
		}
		receipt := created.Text("receipt.note")
		if one.Text("extensions.receipt.note") != receipt || receipt == "" || one.Text("extensions.receipt.payload") != created.Text("receipt.payload") ||
			int(one.Number("extensions.log_index")) != w.Int(`SELECT log_index FROM ledger_events WHERE report_id = $1 AND seq = 1`, id) {
			t.Errorf("receipt %v, want %s", one, receipt)
		}
	}
	one := parse(t, nobody.Get(path("requests/"+number+".xml?extensions=true")).Want(http.StatusOK)).child("request")
	if one.names() != requestMembers+" attributes extended_attributes extensions" || one.child("attributes").names() != "attribute attribute attribute" ||
		one.child("extended_attributes").child("photos").names() != "photo" || one.child("extensions").child("receipt").names() != "note payload" {
		t.Errorf("%+v", one)
	}
}

// An entry from before the public log is no receipt for everybody: it may have what was never shown.
func TestExtensionsHaveNoEntryFromBeforeTheLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, number := file(w, w.Citizen(), nil)
	w.Tamper(`ALTER TABLE ledger_events DISABLE TRIGGER ALL; UPDATE ledger_events SET payload = convert_to('{"v":1,"severity":"critical"}', 'UTF8'),
		payload_hash = sha256(convert_to('{"v":1,"severity":"critical"}', 'UTF8')) WHERE report_id = '` + id + `'`)
	got := w.Anonymous().Get(path("requests/" + number + ".json?extensions=true")).Want(http.StatusOK)
	if one := got.List()[0]; one.Text("extensions.receipt.note") != "" || strings.Contains(string(got.Body), "critical") {
		t.Errorf("%s", got.Body)
	}
}

// An answer that would be too large for its way through the gateway has fewer items, or is refused where the client chose their number.
func TestAnswersFitTheirWay(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Serve(reports.Open, open311.OpenBounded(50_000, 100_000, 10, 100_000))
	id, _ := file(w, w.Citizen(), nil)
	w.Verify(id)
	w.Exec(`UPDATE reports SET description = repeat('"', 2000) WHERE id = $1`, id)
	clone(w, id, 7)
	nobody := w.Anonymous().With("Accept-Encoding", "identity")
	got := nobody.Get(path("requests.xml")).Want(http.StatusOK) // a quote is five bytes in XML
	if n := len(parse(t, got).children); n != 4 || !strings.Contains(got.Header.Get("Link"), "page=2&page_size=4") {
		t.Errorf("%d items in %d bytes, links %q", n, len(got.Body), got.Header.Get("Link"))
	}
	checkErrors(t, nobody.Get(path("requests.xml?page_size=8")), http.StatusBadRequest, "page_size: ")
	if n := len(parse(t, w.Anonymous().Get(path("requests.xml?page_size=8")).Want(http.StatusOK)).children); n != 8 {
		t.Errorf("%d items with gzip", n)
	}
}

// clone makes n copies of a report.
func clone(w *testenv.System, id string, n int) {
	w.Helper()
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER ALL`)
	columns := w.Text(`SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
		WHERE table_name = 'reports' AND is_generated = 'NEVER' AND column_name NOT IN ('id', 'report_number', 'client_id')`)
	w.Exec(`INSERT INTO reports (id, report_number, `+columns+`) SELECT gen_random_uuid(), 'LS-2025-' || lpad(n::text, 6, '0'), `+columns+` FROM reports, generate_series(1, $2) n WHERE id = $1`, id, n)
}
