package relay

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
)

// announcement adds one, made now.
func (b *bundle) announcement(municipality any) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO announcements (id, title, body, municipality_code) VALUES ($1, '{"tet": "Avizu", "en": "Notice"}', '{"tet": "Udan boot.", "pt": "Chuva forte.", "en": "Heavy rain."}', $2)`, id, municipality)
	return id
}

// crowd adds n persons with random ids; each of the first devices has one.
func (b *bundle) crowd(n, devices int) {
	b.t.Helper()
	b.exec(`INSERT INTO users (id, email, created_at) SELECT gen_random_uuid(), 'crowd' || n || '@example.tl', now() - interval '1 day' FROM generate_series(1, $1::int) n`, n)
	b.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token) SELECT id, 'phone', 'android', id::text FROM users WHERE email LIKE 'crowd%' LIMIT $1`, devices)
}

// An announcement reaches each person that it is for once, and pushes to who has a device. Who comes later does not get it.
func TestAnnouncementsReachEachPersonOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.crowd(announcedAtOnce*2+10, 30)
	b.exec(`UPDATE users SET email = NULL, deleted_at = now() WHERE email = 'crowd1@example.tl'`)
	id := b.announcement(nil)
	b.exec(`INSERT INTO users (id, email, created_at) VALUES (gen_random_uuid(), 'later@example.tl', now() + interval '1 minute')`)
	people := b.count(`SELECT count(*) FROM users WHERE deleted_at IS NULL AND email <> 'later@example.tl'`)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := b.relay.announce(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := b.relay.announce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM announcements WHERE finished_at IS NOT NULL AND sent_count = ` + fmt.Sprint(people)); n != 1 {
		t.Error("the announcement does not say how many it reached")
	}
	if n := b.count(`SELECT count(*) FROM notifications WHERE event_key = 'announcement:` + id.String() + `'`); n != people {
		t.Errorf("%d of %d persons were told", n, people)
	}
	b.exec(`UPDATE announcements SET sent_to = NULL, finished_at = NULL, sent_count = 0`) // as if no part had been recorded
	for range 2 {
		if err := b.relay.announce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.count(`SELECT count(*) FROM notifications WHERE type = 'announcement'`); n != people {
		t.Errorf("told again: %d notifications for %d persons", n, people)
	}
	devices := b.count(`SELECT count(DISTINCT user_id) FROM devices d JOIN users u ON u.id = d.user_id WHERE d.fcm_token IS NOT NULL AND u.deleted_at IS NULL`)
	if n := b.count(`SELECT count(*) FROM outbox o WHERE queue = 'notify' AND EXISTS (SELECT FROM notifications n WHERE n.id::text = o.body ->> 'notification_id')`); n != devices {
		t.Errorf("%d push messages for %d persons with devices", n, devices)
	}
	if n := b.count(`SELECT count(*) FROM announcements WHERE finished_at IS NOT NULL AND sent_count = 0`); n != 1 {
		t.Error("told again: the announcement counts people who had it")
	}
}

// Many push messages are spread over minutes, so that nothing else waits behind them.
func TestPushesOfAnnouncementsAreSpread(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.crowd(pushesAMinute*2+500, pushesAMinute*2+500)
	b.announcement(nil)
	if err := b.relay.announce(t.Context()); err != nil {
		t.Fatal(err)
	}
	for minute, want := range []int{pushesAMinute, pushesAMinute, 400} {
		got := b.count(fmt.Sprintf(`SELECT count(*) FROM outbox, (SELECT min(not_before) AS first FROM outbox) f
			WHERE not_before >= first + %d * interval '1 minute' - interval '1 second' AND not_before < first + %d * interval '1 minute' - interval '1 second'`, minute, minute+1))
		if got > pushesAMinute+100 || got < want-100 {
			t.Errorf("in minute %d: %d, want about %d", minute, got, want)
		}
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE created_at <> not_before`); n != 0 {
		t.Errorf("%d messages look older than they are: the alarm of the outbox would fire", n)
	}
}

// An announcement to a municipality is for whoever has a report or an alert there.
func TestAnnouncementsToAMunicipality(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`DELETE FROM users WHERE id <> $1`, b.person)
	for name, sql := range map[string]string{
		"report":  `INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, municipality_code) VALUES (gen_random_uuid(), 'LS-1', $1, '', 'pothole', -8.5, 125.5, 'DI')`,
		"other":   `INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, municipality_code) VALUES (gen_random_uuid(), 'LS-2', $1, '', 'pothole', -8.5, 125.5, 'BA')`,
		"alert":   `INSERT INTO alerts (id, user_id, municipality_code, events) VALUES (gen_random_uuid(), $1, 'DI', '{new}')`,
		"place":   `INSERT INTO alerts (id, user_id, latitude, longitude, radius_meters, events) VALUES (gen_random_uuid(), $1, -8.5, 125.5, 100, '{new}')`,
		"faraway": `INSERT INTO alerts (id, user_id, latitude, longitude, radius_meters, events) VALUES (gen_random_uuid(), $1, -9.5, 125.5, 100, '{new}')`,
		"nothing": `SELECT $1::uuid`,
	} {
		id := database.NewID()
		b.exec(`INSERT INTO users (id, email, created_at) VALUES ($1, $2, now() - interval '1 day')`, id, name+"@example.tl")
		b.exec(sql, id)
	}
	b.exec(`INSERT INTO boundaries (id, level, name, code, area) VALUES (gen_random_uuid(), 'municipality', 'Dili', 'DI', ST_Multi(ST_MakeEnvelope(125.4, -8.6, 125.6, -8.4, 4326)))`)
	b.announcement("DI")
	if err := b.relay.announce(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := b.db.QueryRow(t.Context(), `SELECT string_agg(split_part(u.email::text, '@', 1), ' ' ORDER BY u.email) FROM notifications n JOIN users u ON u.id = n.user_id`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != "alert place report" {
		t.Errorf("told: %s", got)
	}
}

// The words of an announcement are in the reader's language, else in one that it has.
func TestAnnouncementsAreInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.announcement(nil)
	if err := b.relay.announce(t.Context()); err != nil {
		t.Fatal(err)
	}
	var raw []byte
	if err := b.db.QueryRow(t.Context(), `SELECT `+notification.ParamsSQL+` FROM notifications n LIMIT 1`).Scan(&raw); err != nil {
		t.Fatal(err)
	}
	var params map[string]string
	if err := json.Unmarshal(raw, &params); err != nil {
		t.Fatal(err)
	}
	for l, want := range map[locale.Language]string{locale.Tetum: "Avizu: Udan boot.", locale.English: "Notice: Heavy rain."} {
		if title, body := notification.Text(l, notification.Announcement, params); title+": "+body != want {
			t.Errorf("%s: %s: %s, want %s", l, title, body, want)
		}
	}
	if title, body := notification.Text(locale.Portuguese, notification.Announcement, params); title == "" || body != "Chuva forte." {
		t.Errorf("pt: %s: %s", title, body)
	}
}

// A hundred thousand people hear of it in one run, by statements that each look at a bounded part.
func TestAnnouncementsToAHundredThousand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.crowd(100_000, 0)
	b.exec(`ANALYZE users`)
	b.announcement(nil)
	var plan []string
	rows, err := b.db.Query(t.Context(), `EXPLAIN `+announceSQL, uuid.New(), uuid.Nil, announcedAtOnce, time.Now(), 0, pushesAMinute)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, line)
	}
	if text := strings.Join(plan, "\n"); strings.Contains(text, "Seq Scan on users") {
		t.Errorf("a part reads all persons:\n%s", text)
	}
	began := time.Now()
	if err := b.relay.announce(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("told in %v", time.Since(began))
	if n := b.count(`SELECT count(*) FROM notifications`); n < 100_000 {
		t.Errorf("%d were told", n)
	}
}
