package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// A stored answer to a repeated request holds no receipt and no salt: they would stay readable in the database, also after
// the salt is deleted. In the place of each receipt is a mark: a Receipt with a note alone, which is the report's number and
// the number of the event among those of the report. A replay signs the receipt again, to the same bytes.
//
// The marks are found in the text of the answer. No text that a client sends looks like one: JSON escapes each quotation
// mark within a text.
var (
	// signedReceipt has the payload, as JSON, in its first group.
	signedReceipt = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`"receipt":\{"note":"(?:[^"\\]|\\.)*","payload":("(?:[^"\\]|\\.)+")(?:,"salt":"[^"]*")?\}`)
	})
	// receiptMark has the number of the report and that of the event in its groups.
	receiptMark = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`,"receipt":\{"note":"([A-Z0-9-]{1,26})#([0-9]{1,9})","payload":""\}`)
	})
)

// Mark is what stands for a receipt in an answer that is stored before the commit. Number may be the placeholder of a report's
// number (database.Late); seq is the number of the event among those of the report.
func Mark(number string, seq int) *Receipt {
	return &Receipt{Note: number + "#" + strconv.Itoa(seq)}
}

// Remove returns the JSON of an answer with a mark in the place of each receipt.
func (r *Receipts) Remove(answer []byte) []byte {
	return signedReceipt().ReplaceAllFunc(answer, func(found []byte) []byte {
		var payload string
		var said struct {
			Number string `json:"report_number"`
			Seq    int    `json:"seq"`
		}
		_ = json.Unmarshal(signedReceipt().FindSubmatch(found)[1], &payload) // this code has encoded both; else the mark has
		_ = json.Unmarshal([]byte(payload), &said)                           // no event, and a replay is without the receipt
		return fmt.Appendf(nil, `"receipt":{"note":"%s","payload":""}`, Mark(said.Number, said.Seq).Note)
	})
}

// Restore returns a stored answer with its receipts. They are about changes that the person made. A receipt that cannot be
// signed is left out.
func (r *Receipts) Restore(ctx context.Context, q database.Querier, person uuid.UUID, answer []byte) ([]byte, error) {
	var numbers, seqs []string
	for _, mark := range receiptMark().FindAllSubmatch(answer, -1) {
		numbers, seqs = append(numbers, string(mark[1])), append(seqs, string(mark[2]))
	}
	if len(numbers) == 0 {
		return answer, nil
	}
	batch := &database.Batch{}
	const marked = `(r.report_number, e.seq) IN (SELECT number, seq::int FROM unnest($1::text[], $2::text[]) AS m (number, seq))`
	logged := AskLogged(batch, person, marked, numbers, seqs)
	if err := batch.Send(ctx, q); err != nil {
		return nil, fmt.Errorf("read receipts of a stored answer: %w", err)
	}
	receipts := make(map[string][]byte)
	for _, e := range logged.Get() {
		if receipt := r.For(ctx, e); receipt != nil {
			receipts[Mark(e.Number, e.Seq).Note] = receipt.encode()
		}
	}
	return receiptMark().ReplaceAllFunc(answer, func(found []byte) []byte {
		mark := receiptMark().FindSubmatch(found)
		return receipts[string(mark[1])+"#"+string(mark[2])] // nothing where there is none
	}), nil
}

// encode is the receipt as a member of an answer that is not the first, as the answers have it.
func (r *Receipt) encode() []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(r) // texts alone can always be written
	return append([]byte(`,"receipt":`), bytes.TrimRight(out.Bytes(), "\n")...)
}
