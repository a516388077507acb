package users_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/ledgertest"
	"github.com/lafaekstreet/backend/shared/identity"
)

func TestErasure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	b.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token) VALUES ($1, 'phone', 'android', 'fcm-9')`, me.ID)
	b.exec(`INSERT INTO journeys (id, user_id, name) VALUES (gen_random_uuid(), $1, 'Over the hills')`, me.ID)
	report := uuid.New()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, title, latitude, longitude, device_info)
		VALUES ($1, 'LS-2026-000001', $2, '\x00', 'pothole', 'A hole', -8.55, 125.57, '{"model": "A14"}')`, report, me.ID)
	ledgertest.Submit(t, b.db, report)
	b.exec(`UPDATE reports SET appealed_at = now(), appeal_reason = 'I live next to it: +670 7700 1122' WHERE id = $1`, report)
	// Their comment on the report of another person, and the notification of that person.
	neighbour, theirs, comment := b.person(identity.Citizen), uuid.New(), uuid.New()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude)
		VALUES ($1, 'LS-2026-000002', $2, '\x00', 'pothole', -8.55, 125.57)`, theirs, neighbour.ID)
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content) VALUES ($1, $2, $3, 'Still there.')`, comment, theirs, me.ID)
	ledgertest.Submit(t, b.db, theirs)
	b.exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
		VALUES (gen_random_uuid(), $1, 'comment_added', 'comment:' || $2::text, $3, '{"author": "Maria dos Santos", "comment": "Still there."}')`,
		neighbour.ID, comment.String(), theirs)

	// A note of theirs, one that they wrote as staff, and why two of their reports are gone.
	for _, kind := range []string{"citizen", "moderator"} {
		b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id, note)
			VALUES (gen_random_uuid(), $1, 'pending', $2, $3, 'Written as ' || $2)`, theirs, kind, me.ID)
	}
	for n, code := range []any{nil, "other"} {
		gone := uuid.New()
		b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, removal_note, reason_code)
			VALUES ($1, $2, $3, '\x00', 'pothole', -8.55, 125.57, 'Why', $4)`, gone, fmt.Sprintf("LS-2026-00001%d", n), me.ID, code)
		ledgertest.Submit(t, b.db, gone)
	}

	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", nil).WantProblem(400, "password_required")
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"password": "wrong"}).WantProblem(400, "invalid_credentials")
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"password": goodPassword}).Want(200)
	b.WithToken(me.Token).Do(http.MethodGet, "/users/me", nil).WantProblem(401, "token_invalid")

	for what, sql := range map[string]string{
		"a personal column": `SELECT count(*) FROM users WHERE id = $1 AND (email IS NOT NULL OR full_name <> '' OR password_hash IS NOT NULL OR deleted_at IS NULL)`,
		"a session":         `SELECT count(*) FROM sessions WHERE user_id = $1`,
		"a device":          `SELECT count(*) FROM devices WHERE user_id = $1`,
		"a journey":         `SELECT count(*) FROM journeys WHERE user_id = $1`,
		"the device of a report, or its salt": `SELECT count(*) FROM reports r LEFT JOIN report_salts s ON s.report_id = r.id
			WHERE r.user_id = $1 AND (r.device_info IS NOT NULL OR s.salt IS NOT NULL)`,
		"why they appealed":           `SELECT count(*) FROM reports WHERE user_id = $1 AND appeal_reason IS NOT NULL`,
		"their note":                  `SELECT count(*) FROM report_status_history WHERE note = 'Written as citizen' AND actor_id = $1`,
		"why they withdrew a report":  `SELECT count(*) FROM reports WHERE user_id = $1 AND removal_note IS NOT NULL AND reason_code IS NULL`,
		"their name at a neighbour's": `SELECT count(*) FROM notifications WHERE user_id <> $1 AND params::text LIKE '%Maria%'`,
	} {
		if b.count(sql, me.ID) != 0 {
			t.Errorf("%s stays", what)
		}
	}
	for what, sql := range map[string]string{
		"what they wrote as staff":                  `SELECT count(*) FROM report_status_history WHERE note = 'Written as moderator' AND actor_id = $1`,
		"why an administrator removed their report": `SELECT count(*) FROM reports WHERE user_id = $1 AND removal_note = 'Why' AND reason_code = 'other'`,
	} {
		if b.count(sql, me.ID) != 1 {
			t.Errorf("%s is gone", what)
		}
	}
	if b.count(`SELECT count(*) FROM ledger_events WHERE report_id IN ($1, $2) AND event_type = 'CONTENT_ERASED'`, report, theirs) != 2 {
		t.Error("a report that they wrote on has no event of the erasure")
	}
	if b.count(`SELECT count(*) FROM reports WHERE id = $1 AND title = 'Pothole' AND issue_type = 'pothole'`, report) != 1 {
		t.Error("the report is gone, or its title is not the name of its type")
	}
	reader := b.person(identity.Citizen)
	b.WithToken(reader.Token).Do(http.MethodGet, "/users/"+me.ID.String(), nil).WantProblem(404, "user_not_found")
}

func TestErasureWithGoogle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.signer.SignIn(b.db, identity.Citizen)
	b.exec(`UPDATE users SET google_subject = 'g-1' WHERE id = $1`, me.ID)
	token := func(subject string) string {
		t.Helper()
		raw, err := b.google.Mint(google.Identity{Email: me.Email, Subject: subject})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"id_token": token("g-2")}).WantProblem(400, "google_token_invalid")
	b.exec(`UPDATE users SET role = 'admin' WHERE id = $1`, me.ID)
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"id_token": token("g-1")}).WantProblem(409, "last_admin")
	b.exec(`UPDATE users SET role = 'citizen' WHERE id = $1`, me.ID)
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"id_token": token("g-1")}).Want(200)
}

// The token of Google cannot be checked: the account stays, and the request may be sent again.
func TestAnAccountStaysWhileGoogleIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.signer.SignIn(b.db, identity.Citizen)
	b.exec(`UPDATE users SET google_subject = 'g-1' WHERE id = $1`, me.ID)
	token, err := b.google.Mint(google.Identity{Email: me.Email, Subject: "g-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.google.Close(); err != nil {
		t.Fatal(err)
	}
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"id_token": token}).WantProblem(503, "google_unavailable")
	b.WithToken(me.Token).Do(http.MethodGet, "/users/me", nil).Want(200)
}

func TestJourneyClientDeletesItsAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other, admin := b.person(identity.Citizen), b.person(identity.Citizen), b.person(identity.Admin)
	b.WithToken(other.Token).Do(http.MethodDelete, "/users/"+me.ID.String(), nil).WantProblem(403, "forbidden")
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/"+me.ID.String(), nil).Want(200)
	b.WithToken(admin.Token).Do(http.MethodDelete, "/users/"+admin.ID.String(), nil).WantProblem(409, "last_admin")
}

// What a person typed as the place of a report goes with the account, and from the statistics. Names of boundaries stay.
func TestErasureTakesTypedPlaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	b.exec(`INSERT INTO boundaries (id, level, name, area) SELECT gen_random_uuid(), level, name, ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326))
		FROM (VALUES ('district', 'Cristo Rei'), ('suco', 'Becora')) AS v (level, name)`)
	for i, place := range [][4]string{{"Next to Ana Lopes", "CALL 77123456", "CALL 77123456", "CALL 77123456"}, {"Rua 1", "Becora", "Cristo Rei", "Dili"}} {
		b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, street, suco, district, municipality, municipality_code)
			VALUES (gen_random_uuid(), 'LS-2026-00000' || $1::int, $2, '\x00', 'pothole', -8.55, 125.57, $3, $4, $5, $6, 'TL-DI')`,
			i+1, me.ID, place[0], place[1], place[2], place[3])
	}
	b.exec(`INSERT INTO report_salts (report_id, salt, created_at) SELECT id, decode(repeat('01', 32), 'hex'), now() FROM reports`)
	b.exec(`INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, created_at, log_index)
		SELECT gen_random_uuid(), id, 1, 'REPORT_SUBMITTED', '{}', sha256('{}'), now(), row_number() OVER () - 1 FROM reports`)
	b.exec(`UPDATE log_counter SET next = (SELECT count(*) FROM ledger_events)`)
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"password": goodPassword}).Want(200)
	for number, want := range map[string]string{"LS-2026-000001": "Dili", "LS-2026-000002": "Becora,Cristo Rei,Dili"} {
		if b.count(`SELECT count(*) FROM reports WHERE report_number = $1 AND concat_ws(',', address, street, suco, district, municipality) = $2`, number, want) != 1 {
			t.Errorf("the place of %s is not %s", number, want)
		}
	}
	const totals = `SELECT coalesce(sum(reports), 0) FROM (SELECT district, reports FROM report_totals UNION ALL SELECT district, reports FROM report_total_changes) c WHERE district = $1`
	if typed, known := b.count(totals, "CALL 77123456"), b.count(totals, "Cristo Rei"); typed != 0 || known != 1 {
		t.Errorf("statistics: %d reports in the typed district, %d in the other", typed, known)
	}
}

// Calls of webhooks that wait lose what was stored of the person's reports, and of those that they commented on.
func TestErasureReachesCallsOfWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other := b.person(identity.Citizen), b.person(identity.Citizen)
	b.exec(`INSERT INTO webhooks (id, url, events, secret) VALUES (gen_random_uuid(), 'https://receiver.example/', '{comment.added}', '')`)
	for i, author := range []uuid.UUID{me.ID, other.ID, other.ID} {
		b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude) VALUES (gen_random_uuid(), $1::int::text, $2, '', 'pothole', -8.55, 125.57)`, i, author)
	}
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content) SELECT gen_random_uuid(), id, $1, 'Here I live' FROM reports WHERE report_number = '1'`, me.ID)
	b.exec(`INSERT INTO report_salts (report_id, salt, created_at) SELECT id, decode(repeat('01', 32), 'hex'), now() FROM reports`)
	b.exec(`INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, created_at, log_index)
		SELECT gen_random_uuid(), id, 1, 'REPORT_SUBMITTED', '{}', sha256('{}'), now(), row_number() OVER () - 1 FROM reports`)
	b.exec(`UPDATE log_counter SET next = (SELECT count(*) FROM ledger_events)`)
	b.exec(`INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at, snapshot, body)
		SELECT gen_random_uuid(), w.id, r.id, 'comment.added', now(), '{}', 'Here I live' FROM webhooks w, reports r`)
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me", fields{"password": goodPassword}).Want(200)
	if n := b.count(`SELECT count(*) FROM webhook_deliveries d JOIN reports r ON r.id = d.report_id WHERE (d.snapshot IS NULL AND d.body IS NULL) = (r.report_number <> '2')`); n != 3 {
		t.Errorf("%d of 3 deliveries are as they must be", n)
	}
}
