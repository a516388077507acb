package anchor_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

func (b *bundle) fsck() (*fsck.Result, string) {
	b.t.Helper()
	var out bytes.Buffer
	c := b.config.Ledger
	c.MirrorTimeout = patient
	check := fsck.Check{DB: b.owner, Mirror: ledger.NewMirror(c), Log: b.store(), Config: c, Signatures: true, Out: &out}
	r, err := check.Run(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return r, out.String()
}

// failing are the checks of v that fail.
func failing(v *ledger.Verification) []string {
	var out []string
	for _, c := range v.Checks {
		if !c.OK {
			out = append(out, c.Name)
		}
	}
	return out
}

// ofReport is the message that covers the newest event of a report.
const ofReport = ` WHERE id = (SELECT m.id FROM log_messages m, ledger_events e WHERE e.report_id = $1 AND m.size > e.log_index ORDER BY e.seq DESC, m.size LIMIT 1)`

// Somebody who can write everything in the database, and forge messages, is found. What
// is done to the report and to the log itself is in infra/local/tamper.
func TestTamperingWithTheLedgerIsFound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		tamper       func(b *bundle, report uuid.UUID)
		verify, fsck string // the checks that fail; none where only fsck can know
	}{
		{"message edited in the table", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE log_messages SET message = convert_to(replace(convert_from(message, 'UTF8'), 'LS-2026', 'LS-2027'), 'UTF8')`+ofReport, id)
		}, "message", "message"},
		{"message without its record", func(b *bundle, id uuid.UUID) { b.exec(`DELETE FROM log_messages`+ofReport, id) }, "anchored", "recorded"},
		{"the first of two messages without its record", func(b *bundle, _ uuid.UUID) {
			b.exec(`DELETE FROM log_messages WHERE size < (SELECT max(size) FROM log_messages)`)
		}, "", "recorded"},
		{"no message with a record", func(b *bundle, _ uuid.UUID) { b.exec(`DELETE FROM log_messages`) }, "anchored", "recorded"},
		{"a record of more events", func(b *bundle, _ uuid.UUID) {
			b.exec(`UPDATE log_messages SET size = size + 1, shown = shown + 1 WHERE size < (SELECT max(size) FROM log_messages)`)
		}, "", "covers"},
		{"a record from the first event on", func(b *bundle, _ uuid.UUID) { b.exec(`UPDATE log_messages SET first_index = 0`) }, "", "covers"},
		{"a key of receipts that holds for the first entry alone", func(b *bundle, _ uuid.UUID) {
			b.exec(`UPDATE log_keys SET until_index = 1 WHERE role = 'receipts'`)
		}, "", "keys"},
		{"a foreign key of receipts", func(b *bundle, _ uuid.UUID) {
			b.exec(`UPDATE log_keys SET until_index = 5 WHERE role = 'receipts'`)
			b.exec(`INSERT INTO log_keys (role, vkey, from_index) VALUES ('receipts', 'anchor.example/log/receipts+00000000+AAAA', 5)`)
		}, "", "keys"},
		{"a key of receipts replaced", func(b *bundle, _ uuid.UUID) {
			b.exec(`UPDATE log_keys SET vkey = 'anchor.example/log/receipts+00000000+AAAA' WHERE role = 'receipts'`)
		}, "", "keys"},
		{"a key of the log forgotten", func(b *bundle, _ uuid.UUID) { b.exec(`DELETE FROM log_keys WHERE role = 'receipts'`) }, "", "keys"},
		{"receipts signed by another key", func(b *bundle, _ uuid.UUID) { b.exec(`UPDATE log_counter SET receipts_vkey = 'x'`) }, "", "keys"},
		{"message of another account", func(b *bundle, id uuid.UUID) {
			seq, err := b.net.Forge(b.config.Ledger.TopicReports, "0.0.666", scan[[]byte](b, `SELECT message FROM log_messages`+ofReport, id))
			if err != nil {
				b.t.Fatal(err)
			}
			all := b.net.Messages()
			m := all[len(all)-1]
			b.exec(`UPDATE log_messages SET sequence_number = $2, transaction_id = $3, running_hash = $4, consensus_nanos = $5`+ofReport,
				id, int64(seq), m.TransactionID, m.RunningHash, m.ConsensusTimestamp.UnixNano())
		}, "payer", "payer"},
		{"signed transaction replaced", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE log_messages SET signed = '\x0a00'`+ofReport, id)
		}, "signature", "signature"},
		{"place on the topic moved", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE log_messages SET sequence_number = 77`+ofReport, id)
		}, "message", "message"},
		{"running hash edited", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE log_messages SET running_hash = sha384('x')`+ofReport, id)
		}, "running_hash", "running_hash"},
		{"a message that is no checkpoint, by our account", func(b *bundle, _ uuid.UUID) {
			if _, err := b.net.Forge(b.config.Ledger.TopicReports, account, []byte(`{"event":"REPORT_SUBMITTED"}`)); err != nil {
				b.t.Fatal(err)
			}
		}, "", "recorded"},
		{"a checkpoint that the log does not continue, by our account", func(b *bundle, _ uuid.UUID) {
			if _, err := b.net.Forge(b.config.Ledger.TopicReports, account, []byte(`{"checkpoint":"anchor.example/log\n9\nAAAA\n","entries":[]}`)); err != nil {
				b.t.Fatal(err)
			}
		}, "", "checkpoint"},
		{"a key of the log changed", func(b *bundle, _ uuid.UUID) {
			b.exec(`ALTER TABLE ledger_events DISABLE TRIGGER ALL`)
			b.exec(`ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_hash_of_payload`)
			b.exec(`UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '0.0.', '0.1.'), 'UTF8') WHERE report_id IS NULL`)
		}, "", "log"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.report()
			b.pass(10 * time.Minute)
			id := b.report()
			b.move(id, "pending", "verified")
			b.pass(10 * time.Minute)
			if v := b.verify(id); !v.Verified {
				t.Fatalf("before: %+v", v)
			}
			if r, out := b.fsck(); r.Found != 0 || r.Reports != 2 || r.Messages == 0 || r.Waiting != 0 {
				t.Fatalf("before: %+v\n%s", r, out)
			}
			if n := scan[int](b, `SELECT count(*) FROM log_messages`); n < 2 {
				t.Fatalf("%d messages, want at least 2", n)
			}
			b.exec(`ALTER TABLE log_messages DISABLE TRIGGER ALL`)
			tc.tamper(b, id)
			v := b.verify(id)
			if bad := failing(v); (tc.verify == "") != v.Verified || tc.verify != "" && !slices.Contains(bad, tc.verify) {
				t.Errorf("verify: %q fail, want %q", bad, tc.verify)
			}
			r, out := b.fsck()
			if (tc.fsck == "") != (r.Found == 0) || tc.fsck != "" && !slices.ContainsFunc(r.Findings, func(f fsck.Finding) bool { return f.Check == tc.fsck }) {
				t.Errorf("fsck: want a finding %q, got\n%s", tc.fsck, out)
			}
			if r.Found > 0 && !strings.Contains(out, "the first: "+r.Findings[0].Where) {
				t.Errorf("fsck does not print the first finding:\n%s", out)
			}
		})
	}
}

// A backup lacks the records of the messages that were sent after it was made. The next message covers their events again, and
// the recovery has an INCIDENT. Records of before the backup are not excused by that.
func TestFsckExcusesTheRecordsThatABackupLacks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 2 {
		b.report()
		b.pass(10 * time.Minute)
	}
	before := scan[int64](b, `SELECT min(size) FROM log_messages`)
	b.exec(`DELETE FROM log_messages WHERE size > $1`, before)
	b.exec(`UPDATE reports r SET blockchain_status = 'queued' WHERE NOT EXISTS (SELECT FROM ledger_events e WHERE e.report_id = r.id AND e.log_index < $1)`, before)
	if r, out := b.fsck(); r.Found != 1 || r.Findings[0].Check != "recorded" {
		t.Fatalf("without an INCIDENT: want one message that is not recorded, got\n%s", out)
	}
	box := outbox.New(b.owner, b.queue, slog.New(slog.DiscardHandler))
	if err := box.Do(t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskLogChain(tx)
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(tx, ledger.LogEvent{Type: ledger.Incident, At: b.clock.Now(), Detail: "a backup was restored"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if r, out := b.fsck(); r.Found != 0 {
		t.Errorf("before the next message:\n%s", out)
	}
	b.report()
	b.pass(10 * time.Minute)
	again := scan[[]byte](b, `SELECT message FROM log_messages WHERE size > $1`, before)
	if _, err := b.net.Forge(b.config.Ledger.TopicReports, account, again); err != nil { // a node took it twice
		t.Fatal(err)
	}
	if r, out := b.fsck(); r.Found != 0 {
		t.Errorf("after the next message:\n%s", out)
	}
	b.exec(`DELETE FROM log_messages WHERE size = $1`, before)
	if r, out := b.fsck(); r.Found != 1 || r.Findings[0].Check != "recorded" {
		t.Errorf("a record of before the backup was deleted: want one finding, got\n%s", out)
	}
}

func TestFsckCountsForeignMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	b.pass(10 * time.Minute)
	if _, err := b.net.Forge(b.config.Ledger.TopicReports, "0.0.666", []byte(`{"event":"REPORT_SUBMITTED"}`)); err != nil {
		t.Fatal(err)
	}
	b.report() // waits
	if r, out := b.fsck(); r.Found != 0 || r.Foreign != 1 || r.Waiting != 1 {
		t.Errorf("got %+v\n%s", r, out)
	}
}

// Every finding is printed, past those that the result keeps.
func TestFsckGoesOnPastTheFirstFindings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO report_numbers (year, last) VALUES (2026, 1200)`)
	b.report()
	r, out := b.fsck()
	if r.Found != 1199 || len(r.Findings) != 1000 || strings.Count(out, ": number: ") != 1199+1 /* in the summary */ || !strings.Contains(out, "LS-2026-001200: number: ") || r.Reports != 1 {
		t.Errorf("%d findings, %d kept, %d lines", r.Found, len(r.Findings), strings.Count(out, ": number: "))
	}
}

// After the operator has taken another topic, messages on the earlier one still count: the log has named it. One on a topic
// that the log never named does not.
func TestVerifyAfterAnotherTopic(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	b.pass(10 * time.Minute)
	b.config.Ledger.TopicReports = "0.0.7777"
	if v := b.verify(id); !v.Verified {
		t.Errorf("after the change: %q fail", failing(v))
	}
	b.exec(`ALTER TABLE ledger_events DISABLE TRIGGER ALL`)
	b.exec(`DELETE FROM ledger_anchors WHERE event_id IN (SELECT id FROM ledger_events WHERE report_id IS NULL)`)
	b.exec(`DELETE FROM ledger_events WHERE report_id IS NULL`)
	if bad := failing(b.verify(id)); !slices.Contains(bad, "message") {
		t.Errorf("a topic that the log has not named: %q fail", bad)
	}
}

func TestVerifyFailsWithoutTheMirror(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	b.pass(10 * time.Minute)
	if err := b.net.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := ledger.Verify(t.Context(), b.db, ledger.Sources{Log: b.store(), Mirror: ledger.NewMirror(b.config.Ledger)}, b.config.Ledger, id)
	if err == nil || !strings.Contains(err.Error(), ledger.ErrMirrorUnavailable.Error()) {
		t.Errorf("got %+v, %v, want ErrMirrorUnavailable", v, err)
	}
}
