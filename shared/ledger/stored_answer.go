package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// A stored answer to a repeated request holds no receipt and no salt: they would stay readable in the database, also after
// the salt is deleted. In the place of each receipt is a mark, a Receipt with a note alone that names the event: by its id
// before the commit, by its index in the log after it. A replay signs the receipt again, to the same bytes.
//
// The marks are found in the text of the answer. No text that a client sends looks like one: JSON escapes each quotation
// mark within a text.
const (
	markEvent = "event:"
	markIndex = "index:"
)

var (
	// signedReceipt has the escaped text of the note in its first group.
	signedReceipt = regexp.MustCompile(`"receipt":\{"note":"((?:[^"\\]|\\.)*)","payload":"(?:[^"\\]|\\.)*"(?:,"salt":"[^"]*")?\}`)
	// receiptMark has the kind of the mark and its value in its groups.
	receiptMark = regexp.MustCompile(`,"receipt":\{"note":"(` + markEvent + `|` + markIndex + `)([0-9a-f-]{1,36})","payload":""\}`)
)

// Mark is what stands for the receipt of e in an answer that is stored before the commit.
func (e *NewEntry) Mark() *Receipt {
	if e == nil {
		return nil
	}
	return &Receipt{Note: markEvent + e.ID.String()}
}

// Remove returns the JSON of an answer with a mark in the place of each receipt.
func (r *Receipts) Remove(answer []byte) []byte {
	return signedReceipt.ReplaceAllFunc(answer, func(found []byte) []byte {
		lines := bytes.Split(signedReceipt.FindSubmatch(found)[1], []byte(`\n`))
		if len(lines) < 3 { // a mark
			return found
		}
		return fmt.Appendf(nil, `"receipt":{"note":"%s%s","payload":""}`, markIndex, lines[2])
	})
}

// Restore returns a stored answer with its receipts. They are about changes that the person made. A receipt that cannot be
// signed is left out.
func (r *Receipts) Restore(ctx context.Context, q database.Querier, person uuid.UUID, answer []byte) ([]byte, error) {
	var ids []uuid.UUID
	var indexes []int64
	for _, mark := range receiptMark.FindAllSubmatch(answer, -1) {
		if id, err := uuid.ParseBytes(mark[2]); err == nil {
			ids = append(ids, id)
		} else if index, err := strconv.ParseInt(string(mark[2]), 10, 64); err == nil {
			indexes = append(indexes, index)
		}
	}
	if len(ids)+len(indexes) == 0 {
		return answer, nil
	}
	batch := &database.Batch{}
	logged := AskLogged(batch, person, `e.id = ANY($1::uuid[]) OR e.log_index = ANY($2::bigint[])`, ids, indexes)
	if err := batch.Send(ctx, q); err != nil {
		return nil, fmt.Errorf("read receipts of a stored answer: %w", err)
	}
	receipts := make(map[string][]byte)
	for _, e := range logged.Get() {
		if receipt := r.For(ctx, e); receipt != nil {
			text := receipt.encode()
			receipts[markEvent+e.ID.String()], receipts[markIndex+strconv.FormatInt(e.Index, 10)] = text, text
		}
	}
	return receiptMark.ReplaceAllFunc(answer, func(found []byte) []byte {
		mark := receiptMark.FindSubmatch(found)
		return receipts[string(mark[1])+string(mark[2])] // nothing where there is none
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
