package testenv

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// Receipt is the receipt of an answer.
type Receipt struct {
	Note, Payload string
	Salt          []byte // nil for none
	// Event is the payload.
	Event apiclient.Object
	Index int // in the log
}

// Receipt is the member receipt of an answer. It ends the test unless the note is signed by the key in force and names the
// payload, and the log has the payload at the place of the note. It takes nothing from the code that makes receipts.
func (w *System) Receipt(o apiclient.Object) Receipt {
	w.Helper()
	r := Receipt{Note: o.Text("receipt.note"), Payload: o.Text("receipt.payload")}
	if o.At("receipt.salt") != nil {
		var err error
		if r.Salt, err = base64.StdEncoding.DecodeString(o.Text("receipt.salt")); err != nil || len(r.Salt) != 32 {
			w.Fatalf("salt %v: %v", o.At("receipt.salt"), err)
		}
	}
	verifier, err := note.NewVerifier(w.Text(`SELECT receipts_vkey FROM log_counter`))
	if err != nil {
		w.Fatal(err)
	}
	n, err := note.Open([]byte(r.Note), note.VerifierList(verifier))
	if err != nil {
		w.Fatalf("note %q of %v: %v", r.Note, o.Values, err)
	}
	if err := json.Unmarshal([]byte(r.Payload), &r.Event.Values); err != nil {
		w.Fatalf("payload %q: %v", r.Payload, err)
	}
	lines := strings.Split(n.Text, "\n")
	leaf := sha256.Sum256(append([]byte{0}, r.Payload...))
	if len(lines) != 6 || lines[0] != w.Env["LOG_ORIGIN"] || lines[1] != r.Event.Text("report_number") ||
		lines[3] != base64.StdEncoding.EncodeToString(leaf[:]) || lines[4] != r.Event.Text("ts") || lines[5] != "" {
		w.Fatalf("note %q of payload %s", n.Text, r.Payload)
	}
	if r.Index, err = strconv.Atoi(lines[2]); err != nil {
		w.Fatalf("log index %q", lines[2])
	}
	if got := w.Text(`SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE log_index = $1`, r.Index); got != r.Payload {
		w.Fatalf("the log has %s at %d, the receipt %s", got, r.Index, r.Payload)
	}
	return r
}

// receiptsKey is the public key of RECEIPTS_KEY.
func (w *System) receiptsKey() string {
	w.Helper()
	receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: w.Env["LOG_ORIGIN"], Key: w.Env["RECEIPTS_KEY"]})
	if err != nil {
		w.Fatal(err)
	}
	return receipts.VKey()
}
