package upgrade_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/migrate/upgrade"
	"github.com/lafaekstreet/backend/infra/local/firstversion"
	"github.com/lafaekstreet/backend/migrations"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// bundle is a database with the state of the first version.
type bundle struct {
	t    *testing.T
	db   *database.DB
	held firstversion.Held
	at   *upgrade.Upgrade
}

// setup loads the state, makes the changes to it, and applies the migrations.
func setup(t *testing.T, changes ...string) *bundle {
	t.Helper()
	address := firstversion.Database(t)
	db, err := database.Open(t.Context(), database.Config{URL: address, MaxConns: 4, ExecMode: "cache_statement"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	b := &bundle{t: t, db: db, held: firstversion.Hold(t)}
	for _, change := range changes {
		b.exec(`ALTER TABLE ledger_events DISABLE TRIGGER ledger_events_append_only; ` + change + `; ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER ledger_events_append_only`)
	}
	if err := migrations.Apply(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	b.at = &upgrade.Upgrade{DB: db, Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}
	return b
}

func (b *bundle) exec(sql string) {
	b.t.Helper()
	conn, err := b.db.Acquire(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().PgConn().Exec(b.t.Context(), sql).ReadAll(); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

func (b *bundle) run() upgrade.Result {
	b.t.Helper()
	done, err := b.at.Run(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return done
}

// text is the first column of all rows.
func (b *bundle) text(sql string, args ...any) []string {
	b.t.Helper()
	rows, err := b.db.Query(b.t.Context(), sql, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// added are the types of the events of version 2 of a report, in order.
func (b *bundle) added(name string) []string {
	b.t.Helper()
	return b.text(`SELECT event_type FROM ledger_events WHERE report_id = $1 AND convert_from(payload, 'UTF8')::jsonb ->> 'v' = '2' ORDER BY seq`, b.held.Reports[name])
}

// newest is the payload of the newest event of a report.
func (b *bundle) newest(name string) map[string]any {
	b.t.Helper()
	raw := b.text(`SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`, b.held.Reports[name])
	var out map[string]any
	if err := json.Unmarshal([]byte(raw[0]), &out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

func TestEveryReportGetsABaseline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const shown = `SELECT r.id || ' ' || r.version || r.updated_at || blockchain_status || coalesce(c.xid::text, '') FROM reports r
		LEFT JOIN report_changes c ON c.report_id = r.id JOIN users u ON u.id = r.user_id AND u.deleted_at IS NULL WHERE r.status <> 'rejected' AND r.deleted_at IS NULL ORDER BY 1`
	const told = `SELECT count(*)::text FROM (SELECT id FROM outbox WHERE body ->> 'event_id' NOT IN (SELECT id::text FROM ledger_events WHERE event_type = 'CONTENT_ERASED') UNION ALL SELECT id FROM notifications) m`
	const events = `SELECT log_index || encode(payload, 'hex') FROM ledger_events ORDER BY log_index`
	before, silent, leaves := b.text(shown), b.text(told), b.text(events)

	if got := b.run(); got != (upgrade.Result{Reports: 21, Erased: 1}) {
		t.Errorf("%+v", got)
	}
	if after := b.text(shown); !slices.Equal(before, after) {
		t.Errorf("a baseline changed what is shown of a report:\n%v\n%v", before, after)
	}
	if after := b.text(told); !slices.Equal(silent, after) {
		t.Errorf("messages and notifications: %v, before %v", after, silent)
	}
	after := b.text(events)
	if len(after) < len(leaves) || !slices.Equal(leaves, after[:len(leaves)]) {
		t.Error("events of before are not in the log as they were")
	}
	for name := range b.held.Reports {
		want := []string{"CONTENT_AMENDED"}
		if name == "erased" {
			want = []string{"CONTENT_ERASED"}
		}
		if got := b.added(name); !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	p := b.newest("fixed")
	if p["baseline"] != true || p["rows_hash"] == nil || p["agency"] != "OP-DIL" || p["due_at"] == nil || p["created_at"] == nil {
		t.Errorf("the baseline says %v", p)
	}
	for name, code := range map[string]any{"rejected_by_ai": "irrelevant", "rejected_by_staff": "other", "removed": "other", "withdrawn": nil, "fixed": nil} {
		if got := b.newest(name)["reason_code"]; got != code {
			t.Errorf("%s: reason %v, want %v", name, got, code)
		}
	}
	if got := b.run(); got != (upgrade.Result{}) {
		t.Errorf("a second run: %+v", got)
	}
	if again := b.text(events); !slices.Equal(after, again) {
		t.Error("a second run wrote events")
	}
}

func TestTheUpgradeGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at.Page = 5
	soon, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := b.at.Run(soon); !errors.Is(err, upgrade.ErrMoreTime) {
		t.Errorf("a deadline that is near: %v", err)
	}
	// The third page fails: an event of its first report is in the way.
	third := b.text(`SELECT id::text FROM reports ORDER BY id OFFSET 10 LIMIT 1`)[0]
	b.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
		CREATE TRIGGER refuse BEFORE INSERT ON ledger_events FOR EACH ROW WHEN (NEW.report_id = '` + third + `') EXECUTE FUNCTION refuse()`)
	if done, err := b.at.Run(t.Context()); err == nil || done.Reports != 10 {
		t.Errorf("the third page: %+v, %v", done, err)
	}
	b.exec(`DROP TRIGGER refuse ON ledger_events`)
	if done := b.run(); done.Reports != 11 {
		t.Errorf("the rest: %+v", done)
	}
	if twice := b.text(`SELECT report_id::text FROM ledger_events WHERE convert_from(payload, 'UTF8')::jsonb ? 'baseline' GROUP BY 1 HAVING count(*) > 1`); len(twice) > 0 {
		t.Errorf("two baselines: %v", twice)
	}
	// A backup that was restored and brought up to the log has the events, and does not know how far the upgrade came.
	b.exec(`UPDATE log_upgrade SET after = '00000000-0000-0000-0000-000000000000', finished_at = NULL`)
	if done := b.run(); done.Reports != 0 {
		t.Errorf("after a restore: %+v", done)
	}
}

func TestErasedPeopleOfBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	p := b.newest("erased")
	if got, _ := json.Marshal(p["erased"]); string(got) != "[1]" || p["content_hash"] != nil {
		t.Errorf("the event says %v", p)
	}
	words := b.text(`SELECT title || '|' || description || '|' || coalesce(address, '') || '|' || (SELECT count(*) FROM report_salts s WHERE s.report_id = r.id AND s.seq = 1)
		FROM reports r WHERE id = $1`, b.held.Reports["erased"])
	if words[0] != "Rai-kuak iha estrada|||0" {
		t.Errorf("the words of the report: %q", words)
	}
	for _, table := range b.text(`SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`) {
		if left := b.text(`SELECT to_jsonb(t)::text FROM ` + table + ` t WHERE to_jsonb(t)::text ~* 'Ana nia liafuan|Gusm|ana@example|fatin 16"'`); len(left) > 0 {
			t.Errorf("%s has words of the person: %v", table, left)
		}
	}
}

// Each change is one that somebody with the database could have made to the first version's records.
func TestDifferenceOfBeforeStays(t *testing.T) {
	t.Parallel()
	for change, tampering := range map[string]string{
		"title":            `UPDATE reports SET title = 'x' WHERE id = $1`,
		"place":            `UPDATE reports SET latitude = latitude + 0.001 WHERE id = $1`,
		"exact place":      `UPDATE reports SET latitude = latitude + 0.000001 WHERE id = $1`,
		"status":           `UPDATE reports SET status = 'verified' WHERE id = $1`,
		"withdrawn":        `UPDATE reports SET deleted_at = now() WHERE id = $1`,
		"salt":             `UPDATE report_salts SET salt = sha256('x') WHERE report_id = $1`,
		"no salt":          `DELETE FROM report_salts WHERE report_id = $1`,
		"picture":          `UPDATE uploads SET display_sha256 = sha256('x') WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`,
		"payload and hash": `UPDATE ledger_events SET payload = p, payload_hash = sha256(p) FROM (SELECT id, replace(convert_from(payload, 'UTF8'), 'pothole', 'pothold')::bytea AS p FROM ledger_events WHERE report_id = $1 AND seq = 1) n WHERE n.id = ledger_events.id`,
		"middle event":     `DELETE FROM ledger_anchors WHERE report_id = $1 AND seq = 2; DELETE FROM ledger_events WHERE report_id = $1 AND seq = 2`,
		"message":          `UPDATE ledger_submissions SET message = '\x7b7d' WHERE batch_size = 0 AND id IN (SELECT submission_id FROM ledger_anchors WHERE report_id = $1)`,
		"batch message":    `UPDATE ledger_submissions SET message = '\x7b7d' WHERE batch_size > 0 AND id IN (SELECT submission_id FROM ledger_anchors WHERE report_id = $1)`,
		"proof":            `UPDATE ledger_anchors SET proof = sha256('x') WHERE report_id = $1 AND proof IS NOT NULL`,
		"never queued":     `DELETE FROM ledger_anchors WHERE report_id = $1 AND seq = 1`,
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			held := firstversion.Hold(t)
			b := setup(t, strings.ReplaceAll(tampering, "$1", "'"+held.Reports["fixed"]+"'"))
			if got := b.run(); got.Incidents < 1 {
				t.Errorf("%+v", got)
			}
			if got := b.added("fixed"); !slices.Equal(got, []string{"INCIDENT"}) {
				t.Errorf("%v", got)
			}
		})
	}
}

// pictures answers the key itself, but for one key.
type pictures struct{ missing string }

func (p pictures) Read(_ context.Context, key string, _ int64) ([]byte, error) {
	if strings.Contains(key, p.missing) {
		return nil, storage.ErrNotFound
	}
	return []byte(key), nil
}

func TestSmallRenditionsGetTheirHashes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids := b.text(`SELECT i.upload_id::text FROM report_images i WHERE report_id = $1 ORDER BY created_at`, b.held.Reports["fixed"])
	b.at.Pictures = pictures{missing: ids[1]}
	b.run()
	sum := sha256.Sum256([]byte("renditions/" + ids[0] + "/thumbnail.jpg"))
	if thumbs, _ := json.Marshal(b.newest("fixed")["thumbs"]); string(thumbs) != `["`+hex.EncodeToString(sum[:])+`",""]` {
		t.Errorf("the baseline has %s", thumbs)
	}
}
