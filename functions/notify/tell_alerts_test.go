package notify

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// placed is a report of a person in Dili with a status.
func (b *bundle) placed(author uuid.UUID, status, municipality string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, status, municipality_code)
		VALUES ($1, 'LS-2026-' || right(gen_random_uuid()::text, 6), $2, '', 'pothole', -8.5569, 125.5603, $3, nullif($4, ''))`, id, author, status, municipality)
	return id
}

// told lists who was told of a report by alerts, in the order of their addresses, with the status.
func (b *bundle) told(id uuid.UUID) string {
	b.t.Helper()
	var s string
	const q = `SELECT coalesce(string_agg(split_part(u.email::text, '@', 1) || ':' || (n.params ->> 'status'), ' ' ORDER BY u.email), '') FROM notifications n JOIN users u ON u.id = n.user_id
		WHERE n.type = 'alert' AND n.report_id = $1`
	if err := b.db.QueryRow(b.t.Context(), q, id).Scan(&s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bundle) subscribe(name, columns, values string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO users (id, email, full_name) VALUES ($1, $2, 'P')`, id, name+"@alerts.example")
	b.exec(`INSERT INTO alerts (id, user_id, `+columns+`) VALUES (gen_random_uuid(), $1, `+values+`)`, id)
	return id
}

func TestPeopleAreToldOfReportsAtThePlacesOfTheirAlerts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const place, town = "latitude, longitude, radius_meters, events, issue_types", "municipality_code, events, issue_types"
	author := b.subscribe("author", town, `'TL-DI', '{new,fixed}', '{}'`)
	b.subscribe("near", place, `-8.5569, 125.5613, 200, '{new,fixed}', '{}'`)          // 110 m
	b.subscribe("far", place, `-8.5569, 125.5613, 100, '{new,fixed}', '{}'`)           // 10 m too far
	b.subscribe("kilometres", place, `-8.45, 125.5603, 20000, '{fixed}', '{pothole}'`) // 12 km
	b.subscribe("bridges", town, `'TL-DI', '{new,fixed}', '{bridge}'`)
	b.subscribe("town", town, `'TL-DI', '{new}', '{bridge,pothole}'`)
	b.subscribe("elsewhere", town, `'TL-BA', '{new,fixed}', '{}'`)
	twice := b.subscribe("twice", town, `'TL-DI', '{new,fixed}', '{}'`)
	b.exec(`INSERT INTO alerts (id, user_id, latitude, longitude, radius_meters, events) VALUES (gen_random_uuid(), $1, -8.5569, 125.5603, 1, '{new}')`, twice)
	left := b.subscribe("left", town, `'TL-DI', '{new,fixed}', '{}'`)
	b.exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, left)

	id := b.placed(author, "verified", "TL-DI")
	message := func(event string) string { return fmt.Sprintf(`{"alert": {"report_id": %q, "event": %q}}`, id, event) }
	for range 2 { // a message may come twice
		if b.deliver(message("new"), 1) {
			t.Fatal("came back")
		}
		if got := b.told(id); got != "near:verified town:verified twice:verified" {
			t.Errorf("new: told %q", got)
		}
	}
	b.deliver(message("fixed"), 1)
	if got := b.told(id); got != "near:verified town:verified twice:verified" {
		t.Errorf("not fixed any more: told %q", got)
	}
	b.exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, id)
	b.deliver(message("fixed"), 1)
	if got := b.told(id); got != "kilometres:fixed near:verified near:fixed town:verified twice:verified twice:fixed" && got != "kilometres:fixed near:fixed near:verified town:verified twice:fixed twice:verified" {
		t.Errorf("fixed: told %q", got)
	}
	for _, hidden := range []string{"pending", "rejected"} {
		id = b.placed(author, hidden, "TL-DI")
		b.deliver(message("new"), 1)
		if got := b.told(id); got != "" {
			t.Errorf("%s: told %q", hidden, got)
		}
	}
	if got := b.arrived() + b.text(`SELECT count(*)::text FROM outbox`); got != "0 mails 0 pushes0" {
		t.Errorf("besides the app: %s", got)
	}
}

// One message tells a bounded number of people; the next one goes on after them.
func TestManyAlertsAreToldInParts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO users (id, email, full_name) SELECT gen_random_uuid(), n || '@alerts.example', 'P' FROM generate_series(1, 2300) n`)
	b.exec(`INSERT INTO alerts (id, user_id, municipality_code, events) SELECT gen_random_uuid(), id, 'TL-DI', '{new}' FROM users WHERE email::text LIKE '%@alerts.example'`)
	id := b.placed(b.person, "verified", "TL-DI")
	body, parts := fmt.Sprintf(`{"alert": {"report_id": %q, "event": "new"}}`, id), 0
	for ; body != "" && parts < 10; parts++ {
		if b.deliver(body, 1) {
			t.Fatal("came back")
		}
		body = b.text(`SELECT coalesce((SELECT body::text FROM outbox), '')`)
		b.exec(`DELETE FROM outbox`)
	}
	if n := b.text(`SELECT count(*)::text FROM notifications WHERE type = 'alert'`); n != "2300" || parts != 3 {
		t.Errorf("%s people in %d parts, want 2300 in 3", n, parts)
	}
}

// The geocoder may find the municipality after the verdict.
func TestAlertsWaitForTheMunicipality(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.subscribe("town", "municipality_code, events", `'TL-DI', '{new}'`)
	id := b.placed(b.person, "verified", "")
	b.deliver(fmt.Sprintf(`{"alert": {"report_id": %q, "event": "new"}}`, id), 1)
	again := b.text(`SELECT body::text FROM outbox WHERE not_before > now() + interval '5 minutes'`)
	b.exec(`UPDATE reports SET municipality_code = 'TL-DI' WHERE id = $1`, id)
	b.exec(`DELETE FROM outbox`)
	b.deliver(again, 1)
	if got := b.told(id); got != "town:verified" || b.text(`SELECT count(*)::text FROM outbox`) != "0" {
		t.Errorf("told %q", got)
	}
	lost := b.placed(b.person, "verified", "")
	b.deliver(fmt.Sprintf(`{"alert": {"report_id": %q, "event": "new", "try": 6}}`, lost), 1)
	if n := b.text(`SELECT count(*)::text FROM outbox`); n != "0" {
		t.Errorf("it waits for ever")
	}
}
