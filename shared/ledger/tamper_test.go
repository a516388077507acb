package ledger_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// at is when the n-th event of full happened.
func at(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// full stores a report with every kind of row that events vouch for: a history with a note, an assignment, two comments of
// which one was removed.
func (b *bundle) full() uuid.UUID {
	b.t.Helper()
	id, agency := b.report(), database.NewID()
	b.exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, $2, 'Works', 'national')`, agency, "works-"+agency.String()[24:])
	b.exec(`UPDATE reports SET created_at = $2, municipality_code = 'TL-DI', municipality = 'Dili', address = 'Rua 1', severity_score = 5 WHERE id = $1`, id, at(1))
	b.must(id, ledger.Event{Type: ledger.Submitted, At: at(1)})
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id, created_at, seq) VALUES ($1, $2, 'pending', 'citizen', $3, $4, 1)`,
		database.NewID(), id, b.user, at(1))
	b.exec(`UPDATE reports SET status = 'verified', verified_at = $2 WHERE id = $1`, id, at(2))
	b.exec(`UPDATE report_images SET verdict = 'relevant' WHERE report_id = $1`, id)
	b.must(id, ledger.Event{Type: ledger.StatusMoved, OldStatus: "pending", Note: "Seen.", At: at(2), Actor: ledger.Actor{Kind: "moderator"}})
	b.exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, actor_id, note, created_at, seq) VALUES ($1, $2, 'pending', 'verified', 'moderator', $3, 'Seen.', $4, 2)`,
		database.NewID(), id, b.user, at(2))
	b.exec(`UPDATE reports SET assigned_agency_id = $2, assigned_user_id = $3, due_at = $4 WHERE id = $1`, id, agency, b.user, at(9000))
	b.must(id, ledger.Event{Type: ledger.Assigned, AssignedTo: &b.user, At: at(3), Actor: ledger.Actor{Kind: "moderator"}})
	for seq := 4; seq <= 5; seq++ {
		comment := database.NewID()
		b.must(id, ledger.Event{Type: ledger.Commented, Comment: &ledger.Comment{ID: comment, Author: b.user, Content: "Sei boot."}, At: at(seq)})
		b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, created_at, seq) VALUES ($1, $2, $3, 'Sei boot.', $4, $5)`, comment, id, b.user, at(seq), seq)
	}
	b.exec(`UPDATE report_comments SET deleted_at = $2 WHERE report_id = $1 AND seq = 5`, id, at(6))
	b.exec(`UPDATE reports SET comments_count = 1 WHERE id = $1`, id)
	b.must(id, ledger.Event{Type: ledger.Uncommented, CommentSeq: 5, At: at(6)})
	return id
}

// must appends an event.
func (b *bundle) must(id uuid.UUID, e ledger.Event) {
	b.t.Helper()
	if _, err := b.append(id, e); err != nil {
		b.t.Fatal(err)
	}
}

// broken are the checks of VerifyRecords that fail. An event that waits to be published is no failure.
func (b *bundle) broken(id uuid.UUID) ([]string, *ledger.Verification) {
	b.t.Helper()
	v, err := ledger.VerifyRecords(b.t.Context(), b.owner, ledger.Config{}, id)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, c := range v.Checks {
		if !c.OK && !c.Waiting {
			out = append(out, c.Name+": "+c.Detail)
		}
	}
	return out, v
}

// Every column and row that the public or the reporter sees is vouched for: changing it in the database is found by the
// named check.
func TestVerifyFindsEveryChangeOfARecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, e := range []string{"ledger_events", "report_salts", "reports", "report_comments", "report_status_history"} {
		b.exec(`ALTER TABLE ` + e + ` DISABLE TRIGGER USER`)
	}
	b.exec(`ALTER TABLE ledger_anchors DROP CONSTRAINT ledger_anchors_event_id_fkey`)
	for _, tc := range []struct{ check, change string }{
		{"report", `UPDATE reports SET status = 'fixed' WHERE id = $1`},
		{"report", `UPDATE reports SET issue_type = 'drainage' WHERE id = $1`},
		{"report", `UPDATE reports SET severity = 'low' WHERE id = $1`},
		{"report", `UPDATE reports SET priority = 'high' WHERE id = $1`},
		{"report", `UPDATE reports SET latitude = latitude + 0.0002 WHERE id = $1`},
		{"report", `UPDATE reports SET municipality_code = 'TL-BA' WHERE id = $1`},
		{"report", `UPDATE reports SET assigned_agency_id = NULL WHERE id = $1`},
		{"report", `UPDATE reports SET due_at = due_at + interval '1 day' WHERE id = $1`},
		{"report", `UPDATE reports SET is_anonymous = true WHERE id = $1`},
		{"report", `UPDATE reports SET source = 'web' WHERE id = $1`},
		{"report", `UPDATE reports SET created_at = created_at - interval '30 days' WHERE id = $1`},
		{"report", `UPDATE reports SET deleted_at = now() WHERE id = $1`},
		{"report", `UPDATE reports SET status = 'duplicate', duplicate_of = $2 WHERE id = $1`},
		{"hash", `UPDATE reports SET report_number = 'LS-2026-900000' WHERE id = $1`},
		{"content", `UPDATE reports SET title = 'Nothing to see' WHERE id = $1`},
		{"content", `UPDATE reports SET description = '' WHERE id = $1`},
		{"content", `UPDATE reports SET issue_type_raw = 'kuak' WHERE id = $1`},
		{"content", `UPDATE reports SET latitude = latitude + 0.00001 WHERE id = $1`},
		{"content", `UPDATE reports SET captured_at = captured_at + interval '1 minute' WHERE id = $1`},
		{"content", `UPDATE reports SET user_id = NULL WHERE id = $1`},
		{"content", `UPDATE reports SET address = 'Rua 2' WHERE id = $1`},
		{"content", `UPDATE reports SET municipality = 'Baucau' WHERE id = $1`},
		{"content", `UPDATE reports SET severity_score = 1 WHERE id = $1`},
		{"content", `UPDATE report_salts SET salt = sha256('x') WHERE report_id = $1 AND seq = 1`},
		{"salts", `DELETE FROM report_salts WHERE report_id = $1 AND seq = 1`},
		{"content", `WITH gone AS (DELETE FROM report_salts WHERE report_id = $1) UPDATE reports SET title = 'Nothing to see', description = 'The road is fine' WHERE id = $1`},
		{"salts", `DELETE FROM report_salts WHERE report_id = $1 AND seq = 2`},
		{"images", `UPDATE uploads SET display_sha256 = sha256('other') WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`},
		{"images", `UPDATE uploads SET thumbnail_sha256 = sha256('other') WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`},
		{"images", `UPDATE report_images SET deleted_at = now() WHERE report_id = $1`},
		{"images", `WITH moved AS (UPDATE report_images SET deleted_at = now() WHERE report_id = $2 RETURNING upload_id)
			INSERT INTO report_images (id, report_id, upload_id, created_at) SELECT gen_random_uuid(), $1, upload_id, '2020-01-01' FROM moved`},
		{"images", `UPDATE report_images SET verdict = 'irrelevant' WHERE report_id = $1`},
		{"images", `UPDATE report_images SET verdict = 'awaited' WHERE report_id = $1`},
		{"images", `UPDATE uploads SET state = 'refused' WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`},
		{"images", `UPDATE uploads SET state = 'stored' WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`},
		{"history", `DELETE FROM report_status_history WHERE report_id = $1 AND seq = 2`},
		{"history", `UPDATE report_status_history SET note = NULL WHERE report_id = $1 AND seq = 2`},
		{"history", `UPDATE report_status_history SET note = 'Never seen.' WHERE report_id = $1 AND seq = 2`},
		{"history", `UPDATE report_status_history SET note = 'x' WHERE report_id = $1 AND seq = 1`},
		{"history", `UPDATE report_status_history SET new_status = 'rejected' WHERE report_id = $1 AND seq = 2`},
		{"history", `UPDATE report_status_history SET actor_kind = 'ai' WHERE report_id = $1 AND seq = 2`},
		{"history", `UPDATE report_status_history SET created_at = created_at - interval '3 days' WHERE report_id = $1 AND seq = 2`},
		{"history", `UPDATE report_status_history SET seq = NULL WHERE report_id = $1 AND seq = 2`},
		{"history", `INSERT INTO report_status_history (id, report_id, new_status, actor_kind) VALUES (gen_random_uuid(), $1, 'fixed', 'moderator')`},
		{"history", `INSERT INTO report_status_history (id, report_id, new_status, actor_kind, seq) VALUES (gen_random_uuid(), $1, 'fixed', 'moderator', 3)`},
		{"comments", `UPDATE report_comments SET content = 'Ladi''ak.' WHERE report_id = $1 AND seq = 4`},
		{"comments", `UPDATE report_comments SET author_id = NULL WHERE report_id = $1 AND seq = 4`},
		{"comments", `UPDATE report_comments SET is_official = true WHERE report_id = $1 AND seq = 4`},
		{"comments", `UPDATE report_comments SET deleted_at = now() WHERE report_id = $1 AND seq = 4`},
		{"comments", `UPDATE report_comments SET deleted_at = NULL WHERE report_id = $1 AND seq = 5`},
		{"comments", `DELETE FROM report_comments WHERE report_id = $1 AND seq = 4`},
		{"history", `INSERT INTO report_comments (id, report_id, content) VALUES (gen_random_uuid(), $1, 'x')`},
		{"comments", `INSERT INTO report_comments (id, report_id, content, seq) VALUES (gen_random_uuid(), $1, 'x', 3)`},
		{"assignment", `UPDATE reports SET assigned_user_id = NULL WHERE id = $1`},
		{"chain", `DELETE FROM ledger_events WHERE report_id = $1 AND seq = 2`},
		{"comments", `DELETE FROM ledger_events WHERE report_id = $1 AND seq = 6`},
	} {
		t.Run(tc.check+" "+strings.Join(strings.Fields(tc.change)[:6], " "), func(t *testing.T) {
			id, args := b.full(), []any{}
			if got, _ := b.broken(id); got != nil {
				t.Fatalf("before: %q", got)
			}
			if args = append(args, id); strings.Contains(tc.change, "$2") {
				args = append(args, b.full())
			}
			b.exec(tc.change, args...)
			if got, _ := b.broken(id); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, tc.check+": ") }) {
				t.Errorf("%s\nfound %q, want %s", tc.change, got, tc.check)
			}
		})
	}
}

// A withdrawal is vouched for with its time, and cannot be taken back in the table alone.
func TestVerifyOfAWithdrawnReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`ALTER TABLE reports DISABLE TRIGGER USER`)
	id := b.full()
	b.exec(`UPDATE reports SET deleted_at = $2 WHERE id = $1`, id, at(7))
	b.must(id, ledger.Event{Type: ledger.Withdrawn, At: at(7)})
	if got, _ := b.broken(id); got != nil {
		t.Fatalf("before: %q", got)
	}
	for _, moment := range []any{at(8), nil} {
		b.exec(`UPDATE reports SET deleted_at = $2 WHERE id = $1`, id, moment)
		if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "report: ") {
			t.Errorf("withdrawn at %v: found %q, want report", moment, got)
		}
	}
}
