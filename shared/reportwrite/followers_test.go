package reportwrite_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (b *bundle) follow(id uuid.UUID, people ...uuid.UUID) {
	b.t.Helper()
	for _, p := range people {
		b.exec(`INSERT INTO report_follows (report_id, user_id) VALUES ($1, $2)`, id, p)
	}
}

// told is type and variant of the newest notification of a person about a report, and how many there are.
func (b *bundle) told(person, id uuid.UUID) (string, int) {
	b.t.Helper()
	var word string
	var n int
	const q = `SELECT coalesce((array_agg(type || ' ' || coalesce(params ->> 'variant', '') || ' ' || coalesce(params ->> 'note', '') ORDER BY created_at DESC, id DESC))[1], ''), count(*)
		FROM notifications WHERE user_id = $1 AND report_id = $2`
	if err := b.db.QueryRow(b.t.Context(), q, person, id).Scan(&word, &n); err != nil {
		b.t.Fatal(err)
	}
	return word, n
}

// Followers hear of each move, once, by the preferences that they have. They did not make the report, and are not told what a
// moderator wrote to its reporter.
func TestFollowersAreToldOfEachMove(t *testing.T) {
	t.Parallel()
	b := setup(t)
	follower, gone, official := b.person("citizen"), b.person("citizen"), b.actor(report.ActorOfficial)
	b.exec(`UPDATE users SET deleted_at = now(), email = NULL WHERE id = $1`, gone)
	id := b.report(report.Pending)
	b.follow(id, follower, gone, b.author, *official.UserID)
	messages := b.count(`SELECT count(*) FROM outbox WHERE queue = 'notify'`)
	if _, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: report.Verified, By: official}); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[uuid.UUID]string{follower: "report_verified followed ", b.author: "report_verified  "} {
		if got, n := b.told(person, id); got != want || n != 1 {
			t.Errorf("told %q %d times, want %q once", got, n, want)
		}
	}
	for _, person := range []uuid.UUID{gone, *official.UserID} {
		if got, n := b.told(person, id); n != 0 {
			t.Errorf("a deleted account, or who acted, was told %q", got)
		}
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE queue = 'notify' AND (body ->> 'notification_id')::uuid IN (SELECT id FROM notifications WHERE report_id = $1)`, id); n != 2 ||
		b.count(`SELECT count(*) FROM outbox WHERE queue = 'notify' AND body ? 'notification_id'`) != messages+2 {
		t.Errorf("%d messages, want one for each of two people", n)
	}
}

func TestFollowersOfARejectedReportAreToldTheReasonAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	follower := b.person("citizen")
	id := b.report(report.Pending)
	b.follow(id, follower, b.author)
	if _, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: report.Rejected, By: b.actor(report.ActorModerator), Reason: report.ReasonOffensive, Note: "Crop it"}); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[uuid.UUID]string{follower: "report_rejected followed ", b.author: "report_rejected  Crop it."} {
		if got, n := b.told(person, id); got != want || n != 1 {
			t.Errorf("told %q %d times, want %q once", got, n, want)
		}
	}
}

// A report with 10,000 followers is moved by as many statements as one with a single follower, and answers as fast: the
// first messages are sent, relay sends the others.
func TestManyFollowersAreToldByOneStatement(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(report.Verified)
	b.exec(`INSERT INTO users (id, email, full_name, role) SELECT gen_random_uuid(), n || '@many.example', 'P', 'citizen' FROM generate_series(1, 10000) n`)
	b.exec(`INSERT INTO report_follows (report_id, user_id) SELECT $1, id FROM users WHERE email::text LIKE '%@many.example'`, id)
	if _, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: report.InProgress, By: b.actor(report.ActorOfficial)}); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM notifications WHERE report_id = $1`, id); n != 10001 {
		t.Errorf("%d people were told, want 10001", n)
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE queue = 'notify'`); n != 10001 {
		t.Errorf("%d messages, want 10001", n)
	}
}
