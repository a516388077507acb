package ledger_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// keyEvents are the log's own events, each as its payload, in order.
func keyEvents(b *bundle) []string {
	b.t.Helper()
	return scan[[]string](b, `SELECT coalesce(array_agg(convert_from(payload, 'UTF8') ORDER BY seq), '{}') FROM ledger_events WHERE report_id IS NULL`)
}

func TestTheLogIsToldOfItsKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	keys := ledger.Keys{Origin: "lafaek.example/log", Log: "lafaek.example/log+1+AAAA", Receipts: "lafaek.example/log/receipts+1+AAAA"}
	register := func(k ledger.Keys) {
		t.Helper()
		if err := ledger.RegisterKeys(t.Context(), b.box, k, noon); err != nil {
			t.Fatal(err)
		}
	}
	register(ledger.Keys{Origin: keys.Origin, Receipts: keys.Receipts}) // migrate knows the receipts key alone
	b.submitted()
	register(keys)
	keys.Ledger = &ledger.LedgerKey{Network: "local", AccountID: "0.0.1001", TopicID: "0.0.5", PublicKey: "02ab"}
	register(keys)
	register(keys)
	keys.Log, keys.Receipts, keys.Ledger.TopicID = "lafaek.example/log+2+BBBB", "lafaek.example/log/receipts+2+BBBB", "0.0.6"
	register(keys)

	got := keyEvents(b)
	want := []string{
		`"key":{"new":"lafaek.example/log/receipts+1+AAAA","old":null,"role":"receipts"}`,
		`"key":{"new":"lafaek.example/log+1+AAAA","old":null,"role":"log"}`,
		`"key":{"new":{"account_id":"0.0.1001","network":"local","public_key":"02ab","topic_id":"0.0.5"},"old":null,"role":"ledger"}`,
		`"key":{"new":"lafaek.example/log+2+BBBB","old":"lafaek.example/log+1+AAAA","role":"log"}`,
		`"key":{"new":"lafaek.example/log/receipts+2+BBBB","old":"lafaek.example/log/receipts+1+AAAA","role":"receipts"}`,
		`"key":{"new":{"account_id":"0.0.1001","network":"local","public_key":"02ab","topic_id":"0.0.6"},"old":{"account_id":"0.0.1001","network":"local","public_key":"02ab","topic_id":"0.0.5"},"role":"ledger"}`,
	}
	if len(got) != len(want) {
		t.Fatalf("got %d events, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) || !strings.Contains(got[i], `"changed_by":{"kind":"system"}`) || !strings.Contains(got[i], `"report_number":null`) {
			t.Errorf("event %d: %s\nhas not %s", i+1, got[i], want[i])
		}
	}
	const table = `SELECT string_agg(concat_ws(' ', role, right(vkey, 4), from_index, until_index), ', ' ORDER BY role, from_index) FROM log_keys`
	if got := scan[string](b, table); got != "log AAAA 0 4, log BBBB 4, receipts AAAA 0 5, receipts BBBB 5" {
		t.Errorf("log_keys: %s", got)
	}
	if got := scan[string](b, `SELECT receipts_vkey FROM log_counter`); got != keys.Receipts {
		t.Errorf("receipts are signed by %s", got)
	}
}

func TestAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := ledger.CheckOrigin(t.Context(), b.db, "lafaek.example/log"); err != nil {
		t.Errorf("a database without an origin: %v", err)
	}
	if err := ledger.RegisterKeys(t.Context(), b.box, ledger.Keys{Origin: "lafaek.example/log"}, noon); err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckOrigin(t.Context(), b.db, "lafaek.example/log"); err != nil {
		t.Errorf("the same origin: %v", err)
	}
	for name, err := range map[string]error{
		"check":    ledger.CheckOrigin(t.Context(), b.db, "other.example/log"),
		"register": ledger.RegisterKeys(t.Context(), b.box, ledger.Keys{Origin: "other.example/log", Receipts: "x"}, noon),
	} {
		if !errors.Is(err, ledger.ErrOtherOrigin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(keyEvents(b)); n != 0 {
		t.Errorf("%d events were written", n)
	}
}

// Two processes start at once: a key is named once.
func TestKeysAreNamedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			k := ledger.Keys{Origin: "lafaek.example/log", Log: "a", Receipts: "b"}
			if err := ledger.RegisterKeys(t.Context(), b.box, k, noon); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := keyEvents(b); len(got) != 2 {
		t.Errorf("got %d events: %v", len(got), got)
	}
	b.exec(`UPDATE log_counter SET halted = 'x'`)
	if err := ledger.RegisterKeys(t.Context(), b.box, ledger.Keys{Origin: "lafaek.example/log", Log: "c"}, noon); !errors.Is(err, ledger.ErrHalted) {
		t.Errorf("while halted: %v", err)
	}
}
