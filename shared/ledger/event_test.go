package ledger_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

func TestAppendChainsCanonicalPayloads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agency := database.NewID()
	b.exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, 'OP-DILI', 'Obras Públicas', 'municipal')`, agency)
	id := b.submitted()
	b.exec(`UPDATE reports SET status = 'verified', severity = 'high' WHERE id = $1`, id)
	for _, e := range []ledger.Event{
		{Type: ledger.AIValidated, Actor: ledger.Actor{Kind: "ai"}, AI: &ledger.Assessment{
			Relevant: true, Confidence: 0.98765432, Severity: "high", DamageType: strings.Repeat("long ", 20), Model: "local-stand-in"}},
		{Type: ledger.StatusMoved, OldStatus: "pending", Actor: ledger.Actor{Kind: "government_official", AgencyID: &agency}},
	} {
		if _, err := b.append(id, e); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := b.db.Query(t.Context(), `SELECT payload, payload_hash, prev_hash FROM ledger_events WHERE report_id = $1 ORDER BY seq`, id)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var prev []byte
	var seen []string
	for rows.Next() {
		var payload, hash, before []byte
		if err := rows.Scan(&payload, &hash, &before); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(payload); string(sum[:]) != string(hash) || string(before) != string(prev) {
			t.Errorf("event %d: hash or predecessor is wrong", len(seen)+1)
		}
		prev = hash
		seen = append(seen, string(payload))
		for _, secret := range []string{"Ana", "Kuak", "potholes", "8.556856", "125.560314", b.user.String(), id.String()} {
			if strings.Contains(string(payload), secret) {
				t.Errorf("event %d holds %q: %s", len(seen), secret, payload)
			}
		}
	}
	if len(seen) != 3 {
		t.Fatalf("got %d events, want 3", len(seen))
	}
	var first struct {
		Prev     *string `json:"prev"`
		Images   []string
		Location struct{ Lat, Lon float64 }
	}
	if err := json.Unmarshal([]byte(seen[0]), &first); err != nil {
		t.Fatal(err)
	}
	if first.Prev != nil || len(first.Images) != 1 || first.Location.Lat != -8.557 || first.Location.Lon != 125.56 {
		t.Errorf("first payload: got %s", seen[0])
	}
	for i, want := range []string{`{"changed_by":{"kind":"citizen"},"content_hash":"`,
		`{"ai":{"confidence":0.9877,"damage_type":"`, `{"changed_by":{"agency":"OP-DILI","kind":"government_official"}`} {
		if !strings.HasPrefix(seen[i], want) {
			t.Errorf("event %d: got %s, want prefix %s", i+1, seen[i], want)
		}
	}
	if n := scan[int](b, `SELECT count(*) FROM outbox WHERE queue = 'anchor'`); n != 3 {
		t.Errorf("got %d messages for the worker, want 3", n)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fresh, begun := b.report(), b.submitted()
	for _, tc := range []struct {
		name   string
		report uuid.UUID
		event  ledger.Event
	}{
		{"first event is no submission", fresh, ledger.Event{Type: ledger.Amended}},
		{"second submission", begun, ledger.Event{Type: ledger.Submitted}},
		{"unknown type", begun, ledger.Event{Type: "BURNED"}},
		{"unknown actor", begun, ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "Ana"}}},
		{"status change without the old one", begun, ledger.Event{Type: ledger.StatusMoved}},
		{"AI without an assessment", begun, ledger.Event{Type: ledger.AIValidated}},
		{"dispute of what is not fixed", begun, ledger.Event{Type: ledger.Disputed, OldStatus: "in_progress"}},
		{"dispute without the old status", begun, ledger.Event{Type: ledger.Disputed}},
		{"a change on behalf of somebody", begun, ledger.Event{Type: ledger.Amended, OnBehalfOf: true}},
		{"confidence above 1", begun, ledger.Event{Type: ledger.AIValidated, AI: &ledger.Assessment{Confidence: 2}}},
	} {
		if _, err := b.append(tc.report, tc.event); err == nil {
			t.Errorf("%s: got no error", tc.name)
		}
	}
	if _, err := b.append(database.NewID(), ledger.Event{Type: ledger.Submitted}); !errors.Is(err, ledger.ErrNoReport) {
		t.Errorf("unknown report: got %v, want ErrNoReport", err)
	}
	if n := scan[int](b, `SELECT count(*) FROM ledger_events`); n != 1 {
		t.Errorf("got %d events, want the one submission", n)
	}
}

func TestAppendAtOnceMakesOneChain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submitted()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := b.append(id, ledger.Event{Type: ledger.Amended}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h, err := ledger.History(t.Context(), b.db, ledger.Config{Network: "local"}, id)
	if err != nil || len(h.Entries) != 9 {
		t.Fatalf("history: got %v, %v, want 9 entries", h, err)
	}
	broken := scan[int](b, `SELECT count(*) FROM ledger_events e WHERE seq > 1 AND NOT EXISTS (
		SELECT FROM ledger_events p WHERE p.report_id = e.report_id AND p.seq = e.seq - 1 AND p.payload_hash = e.prev_hash)`)
	if broken != 0 {
		t.Errorf("%d events do not follow their predecessor", broken)
	}
}

func TestLargestPayloadFits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agency, id := database.NewID(), b.submitted()
	b.exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, $2, 'A', 'municipal')`, agency, strings.Repeat("A", 60))
	b.exec(`UPDATE reports SET status = 'in_progress', severity = 'critical', issue_type = 'street_light' WHERE id = $1`, id)
	for n := range 12 {
		upload := database.NewID()
		sum := sha256.Sum256(upload[:])
		b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, display_sha256, expires_at)
			VALUES ($1, $2, $3, 'image/jpeg', 5, $4, now())`, upload, b.user, fmt.Sprint("k", n, upload), sum[:])
		b.exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $3)`, database.NewID(), id, upload)
		if _, err := b.append(id, ledger.Event{Type: ledger.AIValidated, Actor: ledger.Actor{Kind: "government_official", AgencyID: &agency},
			AI: &ledger.Assessment{Confidence: 0.1234, Severity: strings.Repeat("é", 400), DamageType: strings.Repeat("\x01", 400), Model: strings.Repeat("m", 200)}}); err != nil {
			t.Fatalf("with %d images: %v", n+2, err)
		}
	}
	if n := scan[int](b, `SELECT max(octet_length(payload)) FROM ledger_events`); n > 1024 || n < 700 {
		t.Errorf("largest payload: got %d bytes, want 700 to 1024, the most that a message carries", n)
	}
}

func TestEventsAreAppendOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submitted()
	other := b.report()
	for _, tc := range []struct {
		name, sql string
		args      []any
	}{
		{"update", `UPDATE ledger_events SET created_at = now()`, nil},
		{"update of no row", `UPDATE ledger_events SET created_at = now() WHERE false`, nil},
		{"delete", `DELETE FROM ledger_events`, nil},
		{"truncate", `TRUNCATE ledger_events CASCADE`, nil},
		{"insert that follows nothing", `INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, prev_hash, created_at, log_index)
			VALUES ($1, $2, 2, 'CONTENT_AMENDED', '{}', sha256('{}'), sha256('else'), now(), 99)`, []any{database.NewID(), id}},
		{"insert with another hash", `INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, created_at, log_index)
			VALUES ($1, $2, 1, 'REPORT_SUBMITTED', '{}', sha256('else'), now(), 99)`, []any{database.NewID(), other}},
	} {
		// The owner of everything, who has every grant; then the role of the functions.
		if _, err := b.owner.Exec(t.Context(), tc.sql, tc.args...); err == nil {
			t.Errorf("%s as owner: got no error", tc.name)
		}
		if _, err := b.db.Exec(t.Context(), tc.sql, tc.args...); err == nil {
			t.Errorf("%s as lafaek_app: got no error", tc.name)
		}
	}
	if _, err := b.owner.Exec(t.Context(), `SET LOCAL session_replication_role = replica; DELETE FROM ledger_events`); err == nil {
		t.Error("delete in a replication session: got no error")
	}
}

func TestForgetLeavesNothingToGuessAgainst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, other := b.submitted(), b.submitted()
	hashes := func(report uuid.UUID) []string {
		var out []string
		h, err := ledger.History(t.Context(), b.db, ledger.Config{}, report)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range h.Entries {
			var p struct {
				ContentHash string `json:"content_hash"`
			}
			if err := json.Unmarshal(e.Payload, &p); err != nil {
				t.Fatal(err)
			}
			out = append(out, p.ContentHash)
		}
		return out
	}
	if a, o := hashes(id), hashes(other); a[0] == o[0] || len(a[0]) != 64 {
		t.Errorf("two reports of the same words: got hashes %v and %v, want different ones", a, o)
	}
	err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
		return ledger.ErasePerson(t.Context(), tx, b.user, func(database.Pipeline) error { return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := scan[int](b, `SELECT count(*) FROM report_salts`); n != 0 {
		t.Errorf("got %d salts after erasure, want none", n)
	}
	if _, err := b.append(id, ledger.Event{Type: ledger.Withdrawn}); err != nil {
		t.Fatal(err)
	}
	if got := hashes(id); got[2] != "" {
		t.Errorf("event after erasure: got content hash %s, want none", got[2])
	}
	if _, err := hex.DecodeString(hashes(id)[0]); err != nil {
		t.Error(err)
	}
}

// The first event of a report that gets its number in the same transaction: the number is filled in, the hash is of what
// is stored, and no event can follow before the commit.
func TestAppendWithANumberThatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	late := database.NewLate("report_number", 14)
	event := func(kind ledger.Type) ledger.Event {
		return ledger.Event{Type: kind, Actor: ledger.Actor{Kind: "citizen"}, At: noon}
	}
	var second error
	err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
		tx.Queue(`SELECT set_config('late.report_number', report_number, true) FROM reports WHERE id = $1`, id)
		chain := ledger.NewChain(ledger.NewReport{ID: id, Number: late, State: ledger.State{IssueType: "pothole", Severity: "medium", Status: "pending"}})
		if _, err := chain.Append(t.Context(), tx, event(ledger.Submitted)); err != nil {
			return err
		}
		_, second = chain.Append(t.Context(), tx, event(ledger.Amended))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if second == nil {
		t.Error("a second event was appended behind one whose hash is not known")
	}
	const q = `SELECT convert_from(e.payload, 'UTF8')::jsonb->>'report_number' = r.report_number AND e.payload_hash = sha256(e.payload)
		FROM ledger_events e JOIN reports r ON r.id = e.report_id WHERE r.id = $1`
	if !scan[bool](b, q, id) {
		t.Errorf("stored: %s", scan[string](b, `SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1`, id))
	}
}

// A report that was verified once keeps its 4 decimals, also after it went back to pending.
func TestThePlaceStaysExact(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submitted()
	place := func() string {
		return scan[string](b, `SELECT convert_from(payload, 'UTF8')::jsonb #>> '{location,lat}' FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`, id)
	}
	for _, step := range []struct{ from, to, want string }{
		{"", "pending", "-8.557"}, {"pending", "verified", "-8.5569"}, {"verified", "rejected", "-8.5569"}, {"rejected", "pending", "-8.5569"},
	} {
		if step.from != "" {
			b.exec(`UPDATE reports SET status = $2 WHERE id = $1`, id, step.to)
			if _, err := b.append(id, ledger.Event{Type: ledger.StatusMoved, OldStatus: step.from, Actor: ledger.Actor{Kind: "moderator"}}); err != nil {
				t.Fatal(err)
			}
			b.exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind) VALUES ($1, $2, $3, $4, 'moderator')`, database.NewID(), id, step.from, step.to)
		}
		if got := place(); got != step.want {
			t.Errorf("%s: latitude %s, want %s", step.to, got, step.want)
		}
	}
}
