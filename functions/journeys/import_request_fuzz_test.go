package journeys

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/problem"
)

// FuzzImportRequest sends any body. It is read as a file of bounded size, or refused with a 4xx.
func FuzzImportRequest(f *testing.F) {
	const form = "multipart/form-data; boundary=b"
	for _, text := range []string{`<gpx><wpt lat="-8.5" lon="125.5"><name>Dili</name></wpt></gpx>`, `{"type":"Point","coordinates":[125.5,-8.5]}`} {
		raw := []byte(text)
		inForm := append(append([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"), raw...), "\r\n--b--\r\n"...)
		f.Add("application/octet-stream", "", raw)
		f.Add("application/octet-stream", "gzip", packed(f, raw))
		f.Add("application/octet-stream", "", packed(f, raw))
		f.Add(form, "", inForm)
		f.Add(form, "gzip", packed(f, inForm))
	}
	f.Add("", "gzip", []byte("\x1f\x8b"))
	f.Add("application/json", "", []byte(`{"type":"Feature","upload_id":1}`))
	f.Add("application/json", "", []byte(`{"content_type":null,"size_bytes":"12"}`))
	f.Add("multipart/form-data", "", []byte("--b"))
	f.Add(form, "", []byte("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, contentType, encoding string, raw []byte) {
		in := &importInput{ContentType: contentType, Encoding: encoding, RawBody: raw}
		if in.request() != nil {
			return
		}
		file, err := (&Group{}).openFile(t.Context(), in)
		if err == nil {
			var n int64
			if n, err = io.Copy(io.Discard, file); n > trackfile.MaxBytes {
				t.Fatalf("a file of %d bytes", n)
			}
			_ = file.Close() // it was only read
		}
		var e *problem.Error
		if err != nil && (!errors.As(err, &e) || e.Kind < 400 || e.Kind > 499) {
			t.Fatalf("refused with %v", err)
		}
	})
}

func packed(t testing.TB, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
