package anchor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// Of a report with many events verify compares the first and the newest with the log and
// the ledger, and says what it leaves out. What it leaves out cannot be replaced: the chain of hashes leads to it.
func TestVerifyOfMoreEventsThanAreProven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	b.pass(10 * time.Minute)
	for range 10 {
		b.append(id, ledger.Event{Type: ledger.Amended})
	}
	b.pass(10 * time.Minute)
	for range 99 {
		b.append(id, ledger.Event{Type: ledger.Amended})
	}
	b.pass(10 * time.Minute)
	v := b.verify(id)
	for _, want := range []string{"The places in the log of events 2 to 11:", "The messages of the ledger for events 2 to 11:"} {
		if !slices.ContainsFunc(v.NotChecked, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("it does not say %q: %q", want, v.NotChecked)
		}
	}
	if !v.Verified {
		t.Fatalf("before: %q fail", failing(v))
	}
	b.exec(`ALTER TABLE ledger_events DISABLE TRIGGER ALL`)
	b.exec(`DROP INDEX ledger_events_log_index_key`)
	const place = `UPDATE ledger_events SET log_index = log_index + $2 WHERE report_id = $1 AND seq = 1`
	b.exec(place, id, 1)
	if bad := failing(b.verify(id)); !slices.Contains(bad, "inclusion") {
		t.Errorf("the log has another entry where the first event was promised: %q fail", bad)
	}
	b.exec(place, id, -1)
	b.replace(id, 2, 2)
	if bad := failing(b.verify(id)); !slices.Contains(bad, "chain") {
		t.Errorf("an old event replaced: %q fail", bad)
	}
	b.replace(id, 2, 11)
	if bad := failing(b.verify(id)); !slices.Contains(bad, "chain") {
		t.Errorf("an old event replaced, with the chain up to the events that are proven: %q fail", bad)
	}
	b.replace(id, 2, 110)
	if bad := failing(b.verify(id)); slices.Contains(bad, "chain") || !slices.Contains(bad, "inclusion") {
		t.Errorf("an old event replaced, with the whole chain after it: %q fail", bad)
	}
}

// replace makes event from say another type of issue, and has the events up to last follow from it.
func (b *bundle) replace(id uuid.UUID, from, last int) {
	b.t.Helper()
	prev := scan[[]byte](b, `SELECT prev_hash FROM ledger_events WHERE report_id = $1 AND seq = $2`, id, from)
	for seq := from; seq <= last; seq++ {
		payload := scan[string](b, `SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1 AND seq = $2`, id, seq)
		if seq == from {
			payload = strings.Replace(payload, `"pothole"`, `"bridge"`, 1)
		}
		_, rest, _ := strings.Cut(payload, `"prev":"`)
		payload = strings.Replace(payload, rest[:64], hex.EncodeToString(prev), 1)
		sum := sha256.Sum256([]byte(payload))
		b.exec(`UPDATE ledger_events SET payload = $3, payload_hash = $4, prev_hash = $5 WHERE report_id = $1 AND seq = $2`, id, seq, []byte(payload), sum[:], prev)
		prev = sum[:]
	}
}
