package logrecover_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/functions/anchor/logrecover"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// bundle is a system whose database can be backed up, and its published log.
type bundle struct {
	*testenv.System
	citizen *testenv.Client
	store   *logtest.Memory
	key     *logtest.Key
	address string // of the database that the functions use
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{System: testenv.New(t, reports.Open), store: logtest.NewMemory(), key: logtest.NewKey(t, testenv.LogEnv()["LOG_ORIGIN"])}
	b.citizen = b.Citizen()
	b.address = b.Env["DATABASE_URL"]
	return b
}

// file files a report and returns its number and id.
func (b *bundle) file(title string) (string, string) {
	b.Helper()
	a := b.citizen.Do("POST", "/reports", map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": title,
		"description": "Deep", "latitude": -8.5569, "longitude": 125.5603}).Want(201).Object()
	return a.Text("report_number"), a.Text("id")
}

// open connects as the owner of the tables, as the recovery does: the functions may not write what it writes.
func (b *bundle) open() *database.DB {
	b.Helper()
	owned, err := url.Parse(b.address)
	if err != nil {
		b.Fatal(err)
	}
	query := owned.Query()
	query.Del("role")
	owned.RawQuery = query.Encode()
	db, err := database.Open(b.Context(), database.Config{URL: owned.String(), MaxConns: 4, ExecMode: "cache_statement"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	return db
}

func payloads(ctx context.Context, q database.Querier, from, to int64) ([][]byte, error) {
	rows, _ := q.Query(ctx, `SELECT payload FROM ledger_events WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index`, from, to)
	return pgx.CollectRows(rows, pgx.RowTo[[]byte])
}

// publish does what a round of anchor does with the log.
func (b *bundle) publish() int64 {
	b.Helper()
	db := b.open()
	var size, next int64
	var last *string
	if err := db.QueryRow(b.Context(), `SELECT size, checkpoint, next FROM log_head, log_counter`).Scan(&size, &last, &next); err != nil {
		b.Fatal(err)
	}
	old := translog.Empty()
	if last != nil {
		c, err := translog.OpenCheckpoint([]byte(*last), testenv.LogEnv()["LOG_ORIGIN"], b.key.VKey())
		if err != nil {
			b.Fatal(err)
		}
		old = c.Tree
	}
	root, err := translog.Publish(b.Context(), b.store, old, func(ctx context.Context, from, to int64) ([][]byte, error) {
		return payloads(ctx, db, from, to)
	}, next)
	if err != nil {
		b.Fatal(err)
	}
	signed, err := translog.SignCheckpoint(b.Context(), b.key, old, tlog.Tree{N: next, Hash: root})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.Exec(b.Context(), `UPDATE log_head SET size = $1, checkpoint = $2, signed_at = now()`, next, string(signed.Signed)); err != nil {
		b.Fatal(err)
	}
	if err := b.store.Put(b.Context(), translog.File{Key: translog.CheckpointKey, Data: signed.Signed}); err != nil {
		b.Fatal(err)
	}
	return next
}

// backup copies the database and returns the copy's address.
func (b *bundle) backup() string {
	b.Helper()
	address := testdb.AppURL(testdb.Copy(b, b.address))
	b.DB.Reset() // its connections were ended
	b.Serve(reports.Open)
	return address
}

// restore makes the functions use the database at address.
func (b *bundle) restore(address string) {
	b.Helper()
	b.address, b.Env["DATABASE_URL"] = address, address
	b.Serve(reports.Open)
}

func (b *bundle) recover() (*logrecover.Result, error) {
	b.Helper()
	db := b.open()
	r := logrecover.Recovery{DB: db, Published: b.store, Origin: testenv.LogEnv()["LOG_ORIGIN"], Keys: []string{b.key.VKey()},
		Outbox: outbox.New(db, nil, slog.New(slog.DiscardHandler)), Clock: timestamp.System{}}
	return r.Run(b.Context())
}

func TestARestoredBackupGivesNoPlaceTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	keys := ledger.Keys{Origin: testenv.LogEnv()["LOG_ORIGIN"], Log: b.key.VKey()} // the database knows the key too
	if err := ledger.RegisterKeys(t.Context(), outbox.New(b.open(), nil, slog.New(slog.DiscardHandler)), keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, early := b.file("before the backup")
	backed := b.publish()
	backup := b.backup()
	lost, lostID := b.file("after the backup")
	b.citizen.Do("PATCH", "/reports/"+early, map[string]any{"title": "amended after the backup"}).Want(200)
	published := b.publish()
	want, err := payloads(t.Context(), b.open(), 0, published)
	if err != nil {
		t.Fatal(err)
	}

	b.restore(backup)
	if halted, err := ledger.HaltIfBehind(t.Context(), b.open(), b.store); err != nil || !halted {
		t.Fatalf("a restored backup: halted %v, %v", halted, err)
	}
	b.citizen.Do("POST", "/reports", map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "x",
		"latitude": -8.5, "longitude": 125.5}).WantProblem(503, "log_halted")

	res, err := b.recover()
	if err != nil {
		t.Fatal(err)
	}
	if res.From != backed || res.To != published || res.Reports != 2 || res.Created != 1 {
		t.Errorf("%+v, want %d to %d", res, backed, published)
	}
	number, _ := b.file("after the recovery")
	if number == lost {
		t.Errorf("%s was given out again", number)
	}
	db := b.open()
	now, err := payloads(t.Context(), db, 0, published)
	if err != nil || !equal(now, want) {
		t.Errorf("the published entries are not the events of before (%v)", err)
	}
	b.publish() // extends the published log
	var status, title string
	var person *uuid.UUID
	if err := db.QueryRow(t.Context(), `SELECT status, title, user_id FROM reports WHERE report_number = $1 AND id <> $2`, lost, lostID).Scan(&status, &title, &person); err != nil ||
		status != "pending" || title != "Rai-kuak iha estrada" || person != nil {
		t.Errorf("the report that came back: %s %q %v %v", status, title, person, err)
	}
	var incidents string
	if err := db.QueryRow(t.Context(), `SELECT string_agg(coalesce(r.report_number, 'log'), ' ' ORDER BY e.log_index) FROM ledger_events e LEFT JOIN reports r ON r.id = e.report_id
		WHERE e.event_type = 'INCIDENT'`).Scan(&incidents); err != nil || incidents != "LS-"+number[3:7]+"-000001 "+lost+" log" {
		t.Errorf("incidents of %s (%v)", incidents, err)
	}
	if again, err := b.recover(); err != nil || again.From != again.To {
		t.Errorf("a second run: %+v %v", again, err)
	}
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// What is no backup of the published log, or a log that was changed, brings nothing back: writing stays halted.
func TestRecoveryRefusesAnotherHistory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(b *bundle)
		want   error
	}{
		"other events": {func(b *bundle) { b.file("nobody published this"); b.file("nor this"); b.file("nor this one") }, logrecover.ErrOtherHistory},
		"changed bundle": {func(b *bundle) {
			_ = b.store.Put(b.Context(), translog.File{Key: translog.BundleKey(0, 3), Data: bytes.Repeat([]byte{0, 1, 'x'}, 3)})
		}, translog.ErrTampered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.file("first")
			b.publish()
			backup := b.backup()
			b.file("second")
			b.file("third")
			b.publish()
			b.restore(backup)
			test.change(b)
			if res, err := b.recover(); !errors.Is(err, test.want) {
				t.Errorf("%+v, %v, want %v", res, err, test.want)
			}
			var halted *string
			if err := b.open().QueryRow(t.Context(), `SELECT halted FROM log_counter`).Scan(&halted); err != nil {
				t.Fatal(err)
			}
			if name != "other events" && (halted == nil || *halted != ledger.HaltedByRestore) {
				t.Errorf("halted: %v", halted)
			}
		})
	}
}

// What events say in clear comes back: states and their history, keys, and that something was erased.
func TestWhatTheLogSaysComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, moved := b.file("moved after the backup")
	_, forgotten := b.file("erased after the backup")
	_, withdrawn := b.file("withdrawn and erased after the backup")
	_, before := b.file("withdrawn before the backup, erased after it")
	_, rejected := b.file("rejected and amended after the backup")
	b.citizen.Delete("/reports/" + before).Want(200)
	earlier, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: testenv.LogEnv()["LOG_ORIGIN"], Key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})
	if err != nil {
		t.Fatal(err)
	}
	keys := ledger.Keys{Origin: testenv.LogEnv()["LOG_ORIGIN"], Receipts: earlier.VKey()}
	if err := ledger.RegisterKeys(t.Context(), outbox.New(b.open(), nil, slog.New(slog.DiscardHandler)), keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.publish()
	backup := b.backup()
	moderator := b.Staff(identity.Moderator)
	moderator.Post("/reports/"+moved+"/status", map[string]any{"status": "verified"}).Want(200)
	moderator.Post("/reports/"+rejected+"/status", map[string]any{"status": "rejected", "reason_code": "duplicate_spam"}).Want(200)
	b.citizen.Delete("/reports/" + withdrawn).Want(200)
	box := outbox.New(b.open(), nil, slog.New(slog.DiscardHandler))
	b.append(box, rejected, ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "system"}})
	for _, id := range []string{forgotten, withdrawn, before} {
		b.append(box, id, ledger.Event{Type: ledger.Erased, Erased: []int{1}, Actor: ledger.Actor{Kind: "citizen"}})
	}
	receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: testenv.LogEnv()["LOG_ORIGIN"], Key: testenv.LogEnv()["RECEIPTS_KEY"]})
	if err != nil {
		t.Fatal(err)
	}
	keys.Log, keys.Receipts = b.key.VKey(), receipts.VKey()
	if err := ledger.RegisterKeys(t.Context(), box, keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.publish()
	const named = `SELECT string_agg(concat_ws(' ', role, vkey, from_index, until_index), ', ' ORDER BY role) || (SELECT receipts_vkey FROM log_counter) FROM log_keys`
	want := b.text(named)

	b.restore(backup)
	res, err := b.recover()
	if err != nil {
		t.Fatal(err)
	}
	if got := b.text(named); got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
	if got := b.text(`SELECT status || (SELECT string_agg(new_status || coalesce(note, ''), ',' ORDER BY created_at) FROM report_status_history WHERE report_id = r.id)
		FROM reports r WHERE id = $1`, moved); got != "verifiedpending,verified" {
		t.Errorf("the moved report: %s", got)
	}
	if got := b.text(`SELECT title || description || (SELECT count(*) FROM report_salts WHERE report_id = r.id AND seq = 1) FROM reports r WHERE id = $1`, forgotten); got != "Pothole0" {
		t.Errorf("the erased report: %s", got)
	}
	for _, id := range []string{withdrawn, before} {
		if got := b.text(`SELECT coalesce((deleted_at = (SELECT created_at FROM ledger_events WHERE report_id = r.id AND event_type = 'REPORT_WITHDRAWN'))::text, 'on display')
			FROM reports r WHERE id = $1`, id); got != "true" {
			t.Errorf("a report that was withdrawn and then erased: %s", got)
		}
	}
	if got := b.text(`SELECT status || ' ' || coalesce(reason_code, 'none') FROM reports WHERE id = $1`, rejected); got != "rejected duplicate_spam" {
		t.Errorf("the rejected report: %s", got)
	}
	if len(res.Accounts) != 1 || res.Accounts[0] != b.citizen.Person.ID.String() {
		t.Errorf("accounts %v", res.Accounts)
	}
}

// append writes an event of a report. What it erases loses its salts.
func (b *bundle) append(box *outbox.Outbox, id string, e ledger.Event) {
	b.Helper()
	err := box.Do(b.Context(), func(tx *outbox.Tx) error {
		tx.Queue(`DELETE FROM report_salts WHERE report_id = $1 AND seq = ANY($2)`, id, e.Erased)
		chain := ledger.AskChain(tx, report.AboutID(uuid.MustParse(id)), nil)
		if err := tx.Flush(b.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(b.Context(), tx, e)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// A backup that lacks a single published event halts the log. A database with events that are not published yet does not.
func TestTheGuardCountsEveryEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.file("published")
	b.publish()
	backup := b.backup()
	b.file("one more")
	if halted, err := ledger.HaltIfBehind(t.Context(), b.open(), b.store); err != nil || halted {
		t.Errorf("an event that is not published yet: halted %v, %v", halted, err)
	}
	if res, err := b.recover(); err != nil || res.From != 2 || res.To != 2 {
		t.Errorf("recovery with an event that is not published yet: %+v, %v", res, err)
	}
	b.publish()
	b.restore(backup)
	if halted, err := ledger.HaltIfBehind(t.Context(), b.open(), b.store); err != nil || !halted {
		t.Errorf("a backup without the newest event: halted %v, %v", halted, err)
	}
}

// What people took back after the backup was made does not come back with it: the words of an erased person, a withdrawn
// report. A report that comes back without its reporter's name stays anonymous.
func TestWhatWasTakenBackStaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Serve(reports.Open, community.Open)
	_, withdrawn := b.file("withdrawn after the backup")
	person, early := b.Citizen(), b.Citizen()
	mine := func() map[string]any {
		return map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Mine", "latitude": -8.6, "longitude": 125.6}
	}
	own := person.Post("/reports", mine()).Want(201).Object().Text("id")
	early.Post("/reports", mine()).Want(201)
	person.Post("/reports/"+own+"/comments", map[string]any{"content": "My words"}).Want(201)
	b.exec(`UPDATE report_status_history SET note = 'My note' WHERE report_id = $1`, own)
	b.exec(`UPDATE users SET deleted_at = now(), email = NULL WHERE id = $1`, early.Person.ID) // as the first version did: without an event
	b.publish()
	backup := b.backup()
	b.citizen.Do("DELETE", "/reports/"+withdrawn, nil).Want(200)
	anonymous := mine()
	anonymous["is_anonymous"] = true
	person.Post("/reports", anonymous).Want(201)
	for _, user := range []uuid.UUID{person.Person.ID, early.Person.ID} {
		if err := outbox.New(b.open(), nil, slog.New(slog.DiscardHandler)).Do(t.Context(), func(tx *outbox.Tx) error {
			return ledger.ErasePerson(t.Context(), tx, user, func(database.Pipeline) error { return nil })
		}); err != nil {
			t.Fatal(err)
		}
	}
	b.publish()

	b.restore(backup)
	res, err := b.recover()
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Accounts) != 1 || res.Accounts[0] != person.Person.ID.String() {
		t.Errorf("accounts %v, want that of %s alone", res.Accounts, person.Person.ID)
	}
	for what, query := range map[string]string{
		"withdrawn report":             `SELECT (deleted_at IS NOT NULL)::text FROM reports WHERE id = '` + withdrawn + `'`,
		"name on an anonymous report":  `SELECT (count(*) = 1)::text FROM reports WHERE is_anonymous`,
		"comment of the erased person": `SELECT (content = '')::text FROM report_comments`,
		"note of the erased person":    `SELECT (note IS NULL)::text FROM report_status_history WHERE report_id = '` + own + `'`,
		"salts of the erased person":   `SELECT (count(*) = 0)::text FROM report_salts WHERE report_id = '` + own + `'`,
	} {
		if b.text(query) != "true" {
			t.Errorf("%s: it came back", what)
		}
	}
}

// exec runs a statement as the owner of the tables.
func (b *bundle) exec(sql string, args ...any) {
	b.Helper()
	if _, err := b.open().Exec(b.Context(), sql, args...); err != nil {
		b.Fatal(err)
	}
}

// text is the first column of the first row of the database that the functions use.
func (b *bundle) text(sql string, args ...any) string {
	b.Helper()
	var out string
	if err := b.open().QueryRow(b.Context(), sql, args...).Scan(&out); err != nil {
		b.Fatal(err)
	}
	return out
}

// After a recovery fsck has one finding for each report with an INCIDENT, and none beside these.
func TestFsckNamesTheIncidentsOfARecovery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	keys := ledger.Keys{Origin: testenv.LogEnv()["LOG_ORIGIN"], Log: b.key.VKey(), Receipts: b.text(`SELECT receipts_vkey FROM log_counter`)}
	if err := ledger.RegisterKeys(t.Context(), outbox.New(b.open(), nil, slog.New(slog.DiscardHandler)), keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.file("before the backup")
	b.publish()
	backup := b.backup()
	lost, _ := b.file("after the backup")
	b.publish()
	b.restore(backup)
	if _, err := b.recover(); err != nil {
		t.Fatal(err)
	}
	b.publish()
	check := func() (*fsck.Result, string) {
		var out bytes.Buffer
		r, err := (&fsck.Check{DB: b.open(), Log: b.store, Out: &out}).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r, out.String()
	}
	r, out := check()
	if r.Found != 1 || r.Findings[0].Where != lost || r.Findings[0].Check != "incident" || !strings.HasPrefix(r.Findings[0].Detail, "known incident: ") ||
		!strings.Contains(r.Findings[0].Detail, "; content: ") {
		t.Errorf("want one known incident of %s that names what else fails, got\n%s", lost, out)
	}
	if _, err := b.open().Exec(t.Context(), fmt.Sprintf(`ALTER TABLE reports DISABLE TRIGGER USER;
		UPDATE reports SET status = 'verified' WHERE report_number = '%s'`, lost), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	if _, out := check(); !strings.Contains(out, "; report: ") {
		t.Errorf("a status that changed after the incident is not named:\n%s", out)
	}
}
