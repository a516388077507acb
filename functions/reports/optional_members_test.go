package reports_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// warned lists the warnings of an answer as "field code, field code".
func warned(o apiclient.Object) string {
	list, ok := o.Values["warnings"]
	if !ok {
		return ""
	}
	var out []string
	for _, w := range list.([]any) {
		note := w.(object)
		if note["message"] == "" {
			return "a warning without a message"
		}
		out = append(out, note["field"].(string)+" "+note["code"].(string))
	}
	return strings.Join(out, ", ")
}

// optionalCase is one optional member with a value that phones send, and what becomes of it.
type optionalCase struct {
	member string
	value  any
	shown  string // member of the report to look at; empty for none
	want   any
	warned string
}

func optionalCases(foreign string) []optionalCase {
	long := strings.Repeat("é", 2001)
	return []optionalCase{
		{"captured_at", "1970-01-01T00:00:12Z", "captured_at", nil, "captured_at out_of_range"},
		{"captured_at", "2019-12-31T23:59:59Z", "captured_at", nil, "captured_at out_of_range"},
		{"captured_at", "2020-01-01T00:00:00Z", "captured_at", "2020-01-01T00:00:00.000Z", ""},
		{"captured_at", "2999-01-01T00:00:00Z", "captured_at", nil, "captured_at out_of_range"},
		{"captured_at", "2025-11-20T08:00:00+09:00", "captured_at", "2025-11-19T23:00:00.000Z", ""},
		{"captured_at", "2025:11:20 08:00:00", "captured_at", "2025-11-19T23:00:00.000Z", ""},
		{"captured_at", "2025-11-20 08:00+0900", "captured_at", "2025-11-19T23:00:00.000Z", ""},
		{"captured_at", 1763593200, "captured_at", "2025-11-19T23:00:00.000Z", ""},
		{"captured_at", 1763593200000, "captured_at", "2025-11-19T23:00:00.000Z", ""},
		{"captured_at", "1763593200", "captured_at", "2025-11-19T23:00:00.000Z", ""},
		{"captured_at", "yesterday", "captured_at", nil, "captured_at unreadable"},
		{"captured_at", []string{}, "captured_at", nil, "captured_at unreadable"},
		{"is_anonymous", 1, "is_anonymous", true, ""},
		{"is_anonymous", 0, "is_anonymous", false, ""},
		{"is_anonymous", "TRUE", "is_anonymous", true, ""},
		{"is_anonymous", "perhaps", "is_anonymous", true, "is_anonymous counts_closed"},
		{"is_anonymous", object{}, "is_anonymous", true, "is_anonymous counts_closed"},
		{"is_anonymous", nil, "is_anonymous", false, ""},
		{"created_offline", 1, "", nil, ""},
		{"created_offline", "true", "", nil, ""},
		{"created_offline", 2, "", nil, "created_offline unreadable"},
		{"client_id", 17, "client_id", nil, "client_id unreadable"},
		{"client_id", "seven", "client_id", nil, "client_id unreadable"},
		{"client_id", uuid.Nil.String(), "client_id", nil, "client_id unreadable"},
		{"severity", 3, "severity", "low", ""},
		{"severity", "9", "severity", "critical", ""},
		{"severity", 11, "severity", "medium", "severity unreadable"},
		{"severity", "terrible", "severity", "medium", "severity unreadable"},
		{"severity", true, "severity", "medium", "severity unreadable"},
		{"issue_type", 4, "issue_type_raw", "4", ""},
		{"issue_type", nil, "issue_type", "other", "issue_type missing"},
		{"issue_type", object{}, "issue_type", "other", "issue_type unreadable, issue_type missing"},
		{"issue_type", strings.Repeat("x", 101), "issue_type_raw", strings.Repeat("x", 100), "issue_type cut"},
		{"title", 17, "title", "17", ""},
		{"title", nil, "title", "", ""},
		{"title", long[:2*151], "title", long[:2*150], "title cut"},
		{"description", long, "description", long[:2*2000], "description cut"},
		{"suco", long, "suco", long[:2*300], "suco cut"},
		{"location_accuracy", "6,5", "location_accuracy", 6.5, ""},
		{"location_accuracy", -1, "location_accuracy", nil, "location_accuracy out_of_range"},
		{"location_accuracy", "good", "location_accuracy", nil, "location_accuracy unreadable"},
		{"device_info", strings.Repeat("x", 2048), "", nil, "device_info too_large"},
		{"images", []object{{}}, "", nil, "images[0] upload_unknown"},
		{"images", []object{{"upload_id": "x"}}, "", nil, "images[0].upload_id unreadable"},
		{"images", []object{{"upload_id": foreign}}, "", nil, "images[0] upload_unknown"},
		{"images", []object{{"upload_id": uuid.NewString()}}, "", nil, "images[0] upload_unknown"},
		{"images", "none", "", nil, "images[0].upload_id unreadable"},
		{"s3_keys", []string{"originals/" + foreign}, "", nil, "s3_keys[0] upload_unknown"},
		{"s3_keys", 7, "", nil, "s3_keys[0] upload_unknown"},
		{"image_url", "https://example.tl/x.jpg", "", nil, "image_url upload_unknown"},
		{"latitude", "-8,5569", "latitude", -8.5569, ""},
		{"longitude", "125.5603", "longitude", 125.5603, ""},
	}
}

// An optional member that cannot be read never costs the report: single, in a batch and in a form.
func TestOptionalMembersNeverCostTheReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"reports_per_hour": 1000, "batch_reports_per_hour": 1000}')`)
	c := w.Citizen()
	foreign := uploaded(w.Citizen(), w, 1)
	for i, k := range optionalCases(foreign) {
		alone := newBody(object{"client_id": uuid.NewString(), "latitude": -8.5 - float64(i)/1000, k.member: k.value})
		if k.member == "latitude" {
			alone["longitude"] = 125.7
		}
		batched := newBody(alone)
		if k.member != "client_id" {
			batched["client_id"] = uuid.NewString()
		}
		item := c.Post("/reports/batch", object{"reports": []any{batched}}).Want(http.StatusOK).Object().Items("results")[0]
		if k.member == "client_id" { // else the next request repeats it
			w.Exec(`UPDATE reports SET created_at = created_at - interval '2 days'`)
		}
		single := c.Post("/reports", alone).Want(http.StatusCreated).Object()
		for name, got := range map[string]apiclient.Object{"single": single, "batch": item} {
			shown := k.shown
			if name == "batch" && shown != "" {
				shown = "report." + shown
			}
			if warned(got) != k.warned || shown != "" && got.At(shown) != k.want {
				t.Errorf("%s: %s %.100v: warned of %q, %s is %v", name, k.member, k.value, warned(got), k.shown, got.At(shown))
			}
		}
		if item.Text("status") != "created" {
			t.Errorf("batch: %s %.100v: %v", k.member, k.value, item.Values)
		}
		formed(t, w, c, k, i)
	}
}

// formed sends the case as a form, whose fields are text.
func formed(t *testing.T, w *testenv.System, c *testenv.Client, k optionalCase, i int) {
	t.Helper()
	value, isText := k.value.(string)
	if !isText {
		raw, err := json.Marshal(k.value)
		if err != nil {
			t.Fatal(err)
		}
		value = string(raw)
	}
	if k.value == nil || strings.HasPrefix(value, "{") || k.member == "severity" && value == "true" || k.member == "captured_at" && value == "[]" {
		return // texts of forms are read as words
	}
	fields := map[string]string{"issue_type": "flooding", "latitude": "-8.6", "longitude": "126." + strings.Repeat("0", 3) + string(rune('0'+i%10)), "client_id": uuid.NewString()}
	fields[k.member] = value
	got := c.Form("/reports", fields, "picture", "a.jpg", w.JPEG(uint8(i))).Want(http.StatusCreated).Object()
	want := k.warned
	if warned(got) != want || k.shown != "" && got.At(k.shown) != k.want {
		t.Errorf("form: %s %.100v: warned of %q, %s is %v", k.member, k.value, warned(got), k.shown, got.At(k.shown))
	}
	if n := len(got.Items("images")); n != 1 {
		t.Errorf("form: %s %.100v: %d pictures", k.member, k.value, n)
	}
}

// A phone that lost its clock sends its present time along, so that the time of the picture can be corrected.
func TestTheClockOfAPhoneIsCorrected(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	now := time.Now().UTC()
	rfc := func(t time.Time) string { return t.Format(time.RFC3339) }
	for _, k := range []struct {
		phone, captured string
		want            string // "" for none
		warned          string
	}{
		{"1970-01-01T01:00:00Z", "1970-01-01T00:30:00Z", rfc(now.Add(-30 * time.Minute)), "captured_at clock_corrected"},
		{rfc(now.AddDate(1, 0, 0)), rfc(now.AddDate(1, 0, 0).Add(-time.Hour)), rfc(now.Add(-time.Hour)), "captured_at clock_corrected"},
		// The clock was right when the picture was taken, and lost since.
		{"1970-01-01T01:00:00Z", rfc(now.Add(-time.Hour)), rfc(now.Add(-time.Hour)), ""},
		{rfc(now.Add(time.Minute)), rfc(now.Add(-time.Hour)), rfc(now.Add(-time.Hour)), ""}, // an error within the time of a request
		{"", rfc(now.Add(9 * time.Minute)), rfc(now.Add(9 * time.Minute)), ""},
		{"", rfc(now.Add(11 * time.Minute)), "", "captured_at out_of_range"},
		{"soon", "1970-01-01T00:30:00Z", "", "X-Client-Time unreadable, captured_at out_of_range"},
	} {
		got := c.With("X-Client-Time", k.phone).Post("/reports", newBody(object{"client_id": uuid.NewString(), "captured_at": k.captured})).Want(http.StatusCreated).Object()
		at := ""
		if text, ok := got.At("captured_at").(string); ok {
			parsed, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			want, err := time.Parse(time.RFC3339, k.want)
			if at = k.want; err != nil || parsed.Sub(want).Abs() > time.Minute {
				at = text
			}
		}
		if at != k.want || warned(got) != k.warned {
			t.Errorf("phone %s, picture %s: %v, warned of %q", k.phone, k.captured, got.At("captured_at"), warned(got))
		}
	}
}

// With more pictures than a report may have, the first ones are kept.
func TestASecondPictureIsLeftOutWithAWarning(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	pictures := func(shade uint8) []object {
		return []object{{"upload_id": uploaded(c, w, shade)}, {"upload_id": uploaded(c, w, shade+1)}}
	}
	kept := pictures(1)
	single := c.Post("/reports", newBody(object{"client_id": uuid.NewString(), "images": kept})).Want(http.StatusCreated).Object()
	item := c.Post("/reports/batch", object{"reports": []any{newBody(object{"client_id": uuid.NewString(), "images": pictures(3)})}}).Want(http.StatusOK).Object().Items("results")[0]
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	for name, value := range map[string]string{"issue_type": "pothole", "latitude": "-8.5", "longitude": "125.5"} {
		if err := parts.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for shade := range uint8(2) {
		part, err := parts.CreateFormFile("images", "a.jpg")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(w.JPEG(10 + shade)); err != nil {
			t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	both := c.Post("/reports", apiclient.Raw{ContentType: parts.FormDataContentType(), Body: form.Bytes()}).Want(http.StatusCreated).Object()
	for name, k := range map[string]struct {
		got    apiclient.Object
		images string
		warned string
	}{"single": {single, "images", "images[1] image_limit"}, "batch": {item, "report.images", "images[1] image_limit"}, "form": {both, "images", "file[1] image_limit"}} {
		if images, _ := k.got.At(k.images).([]any); len(images) != 1 || warned(k.got) != k.warned {
			t.Errorf("%s: images %v, warned of %q", name, k.got.At(k.images), warned(k.got))
		}
	}
	if got := w.Text(`SELECT i.upload_id::text FROM report_images i WHERE report_id = $1`, single.Text("id")); got != kept[0]["upload_id"] {
		t.Errorf("kept is %s of %v", got, kept)
	}
	if n := w.Int(`SELECT count(*) FROM uploads WHERE attached_at IS NOT NULL`); n != 3 {
		t.Errorf("%d uploads are attached, want those that are pictures of a report", n)
	}
}

// The warnings of an answer belong to its request, also when the request repeats another.
func TestWarningsOfARepeat(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := newBody(object{"client_id": uuid.NewString(), "captured_at": "yesterday"})
	c.Post("/reports", newBody(object{"client_id": body["client_id"]})).Want(http.StatusCreated)
	if got := warned(c.Post("/reports", body).Want(http.StatusOK).Object()); got != "captured_at unreadable" {
		t.Errorf("a repeat of a client_id is warned of %q", got)
	}
	if got := warned(c.Get("/reports/" + w.Text(`SELECT id::text FROM reports`)).Want(http.StatusOK).Object()); got != "" {
		t.Errorf("a reader is warned of %q", got)
	}
	keyed := c.With("Idempotency-Key", "k-1")
	body["client_id"] = uuid.NewString()
	first := keyed.Post("/reports", body).Want(http.StatusCreated)
	again := keyed.Post("/reports", body).Want(http.StatusCreated)
	if !bytes.Equal(first.Body, again.Body) || warned(again.Object()) != "captured_at unreadable" {
		t.Errorf("a replay is %s", again.Body)
	}
	body["captured_at"] = "tomorrow"
	if code := keyed.Post("/reports", body).Want(http.StatusUnprocessableEntity).Code(); code != "idempotency_key_reused" {
		t.Errorf("another request with the key: %s", code)
	}
	tetum := c.With("Accept-Language", "tet").Post("/reports", newBody(object{"client_id": 17})).Want(http.StatusCreated).Object()
	if text := tetum.Items("warnings")[0].Text("message"); text != "La konsege komprende valór ne'e. Nia la tama." {
		t.Errorf("in Tetum: %s", text)
	}
}

func TestReportsOutsideTheAreaAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for _, at := range [][2]any{{0, 0}, {"0,0", "0"}, {-12.5, 125.5}, {-8.5, 130}, {8.5, 125.5}} {
		got := c.Post("/reports", newBody(object{"latitude": at[0], "longitude": at[1]})).Want(http.StatusUnprocessableEntity)
		if got.Code() != "outside_area" || got.Object().Items("errors")[0].Text("field") != "latitude" {
			t.Errorf("%v: %s", at, got.Body)
		}
	}
	for _, at := range [][2]float64{{-10, 124}, {-7.5, 128.3}} { // within the margin
		c.Post("/reports", newBody(object{"latitude": at[0], "longitude": at[1]})).Want(http.StatusCreated)
	}
	other := setup(t)
	other.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"report_area": [-10, -10, 10, 10]}')`)
	c = other.Citizen()
	c.Post("/reports", newBody(object{"latitude": 5, "longitude": 5})).Want(http.StatusCreated)
	c.Post("/reports", newBody(object{"latitude": 0, "longitude": 0})).Want(http.StatusUnprocessableEntity)
	c.Post("/reports", newBody(nil)).Want(http.StatusUnprocessableEntity)
}

// A change names the members that it does not take, and those that it cannot read.
func TestWarningsOfAChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	id := c.Post("/reports", newBody(nil)).Want(http.StatusCreated).Object().Text("id")
	got := c.Patch("/reports/"+id, object{"title": strings.Repeat("x", 151), "is_anonymous": true, "lat": -8, "description": []int{1}, "device_info": nil, "unknown": 1}).Want(http.StatusOK).Object()
	if warned(got) != "description unreadable, title cut, is_anonymous not_taken, latitude not_taken" || len(got.Text("title")) != 150 || got.Text("description") != "Deep." {
		t.Errorf("warned of %q: %v", warned(got), got.Values)
	}
	if got := c.Patch("/reports/"+id, object{"issue_type": nil, "title": "Hole"}).Want(http.StatusOK).Object(); warned(got) != "" || got.Text("issue_type") != "pothole" {
		t.Errorf("null: warned of %q: %v", warned(got), got.Values)
	}
	c.Patch("/reports/"+id, object{"status": "mended"}).Want(http.StatusUnprocessableEntity)
	c.Patch("/reports/"+id, object{"status": []string{}}).Want(http.StatusUnprocessableEntity)
}

// Only a report that was created spends the budget for creating: not a request that is refused, nor a repeat.
func TestOnlyACreatedReportSpendsTheBudget(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"reports_per_hour": 2, "batch_reports_per_hour": 3, "uploads_per_hour": 1}')`)
	c := w.Citizen()
	first, outside := newBody(object{"client_id": uuid.NewString()}), newBody(object{"latitude": 0, "longitude": 0})
	c.Post("/reports", first).Want(http.StatusCreated)
	for range 5 {
		c.Post("/reports", outside).Want(http.StatusUnprocessableEntity)
		c.Post("/reports", first).Want(http.StatusOK)
	}
	c.Post("/reports", newBody(object{"client_id": uuid.NewString()})).Want(http.StatusCreated)
	c.Post("/reports", newBody(object{"client_id": uuid.NewString()})).Want(http.StatusTooManyRequests)
	for range 3 {
		c.Post("/reports/batch", object{"reports": []any{outside, 7, first}}).Want(http.StatusOK)
	}
	c.Post("/reports/batch", object{"reports": offline(3)}).Want(http.StatusOK)
	c.Post("/reports/batch", object{"reports": offline(1)}).Want(http.StatusTooManyRequests)
	for range 3 {
		c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", []byte("no picture")).Want(http.StatusUnsupportedMediaType)
	}
	uploaded(c, w, 1)
	c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(2)).Want(http.StatusTooManyRequests)
}
