package community_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// commitment is HMAC-SHA-256 under a salt over the canonical JSON of members, in hex.
func commitment(t *testing.T, salt []byte, members string) string {
	t.Helper()
	canonical, err := jcs.Transform([]byte(members))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write(canonical)
	return hex.EncodeToString(mac.Sum(nil))
}

// A comment is an entry of the log. Its author gets the receipt with a salt of its own, again in each repeat, and can recompute
// the commitment.
func TestACommentHasItsReceipt(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	reporter, author := w.Citizen(), w.Citizen()
	id := place(w, reporter, "status = 'verified'")
	path, before := "/reports/"+id+"/comments", w.Text(`SELECT (version, updated_at)::text FROM reports`)
	body, key := object{"content": "Still <there> & \"deep\".", "client_id": uuid.NewString()}, uuid.NewString()
	first := author.With("Idempotency-Key", key).Post(path, body).Want(http.StatusCreated)
	r := w.Receipt(first.Object())
	if r.Event.Text("event") != "COMMENT_ADDED" || r.Event.Text("comment.id") != first.Object().Text("id") || r.Event.Text("changed_by.kind") != "citizen" {
		t.Errorf("got %s", r.Payload)
	}
	want := commitment(t, r.Salt, `{"author":"`+author.ID.String()+`","content":"Still <there> & \"deep\"."}`)
	if r.Event.Text("comment.hash") != want {
		t.Errorf("hash %s, want %s", r.Event.Text("comment.hash"), want)
	}
	if strings.Contains(r.Payload, author.ID.String()) {
		t.Errorf("the log names the author: %s", r.Payload)
	}
	if replay := author.With("Idempotency-Key", key).Post(path, body).Want(http.StatusCreated); string(replay.Body) != string(first.Body) {
		t.Errorf("the replay differs:\n%s\n%s", replay.Body, first.Body)
	}
	if again := w.Receipt(author.Post(path, body).Want(http.StatusOK).Object()); again.Note != r.Note || again.Payload != r.Payload || string(again.Salt) != string(r.Salt) {
		t.Errorf("the repeat has %+v, want %+v", again, r)
	}
	if stored := w.Text(`SELECT convert_from(response, 'UTF8') FROM idempotency_keys`); strings.Contains(stored, "COMMENT_ADDED") || strings.Contains(stored, "salt") {
		t.Errorf("stored: %s", stored)
	}
	for _, reader := range []*testenv.Client{author, reporter, w.Staff(identity.Admin)} {
		if got := reader.Get(path).Want(http.StatusOK); strings.Contains(string(got.Body), "receipt") {
			t.Errorf("the list has receipts: %s", got.Body)
		}
	}
	if after := w.Text(`SELECT (version, updated_at)::text FROM reports`); after != before {
		t.Errorf("the report is %s, was %s", after, before)
	}
	if n := w.Int(`SELECT seq FROM report_comments`); n != 2 {
		t.Errorf("event %d vouches for the comment", n)
	}
}

// The removal of a comment is an event that names the one that added it. Whoever removes it gets no salt.
func TestTheRemovalOfACommentHasItsReceipt(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	path := "/reports/" + place(w, author, "status = 'verified'") + "/comments"
	for i, who := range []*testenv.Client{author, mod} {
		added := author.Post(path, object{"content": "Here."}).Want(http.StatusCreated).Object()
		r := w.Receipt(who.Do(http.MethodDelete, path+"/"+added.Text("id"), nil).Want(http.StatusOK).Object())
		if r.Event.Text("event") != "COMMENT_REMOVED" || r.Event.Number("comment_seq") != w.Receipt(added).Event.Number("seq") || r.Salt != nil && who == mod {
			t.Errorf("got %+v", r)
		}
		if kind := r.Event.Text("changed_by.kind"); kind != []string{"citizen", "moderator"}[i] {
			t.Errorf("removed by %s", kind)
		}
	}
	if n := w.Int(`SELECT comments_count FROM reports`); n != 0 {
		t.Errorf("%d comments are counted", n)
	}
	// A comment of an earlier version has no event.
	added := author.Post(path, object{"content": "Here."}).Want(http.StatusCreated).Object().Text("id")
	w.Exec(`UPDATE report_comments SET seq = NULL WHERE id = $1`, added)
	if r := w.Receipt(author.Do(http.MethodDelete, path+"/"+added, nil).Want(http.StatusOK).Object()); r.Event.At("comment_seq") != nil {
		t.Errorf("got %s", r.Payload)
	}
}

// Comments of the reporter do not count as changes of the report, whose number is bounded.
func TestCommentsAreNoChangesOfTheReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, community.Open)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"citizen_events_per_day": 1, "citizen_events_per_report": 1}')`)
	c := w.Citizen()
	r := c.Post("/reports", object{"issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603}).Want(http.StatusCreated).Object()
	for range 3 {
		c.Post("/reports/"+r.Text("id")+"/comments", object{"content": "Still there."}).Want(http.StatusCreated)
	}
	c.Patch("/reports/"+r.Text("id"), object{"title": "Deep hole"}).Want(http.StatusOK)
	c.Patch("/reports/"+r.Text("id"), object{"title": "Deeper hole"}).Want(http.StatusTooManyRequests)
}
