package relay

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// filed adds a report that staff filed for an address.
func (b *bundle) filed(email string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, source) VALUES ($1, $2, '', 'pothole', -8.55, 125.57, 'assisted')`,
		id, "LS-2026-"+id.String())
	b.exec(`INSERT INTO report_contacts (report_id, full_name, email) VALUES ($1, 'Ana', $2)`, id, email)
	err := b.relay.outbox.Do(b.t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(b.t.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(b.t.Context(), tx, ledger.Event{Type: ledger.Submitted, At: time.Now(), Actor: ledger.Actor{Kind: "moderator"}})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// Reports are claimed for who had confirmed the address before they were filed, and for nobody else.
func TestReportsOfConfirmedAddressesAreClaimed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE users SET email_verified_at = now() WHERE id = $1`, b.person)
	b.exec(`INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'unconfirmed@example.tl')`)
	b.exec(`INSERT INTO users (id, email, email_verified_at, suspended_at) VALUES (gen_random_uuid(), 'suspended@example.tl', now(), now())`)
	mine, removed := b.filed("ana@example.tl"), b.filed("ana@example.tl")
	b.filed("unconfirmed@example.tl")
	b.filed("suspended@example.tl")
	b.filed("nobody@example.tl")
	b.exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, removed)
	for range 2 {
		if err := b.relay.claimReports(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.count(`SELECT count(*) FROM reports WHERE user_id IS NOT NULL`); n != 1 {
		t.Errorf("%d reports have a reporter, want 1", n)
	}
	if n := b.count(`SELECT count(*) FROM reports r JOIN report_contacts c ON c.report_id = r.id WHERE r.id = $1 AND r.user_id = $2 AND c.claimed_at IS NOT NULL
		AND (SELECT count(*) FROM ledger_events WHERE report_id = r.id) = 2`, mine, b.person); n != 1 {
		t.Error("the report is not claimed, or not once")
	}
	if n := b.count(`SELECT reports_count FROM users WHERE id = $1`, b.person); n != 1 {
		t.Errorf("the person has %d reports", n)
	}
	// Who is found again in each run would keep others waiting.
	if n := b.count(`SELECT count(*) FROM (`+waitingPeople+`) p`, claimers); n != 0 {
		t.Errorf("%d people are still found, want none", n)
	}
}

// What staff, or another system, wrote down about a person goes 24 months after the report was closed.
func TestContactsGoTwoYearsAfterTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	open, fixed, reopened, removed, late := b.filed("a@example.tl"), b.filed("b@example.tl"), b.filed("c@example.tl"), b.filed("d@example.tl"), b.filed("e@example.tl")
	removedLate := b.filed("f@example.tl")
	b.exec(`INSERT INTO open311_contacts (report_id, full_name, created_at) SELECT report_id, full_name, created_at FROM report_contacts`)
	step := func(id uuid.UUID, to string) {
		b.exec(`UPDATE reports SET status = $2 WHERE id = $1`, id, to)
		b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, created_at) VALUES (gen_random_uuid(), $1, $2, 'admin', $3)`, id, to, b.clock.Now())
	}
	step(fixed, "fixed")
	step(reopened, "fixed")
	step(reopened, "in_progress")
	b.exec(`UPDATE reports SET deleted_at = $2 WHERE id = $1`, removed, b.clock.Now())
	b.clock.Advance(100 * 24 * time.Hour)
	step(late, "rejected")
	b.exec(`UPDATE reports SET deleted_at = $2 WHERE id = $1`, removedLate, b.clock.Now())
	left := func() int {
		t.Helper()
		if err := b.relay.expireRows(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := b.count(`SELECT count(*) FROM report_contacts`)
		if other := b.count(`SELECT count(*) FROM open311_contacts c JOIN report_contacts USING (report_id)`); other != n || b.count(`SELECT count(*) FROM open311_contacts`) != n {
			t.Errorf("other contacts are left than those of staff")
		}
		return n
	}
	b.clock.Advance(629 * 24 * time.Hour)
	if n := left(); n != 6 {
		t.Errorf("%d contacts after 729 days, want 6", n)
	}
	b.clock.Advance(2 * 24 * time.Hour)
	if n := left(); n != 4 {
		t.Errorf("%d contacts after 731 days, want those of the open, the reopened and the two late reports", n)
	}
	b.clock.Advance(100 * 24 * time.Hour)
	if n := left(); n != 2 || b.count(`SELECT count(*) FROM report_contacts WHERE report_id IN ($1, $2)`, open, reopened) != 2 {
		t.Errorf("%d contacts after 831 days, want those of the open and the reopened report", n)
	}
}
