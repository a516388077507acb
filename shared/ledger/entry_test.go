package ledger_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// Many transactions write events at once, and some of them fail after the event. The places have no gaps, and each report's
// events are in their order.
func TestPlacesInTheLogHaveNoGaps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var reports []uuid.UUID
	for range 4 {
		reports = append(reports, b.submitted())
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			fails := errors.New("the change failed")
			err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
				chain := ledger.AskChain(tx, report.AboutID(reports[i%4]), nil)
				if err := tx.Flush(t.Context()); err != nil {
					return err
				}
				e := ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "citizen"}, At: noon}
				for range 2 { // the second follows the first, which the table does not have yet
					if _, err := chain.Get().Append(t.Context(), tx, e); err != nil {
						return err
					}
				}
				if i%5 == 0 {
					tx.Last().Queue(`SELECT 1/0`)
				}
				return nil
			})
			if (err != nil) != (i%5 == 0) || errors.Is(err, fails) {
				t.Errorf("transaction %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	const q = `SELECT count(*) = 68 AND max(log_index) = 67 AND min(log_index) = 0 AND (SELECT next FROM log_counter) = 68
		AND NOT EXISTS (SELECT FROM ledger_events a JOIN ledger_events b ON b.report_id = a.report_id AND b.seq > a.seq AND b.log_index < a.log_index)
		FROM ledger_events`
	if !scan[bool](b, q) {
		t.Errorf("places: %s", scan[string](b, `SELECT string_agg(log_index::text, ' ' ORDER BY log_index) FROM ledger_events`))
	}
}

// A chain that is read again in its transaction goes on after the events that the transaction has appended.
func TestAChainReadAgainKnowsTheEventsOfItsTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submitted()
	err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
		for range 3 {
			chain := ledger.AskChain(tx, report.AboutID(id), nil)
			if err := tx.Flush(t.Context()); err != nil {
				return err
			}
			e := ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "citizen"}, At: noon}
			if _, err := chain.Get().Append(t.Context(), tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if n := scan[int](b, `SELECT max(seq) FROM ledger_events WHERE report_id = $1`, id); err != nil || n != 4 {
		t.Errorf("%d events: %v", n, err)
	}
}

// While the log is halted nothing is written, and the client is told to come back.
func TestNothingIsWrittenWhileTheLogIsHalted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submitted()
	b.exec(`UPDATE log_counter SET halted = 'restored from a backup'`)
	if _, err := b.append(id, ledger.Event{Type: ledger.Amended}); !errors.Is(err, ledger.ErrHalted) {
		t.Errorf("got %v", err)
	}
	// The change of the same transaction is not written either.
	err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		tx.Queue(`UPDATE reports SET title = 'changed' WHERE id = $1`, id)
		_, err := chain.Get().Append(t.Context(), tx, ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "citizen"}, At: noon})
		return err
	})
	if !errors.Is(err, ledger.ErrHalted) || scan[string](b, `SELECT title FROM reports WHERE id = $1`, id) == "changed" {
		t.Errorf("the change of a halted log: %v", err)
	}
	b.exec(`UPDATE log_counter SET halted = NULL`)
	if _, err := b.append(id, ledger.Event{Type: ledger.Amended}); err != nil {
		t.Error(err)
	}
}

// A receipt is a note of five lines that the public key verifies, the same bytes each time; without the key in force there
// is none.
func TestReceipt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	number := scan[string](b, `SELECT report_number FROM reports WHERE id = $1`, id)
	receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: "example.tl/log", Key: base64.StdEncoding.EncodeToString(make([]byte, 32))})
	if err != nil {
		t.Fatal(err)
	}
	entry := func() *ledger.NewEntry {
		var entry *ledger.NewEntry
		err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
			chain := ledger.AskChain(tx, report.AboutID(id), nil)
			if err := tx.Flush(t.Context()); err != nil {
				return err
			}
			e := ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "citizen"}, At: noon}
			if scan[int](b, `SELECT count(*) FROM ledger_events`) == 0 {
				e.Type = ledger.Submitted
			}
			var err error
			entry, err = chain.Get().Append(t.Context(), tx, e)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return entry
	}
	if r := receipts.Of(t.Context(), entry(), number, true); r != nil {
		t.Errorf("a receipt before a key is in force: %v", r)
	}
	b.exec(`UPDATE log_counter SET receipts_vkey = $1`, receipts.VKey())
	e := entry()
	r := receipts.Of(t.Context(), e, number, true)
	if again := receipts.Of(t.Context(), e, number, true); !reflect.DeepEqual(again, r) {
		t.Errorf("the second receipt differs: %+v", again)
	}
	if other := receipts.Of(t.Context(), e, number, false); other.Salt != nil || other.Note != r.Note {
		t.Errorf("for somebody else: %+v", other)
	}
	verifier, err := note.NewVerifier(receipts.VKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(r.Note), note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	leaf := sha256.Sum256(append([]byte{0}, r.Payload...))
	want := strings.Join([]string{"example.tl/log", number, "1", base64.StdEncoding.EncodeToString(leaf[:]), noon.UTC().Format("2006-01-02T15:04:05.000Z"), ""}, "\n")
	if n.Text != want {
		t.Errorf("got %q, want %q", n.Text, want)
	}
	if !scan[bool](b, `SELECT convert_to($1, 'UTF8') = payload FROM ledger_events WHERE log_index = 1`, r.Payload) {
		t.Error("the payload is not the event's")
	}
}
