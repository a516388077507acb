package journeys_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/storage"
)

// sent sends a file to the address of an answer, with one header changed where name is not empty, and returns the status.
func sent(t testing.TB, address map[string]any, file, name, value string) int {
	t.Helper()
	upload := address["upload"].(map[string]any)
	req, err := http.NewRequestWithContext(t.Context(), upload["method"].(string), upload["url"].(string), strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for header, v := range upload["headers"].(map[string]any) {
		req.Header.Set(header, v.(string))
	}
	if name != "" {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // nothing in it is read
	return res.StatusCode
}

// address asks for an address for a file.
func (r *rider) address(journey, file string) map[string]any {
	r.b.t.Helper()
	return r.call("POST", "/journeys/"+journey+"/import", object{"content_type": "application/gpx+xml", "size_bytes": len(file)}).want(201).object()
}

// idAt is an upload_id that was issued at a time.
func idAt(at time.Time) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	for i, ms := 0, at.UnixMilli(); i < 6; i++ {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id
}

// stored puts a file where one that was sent would be.
func stored(t testing.TB, w *testenv.System, journey string, id uuid.UUID, file string) {
	t.Helper()
	store := storage.New(w.AWS.Config(), storage.Config{Bucket: testenv.Bucket, PathStyle: true})
	if err := store.Put(t.Context(), "imports/"+journey+"/"+id.String(), "application/gpx+xml", []byte(file)); err != nil {
		t.Fatal(err)
	}
}

// A file that is too large for the gateway goes straight to S3, with exactly the size and the type that were named, and is
// imported from there.
func TestALargeFileIsImportedFromItsAddress(t *testing.T) {
	t.Parallel()
	b, _ := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	file := strings.Replace(waypointFile("A"), "><wpt", ">"+strings.Repeat("<extensions>"+strings.Repeat(" ", 400<<10)+"</extensions>", 49)+"<wpt", 1)
	address := maria.address(id, file)
	expires, err := time.Parse(time.RFC3339, address["expires_at"].(string))
	if err != nil || time.Until(expires) < 23*time.Hour || time.Until(expires) > 25*time.Hour {
		t.Errorf("expires at %v", address["expires_at"])
	}
	body := object{"upload_id": address["upload_id"]}
	maria.call("POST", "/journeys/"+id+"/import", body).wantCode(409, "import_not_sent")
	if got := sent(t, address, file+" ", "", ""); got != http.StatusForbidden {
		t.Errorf("a byte more: %d", got)
	}
	if got := sent(t, address, file, "Content-Type", "text/html"); got != http.StatusForbidden {
		t.Errorf("another type: %d", got)
	}
	maria.call("POST", "/journeys/"+id+"/import", body).wantCode(409, "import_not_sent")
	if got := sent(t, address, file, "Origin", "https://a.example.org"); got != http.StatusOK {
		t.Fatalf("the file: %d", got)
	}
	maria.call("POST", "/journeys/"+id+"/import", body).want(201)
	if got := maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list(); len(got) != 1 || got[0]["name"] != "A" {
		t.Errorf("markers %v", got)
	}
	maria.call("POST", "/journeys/"+id+"/import", body).want(200) // the same upload_id again adds nothing
}

func TestOnlyTheOwnerImportsAnUpload(t *testing.T) {
	t.Parallel()
	b, _ := setupWithStorage(t)
	maria, joao := b.rider(), b.rider()
	id, other, joaos := maria.journey(nil), maria.journey(nil), joao.journey(nil)
	file := waypointFile("A")
	address := maria.address(id, file)
	if got := sent(t, address, file, "", ""); got != http.StatusOK {
		t.Fatalf("the file: %d", got)
	}
	body := object{"upload_id": address["upload_id"]}
	joao.call("POST", "/journeys/"+id+"/import", body).wantCode(403, "journey_not_yours")
	joao.call("POST", "/journeys/"+id+"/import", object{"content_type": "application/gpx+xml", "size_bytes": 5}).wantCode(403, "journey_not_yours")
	joao.call("POST", "/journeys/"+joaos+"/import", body).wantCode(409, "import_not_sent")
	maria.call("POST", "/journeys/"+other+"/import", body).wantCode(409, "import_not_sent")
	maria.call("PATCH", "/journeys/"+id, object{"visibility": "private"}).want(200)
	joao.call("POST", "/journeys/"+id+"/import", body).wantCode(404, "journey_not_found")
	maria.call("POST", "/journeys/"+id+"/import", body).want(201)
	joao.noMarkers(joaos)
}

func TestAnUploadThatIsNotThereOrTooOld(t *testing.T) {
	t.Parallel()
	b, w := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	now := time.Now()
	late, old := idAt(now.Add(-23*time.Hour)), idAt(now.Add(-25*time.Hour))
	stored(t, w, id, late, waypointFile("A"))
	stored(t, w, id, old, waypointFile("B"))
	stored(t, w, id, idAt(now.Add(-time.Minute)), waypointFile("C"))
	for name, c := range map[string]struct {
		upload any
		status int
		code   string // or the field that is wrong
	}{
		"sent":                        {late, 201, ""},
		"too old":                     {old, 404, "import_upload_unknown"},
		"never sent, address expired": {idAt(now.Add(-2 * time.Hour)), 404, "import_upload_unknown"},
		"not sent yet":                {idAt(now.Add(-50 * time.Minute)), 409, "import_not_sent"},
		"of another kind":             {uuid.New(), 404, "import_upload_unknown"},
		"no id":                       {"../" + id, 422, "upload_id"},
		"a number":                    {5, 422, "upload_id"},
		"null":                        {nil, 422, "size_bytes"},
	} {
		got := maria.call("POST", "/journeys/"+id+"/import", object{"upload_id": c.upload})
		if got.status != c.status || !strings.Contains(string(got.body), `"`+c.code) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestWhatIsAskedForAnAddressIsChecked(t *testing.T) {
	t.Parallel()
	b, _ := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{`{"content_type": "application/gpx+xml", "size_bytes": 20971520}`, 201, ""},
		{`{"size_bytes": "20971520", "colour": {"a": [1]}}` + "\x00", 201, ""},
		{"\xef\xbb\xbf" + `{"content_type": "application/gpx+xml", "size_bytes": 1}`, 201, ""},
		{`{"content_type": "application/gpx+xml", "size_bytes": 20971521}`, 413, "too_large"},
		{`{"content_type": "application/gpx+xml", "size_bytes": 0}`, 422, "invalid_input"},
		{`{"content_type": "application/gpx+xml", "size_bytes": 1.5}`, 422, "invalid_input"},
		{`{"content_type": "application/gpx+xml", "size_bytes": 1e999}`, 422, "invalid_input"},
		{`{"content_type": "application/gpx+xml", "size_bytes": [1]}`, 422, "invalid_input"},
		{`{"content_type": "application/gpx+xml"}`, 422, "invalid_input"},
		{`{"content_type": 5, "size_bytes": 5}`, 201, ""},
		{`{"upload_id": null, "content_type": null, "size_bytes": 5}`, 201, ""},
	} {
		for _, contentType := range []string{"application/json", "application/octet-stream"} {
			got := maria.importBody(id, c.body, "Content-Type", contentType)
			if got.status != c.status || c.code != "" && got.object()["code"] != c.code {
				t.Errorf("%s: %d %s", c.body, got.status, got.body)
			}
		}
	}
	for named, want := range map[string]string{"application/GPX+xml; charset=utf-8": "application/gpx+xml", "application/geo+json": "application/geo+json",
		"text/xml": "text/xml", "text/html": "application/octet-stream", "": "application/octet-stream", "a\r\nb": "application/octet-stream"} {
		got := maria.call("POST", "/journeys/"+id+"/import", object{"content_type": named, "size_bytes": 5}).want(201).object()
		headers := got["upload"].(map[string]any)["headers"].(map[string]any)
		if headers["Content-Type"] != want {
			t.Errorf("%q is stored as %v, want %s", named, headers, want)
		}
	}
	maria.importBody(id, `{"type":"Point","coordinates":[125.5,-8.5],"upload_id":"x"}`, "Content-Type", "application/json").want(201)
	if n := b.count(`SELECT count(*) FROM markers`); n != 1 {
		t.Errorf("%d markers", n)
	}
}

// A file that was packed before it was sent saves data on a slow link. It is bounded like all others.
func TestAnUploadMayBePacked(t *testing.T) {
	t.Parallel()
	b, w := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	for name, c := range map[string]struct {
		file   string
		status int
	}{
		"packed":    {packed(t, waypointFile("A"), time.Time{}), 201},
		"bomb":      {bomb(t, waypointFile("A")), 413},
		"cut":       {packed(t, waypointFile("A"), time.Time{})[:40], 422},
		"too large": {strings.Repeat(" ", 20<<20+1), 413}, // S3 takes no such file from an address of ours
		"empty":     {"", 415},
	} {
		upload := idAt(time.Now())
		stored(t, w, id, upload, c.file)
		if got := maria.call("POST", "/journeys/"+id+"/import", object{"upload_id": upload}); got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestAnUploadWithoutS3IsRefused(t *testing.T) {
	t.Parallel()
	b, w := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	upload := idAt(time.Now())
	stored(t, w, id, upload, waypointFile("A"))
	fail(t, w, "GetObject")
	got := maria.call("POST", "/journeys/"+id+"/import", object{"upload_id": upload}).wantCode(503, "unavailable")
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	maria.noMarkers(id)
	w.Faults.Clear()
	maria.call("POST", "/journeys/"+id+"/import", object{"upload_id": upload}).want(201)
}

// An address costs as much of the budget as an import. What is refused costs nothing. A repeat of the request gets the same
// address.
func TestAddressesAreLimitedAndRepeated(t *testing.T) {
	t.Parallel()
	b, w := setupWithStorage(t)
	w.Env["RATE_LIMIT_IMPORT_PER_HOUR"] = "3"
	w.Serve(journeys.Open)
	maria := b.rider()
	id := maria.journey(nil)
	maria.call("POST", "/journeys/"+id+"/import", object{"size_bytes": 0}).want(422)
	body := object{"content_type": "application/gpx+xml", "size_bytes": 5}
	first := maria.call("POST", "/journeys/"+id+"/import", body, "Idempotency-Key", "address").want(201)
	again := maria.call("POST", "/journeys/"+id+"/import", body, "Idempotency-Key", "address").want(201)
	if string(first.body) != string(again.body) {
		t.Errorf("the repeat answered %s after %s", again.body, first.body)
	}
	maria.call("POST", "/journeys/"+id+"/import", body).want(201)
	maria.importBody(id, waypointFile("A")).want(201)
	maria.call("POST", "/journeys/"+id+"/import", body).wantCode(429, "rate_limited")
}
