package ledger_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const testOrigin = "example.tl/log"

func seed(b byte) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))
}

func receiptsWith(t *testing.T, key string) *ledger.Receipts {
	t.Helper()
	r, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: testOrigin, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A process that has an old key reads the secret again, at most once a minute, and signs with the key in force or not at all.
func TestReceiptsFollowTheirKey(t *testing.T) {
	t.Parallel()
	old, current := seed(1), seed(2)
	inForce := receiptsWith(t, current).VKey()
	entry := ledger.Logged{Index: 40, Payload: []byte(`{"report_number":"LS-2026-000001","ts":"2026-11-28T14:23:14.651Z"}`), Key: &inForce}
	clock := timestamp.NewManual(time.Date(2026, 11, 28, 14, 0, 0, 0, time.UTC))
	kept, reads, missing := old, 0, 0
	var failure error
	r := receiptsWith(t, old).Follow(ledger.KeyWatch{Clock: clock,
		Read:    func(context.Context) (string, error) { reads++; return kept, failure },
		Missing: func(context.Context, error) { missing++ },
	})
	expect := func(what string, signed bool, wantReads, wantMissing int) {
		t.Helper()
		got := r.For(t.Context(), entry)
		if (got != nil) != signed || reads != wantReads || missing != wantMissing {
			t.Errorf("%s: receipt %v after %d readings, %d missing", what, got, reads, missing)
		}
		if got != nil {
			verifier, err := note.NewVerifier(inForce)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := note.Open([]byte(got.Note), note.VerifierList(verifier)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	expect("the secret is still the old one", false, 1, 1)
	kept = current
	expect("within a minute", false, 1, 2)
	clock.Advance(time.Minute)
	failure = errors.New("no secrets now")
	expect("the secret cannot be read", false, 2, 3)
	clock.Advance(time.Minute)
	failure = nil
	expect("the secret is the new one", true, 3, 3)
	expect("from then on", true, 3, 3)
	entry.Key = nil
	expect("no key in force", false, 3, 4)
}

// A receipt under a new key has the five lines of the one under the old key.
func TestReceiptsOfTwoKeysSayTheSame(t *testing.T) {
	t.Parallel()
	text := func(key string) string {
		r := receiptsWith(t, key)
		vkey := r.VKey()
		out := r.For(t.Context(), ledger.Logged{Index: 7, Payload: []byte(`{"report_number":"LS-2026-000001","ts":"2026-11-28T14:23:14.651Z"}`), Key: &vkey})
		lines, _, _ := strings.Cut(out.Note, "\n\n")
		return lines
	}
	if a, b := text(seed(1)), text(seed(2)); a != b || strings.Count(a, "\n") != 4 {
		t.Errorf("got %q and %q", a, b)
	}
}

// An answer is stored with a mark in the place of each receipt, whatever a text of it looks like.
func TestStoredAnswersHoldNoReceipt(t *testing.T) {
	t.Parallel()
	type answer struct {
		Title   string          `json:"title"`
		Receipt *ledger.Receipt `json:"receipt,omitempty"`
	}
	r := receiptsWith(t, seed(1))
	vkey := r.VKey()
	receipt := r.For(t.Context(), ledger.Logged{Index: 7, Salt: []byte(strings.Repeat("s", 32)), Key: &vkey,
		Payload: []byte(`{"report_number":"LS-2026-000001","seq":3,"ts":"2026-11-28T14:23:14.651Z"}`)})
	encode := func(v any) []byte {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	hostile := `x","receipt":{"note":"a\nb\n9\n","payload":"p"}`
	got := r.Remove(encode([]answer{{hostile, receipt}, {"", nil}, {`\`, receipt}}))
	want := strings.ReplaceAll(string(encode([]answer{{hostile, &ledger.Receipt{Note: "LS-2026-000001#3"}}, {"", nil}, {`\`, &ledger.Receipt{Note: "LS-2026-000001#3"}}})), "{}", "")
	if string(got) != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if again := r.Remove(got); string(again) != want {
		t.Errorf("a mark was changed: %s", again)
	}
	plain := encode(answer{Title: `y","receipt":{"note":"LS-2026-000001#3","payload":""}`})
	if back, err := r.Restore(t.Context(), nil, uuid.New(), plain); err != nil || string(back) != string(plain) {
		t.Errorf("a text that looks like a mark: %s, %v", back, err)
	}
}
