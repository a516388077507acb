package ledger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// erased are the events that CONTENT_ERASED events of a report name, and how many have a hash of rows.
func (b *bundle) erased(report uuid.UUID) ([]int, int) {
	b.t.Helper()
	rows, err := b.owner.Query(b.t.Context(), `SELECT payload FROM ledger_events WHERE report_id = $1 AND event_type = 'CONTENT_ERASED' ORDER BY seq`, report)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	var seqs []int
	hashes := 0
	for rows.Next() {
		var raw []byte
		var p struct {
			Erased   []int
			RowsHash string `json:"rows_hash"`
		}
		if err := rows.Scan(&raw); err != nil {
			b.t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			b.t.Fatal(err)
		}
		seqs = append(seqs, p.Erased...)
		if p.RowsHash != "" {
			hashes++
		}
	}
	return seqs, hashes
}

// erasePerson erases the person of the bundle as the functions do.
func (b *bundle) erasePerson() {
	b.t.Helper()
	err := b.box.Do(b.t.Context(), func(tx *outbox.Tx) error {
		return ledger.ErasePerson(b.t.Context(), tx, b.user, func(p database.Pipeline) error {
			p.Queue(`UPDATE report_comments SET content = '', client_id = NULL WHERE author_id = $1`, b.user)
			p.Queue(`UPDATE report_status_history SET note = NULL WHERE actor_id = $1 AND actor_kind = 'citizen'`, b.user)
			return nil
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// An erasure names exactly the salts that went: of the person's reports, comments and notes, and of nobody else's.
func TestErasureNamesTheSaltsThatWent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := database.NewID()
	b.exec(`INSERT INTO users (id, email, full_name) VALUES ($1, 'rui@example.org', 'Rui')`, other)
	comment := func(report, author uuid.UUID) {
		id := database.NewID()
		if _, err := b.append(report, ledger.Event{Type: ledger.Commented, Comment: &ledger.Comment{ID: id, Author: author, Content: "Still there."}}); err != nil {
			t.Fatal(err)
		}
		b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, seq)
			VALUES ($1, $2, $3, 'Still there.', (SELECT max(seq) FROM ledger_events WHERE report_id = $2))`, id, report, author)
	}
	own, others, many := b.submitted(), b.submitted(), b.submitted()
	b.exec(`UPDATE reports SET user_id = $2 WHERE id <> $1`, own, other)
	comment(own, other)
	comment(own, b.user)
	comment(others, other)
	comment(others, b.user)
	if _, err := b.append(others, ledger.Event{Type: ledger.Amended, Note: "Not mine to erase", Actor: ledger.Actor{Kind: "admin"}}); err != nil {
		t.Fatal(err)
	}
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content) VALUES ($1, $2, $3, 'Before the log')`, database.NewID(), others, b.user)
	for range 2*ledger.MaxErased + 5 {
		comment(many, b.user)
	}
	b.erasePerson()

	if got, hashes := b.erased(own); !slices.Equal(got, []int{1, 3}) || hashes != 0 {
		t.Errorf("own report: erased %v with %d hashes of rows, want [1 3] and none", got, hashes)
	}
	if got, hashes := b.erased(others); !slices.Equal(got, []int{3}) || hashes != 1 {
		t.Errorf("report of another: erased %v with %d hashes of rows, want [3] and one", got, hashes)
	}
	if got, hashes := b.erased(many); len(got) != 2*ledger.MaxErased+5 || hashes != 0 {
		t.Errorf("report with many comments: %d erased with %d hashes of rows", len(got), hashes)
	}
	if got := scan[string](b, `SELECT string_agg(format('%s', seq), ' ' ORDER BY report_id, seq) FROM report_salts WHERE report_id IN ($1, $2)`, own, others); got != "2 1 2 4" {
		t.Errorf("salts that stay: %s, want 2 of the own report, 1 2 4 of the other one", got)
	}
}

// Of notes go those that the person wrote as a citizen, and why they withdrew a report. What they wrote as staff stays, and
// why an administrator removed their report.
func TestErasureOfNotes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	note := func(report uuid.UUID, kind string) {
		b.must(report, ledger.Event{Type: ledger.Amended, Note: "Mine", Actor: ledger.Actor{Kind: kind}})
		b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id, note, seq)
			VALUES ($1, $2, 'pending', $3, $4, 'Mine', (SELECT max(seq) FROM ledger_events WHERE report_id = $2))`, database.NewID(), report, kind, b.user)
	}
	noted, removed, withdrawn := b.submitted(), b.submitted(), b.submitted()
	note(noted, "citizen")
	note(noted, "moderator")
	for report, code := range map[uuid.UUID]any{removed: "other", withdrawn: nil} {
		if err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
			tx.Queue(`UPDATE reports SET deleted_at = now(), removal_note = 'Why', reason_code = $2 WHERE id = $1`, report, code)
			return b.appendIn(tx, report, ledger.Event{Type: ledger.Withdrawn, Note: "Why", At: noon})
		}); err != nil {
			t.Fatal(err)
		}
	}
	// A note of before the log on the report of another: no event of its own vouches for it, but the baseline does.
	me, other := b.user, database.NewID()
	b.exec(`INSERT INTO users (id, email, full_name) VALUES ($1, 'rui@example.org', 'Rui')`, other)
	b.user = other
	prior := b.submitted()
	b.user = me
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id, note) VALUES ($1, $2, 'pending', 'citizen', $3, 'Before the log')`,
		database.NewID(), prior, me)
	b.erasePerson()

	for report, want := range map[uuid.UUID][]int{noted: {1, 2}, removed: {1}, withdrawn: {1, 2}} {
		if got, hashes := b.erased(report); !slices.Equal(got, want) || hashes != 0 {
			t.Errorf("erased %v with %d hashes of rows, want %v and none", got, hashes, want)
		}
	}
	if got, hashes := b.erased(prior); len(got) != 0 || hashes != 1 {
		t.Errorf("a note of before the log: erased %v with %d hashes of rows, want none and one", got, hashes)
	}
}

// logStatements are changes of the tables of the log that no function makes.
var logStatements = []string{
	`INSERT INTO reports (id, report_number, content_hash, issue_type, title, latitude, longitude) VALUES (gen_random_uuid(), 'LS-2026-900001', '', 'pothole', 'x', -8.5, 125.5)`,
	`UPDATE log_counter SET next = next - 1`,
	`UPDATE log_counter SET next = next + 2`,
	`UPDATE log_counter SET halted = 'closed'`,
	`UPDATE log_counter SET halted = NULL`,
	`UPDATE log_counter SET receipts_vkey = 'x'`,
	`UPDATE log_keys SET until_index = 1 WHERE role = 'receipts'`,
	`UPDATE log_keys SET vkey = 'x' WHERE role = 'receipts'`,
	`INSERT INTO log_keys (role, vkey, from_index, until_index) VALUES ('receipts', 'x', 5, 6)`,
	`INSERT INTO log_keys (role, vkey, from_index) VALUES ('log', 'x', 0)`,
	`DELETE FROM log_keys`,
	`UPDATE report_numbers SET last = last - 1`,
	`UPDATE report_numbers SET last = last + 2`,
	`UPDATE report_numbers SET year = year + 1`,
	`INSERT INTO report_numbers (year, last) VALUES (2031, 7)`,
	`DELETE FROM report_numbers`,
	`UPDATE log_messages SET size = size + 1`,
	`UPDATE log_messages SET first_index = first_index`,
	`UPDATE log_messages SET message = message`,
	`UPDATE log_messages SET topic_id = '0.0.9'`,
	`DELETE FROM log_messages`,
}

// The role of the functions may do what its code does, and no more.
func TestTheFunctionsMayNotRewrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, row := b.submitted(), database.NewID()
	comment := database.NewID()
	if _, err := b.append(id, ledger.Event{Type: ledger.Commented, Comment: &ledger.Comment{ID: comment, Author: b.user, Content: "There"}}); err != nil {
		t.Fatal(err)
	}
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, seq) VALUES ($1, $2, $3, 'There', 2)`, comment, id, b.user)
	b.exec(`INSERT INTO report_comments (id, report_id, content) VALUES ($1, $2, 'From before the log')`, database.NewID(), id)
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id, note, seq) VALUES ($1, $2, 'pending', 'citizen', $3, 'A note', 1)`, row, id, b.user)
	b.exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, title) VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'verdict', 'm', '1', '', 'needs_review', 'A hole')`, id)
	b.exec(`INSERT INTO report_numbers (year, last) VALUES (2026, 5)`)
	b.exec(`INSERT INTO log_messages (id, topic_id, size, first_index, shown, message, next_attempt_at, created_at, updated_at) VALUES (gen_random_uuid(), '0.0.7', 2, 1, 1, '{}', now(), now(), now())`)
	if err := ledger.RegisterKeys(t.Context(), b.box, ledger.Keys{Origin: "lafaek.example/log", Receipts: "first"}, noon); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`DELETE FROM report_salts WHERE report_id = $1`,
		`UPDATE report_salts SET salt = decode(repeat('00', 32), 'hex') WHERE report_id = $1`,
		`DELETE FROM report_status_history WHERE report_id = $1`,
		`UPDATE report_status_history SET new_status = 'fixed' WHERE report_id = $1`,
		`UPDATE report_status_history SET note = NULL WHERE report_id = $1`,
		`UPDATE report_status_history SET note = 'Another' WHERE report_id = $1`,
		`UPDATE report_status_history SET seq = 2 WHERE report_id = $1`,
		`DELETE FROM report_comments WHERE report_id = $1`,
		`UPDATE report_comments SET content = 'Other words' WHERE report_id = $1`,
		`UPDATE report_comments SET content = '' WHERE report_id = $1`,
		`UPDATE report_comments SET author_id = NULL WHERE report_id = $1`,
		`UPDATE report_comments SET created_at = now() WHERE report_id = $1`,
		`UPDATE report_comments SET deleted_at = now() WHERE report_id = $1`,
		`UPDATE reports SET deleted_at = now() WHERE id = $1`,
		`UPDATE reports SET created_at = now() WHERE id = $1`,
		`UPDATE reports SET report_number = 'LS-2026-999999' WHERE id = $1`,
		`UPDATE reports SET user_id = NULL WHERE id = $1`,
		`UPDATE reports SET latitude = 0 WHERE id = $1`,
		`DELETE FROM reports WHERE id = $1`,
		`DELETE FROM ledger_events WHERE report_id = $1`,
		`UPDATE ledger_events SET payload = '{}' WHERE report_id = $1`,
		`UPDATE report_comments SET deleted_at = now() WHERE report_id = $1 AND seq IS NULL`,
		`INSERT INTO report_comments (id, report_id, author_id, content) VALUES (gen_random_uuid(), $1, NULL, 'x')`,
		`INSERT INTO report_status_history (id, report_id, new_status, actor_kind) VALUES (gen_random_uuid(), $1, 'fixed', 'moderator')`,
		`UPDATE ai_analyses SET title = 'Other words' WHERE report_id = $1`,
		`UPDATE ai_analyses SET confidence = 1 WHERE report_id = $1`,
		`UPDATE ai_analyses SET status = 'completed' WHERE report_id = $1`,
		`DELETE FROM ai_analyses WHERE report_id = $1`,
	} {
		if _, err := b.db.Exec(t.Context(), q, id); err == nil {
			t.Errorf("%s: got no error", q)
		}
	}
	for _, q := range logStatements {
		if _, err := b.db.Exec(t.Context(), q); err == nil {
			t.Errorf("%s: got no error", q)
		}
	}
	if got := scan[*string](b, `SELECT halted FROM log_counter`); got != nil {
		t.Errorf("halted: %s", *got)
	}
	if n := scan[int](b, fmt.Sprintf(`SELECT count(*) FROM report_salts WHERE report_id = '%s'`, id)); n != 2 {
		t.Errorf("%d salts are left, want 2", n)
	}
	// What the code does still works: another key, a number, the end of writing, a withdrawal with its event, and an erasure.
	if err := ledger.RegisterKeys(t.Context(), b.box, ledger.Keys{Origin: "lafaek.example/log", Log: "log", Receipts: "second"}, noon); err != nil {
		t.Error(err)
	}
	if _, err := b.db.Exec(t.Context(), `UPDATE report_numbers SET last = last + 1`); err != nil {
		t.Error(err)
	}
	err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
		tx.Queue(`UPDATE reports SET deleted_at = now() WHERE id = $1`, id)
		tx.Queue(`UPDATE report_comments SET deleted_at = now() WHERE id = $1`, comment)
		return b.appendIn(tx, id, ledger.Event{Type: ledger.Withdrawn}, ledger.Event{Type: ledger.Uncommented, CommentSeq: 2})
	})
	if err != nil {
		t.Error(err)
	}
	b.erasePerson()
	for _, column := range []string{"title", "description", "issue_type_raw", "address", "street", "suco", "district", "appeal_reason"} {
		if _, err := b.db.Exec(t.Context(), `UPDATE reports SET `+column+` = 'Rua 9' WHERE id = $1`, id); err == nil {
			t.Errorf("%s of an erased report: got no error", column)
		}
	}
	for _, q := range []string{`UPDATE ai_analyses SET title = NULL`, `SELECT halt_log()`} {
		if _, err := b.db.Exec(t.Context(), q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	if got := scan[string](b, `SELECT halted FROM log_counter`); got != ledger.HaltedByRestore {
		t.Errorf("halted: %q, want %q", got, ledger.HaltedByRestore)
	}
}
