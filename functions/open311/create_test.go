package open311_test

import (
	"bytes"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// filed is a form with what a report needs, and more fields. An empty value leaves a field out.
func filed(key string, more map[string]string) url.Values {
	fields := map[string]string{"api_key": key, "service_code": "pothole", "lat": "-8.5569", "long": "125.5603", "description": "Deep hole before the bridge"}
	maps.Copy(fields, more)
	out := url.Values{}
	for name, value := range fields {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

// create files a report and returns its item.
func create(t *testing.T, c *testenv.Client, form any) apiclient.Object {
	t.Helper()
	r := c.Post(path("requests.json"), form).Want(http.StatusOK)
	all := items(t, r)
	if len(all) != 1 || all[0]["token"] != nil {
		t.Fatalf("%s", r.Body)
	}
	return apiclient.Object{Values: all[0]}
}

// fault sends a form, wants a status and an error that begins so, and that nothing was filed.
func fault(t *testing.T, w *testenv.System, form any, status int, begins string) {
	t.Helper()
	before := w.Int(`SELECT (SELECT count(*) FROM reports) + (SELECT count(*) FROM open311_contacts)`)
	r := w.Anonymous().Post(path("requests.json"), form).Want(status)
	all := items(t, r)
	if text, _ := all[0]["description"].(string); !strings.HasPrefix(text, begins) || all[0]["code"] == nil {
		t.Errorf("%v: %s, want %q", form, r.Body, begins)
	}
	if now := w.Int(`SELECT (SELECT count(*) FROM reports) + (SELECT count(*) FROM open311_contacts)`); now != before {
		t.Errorf("%v: something was filed", form)
	}
}

// warned are the warnings of an item, as field:code.
func warned(o apiclient.Object) string {
	var out []string
	for _, each := range o.Items("extensions.warnings") {
		out = append(out, each.Text("field")+":"+each.Text("code"))
	}
	return strings.Join(out, " ")
}

// A report of another system is a report like any other: it has a number, an event in the log and its messages. It belongs to the key.
func TestCreate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, key := w.APIKey("FixMyStreet")
	w.Exec(`INSERT INTO users (id, email, full_name, email_verified_at) VALUES (gen_random_uuid(), 'ana@example.tl', 'Ana', now())`)
	made := create(t, w.Anonymous(), filed(key, map[string]string{"email": "Ana@example.tl", "first_name": "Ana", "last_name": "Soares", "phone": "+670 7700 1122",
		"device_id": "d1", "account_id": "a1", "address_string": "Rua de Caicoli", "jurisdiction_id": "dili.tl", "attribute[severity]": "high", "attribute[accuracy]": "6.5",
		"attribute[language]": "pt", "attribute[anonymous]": "false", "attribute[title]": "Hole", "attribute[fixmystreet_id]": "12", "unknown": "x"}))
	receipt := w.Receipt(apiclient.Object{Values: made.At("extensions").(object)})
	if made.Text("service_request_id") != receipt.Event.Text("report_number") || len(receipt.Salt) != 32 || made.Text("service_notice") == "" || made.Text("extensions.author") != id.String() ||
		warned(made) != "attribute[fixmystreet_id]:not_taken" {
		t.Errorf("%v", made.Values)
	}
	const stored = `SELECT concat_ws('|', r.user_id IS NULL, r.api_key_id = $2, r.source, r.issue_type, r.title, r.description, r.severity, r.severity_guess, r.location_accuracy,
			r.is_anonymous, r.address, r.ai_status, c.full_name, c.phone_number, c.email, c.preferred_language, c.device_id, c.account_id)
		FROM reports r JOIN open311_contacts c ON c.report_id = r.id WHERE r.report_number = $1`
	const want = "t|t|open311|pothole|Hole|Deep hole before the bridge|high|high|6.5|f|Rua de Caicoli|needs_review|Ana Soares|+670 7700 1122|ana@example.tl|pt|d1|a1"
	if got := w.Text(stored, made.Text("service_request_id"), id); got != want {
		t.Errorf("stored %s\nwant   %s", got, want)
	}
	if got := w.Text(`SELECT string_agg(queue, ' ' ORDER BY queue) FROM outbox`); got != "anchor geocode" {
		t.Errorf("messages: %s", got)
	}
	if n := w.Int(`SELECT (SELECT count(*) FROM notifications) + (SELECT sum(reports_count) FROM users) + (SELECT count(*) FROM report_contacts)`); n != 0 {
		t.Error("somebody counts as the reporter")
	}
}

// The answer in XML has the same item. The least that a report needs is a service and a place.
func TestCreateInXML(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	r := w.Anonymous().Post(path("requests.xml"), url.Values{"api_key": {key}, "service_code": {"Waste"}, "lat": {" -8.5569 "}, "long": {"125.5603"},
		"description": {""}, "media_url": {""}, "email": {""}, "address_id": {""}, "attribute[severity]": {""}, "jurisdiction_id": {""}}).Want(http.StatusOK)
	root := parse(t, r)
	item := root.child("request")
	if root.name != "service_requests" || len(root.children) != 1 || item.names() != "service_request_id service_notice account_id extensions" ||
		item.child("extensions").names() != "receipt author warnings" || item.child("extensions").child("receipt").names() != "note payload salt" {
		t.Errorf("%s", r.Body)
	}
	if number := w.Text(`SELECT report_number || issue_type || description FROM reports`); number != item.child("service_request_id").text+"waste" {
		t.Errorf("%s: %s", number, r.Body)
	}
	if n := w.Int(`SELECT count(*) FROM open311_contacts`); n != 0 {
		t.Error("a contact of nobody")
	}
}

// What is wrong is named, nothing is filed, and the status is that of the specification.
func TestFaultsOfCreate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	for _, c := range []struct {
		changes map[string]string
		status  int
		begins  string
	}{
		{map[string]string{"api_key": ""}, 403, "api_key: "},
		{map[string]string{"api_key": key + "x"}, 403, "api_key: "},
		{map[string]string{"service_code": "unicorn"}, 404, "service_code: "},
		{map[string]string{"service_code": ""}, 400, "service_code: "},
		{map[string]string{"lat": "", "long": ""}, 400, "lat: "},
		{map[string]string{"long": ""}, 400, "lat: "},
		{map[string]string{"lat": "south"}, 400, "lat: "},
		{map[string]string{"lat": "NaN"}, 400, "lat: "},
		{map[string]string{"lat": "38.7", "long": "-9.1"}, 400, "lat: outside"},
		{map[string]string{"lat": "0", "long": "0"}, 400, "lat: outside"},
		{map[string]string{"lat": "", "long": "", "address_id": "7"}, 400, "address_id: "},
		{map[string]string{"lat": "", "long": "", "address_string": "Nowhere at all"}, 400, "address_string: "},
		{map[string]string{"description": strings.Repeat("é", 4001)}, 400, "description: "},
		{map[string]string{"attribute[severity]": "terrible"}, 400, "attribute[severity]: "},
		{map[string]string{"attribute[accuracy]": "-1"}, 400, "attribute[accuracy]: "},
		{map[string]string{"attribute[language]": "fr"}, 400, "attribute[language]: "},
		{map[string]string{"attribute[anonymous]": "perhaps"}, 400, "attribute[anonymous]: "},
		{map[string]string{"media_url": "file:///etc/passwd"}, 400, "media_url: "},
		{map[string]string{"media_url": "https://user:secret@example.org/a.jpg"}, 400, "media_url: "},
		{map[string]string{"media": "aGVsbG8="}, 400, "media: "},
	} {
		fault(t, w, filed(key, c.changes), c.status, c.begins)
	}
	twice := filed(key, nil)
	twice.Add("lat", "-8.6")
	fault(t, w, twice, 400, "lat: sent more than once")
	fault(t, w, object{"api_key": key}, 400, "body: ")
	fault(t, w, apiclient.Raw{ContentType: "application/x-www-form-urlencoded", Body: []byte("api_key=%zz")}, 400, "")
	fault(t, w, apiclient.Raw{ContentType: "application/x-www-form-urlencoded", Body: bytes.Repeat([]byte("a"), 256<<10+1)}, 400, "")
	fault(t, w, apiclient.Raw{ContentType: "application/x-www-form-urlencoded", Body: bytes.Repeat([]byte("a=b&"), 1000)}, 400, "")
	several := items(t, w.Anonymous().Post(path("requests.json"), url.Values{"api_key": {key}, "attribute[language]": {"fr"}}).Want(http.StatusBadRequest))
	if len(several) != 3 {
		t.Errorf("%v, want the faults of the service, the place and the attribute", several)
	}
	if one := items(t, w.Anonymous().Post(path("requests.json"), filed(key, map[string]string{"lat": "south"})).Want(http.StatusBadRequest)); len(one) != 1 {
		t.Errorf("%v, want one fault of the place", one)
	}
	root := parse(t, w.Anonymous().Post(path("requests.xml"), filed("", nil)).Want(http.StatusForbidden))
	if root.name != "errors" || root.child("error").names() != "code description" || root.child("error").child("code").text != "403" {
		t.Errorf("%+v", root)
	}
	w.Exec(`UPDATE app_settings SET value = value || '{"open311_jurisdiction": "dili.tl"}'`)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"open311_jurisdiction": "dili.tl"}') ON CONFLICT DO NOTHING`)
	another := setupAgain(w)
	fault(t, another, filed(key, map[string]string{"jurisdiction_id": "lisbon.pt"}), 404, "jurisdiction_id: ")
	create(t, another.Anonymous(), filed(key, map[string]string{"jurisdiction_id": "DILI.tl"}))
}

// Optional texts about the person cost no report.
func TestAContactThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	made := create(t, w.Anonymous(), filed(key, map[string]string{"email": "not an address", "phone": "call me", "first_name": strings.Repeat("x", 200), "address_id": "7",
		"attribute[title]": strings.Repeat("y", 200)}))
	if got := warned(made); got != "address_id:not_taken first_name:cut phone:unreadable email:unreadable attribute[title]:cut" {
		t.Errorf("warnings %s", got)
	}
}

// A description of 4,000 characters is kept whole, and read by staff and in public.
func TestTheLongestDescription(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	words := strings.Repeat("é🐊\r\n", 1000)
	words = words[:len(words)-2] + ".."
	number := create(t, w.Anonymous(), filed(key, map[string]string{"description": words})).Text("service_request_id")
	if got := w.Staff("moderator").Get("/reports/" + number).Want(http.StatusOK).Object(); got.Text("description") != words || got.Text("source") != "open311" || got.At("reporter") != nil {
		t.Errorf("%d characters, source %s, reporter %v", len([]rune(got.Text("description"))), got.Text("source"), got.At("reporter"))
	}
}

// An address alone is a place where exactly one has this name.
func TestAnAddressAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	const place = `INSERT INTO place_names (id, name, municipality_code, place) SELECT gen_random_uuid(), $1, code, ST_SetSRID(ST_MakePoint($2, -8.55), 4326) FROM municipalities WHERE name = $3`
	w.Exec(place, "Kampung Alór", 125.551, "Dili")
	w.Exec(place, "Vila Nova", 125.61, "Dili")
	w.Exec(place, "Vila Nova", 126.35, "Baucau")
	at := func(address string) string {
		number := create(t, w.Anonymous(), filed(key, map[string]string{"lat": "", "long": "", "address_string": address})).Text("service_request_id")
		return w.Text(`SELECT concat_ws(' ', latitude, longitude, address) FROM reports WHERE report_number = $1`, number)
	}
	for address, want := range map[string]string{"kampung alor": "-8.55 125.551 kampung alor", "Vila Nova, Baucau": "-8.55 126.35 Vila Nova, Baucau"} {
		if got := at(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
	for _, address := range []string{"Vila Nova", "Kampung", "Kampung Alor 12", "?!", "%"} {
		fault(t, w, filed(key, map[string]string{"lat": "", "long": "", "address_string": address}), 400, "address_string: ")
	}
}

// multipartForm is a form with files in the field media.
func multipartForm(t *testing.T, fields url.Values, files ...[]byte) apiclient.Raw {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, value := range values {
			if err := form.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, file := range files {
		part, err := form.CreateFormFile("media", fmt.Sprint(i, ".jpg"))
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return apiclient.Raw{ContentType: form.FormDataContentType(), Body: body.Bytes()}
}

// A picture of a form is an upload of the key, like any other. One that is no picture, or too large, is refused and nothing is filed.
func TestPicturesOfCreate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, key := w.APIKey("FixMyStreet")
	form := multipartForm(t, filed(key, nil), w.JPEG(1), w.JPEG(2))
	made := create(t, w.Anonymous(), form)
	const stored = `SELECT concat_ws('|', u.state, u.user_id IS NULL, u.api_key_id = $2, u.attached_at IS NOT NULL, i.added_by IS NULL, i.kind, r.ai_status)
		FROM reports r JOIN report_images i ON i.report_id = r.id JOIN uploads u ON u.id = i.upload_id WHERE r.report_number = $1`
	if got := w.Text(stored, made.Text("service_request_id"), id); got != "stored|t|t|t|t|evidence|queued" || warned(made) != "media:image_limit" {
		t.Errorf("stored %s, warnings %s", got, warned(made))
	}
	if got := create(t, w.Anonymous(), form).Text("service_request_id"); got != made.Text("service_request_id") {
		t.Error("the same picture is another report")
	}
	if n := w.Int(`SELECT count(*) FROM uploads`); n != 1 {
		t.Errorf("%d pictures are stored after a repeat, want 1", n)
	}
	if got := create(t, w.Anonymous(), multipartForm(t, filed(key, nil), w.JPEG(3))).Text("service_request_id"); got == made.Text("service_request_id") {
		t.Error("another picture is a repeat")
	}
	for _, file := range [][]byte{[]byte("this is no picture"), w.JPEG(4)[:400], bytes.Repeat([]byte("x"), 4_500_001)} {
		fault(t, w, multipartForm(t, filed(key, nil), file), 400, "")
	}
	fault(t, w, multipartForm(t, filed(key, nil), bytes.Repeat([]byte("x"), 4_500_001)), 400, "media: ")
}

// A picture at an address is fetched by the worker. The report waits for it like for a picture that a phone still sends.
func TestAddressesOfPictures(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, key := w.APIKey("FixMyStreet")
	form := filed(key, map[string]string{"media_url": "https://example.org/a.jpg?size=full"})
	form.Add("media_url", "https://example.org/b.jpg")
	made := create(t, w.Anonymous(), form)
	if got := warned(made); got != "media_url:image_limit" {
		t.Errorf("warnings %s", got)
	}
	const waits = `SELECT concat_ws('|', u.state, u.content_type, u.api_key_id = $2, u.attached_at IS NOT NULL, r.ai_status, o.body ->> 'url')
		FROM reports r JOIN report_images i ON i.report_id = r.id JOIN uploads u ON u.id = i.upload_id JOIN outbox o ON o.queue = 'fetch' AND o.body ->> 'upload_id' = u.id::text
		WHERE r.report_number = $1`
	if got := w.Text(waits, made.Text("service_request_id"), id); got != "issued|application/octet-stream|t|t|queued|https://example.org/a.jpg?size=full" {
		t.Errorf("%s", got)
	}
	if got := create(t, w.Anonymous(), form).Text("service_request_id"); got != made.Text("service_request_id") || w.Int(`SELECT count(*) FROM outbox WHERE queue = 'fetch'`) != 1 {
		t.Error("a repeat fetches again")
	}
	create(t, w.Anonymous(), filed(key, map[string]string{"media_url": "http://example.org/my photo.jpg#top"})) // as a browser calls it
	if got := w.Text(`SELECT body ->> 'url' FROM outbox WHERE queue = 'fetch' ORDER BY created_at DESC LIMIT 1`); got != "http://example.org/my%20photo.jpg" {
		t.Errorf("the worker gets %s", got)
	}
	for _, address := range []string{"ftp://example.org/a.jpg", "http://example.org:99999/a.jpg", "http://example.org:0/a.jpg", "//example.org/a.jpg", "http://ana:x@example.org/a.jpg"} {
		fault(t, w, filed(key, map[string]string{"media_url": address}), 400, "media_url: ")
	}
}

// The key of the header counts as well. A revoked key is refused like an unknown one.
func TestKeysOfCreate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	create(t, w.Anonymous().With("X-API-Key", key), filed("", nil))
	w.Exec(`UPDATE api_keys SET revoked_at = now()`)
	again := setupAgain(w) // another process
	unknown := again.Anonymous().Post(path("requests.json"), filed(key+"x", nil)).Want(http.StatusForbidden)
	revoked := again.Anonymous().Post(path("requests.json"), filed(key, nil)).Want(http.StatusForbidden)
	if !bytes.Equal(unknown.Body, revoked.Body) {
		t.Errorf("%s\n%s", unknown.Body, revoked.Body)
	}
}

// A key has a budget of requests a minute, and one of new reports a day. A repeat costs nothing of the second.
func TestLimitsOfAKey(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["RATE_LIMIT_KEY_REPORTS_PER_DAY"] = "2"
	setupAgain(w)
	_, key := w.APIKey("FixMyStreet")
	_, slow := w.APIKey("Slow")
	w.Exec(`UPDATE api_keys SET per_minute = 1 WHERE name = 'Slow'`)
	for range 4 {
		create(t, w.Anonymous(), filed(key, nil))
	}
	create(t, w.Anonymous(), filed(key, map[string]string{"description": "Second"}))
	for c, form := range map[string]url.Values{"a day": filed(key, map[string]string{"description": "Third"}), "a minute": filed(slow, nil)} {
		if c == "a minute" {
			create(t, w.Anonymous(), form)
		}
		r := w.Anonymous().Post(path("requests.json"), form).Want(http.StatusTooManyRequests)
		if all := items(t, r); r.Header.Get("Retry-After") == "" || all[0]["code"] != float64(429) || all[0]["description"] == "" {
			t.Errorf("%s: %s %v", c, r.Body, r.Header)
		}
	}
}
