package digest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

type bundle struct {
	*testing.T
	digest *Digest
	db     *pgxpool.Pool // as the owner
	clock  *timestamp.Manual
	agency uuid.UUID
	number int
}

func setup(t *testing.T) *bundle {
	t.Helper()
	address := testdb.URL(t)
	b := &bundle{T: t, clock: timestamp.NewManual(time.Now()), agency: database.NewID()}
	kit, err := service.Open(t.Context(), "digest", config.Env{"DATABASE_URL": testdb.AppURL(address), "AWS_REGION": "us-east-1",
		"SEAL_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, service.WithOutput(io.Discard), service.WithClock(b.clock))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	if b.digest, err = newDigest(kit); err != nil {
		t.Fatal(err)
	}
	if b.db, err = pgxpool.New(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.db.Close)
	b.exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, 'OP', 'Public Works', 'national')`, b.agency)
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.Helper()
	if _, err := b.db.Exec(b.Context(), sql, args...); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// person adds a person with a confirmed address and more columns.
func (b *bundle) person(name, role string, more ...string) uuid.UUID {
	b.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO users (id, email, email_verified_at, preferred_language, role) VALUES ($1, $2, now(), 'pt', $3)`, id, name+"@example.tl", role)
	if role == "government_official" {
		b.exec(`UPDATE users SET agency_id = $2 WHERE id = $1`, id, b.agency)
	}
	for _, change := range more {
		b.exec(`UPDATE users SET `+change+` WHERE id = $1`, id)
	}
	return id
}

// report adds a verified report with more columns.
func (b *bundle) report(more string) uuid.UUID {
	b.Helper()
	b.number++
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, ai_status) VALUES ($1, $2, '', 'pothole', -8.55, 125.57, 'verified', 'completed')`,
		id, fmt.Sprintf("LS-2026-%06d", b.number))
	if more != "" {
		b.exec(strings.ReplaceAll(`UPDATE reports SET `+more+` WHERE id = $1`, "AGENCY", "'"+b.agency.String()+"'"), id)
	}
	return id
}

func (b *bundle) run(d *Digest) error { return d.Run(b.Context(), events.EventBridgeEvent{}) }

// mails are the mails that wait to be sent, by address.
func (b *bundle) mails() map[string][]mail.Message {
	b.Helper()
	rows, err := b.db.Query(b.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY created_at, id`)
	if err != nil {
		b.Fatal(err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
	if err != nil {
		b.Fatal(err)
	}
	out := map[string][]mail.Message{}
	for _, body := range bodies {
		var in queue.NotifyMessage
		if err := json.Unmarshal(body, &in); err != nil {
			b.Fatal(err)
		}
		m, err := mail.Open(b.digest.sealer, in.Mail)
		if err != nil {
			b.Fatal(err)
		}
		out[m.To] = append(out[m.To], m)
	}
	return out
}

// said is what a mail lists: "overdue 1, new 12".
func said(m mail.Message) string {
	var out []string
	for _, s := range m.Sections {
		out = append(out, fmt.Sprint(s.Title, " ", s.Total))
	}
	return strings.Join(out, ", ")
}

const laterToday = `(date_trunc('day', now() AT TIME ZONE 'Asia/Dili') + interval '1 day') AT TIME ZONE 'Asia/Dili' - interval '1 millisecond'`

// Officials and moderators hear what waits for them, with the figures of the queues. Nobody else does, and who has nothing to do does not.
func TestTheDigestSaysWhatWaits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	moderator, official := b.person("moderator", "moderator"), b.person("official", "government_official")
	other := database.NewID()
	b.exec(`INSERT INTO agencies (id, code, name, agency_type, issue_types) VALUES ($1, 'LIGHT', 'Light', 'national', '{street_light}')`, other)
	b.person("idle", "government_official", "agency_id = '"+other.String()+"'")
	for name, change := range map[string]string{"suspended": "suspended_at = now()", "unconfirmed": "email_verified_at = NULL", "muted": `notification_prefs = '{"muted": ["digest"]}'`,
		"nomail": `notification_prefs = '{"email": false}'`, "erased": "email = NULL, deleted_at = now()"} {
		b.person(name, "moderator", change)
	}
	b.person("admin", "admin")
	b.person("citizen", "citizen")
	for range 12 {
		b.report("")
	}
	b.report("assigned_agency_id = AGENCY, due_at = now() - interval '2 days'")
	b.report("assigned_agency_id = AGENCY, due_at = now() - interval '2 days', due_paused_at = now()")
	b.report("assigned_agency_id = AGENCY, due_at = " + laterToday)
	b.report("assigned_agency_id = AGENCY, due_at = now() + interval '9 days'")
	b.report("status = 'pending', ai_status = 'needs_review'")
	b.report("assigned_agency_id = AGENCY, due_at = now() - interval '2 days', deleted_at = now()")
	if err := b.run(b.digest); err != nil {
		t.Fatal(err)
	}
	got := b.mails()
	if len(got) != 2 {
		t.Errorf("mails to %v", got)
	}
	for who, id := range map[string]uuid.UUID{"moderator": moderator, "official": official} {
		all := got[who+"@example.tl"]
		if len(all) != 1 {
			t.Fatalf("%s got %d mails", who, len(all))
		}
		m := all[0]
		if want := "overdue 1, due_today 1, new 12, needs_review 1"; said(m) != want {
			t.Errorf("%s: %s, want %s", who, said(m), want)
		}
		if m.Language != "pt" || m.Template != mail.Digest || m.Stop != (mail.Stop{Kind: "digest", ID: id}) || len(m.Sections[2].Reports) != listed {
			t.Errorf("%s: %+v", who, m)
		}
		c := identity.Caller{UserID: id, Role: identity.Moderator}
		if who == "official" {
			c.Role, c.AgencyID = identity.Official, &b.agency
		}
		waits, err := reportread.ReadDigest(t.Context(), b.digest.db, c, 100)
		if err != nil {
			t.Fatal(err)
		}
		if n := waits.Counts; n.New != len(waits.New) || n.Overdue != len(waits.Overdue) || n.DueToday != len(waits.DueToday) || n.NeedsReview != len(waits.NeedsReview) {
			t.Errorf("%s: the counts %+v are not those of the lists %+v", who, n, waits)
		}
	}
}

// A person gets one digest a day, also when the function runs again or three times at once. The next day there is another one.
func TestOneDigestADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5 {
		b.person(fmt.Sprint("m", i), "moderator")
	}
	b.report("")
	var all sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		all.Go(func() { errs[i] = b.run(b.digest) })
	}
	all.Wait()
	if err := errors.Join(append(errs, b.run(b.digest))...); err != nil {
		t.Fatal(err)
	}
	if got := b.mails(); len(got) != 5 || len(got["m0@example.tl"]) != 1 {
		t.Errorf("%d mails, to m0 %d", len(got), len(got["m0@example.tl"]))
	}
	b.clock.Advance(24 * time.Hour)
	if err := b.run(b.digest); err != nil {
		t.Fatal(err)
	}
	if got := b.mails(); len(got["m0@example.tl"]) != 2 || len(got["m4@example.tl"]) != 2 {
		t.Errorf("the next day: %d mails to m0", len(got["m0@example.tl"]))
	}
}

// kill ends the process at its n-th statement.
type kill struct {
	mu     sync.Mutex
	at     int
	struck bool
}

// TraceQueryStart implements pgx.QueryTracer.
func (d *kill) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return d.count(ctx)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (d *kill) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (d *kill) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return d.count(ctx)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (d *kill) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (d *kill) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (d *kill) count(ctx context.Context) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at--; d.at > 0 {
		return ctx
	}
	d.struck = true
	dead, cancel := context.WithCancel(ctx)
	cancel()
	return dead
}

// Wherever a run dies, the next one sends what it left, and nothing twice.
func TestADigestKilledAtAnyStatementIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"m1", "m2"} {
		b.person(name, "moderator")
	}
	a := b.person("a1", "citizen")
	r := b.report("")
	b.exec(`INSERT INTO alerts (id, user_id, municipality_code, events) VALUES (gen_random_uuid(), $1, 'DI', '{new}')`, a)
	b.exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params, created_at) VALUES (gen_random_uuid(), $1, 'alert', 'x', $2, '{"status": "verified"}', $3)`,
		a, r, b.clock.Now().Add(-time.Hour))
	for at := 1; ; at++ {
		b.exec(`DELETE FROM daily_mails`)
		b.exec(`DELETE FROM outbox`)
		d := &kill{at: at}
		c, err := pgxpool.ParseConfig(b.digest.db.Config().ConnString())
		if err != nil {
			t.Fatal(err)
		}
		c.ConnConfig.Tracer = d
		pool, err := pgxpool.NewWithConfig(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		killed := *b.digest
		killed.db = &database.DB{Pool: pool}
		killed.outbox = outbox.New(killed.db, nil, killed.log)
		_ = b.run(&killed)
		pool.Close()
		if err := b.run(b.digest); err != nil {
			t.Fatal(err)
		}
		got := b.mails()
		for _, name := range []string{"m1", "m2", "a1"} {
			if n := len(got[name+"@example.tl"]); n != 1 {
				t.Errorf("killed at statement %d: %d mails to %s", at, n, name)
			}
		}
		if !d.struck {
			if at < 8 {
				t.Errorf("only %d deaths", at-1)
			}
			return
		}
	}
}

// A person with alerts hears each event once, in one mail a day. An event that came after the mail is in the next one.
func TestAlertsAreOneMailADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	people := map[string]uuid.UUID{}
	for name, change := range map[string]string{"ana": "full_name = 'Ana'", "muted": `notification_prefs = '{"muted": ["alerts"]}'`, "mutedtype": `notification_prefs = '{"muted": ["alert"]}'`, "ended": "full_name = 'Rui'"} {
		people[name] = b.person(name, "citizen", change)
	}
	for name, id := range people {
		if name != "ended" { // has no alert any more
			b.exec(`INSERT INTO alerts (id, user_id, municipality_code, events) VALUES (gen_random_uuid(), $1, 'DI', '{new,fixed}')`, id)
		}
	}
	first, second, third := b.report(""), b.report("status = 'fixed'"), b.report("")
	tell := func(report uuid.UUID, status string, at time.Time) {
		for _, id := range people {
			b.exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params, created_at) VALUES (gen_random_uuid(), $1, 'alert', $2, $3, jsonb_build_object('status', $4::text), $5)`,
				id, uuid.NewString(), report, status, at)
		}
	}
	now := b.clock.Now()
	tell(first, "verified", now.Add(-2*time.Hour))
	tell(second, "fixed", now.Add(-time.Hour))
	tell(b.report(""), "verified", now.Add(-8*24*time.Hour))                                             // too old
	for _, change := range []string{"status = 'rejected'", "deleted_at = now()", "status = 'pending'"} { // taken down, or judged anew, since
		tell(b.report(change), "verified", now.Add(-time.Hour))
	}
	tell(third, "verified", now.Add(time.Hour)) // while the first mail is made: it is for the next one
	for range 2 {
		if err := b.run(b.digest); err != nil {
			t.Fatal(err)
		}
	}
	got := b.mails()
	if len(got) != 1 || len(got["ana@example.tl"]) != 1 {
		t.Fatalf("mails %v", got)
	}
	m := got["ana@example.tl"][0]
	if said(m) != "alert_new 1, alert_fixed 1" || !slices.Equal(m.Sections[0].Reports, []uuid.UUID{first}) || m.Stop != (mail.Stop{Kind: "alerts", ID: people["ana"]}) {
		t.Errorf("%+v", m)
	}
	b.clock.Advance(24 * time.Hour)
	if err := b.run(b.digest); err != nil {
		t.Fatal(err)
	}
	if all := b.mails()["ana@example.tl"]; len(all) != 2 || !slices.Equal(all[1].Sections[0].Reports, []uuid.UUID{third}) || len(all[1].Sections) != 1 {
		t.Errorf("the next day: %+v", all)
	}
}

// A morning reads neither all notifications nor, for each part of the persons, all alerts.
func TestTheMorningScansNoLargeTable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn, err := b.db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{`SET session_replication_role = replica`,
		`INSERT INTO users (id, email, email_verified_at, role) SELECT gen_random_uuid(), n || '@example.tl', now(), 'citizen' FROM generate_series(1, 20000) n`,
		`INSERT INTO notifications (id, user_id, type, event_key) SELECT gen_random_uuid(), id, 'report_fixed', 'x' FROM users`,
		`INSERT INTO alerts (id, user_id, municipality_code, events) SELECT gen_random_uuid(), id, 'DI', '{new}' FROM users`,
		`SET session_replication_role = DEFAULT`, `ANALYZE users`, `ANALYZE notifications`, `ANALYZE alerts`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var plan string
	rows, err := b.db.Query(t.Context(), `EXPLAIN `+subscribersSQL, "alerts", b.digest.today(), uuid.Nil, time.Now(), time.Now(), people, "fixed")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		plan += line + "\n"
		if strings.Contains(line, "Seq Scan on notifications") || strings.Contains(line, "Seq Scan on alerts") {
			t.Errorf("%s", line)
		}
	}
	if t.Failed() {
		t.Log(plan)
	}
}
