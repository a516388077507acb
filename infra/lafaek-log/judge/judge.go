// Package judge decides, without any request, what a receipt of the public log and the material beside it prove.
//
// The page /verify has the same rules in JavaScript. Both are run on the cases in testdata/cases.json: change them together.
package judge

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Verdict is the answer to "did they keep their promise?".
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // the receipt is genuine; the rest does not say whether the promise was kept
	Kept     Verdict = "kept"     // the entry is in the log, at the promised place
	Dropped  Verdict = "dropped"  // the log has another entry there, or had none after the promised time
	Differs  Verdict = "differs"  // entry or words are not those of the receipt
	Unproven Verdict = "unproven" // the receipt cannot be judged; the reason says why
)

// Material is what a person has, each as the text of a file or of a mail. Only Receipt and Keys are required.
type Material struct {
	// Receipt is the signed note alone, the JSON {note, payload, salt}, or an answer with that as its member receipt.
	Receipt string
	// Proof is one or more proofs (c2sp.org/tlog-proof), with or without lines "--" between them.
	Proof string
	// Checkpoint is one or more signed checkpoints, or what a mirror node of the ledger answers for messages.
	Checkpoint string
	// Keys is the answer of /log/keys. It is what everything else is checked against.
	Keys string
	// Content is the JSON of the report as the API answers it, or of a note, comment or assignment.
	Content string
}

// maxText bounds each text of a Material, in bytes.
const maxText = 4 << 20

// Finding is one fact, with the value that its sentence names.
type Finding struct {
	Code  Code
	Value string
}

// Result is a verdict and its reasons. The first finding is the reason for the verdict.
type Result struct {
	Verdict  Verdict
	Findings []Finding
	// About is what the receipt is about: report number, place in the log, time. Empty if the receipt is not genuine.
	About string
}

// refusal is an error that ends the judgement with Unproven.
type refusal Finding

func (r refusal) Error() string { return Finding(r).String() }

// hearing is one judgement.
type hearing struct {
	keys        *keys
	receipt     *receipt
	checkpoints []*checkpoint
	proofs      []*proof
	notes       []Finding
	about       string
}

// Judge returns what m proves.
func Judge(m Material) Result {
	h := &hearing{}
	verdict, reason, err := h.judge(m)
	if refused := (refusal{}); errors.As(err, &refused) {
		verdict, reason = Unproven, Finding(refused)
	}
	return Result{verdict, append([]Finding{reason}, h.notes...), h.about}
}

func (h *hearing) judge(m Material) (Verdict, Finding, error) {
	if err := h.read(m); err != nil {
		return "", Finding{}, err
	}
	if code := h.receipt.payloadDiffers(); code != "" {
		return Differs, Finding{code, ""}, nil
	}
	if err := h.material(m); err != nil {
		return "", Finding{}, err
	}
	verdict, reason, err := h.place()
	if err != nil || verdict == Dropped {
		return verdict, reason, err
	}
	if differs, err := h.content(m.Content); err != nil || differs.Code != "" {
		return Differs, differs, err
	}
	return verdict, reason, nil
}

// read reads the keys and the receipt, and checks the receipt's signature.
func (h *hearing) read(m Material) error {
	for _, text := range []string{m.Receipt, m.Proof, m.Checkpoint, m.Keys, m.Content} {
		if len(text) > maxText {
			return refusal{TooLarge, ""}
		}
	}
	var err error
	if h.keys, err = readKeys(m.Keys); err != nil {
		return err
	}
	if h.receipt, err = readReceipt(m.Receipt); err != nil {
		return err
	}
	if err := h.receipt.verify(h.keys); err != nil {
		return err
	}
	h.about = h.receipt.number + " · " + decimal(h.receipt.index) + " · " + h.receipt.time
	return nil
}

// material reads the checkpoints and the proofs, and checks their signatures. A log that signed two trees of one size has
// shown two histories.
func (h *hearing) material(m Material) error {
	var err error
	if h.proofs, err = readProofs(m.Proof, h.keys); err != nil {
		return err
	}
	left := 0
	if h.checkpoints, left, err = readCheckpoints(m.Checkpoint, h.keys); err != nil {
		return err
	}
	if left > 0 {
		h.note(LedgerLeft, strconv.Itoa(left))
	}
	for _, p := range h.proofs {
		h.checkpoints = append(h.checkpoints, p.checkpoint)
	}
	roots := make(map[int64]tlog.Hash)
	for _, c := range h.checkpoints {
		if root, ok := roots[c.size]; ok && root != c.root {
			return refusal{Fork, decimal(c.size)}
		}
		roots[c.size] = c.root
	}
	return nil
}

// place decides what the log has at the receipt's place. It looks at proofs first: they are about this one entry.
func (h *hearing) place() (Verdict, Finding, error) {
	r := h.receipt
	due := r.at.Add(h.keys.delay)
	kept, err := h.proven()
	if err != nil {
		return "", Finding{}, err
	}
	if kept != nil && *kept != r.leaf {
		return Dropped, Finding{Replaced, decimal(r.index)}, nil
	}
	late, dated := h.late(due)
	switch {
	case kept != nil:
		if late != nil {
			h.note(Late, stamp(late.seen))
		} else if dated != nil {
			h.note(LateLedger, stamp(dated.dated))
		}
		return Kept, Finding{InLog, decimal(r.index)}, nil
	case late != nil:
		return Dropped, Finding{Withheld, stamp(late.seen)}, nil
	case dated != nil && !h.grown():
		h.note(LedgerTime, dated.ledger)
		return Dropped, Finding{WithheldLedger, stamp(dated.dated)}, nil
	}
	return Accepted, h.waiting(due), nil
}

// late returns the checkpoints that end before the receipt's place and that a witness, and the ledger, dates the latest and
// after due; nil without one.
func (h *hearing) late(due time.Time) (*checkpoint, *checkpoint) {
	var seen, dated *checkpoint
	for _, c := range h.checkpoints {
		if c.size > h.receipt.index {
			continue
		}
		if c.seen.After(due) && (seen == nil || c.seen.After(seen.seen)) {
			seen = c
		}
		if c.dated.After(due) && (dated == nil || c.dated.After(dated.dated)) {
			dated = c
		}
	}
	return seen, dated
}

// grown reports whether a checkpoint is past the receipt's place.
func (h *hearing) grown() bool {
	return slices.ContainsFunc(h.checkpoints, func(c *checkpoint) bool { return c.size > h.receipt.index })
}

// proven returns the hash of the entry that a proof shows at the receipt's place; nil without a proof.
func (h *hearing) proven() (*tlog.Hash, error) {
	var found *tlog.Hash
	for _, p := range h.proofs {
		if p.index != h.receipt.index {
			continue
		}
		leaf := h.receipt.leaf
		if p.entry != nil {
			leaf = tlog.RecordHash(p.entry)
		}
		if !p.holds(leaf) {
			return nil, refusal{ProofWrong, ""}
		}
		if found == nil || leaf != h.receipt.leaf { // another entry weighs more
			found = &leaf
		}
	}
	if found == nil && len(h.proofs) > 0 {
		return nil, refusal{ProofElsewhere, decimal(h.receipt.index)}
	}
	return found, nil
}

// waiting is why a genuine receipt proves no more.
func (h *hearing) waiting(due time.Time) Finding {
	if h.grown() {
		h.note(ProofNeeded, decimal(h.receipt.index))
	} else if len(h.checkpoints) > 0 {
		h.note(TooEarly, "")
	}
	return Finding{Promised, stamp(due)}
}

func (h *hearing) note(c Code, value string) { h.notes = append(h.notes, Finding{c, value}) }

// members parses a JSON object.
func members(text string) (map[string]json.RawMessage, bool) {
	var out map[string]json.RawMessage
	return out, json.Unmarshal([]byte(text), &out) == nil && out != nil
}

// Place is the log index that the receipt of m names. It reports false if the receipt is not genuine.
func Place(m Material) (int64, bool) {
	h := &hearing{}
	if h.read(m) != nil {
		return 0, false
	}
	return h.receipt.index, true
}

// Due is when the log has to have the entry of the receipt of m. It reports false if the receipt is not genuine.
func Due(m Material) (time.Time, bool) {
	h := &hearing{}
	if h.read(m) != nil {
		return time.Time{}, false
	}
	return h.receipt.at.Add(h.keys.delay), true
}
