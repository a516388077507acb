package acceptance

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visitor calls the system as one person and holds every answer to the document.
type visitor struct {
	*testing.T
	doc   *document
	base  string
	token string
}

// seen is an answer.
type seen struct {
	*testing.T
	status int
	header http.Header
	body   []byte
}

func (v *visitor) as(token string) *visitor { c := *v; c.token = token; return &c }

// do sends a request below /api/v1, or from the root when path starts with
// "//", and ends the test unless the status is as wanted.
func (v *visitor) do(method, path string, body any, want int) seen {
	v.Helper()
	got := v.send(method, path, body)
	if got.status != want {
		v.Fatalf("%s %s: %d, want %d: %.800s", method, path, got.status, want, got.body)
	}
	return got
}

// status is what a request without a body answers with.
func (v *visitor) status(method, path string) int {
	v.Helper()
	return v.send(method, path, nil).status
}

func (v *visitor) send(method, path string, body any) seen {
	v.Helper()
	var reader io.Reader
	media := ""
	switch b := body.(type) {
	case nil:
	case *form:
		reader, media = bytes.NewReader(b.body.Bytes()), b.writer.FormDataContentType()
	case url.Values:
		reader, media = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case gpx:
		reader, media = strings.NewReader(string(b)), "application/gpx+xml"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			v.Fatal(err)
		}
		reader, media = bytes.NewReader(raw), "application/json"
	}
	target := v.base + "/api/v1" + path
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		target = v.base + "/" + rest
	}
	req, err := http.NewRequestWithContext(v.Context(), method, target, reader)
	if err != nil {
		v.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if v.token != "" {
		req.Header.Set("Authorization", "Bearer "+v.token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		v.Fatal(err)
	}
	if !strings.HasPrefix(path, "//_local/") {
		v.doc.check(method, target, res, raw)
	}
	return seen{v.T, res.StatusCode, res.Header, raw}
}

func (v *visitor) get(path string) seen { v.Helper(); return v.do("GET", path, nil, 200) }

func (s seen) object() object {
	s.Helper()
	var o object
	if err := json.Unmarshal(s.body, &o); err != nil {
		s.Fatalf("no object: %.300s", s.body)
	}
	return o
}

func (s seen) text(name string) string { s.Helper(); text, _ := s.object()[name].(string); return text }

// first is a member of the first element of a list.
func (s seen) first(list, name string) string {
	s.Helper()
	items, _ := s.object()[list].([]any)
	if len(items) == 0 {
		s.Fatalf("%s is empty: %.300s", list, s.body)
	}
	item, _ := items[0].(object)
	text, _ := item[name].(string)
	return text
}

type gpx string

// form is a multipart form.
type form struct {
	body   bytes.Buffer
	writer *multipart.Writer
}

func picture(t *testing.T, raw []byte) *form {
	t.Helper()
	f := &form{}
	f.writer = multipart.NewWriter(&f.body)
	part, err := f.writer.CreateFormFile("file", "photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := f.writer.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// patience is how long workers may take for something a test waits for.
const patience = 4 * time.Minute

// until asks again until f is content.
func (v *visitor) until(what string, f func() bool) {
	v.Helper()
	deadline := time.After(patience)
	for !f() {
		select {
		case <-deadline:
			v.Fatalf("waited in vain for: %s", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// mailed is what a pattern finds in the newest mail to an address, as the
// console of the local system shows it; differing from what it was before.
func (v *visitor) mailed(address string, pattern *regexp.Regexp, before string) string {
	v.Helper()
	found := ""
	v.until("a mail to "+address, func() bool {
		var mails []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(v.get("//_local/mail?to="+url.QueryEscape(address)).body, &mails); err != nil {
			v.Fatal(err)
		}
		for _, m := range mails {
			if match := pattern.FindStringSubmatch(m.Text); match != nil && match[len(match)-1] != before {
				found = match[len(match)-1]
				return true
			}
		}
		return false
	})
	return found
}
