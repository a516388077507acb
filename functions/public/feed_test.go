package public_test

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// feedDocument is a feed as another program reads it.
type feedDocument struct {
	XMLName xml.Name
	ID      string `xml:"http://www.w3.org/2005/Atom id"`
	Title   string `xml:"http://www.w3.org/2005/Atom title"`
	Updated string `xml:"http://www.w3.org/2005/Atom updated"`
	Author  string `xml:"http://www.w3.org/2005/Atom author>name"`
	Entries []struct {
		ID      string `xml:"http://www.w3.org/2005/Atom id"`
		Title   string `xml:"http://www.w3.org/2005/Atom title"`
		Updated string `xml:"http://www.w3.org/2005/Atom updated"`
		Summary string `xml:"http://www.w3.org/2005/Atom summary"`
		Point   string `xml:"http://www.georss.org/georss point"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"http://www.w3.org/2005/Atom link"`
		Categories []struct {
			Term string `xml:"term,attr"`
		} `xml:"http://www.w3.org/2005/Atom category"`
	} `xml:"http://www.w3.org/2005/Atom entry"`
}

func TestFeed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, anybody := w.Citizen(), w.Anonymous()
	const hostile = "<script>alert(1)</script> & ]]> \u0001"
	id, number := file(w, author, map[string]any{"title": hostile, "description": "</summary>&amp;"})
	file(w, author, map[string]any{"title": "Secret words"}) // without a verdict
	read := func() feedDocument {
		t.Helper()
		got := anybody.Get("/public/feed.atom?issue_type=pothole&page_size=1").Want(http.StatusOK)
		if kind := got.Header.Get("Content-Type"); kind != "application/atom+xml; charset=utf-8" || !strings.Contains(got.Header.Get("Cache-Control"), "public") {
			t.Errorf("headers %v", got.Header)
		}
		if again := anybody.With("If-None-Match", got.Header.Get("ETag")).Get("/public/feed.atom?issue_type=pothole&page_size=1"); again.Status != http.StatusNotModified {
			t.Errorf("with the ETag: %d", again.Status)
		}
		var f feedDocument
		if err := xml.Unmarshal(got.Body, &f); err != nil {
			t.Fatalf("%v: %s", err, got.Body)
		}
		if f.XMLName.Local != "feed" || f.XMLName.Space != "http://www.w3.org/2005/Atom" || f.ID == "" || f.Title == "" || f.Updated == "" || f.Author == "" {
			t.Errorf("got %+v", f)
		}
		return f
	}
	if f := read(); len(f.Entries) != 0 {
		t.Errorf("without a verdict: %+v", f.Entries)
	}
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
	f := read()
	if len(f.Entries) != 1 {
		t.Fatalf("got %+v", f)
	}
	e := f.Entries[0]
	if e.ID != "urn:uuid:"+uuid.MustParse(id).String() || !strings.HasPrefix(e.Title, "<script>alert(1)</script> & ]]>") || e.Summary != "</summary>&amp;" || f.Updated != e.Updated ||
		len(strings.Fields(e.Point)) != 2 || e.Links[0].Rel != "alternate" || !strings.HasSuffix(e.Links[0].Href, "/r/"+number) || !strings.HasPrefix(e.Links[0].Href, "http") ||
		e.Categories[0].Term != "pothole" || e.Categories[1].Term != "verified" {
		t.Errorf("got %+v", e)
	}
	w.Exec(`UPDATE reports SET words_hidden = 'moderator' WHERE id = $1`, id)
	if e := read().Entries[0]; strings.Contains(e.Title, "script") || e.Title == "" || e.Summary != "" {
		t.Errorf("hidden words: %+v", e)
	}
	w.Exec(`UPDATE reports SET status = 'rejected' WHERE id = $1`, id)
	if f := read(); len(f.Entries) != 0 {
		t.Errorf("rejected: %+v", f.Entries)
	}
	anybody.Get("/public/feed.atom?status=zzz").Want(http.StatusUnprocessableEntity)
}

// An entry has the first picture that everybody may see.
func TestFeedHasPictures(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, number := file(w, w.Citizen(), nil)
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
	w.Exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, expires_at, state) SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, r.user_id, 'originals/' || n, 'image/jpeg', 1, now(), 'processed'
		FROM reports r, generate_series(1, 3) n WHERE r.id = $1`, id)
	w.Exec(`INSERT INTO report_images (id, report_id, upload_id, verdict, hidden, hidden_reason, created_at) SELECT u.id, $1, u.id, 'relevant', CASE WHEN u.s3_key LIKE '%1' THEN 'moderator' END,
		CASE WHEN u.s3_key LIKE '%1' THEN 'offensive' END, now() + right(u.s3_key, 1)::int * interval '1 second' FROM uploads u`, id)
	var f feedDocument
	if err := xml.Unmarshal(w.Anonymous().Get("/public/feed.atom").Want(http.StatusOK).Body, &f); err != nil || len(f.Entries) != 1 || len(f.Entries[0].Links) != 2 {
		t.Fatalf("%v: %+v", err, f)
	}
	if l := f.Entries[0].Links[1]; l.Rel != "enclosure" || !strings.HasSuffix(l.Href, "/public/reports/"+number+"/images/00000000-0000-4000-8000-000000000002/display") {
		t.Errorf("got %+v", l)
	}
}
