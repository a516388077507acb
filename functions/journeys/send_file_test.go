package journeys_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// longJourney is a journey of the rider whose file has more than 10 MB, and more than 4.5 MB packed.
func (r *rider) longJourney(name string) string {
	r.b.t.Helper()
	id := r.journey(object{"name": name})
	r.b.exec(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, blur_m, notes, created_at, updated_at)
		SELECT gen_random_uuid(), $1, $2, 'M' || n, 'past', 125.5, -8.5, 0, notes.text, now(), now() FROM generate_series(1, 2200) n,
		LATERAL (SELECT string_agg(encode(sha256(convert_to(n || '.' || i, 'UTF8')), 'base64'), '') AS text FROM generate_series(1, 111) i) notes`, id, r.ID)
	return id
}

func unpacked(t *testing.T, packed []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// fetched is what a client without credentials gets from an address.
func fetched(t *testing.T, address string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, raw
}

func wellFormed(t *testing.T, file []byte) {
	t.Helper()
	var gpx struct {
		XMLName xml.Name `xml:"gpx"`
	}
	if err := xml.Unmarshal(file, &gpx); err != nil {
		t.Errorf("%d bytes are no GPX file: %v", len(file), err)
	}
}

// A small file is the answer, packed once, with the journey's name and an ETag.
func TestTheRouteIsAFileWithTheNameOfTheJourney(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(object{"name": "Díli/Baucau"})
	maria.marker(id, past("Dili", "2026-01-01", 125.57, -8.55))
	for range 60 {
		maria.marker(id, past("Manatuto", "2026-01-02", 126.01, -8.51))
	}
	path := "/journeys/" + id + "/route.gpx"
	plain := maria.call("GET", path, nil, "Accept-Encoding", "identity").want(200)
	if got := plain.header.Get("Content-Disposition"); got != `attachment; filename=Dili-Baucau.gpx; filename*=utf-8''D%C3%ADli-Baucau.gpx` {
		t.Errorf("the file is %s", got)
	}
	wellFormed(t, plain.body)
	packed := maria.call("GET", path, nil, "Accept-Encoding", "gzip").want(200)
	if got := packed.header.Get("Content-Encoding"); got != "gzip" || packed.header.Get("Content-Type") != "application/gpx+xml" {
		t.Errorf("header of a packed file: %v", packed.header)
	}
	if !bytes.Equal(unpacked(t, packed.body), plain.body) {
		t.Error("unpacked once, the file is another")
	}
	if vary := strings.Join(packed.header.Values("Vary"), ","); !strings.Contains(vary, "Accept-Encoding") || !strings.Contains(vary, "Authorization") {
		t.Errorf("Vary is %s", vary)
	}
	maria.call("GET", path, nil, "Accept-Encoding", "gzip", "If-None-Match", packed.header.Get("ETag")).want(304)
	if plain.header.Get("ETag") == packed.header.Get("ETag") {
		t.Error("two bodies have one ETag")
	}
}

// A file that the gateway does not carry is at an address for a quarter of an hour, for anybody who has it. The same file is
// stored once a day.
func TestALargeFileIsAtASignedAddress(t *testing.T) {
	t.Parallel()
	b, w := setupWithStorage(t)
	maria := b.rider()
	id := maria.longJourney("Loron 🚲 tour")
	for _, coding := range []string{"gzip", "identity"} {
		answer := maria.call("GET", "/journeys/"+id+"/route.gpx", nil, "Accept-Encoding", coding).want(302)
		if len(answer.body) != 0 {
			t.Errorf("%s: the redirect has %d bytes", coding, len(answer.body))
		}
		address, err := url.Parse(answer.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(address.Path, "/media/routes/"+id+"/") || address.Query().Get("X-Amz-Expires") != "900" {
			t.Errorf("%s: the file is at %s", coding, address)
		}
		status, header, file := fetched(t, address.String())
		if status != 200 || header.Get("Content-Type") != "application/gpx+xml" ||
			header.Get("Content-Disposition") != `attachment; filename="Loron tour.gpx"; filename*=utf-8''Loron%20%F0%9F%9A%B2%20tour.gpx` {
			t.Fatalf("%s: %d %v %.300s", coding, status, header, file)
		}
		if coding == "gzip" {
			if header.Get("Content-Encoding") != "gzip" {
				t.Errorf("header of a packed object: %v", header)
			}
			file = unpacked(t, file)
		}
		wellFormed(t, file)
		fail(t, w, "PutObject") // a repeat does not need it
		again := maria.call("GET", "/journeys/"+id+"/route.gpx", nil, "Accept-Encoding", coding).want(302)
		if to, _ := url.Parse(again.header.Get("Location")); to.Path != address.Path {
			t.Errorf("%s: the same file is at %s and at %s", coding, address.Path, to.Path)
		}
		w.Faults.Clear()
	}
	others := b.rider()
	others.call("GET", "/journeys/"+id+"/route.gpx", nil).want(302)
	maria.call("PATCH", "/journeys/"+id, object{"visibility": "private"}).want(200)
	others.call("GET", "/journeys/"+id+"/route.gpx", nil).want(404)
}

// A client never gets a part of a file: if S3 fails, the answer says when to ask again. No temporary file stays.
func TestALargeFileWithoutS3IsRefused(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	b, w := setupWithStorage(t)
	maria := b.rider()
	id := maria.longJourney("Tour")
	for _, operation := range []string{"PutObject", "HeadObject"} {
		w.Faults.Clear()
		fail(t, w, operation)
		got := maria.call("GET", "/journeys/"+id+"/route.gpx", nil).wantCode(503, "unavailable")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s fails: no Retry-After", operation)
		}
	}
	w.Faults.Clear()
	maria.call("GET", "/journeys/"+id+"/route.gpx", nil).want(302)
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range left {
		if strings.HasPrefix(file.Name(), "route-") {
			t.Errorf("%s was left", file.Name())
		}
	}
}
