package journeys_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// waypointFile is a file with one waypoint, which no other file has.
func waypointFile(name string) string {
	return `<gpx version="1.1"><wpt lat="-8.5" lon="125.5"><name>` + name + `</name></wpt></gpx>`
}

// packed packs text with gzip. Files that are packed at another time differ.
func packed(t testing.TB, text string, at time.Time) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.ModTime = at
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// bomb is gzip of about 4 MB that unpacks to 4 GB. It begins with text.
func bomb(t testing.TB, text string) string {
	t.Helper()
	zeros := packed(t, strings.Repeat("\x00", 20<<20), time.Time{})
	return packed(t, text, time.Time{}) + strings.Repeat(zeros, 200)
}

// inForm puts a file into a form, and returns its content type and the body.
func inForm(t testing.TB, file string) (string, string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	note, err := form.CreateFormField("note")
	if err != nil {
		t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", "tour.gpx")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(note, "our tour") // a buffer does not fail
	_, _ = io.WriteString(part, file)
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return form.FormDataContentType(), body.String()
}

func (r *rider) importBody(journey, body string, headers ...string) *answer {
	r.b.t.Helper()
	return r.call("POST", "/journeys/"+journey+"/import", body, headers...)
}

// noMarkers fails the test if a journey has markers.
func (r *rider) noMarkers(journey string) {
	r.b.t.Helper()
	if n := len(r.call("GET", "/journeys/"+journey+"/markers", nil).want(200).list()); n != 0 {
		r.b.t.Errorf("%d markers of files that were refused", n)
	}
}

func TestAPackedFileIsImported(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	form, body := inForm(t, waypointFile("In a form"))
	formOfPacked, bodyOfPacked := inForm(t, packed(t, waypointFile("Packed in a form"), time.Time{}))
	geojson := `{"type":"Point","coordinates":[125.5,-8.5]}` + "\x00"
	for name, c := range map[string]struct{ body, contentType, encoding string }{
		"gzip":           {packed(t, waypointFile("A"), time.Time{}), "application/gpx+xml", "gzip"},
		"x-gzip":         {packed(t, waypointFile("A"), time.Time{}), "application/gpx+xml", "X-GZIP"},
		"two members":    {packed(t, waypointFile("A")[:20], time.Time{}) + packed(t, waypointFile("A")[20:], time.Time{}), "", "gzip"},
		"JSON":           {packed(t, geojson[:len(geojson)-1], time.Time{}), "application/json", "gzip"},
		"form":           {packed(t, body, time.Time{}), form, "gzip"},
		"file in form":   {bodyOfPacked, formOfPacked, ""},
		"tour.gpx.gz":    {packed(t, waypointFile("A"), time.Time{}), "application/gpx+xml", ""},
		"not packed":     {waypointFile("A"), "application/gpx+xml", "identity"},
		"GeoJSON":        {"\xef\xbb\xbf" + geojson[:len(geojson)-1], "application/json", ""},
		"GeoJSON, typed": {geojson[:len(geojson)-1], "application/geo+json", ""},
	} {
		id := maria.journey(nil)
		headers := []string{"Content-Type", c.contentType}
		if c.encoding != "" {
			headers = append(headers, "Content-Encoding", c.encoding)
		}
		got := maria.importBody(id, c.body, headers...)
		if got.status != 201 || len(maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list()) != 1 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// A client that does not know the length of a file sends it in chunks.
func TestAFileInChunksIsImported(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	for _, coding := range []string{"identity", "gzip"} {
		id := maria.journey(nil)
		body := waypointFile("A")
		if coding == "gzip" {
			body = packed(t, body, time.Time{})
		}
		req, err := http.NewRequestWithContext(t.Context(), "POST", maria.b.url+"/api/v1/journeys/"+id+"/import", io.MultiReader(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+maria.Token)
		req.Header.Set("Content-Encoding", coding)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != 201 || req.ContentLength > 0 {
			t.Errorf("%s: %d", coding, res.StatusCode)
		}
	}
}

func TestOtherCodingsAreRefused(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	for _, coding := range []string{"br", "deflate", "zstd", "gzip, gzip", "gzip, br"} {
		got := maria.importBody(id, packed(t, waypointFile("A"), time.Time{}), "Content-Encoding", coding).wantCode(415, "unsupported_encoding")
		if accepted := got.header.Get("Accept-Encoding"); accepted != "gzip" {
			t.Errorf("%s: accepted is %q", coding, accepted)
		}
	}
	got := maria.call("POST", "/journeys/"+id+"/markers", packed(t, "{}", time.Time{}), "Content-Encoding", "gzip", "Content-Type", "application/json").
		wantCode(415, "unsupported_encoding")
	if accepted := got.header.Get("Accept-Encoding"); accepted != "identity" {
		t.Errorf("a marker may be packed with %q", accepted)
	}
}

// A gzip file that was cut off or damaged in transit is refused. Nothing of it is stored.
func TestABrokenPackedFileIsRefused(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	whole := packed(t, waypointFile("A"), time.Time{})
	for at := 1; at < len(whole); at += 7 {
		got := maria.importBody(id, whole[:at], "Content-Encoding", "gzip").wantCode(422, "import_broken")
		if got.object()["place"] != "gzip" {
			t.Errorf("cut at %d: %s", at, got.body)
		}
	}
	checksum := []byte(whole)
	checksum[len(checksum)-6] ^= 1
	formType, form := inForm(t, whole[:len(whole)-3])
	maria.importBody(id, string(checksum), "Content-Encoding", "gzip").wantCode(422, "import_broken")
	maria.importBody(id, string(checksum)).wantCode(422, "import_broken")
	maria.importBody(id, waypointFile("A"), "Content-Encoding", "gzip").wantCode(422, "import_broken")
	maria.importBody(id, whole+"more", "Content-Encoding", "gzip").wantCode(422, "import_broken")
	maria.importBody(id, form, "Content-Type", formType).wantCode(422, "import_broken")
	plainType, plain := inForm(t, waypointFile("A"))
	maria.importBody(id, plain[:len(plain)-80], "Content-Type", plainType).wantCode(422, "malformed_body")
	maria.noMarkers(id)
}

// What unpacks to more than a file may have is refused before it is unpacked whole: here 4 GB.
func TestAPackedFileThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	text := waypointFile("A")
	form, body := inForm(t, text)
	body = body[:strings.Index(body, text)+len(text)]
	inner, bodyOfPacked := inForm(t, bomb(t, text))
	maria.importBody(id, bomb(t, text), "Content-Encoding", "gzip").wantCode(413, "too_large")
	maria.importBody(id, bomb(t, text), "Content-Encoding", "gzip", "Idempotency-Key", "bomb").wantCode(413, "too_large")
	maria.importBody(id, bomb(t, text)).wantCode(413, "too_large")
	maria.importBody(id, bomb(t, body), "Content-Encoding", "gzip", "Content-Type", form).wantCode(413, "too_large")
	maria.importBody(id, bodyOfPacked, "Content-Type", inner).wantCode(413, "too_large")
	noFile := strings.Replace(body, text, "no file", 1)
	maria.importBody(id, bomb(t, noFile), "Content-Encoding", "gzip", "Content-Type", form).wantCode(413, "too_large")
	maria.noMarkers(id)
}

// A body of more than 4.5 MB as sent is told the way that works.
func TestALargeBodyIsToldToUploadDirectly(t *testing.T) {
	t.Parallel()
	b, _ := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	noise := make([]byte, 4_500_001)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	form, body := inForm(t, string(noise))
	for name, headers := range map[string][]string{
		"plain":   {"Content-Type", "application/gpx+xml"},
		"packed":  {"Content-Encoding", "gzip"},
		"keyed":   {"Idempotency-Key", "large"},
		"GeoJSON": {"Content-Type", "application/json"},
	} {
		if got := maria.importBody(id, string(noise), headers...); got.status != 413 || got.object()["code"] != "use_direct_upload" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	maria.importBody(id, body, "Content-Type", form).wantCode(413, "use_direct_upload")
	maria.importBody(id, strings.Repeat(" ", 4_500_000)+"x").wantCode(413, "use_direct_upload")
	maria.importBody(id, strings.Repeat(" ", 4_500_000-1)+"x").wantCode(415, "import_unknown_format")
	maria.importBody(id, strings.Repeat(" ", 7<<20)).wantCode(413, "use_direct_upload") // more than the gateway takes
	maria.noMarkers(id)
}

// A phone that packs the file again for a retry sends other bytes: the file counts.
func TestAPackedImportRunsOncePerIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	long := strings.Repeat("long ", 30)
	var first *answer
	for i := range 3 {
		body := packed(t, waypointFile(long+"A"), time.Unix(int64(1_700_000_000+i), 0))
		got := maria.importBody(id, body, "Content-Encoding", "gzip", "Idempotency-Key", "packed").want(201)
		if first == nil {
			first = got
		} else if got.header.Get("Idempotent-Replay") != "true" || !bytes.Equal(got.body, first.body) {
			t.Errorf("the repeat answered %s after %s", got.body, first.body)
		}
	}
	maria.importBody(id, packed(t, waypointFile(long+"B"), time.Time{}), "Content-Encoding", "gzip", "Idempotency-Key", "packed").wantCode(422, "idempotency_key_reused")
	if n := b.count(`SELECT count(*) FROM markers`); n != 1 {
		t.Errorf("%d markers, want 1", n)
	}
}

// The first part that begins as a file is the file, in every coding of text.
func TestTheFileOfAFormInUTF16(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	var wide bytes.Buffer
	for _, c := range []byte(waypointFile("A")) {
		wide.Write([]byte{c, 0})
	}
	for _, file := range []string{"\xff\xfe" + wide.String(), "\r\n " + waypointFile("A")} {
		id := maria.journey(nil)
		body := "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.txt\"\r\n\r\nnote\r\n--b\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n" + file + "\r\n--b--\r\n"
		if got := maria.importBody(id, body, "Content-Type", "multipart/form-data; boundary=b"); got.status != 201 {
			t.Errorf("%.20q: %d %s", file, got.status, got.body)
		}
	}
	id := maria.journey(nil)
	for what, body := range map[string]string{"no part": "--b--\r\n", "no form": waypointFile("A"), "empty": ""} {
		if got := maria.importBody(id, body, "Content-Type", "multipart/form-data; boundary=b"); got.status != 422 {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
}
