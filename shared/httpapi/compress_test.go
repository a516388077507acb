package httpapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCompression(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`{"place":"Dili"},`, 200)
	for name, c := range map[string]struct {
		accept string
		header http.Header // of the handler's answer
		status int
		body   string
		packed bool
	}{
		"a large answer":           {accept: "gzip, deflate, br", body: long, packed: true},
		"written in one piece":     {accept: "gzip", header: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"3400"}}, body: long, packed: true},
		"an error":                 {accept: "gzip", status: 500, body: long, packed: true},
		"a small answer":           {accept: "gzip", body: long[:compressMin-1]},
		"the smallest packed":      {accept: "gzip", body: long[:compressMin], packed: true},
		"no body":                  {accept: "gzip", status: 204},
		"not asked for":            {accept: "", body: long},
		"another coding":           {accept: "br, zstd", body: long},
		"refused":                  {accept: "gzip;q=0, *", body: long},
		"anything":                 {accept: "*", body: long, packed: true},
		"anything but that":        {accept: "identity, *;q=0", body: long},
		"by weight":                {accept: "deflate;q=0.5, GZIP; q=0.8", body: long, packed: true},
		"a weight that is nothing": {accept: "gzip;q=high", body: long},
		"a picture":                {accept: "gzip", header: http.Header{"Content-Type": {"image/jpeg"}}, body: long},
		"a drawing":                {accept: "gzip", header: http.Header{"Content-Type": {"image/svg+xml"}}, body: long, packed: true},
		"packed before":            {accept: "gzip", header: http.Header{"Content-Encoding": {"gzip"}}, body: long},
		"a part":                   {accept: "gzip", header: http.Header{"Content-Range": {"bytes 0-3399/9999"}}, status: 206, body: long},
	} {
		for _, size := range []int{7, 1000, 1 << 20} { // of each write
			h := compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range c.header {
					w.Header()[name] = values
				}
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				for rest := []byte(c.body); len(rest) > 0; rest = rest[min(size, len(rest)):] {
					if _, err := w.Write(rest[:min(size, len(rest))]); err != nil {
						t.Error(err)
					}
				}
			}))
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept-Encoding", c.accept)
			h.ServeHTTP(w, r)
			got := w.Result()
			body := w.Body.Bytes()
			if packed := got.Header.Get("Content-Encoding") == "gzip" && c.header.Get("Content-Encoding") == ""; packed != c.packed {
				t.Errorf("%s, by %d: %v", name, size, got.Header)
			}
			if c.packed {
				if got.Header.Get("Content-Length") != "" || len(body) >= len(c.body) {
					t.Errorf("%s, by %d: %d of %d bytes, %v", name, size, len(body), len(c.body), got.Header)
				}
				body = unpacked(t, body)
			}
			if string(body) != c.body {
				t.Errorf("%s, by %d: %d bytes instead of %d", name, size, len(body), len(c.body))
			}
			if want := max(c.status, 200); got.StatusCode != want && c.status != 0 {
				t.Errorf("%s: %d, want %d", name, got.StatusCode, want)
			}
			if got.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: Vary %q: a cache would mix both forms", name, got.Header.Get("Vary"))
			}
		}
	}
}

func unpacked(t *testing.T, raw []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestCompressionOfAStream(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(compressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done() // the client has it, and hangs up
	})))
	t.Cleanup(s.Close)
	res, err := http.Get(s.URL) // unpacks by itself
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first" || !res.Uncompressed {
		t.Errorf("%q %v, packed: %v", first, err, res.Uncompressed)
	}
	_ = res.Body.Close()
}

func TestCompressionGivesWayToAPanic(t *testing.T) {
	t.Parallel()
	h := compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an answ")
		panic("halfway")
	}))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	func() {
		defer func() { _ = recover() }() // as api.recovered does, outside
		h.ServeHTTP(w, r)
	}()
	if w.Body.Len() != 0 {
		t.Errorf("%q went out before the answer about the panic", w.Body)
	}
}
