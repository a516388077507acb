package ledger_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// notChecked reports whether v says that something which the sentence begins with was not compared.
func notChecked(v *ledger.Verification, begin string) bool {
	return slices.ContainsFunc(v.NotChecked, func(s string) bool { return strings.HasPrefix(s, begin) })
}

// eraseWords takes the words of a report and of its comment, as the deletion of their author's account does.
func (b *bundle) eraseWords(id uuid.UUID) {
	b.t.Helper()
	b.exec(`UPDATE users SET email = NULL, full_name = '', deleted_at = now() WHERE id = $1`, b.user)
	b.exec(`UPDATE reports SET title = 'Pothole', description = '', issue_type_raw = NULL, address = NULL, street = NULL,
		latitude = round(latitude::numeric, 4), longitude = round(longitude::numeric, 4) WHERE id = $1`, id)
	b.exec(`UPDATE report_comments SET content = '' WHERE report_id = $1`, id)
	b.exec(`DELETE FROM report_salts WHERE report_id = $1 AND seq IN (1, 4, 5)`, id)
	b.must(id, ledger.Event{Type: ledger.Erased, Erased: []int{1, 4, 5}, At: at(10)})
}

// An erased report verifies, and says what can no longer be compared. Words that appear in it later are found.
func TestVerifyOfAnErasedReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, change := range []string{
		``, `UPDATE reports SET title = 'Nothing to see' WHERE id = $1`, `UPDATE reports SET description = 'x' WHERE id = $1`,
		`UPDATE reports SET issue_type_raw = 'x' WHERE id = $1`, `UPDATE reports SET address = 'x' WHERE id = $1`, `UPDATE reports SET street = 'x' WHERE id = $1`,
		`UPDATE reports SET suco = 'x' WHERE id = $1`, `UPDATE reports SET district = 'x' WHERE id = $1`, `UPDATE reports SET municipality = 'x' WHERE id = $1`,
		`UPDATE reports SET municipality = NULL WHERE id = $1`, `UPDATE reports SET severity_score = 9 WHERE id = $1`,
		`UPDATE reports SET removal_note = 'x' WHERE id = $1`, `UPDATE reports SET appeal_reason = 'x' WHERE id = $1`,
		`UPDATE reports SET latitude = latitude + 0.00002 WHERE id = $1`,
		`WITH other AS (INSERT INTO users (id, email, full_name) SELECT id, id || '@example.org', 'Rui' FROM gen_random_uuid() id RETURNING id) UPDATE reports SET user_id = (SELECT id FROM other) WHERE id = $1`,
		`WITH other AS (INSERT INTO users (id, email, full_name) SELECT id, id || '@example.org', 'Rui' FROM gen_random_uuid() id RETURNING id) UPDATE report_comments SET author_id = (SELECT id FROM other) WHERE report_id = $1 AND seq = 4`,
		`UPDATE reports SET latitude = latitude + 0.0002 WHERE id = $1`, `UPDATE report_comments SET content = 'x' WHERE report_id = $1 AND seq = 4`,
		`INSERT INTO report_salts (report_id, seq, salt, created_at) VALUES ($1, 4, sha256('x'), now())`, `DELETE FROM report_salts WHERE report_id = $1 AND seq = 2`,
	} {
		id := b.full()
		b.eraseWords(id)
		if change != "" {
			b.exec(change, id)
		}
		got, v := b.broken(id)
		if (change == "") != (got == nil) {
			t.Errorf("%q: found %q", change, got)
		}
		if left := strings.Join(v.NotChecked, " "); !notChecked(v, "The words of the report were erased") || !notChecked(v, "Words of comments or notes were erased") ||
			!strings.Contains(left, "who the author is") || !strings.Contains(left, "who wrote them") {
			t.Errorf("%q: it does not say what it left out: %q", change, v.NotChecked)
		}
	}
	id := b.full()
	b.exec(`UPDATE reports SET title = '', description = '', address = NULL WHERE id = $1`, id)
	b.exec(`DELETE FROM report_salts WHERE report_id = $1 AND seq = 1`, id)
	if got, _ := b.broken(id); len(got) == 0 {
		t.Error("erased without an event: nothing is found")
	}
}

// v1 writes the first event of a report and its rows as a version without the public log did.
func (b *bundle) v1(id uuid.UUID) []byte {
	b.t.Helper()
	sum := sha256.Sum256(id[:])
	salt := sum[:]
	number := scan[string](b, `SELECT report_number FROM reports WHERE id = $1`, id)
	picture := scan[[]byte](b, `SELECT display_sha256 FROM uploads u JOIN report_images i ON i.upload_id = u.id WHERE report_id = $1`, id)
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write([]byte(`{"captured_at":"2026-11-21T11:00:00.000000Z","description":"Ana <3 \"potholes\" & ümlaut","issue_type_raw":"","latitude":-8.556856,"longitude":125.560314,"title":"Kuak boot"}`))
	payload := fmt.Appendf(nil, `{"changed_by":{"kind":"citizen"},"content_hash":"%x","event":"REPORT_SUBMITTED","images":["%s"],"issue_type":"pothole","location":{"lat":-8.5569,"lon":125.5603},"prev":null,"report_number":%q,"seq":1,"severity":"medium","status":"pending","ts":"2026-11-21T12:00:00.000Z","v":1}`,
		mac.Sum(nil), hex.EncodeToString(picture), number)
	b.exec(`INSERT INTO report_salts (report_id, salt, created_at) VALUES ($1, $2, $3)`, id, salt, noon)
	b.exec(`WITH place AS (UPDATE log_counter SET next = next + 1 RETURNING next - 1 AS i)
		INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, created_at, log_index)
		SELECT $1, $2, 1, 'REPORT_SUBMITTED', $3, sha256($3), $4, i FROM place`, database.NewID(), id, payload, noon)
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id) VALUES ($1, $2, 'pending', 'citizen', $3)`, database.NewID(), id, b.user)
	for range 2 {
		b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, created_at) VALUES ($1, $2, $3, 'Boot', $4)`, database.NewID(), id, b.user, noon)
	}
	b.exec(`UPDATE reports SET comments_count = 2 WHERE id = $1`, id)
	return salt
}

// A report of an earlier version verifies as far as its events go. The baseline event vouches for the rest.
func TestVerifyOfAReportFromBeforeTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	salt := b.v1(id)
	got, v := b.broken(id)
	if got != nil || !notChecked(v, "The newest event is from before the public log") || !notChecked(v, "No event vouches for the status history") {
		t.Fatalf("before the baseline: %q, not checked %q", got, v.NotChecked)
	}
	b.must(id, ledger.Event{Type: ledger.Amended, Baseline: true, RowsHash: b.priorRowsUnder(id, salt), Actor: ledger.Actor{Kind: "system"}, At: at(1)})
	if got, v := b.broken(id); got != nil || notChecked(v, "The newest event is from") || notChecked(v, "No event vouches") {
		t.Fatalf("after the baseline: %q, not checked %q", got, v.NotChecked)
	}
	b.exec(`UPDATE report_comments SET deleted_at = $2 WHERE id = (SELECT id FROM report_comments WHERE report_id = $1 ORDER BY id LIMIT 1)`, id, at(5))
	if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "comments: other comments") {
		t.Errorf("a comment removed without an event: found %q", got)
	}
	b.exec(`UPDATE reports SET comments_count = 1 WHERE id = $1`, id)
	removed := scan[uuid.UUID](b, `SELECT id FROM report_comments WHERE report_id = $1 AND deleted_at IS NOT NULL`, id)
	b.must(id, ledger.Event{Type: ledger.Uncommented, CommentID: removed, At: at(5)})
	if got, _ := b.broken(id); got != nil {
		t.Errorf("a comment removed: found %q", got)
	}
	const swap = `UPDATE report_comments SET deleted_at = CASE WHEN deleted_at IS NULL THEN $2::timestamptz END WHERE report_id = $1`
	b.exec(swap, id, at(5))
	if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "comments: other comments") {
		t.Errorf("another comment is removed than the event says: found %q", got)
	}
	b.exec(swap, id, at(5))
	for _, change := range []string{`UPDATE report_comments SET content = 'x' WHERE report_id = $1`, `UPDATE report_status_history SET note = 'x' WHERE report_id = $1`,
		`UPDATE reports SET created_at = now() WHERE id = $1`} {
		b.exec(change, id)
		if got, _ := b.broken(id); len(got) == 0 {
			t.Errorf("%s: nothing is found", change)
		}
	}
}

// An INCIDENT stays a finding.
func TestVerifyOfAReportWithAnIncident(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.full()
	b.must(id, ledger.Event{Type: ledger.Incident, Detail: "content", Actor: ledger.Actor{Kind: "system"}, At: at(10)})
	b.must(id, ledger.Event{Type: ledger.Amended, At: at(11)})
	if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "incident: an event says: content") {
		t.Errorf("found %q, want the incident alone", got)
	}
}

// However many events a report has, all of them are read: nobody makes verification fail by many changes.
func TestVerifyOfManyEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.full()
	const more = 600
	for i := range more {
		b.must(id, ledger.Event{Type: ledger.Amended, At: at(10 + i)})
	}
	if got, _ := b.broken(id); got != nil {
		t.Fatalf("found %q", got)
	}
	h, err := ledger.History(t.Context(), b.db, ledger.Config{}, id)
	if err != nil || len(h.Entries) != 6+more || h.Entries[6+more-1].LogIndex != 6+more-1 {
		t.Fatalf("%d entries, %v", len(h.Entries), err)
	}
	b.exec(`UPDATE reports SET title = 'x' WHERE id = $1`, id)
	if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "content: ") {
		t.Errorf("found %q, want content", got)
	}
}

// A picture that was processed before small forms had hashes is named without one.
func TestAPictureWithoutAHashOfItsSmallForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	const set = `UPDATE uploads SET thumbnail_sha256 = $2 WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`
	b.exec(set, id, nil)
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, created_at, seq) VALUES ($1, $2, 'pending', 'citizen', $3, 1)`, database.NewID(), id, noon)
	b.exec(`UPDATE reports SET created_at = $2 WHERE id = $1`, id, noon)
	b.must(id, ledger.Event{Type: ledger.Submitted})
	if said := scan[bool](b, `SELECT NOT p ? 'thumbs' AND p ? 'images' FROM ledger_events, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS p) said WHERE report_id = $1`, id); !said {
		t.Error("the first event names a small form, or no picture")
	}
	if got, v := b.broken(id); got != nil || !notChecked(v, "The small form of a picture") {
		t.Errorf("found %q, not checked %q", got, v.NotChecked)
	}
	b.exec(set, id, []byte("other"))
	if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "images: the small form") {
		t.Errorf("a small form that no event names: found %q", got)
	}
}
