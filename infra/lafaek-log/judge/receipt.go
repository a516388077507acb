package judge

import (
	"encoding/json"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// instant is the form of times in receipts and entries: RFC 3339 in UTC with milliseconds.
const instant = "2006-01-02T15:04:05.000Z"

// receipt is a receipt of the log, with what came beside it.
type receipt struct {
	note    *note
	number  string // of the report
	index   int64
	leaf    tlog.Hash
	time    string // as written
	at      time.Time
	payload *string
	salt    []byte
	answer  string // the whole JSON, if it was an answer with a receipt in it
}

type receiptJSON struct {
	Note    string  `json:"note"`
	Payload *string `json:"payload"`
	Salt    *string `json:"salt"`
}

// readReceipt parses a receipt. It does not check the signature.
func readReceipt(text string) (*receipt, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if text == "" {
		return nil, refusal{ReceiptMissing, ""}
	}
	malformed := refusal{ReceiptMalformed, ""}
	r := &receipt{}
	if strings.HasPrefix(text, "{") {
		note, ok := r.readJSON(text)
		if !ok {
			return nil, malformed
		}
		text = note
	}
	n, ok := readNote(cutReceipt(lines(text)))
	if !ok || len(n.lines) != 5 {
		return nil, malformed
	}
	r.note, r.number, r.time = n, n.lines[1], n.lines[4]
	leaf, ok := decode64(n.lines[3])
	if !ok || len(leaf) != tlog.HashSize {
		return nil, malformed
	}
	r.leaf = tlog.Hash(leaf)
	if r.index, ok = number(n.lines[2]); !ok {
		return nil, malformed
	}
	at, err := time.Parse(instant, r.time)
	if err != nil {
		return nil, malformed
	}
	r.at = at
	return r, nil
}

// cutReceipt returns the lines of the one receipt in a text, or all where there is none or more than one. A mail has words
// before and after it.
func cutReceipt(all []string) []string {
	at := -1
	for i := 5; i < len(all); i++ {
		hash, ok := decode64(all[i-2])
		if _, placed := number(all[i-3]); !placed || !ok || len(hash) != tlog.HashSize || !isSignature(all[i]) {
			continue
		}
		if at >= 0 {
			return all
		}
		at = i
	}
	if at < 0 {
		return all
	}
	end := at
	for end < len(all) && isSignature(all[end]) {
		for end++; end < len(all) && !strings.HasSuffix(all[end-1], "=") && !isSignature(all[end]); end++ {
		}
	}
	return all[at-5 : end]
}

// isSignature reports whether a line is one of a signature.
func isSignature(line string) bool { return strings.HasPrefix(line, "—") }

// readJSON reads payload and salt out of the JSON form and returns the note.
func (r *receipt) readJSON(text string) (string, bool) {
	var in receiptJSON
	all, ok := members(text)
	if !ok {
		return "", false
	}
	raw := []byte(text)
	if inner, ok := all["receipt"]; ok {
		raw, r.answer = inner, text
	}
	if json.Unmarshal(raw, &in) != nil || in.Note == "" {
		return "", false
	}
	r.payload = in.Payload
	if in.Salt != nil && *in.Salt != "" {
		if r.salt, ok = decode64(strings.TrimSpace(*in.Salt)); !ok || len(r.salt) != 32 {
			return "", false
		}
	}
	return in.Note, true
}

// verify checks the origin, the key and the signature.
func (r *receipt) verify(k *keys) error {
	if r.note.lines[0] != k.origin {
		return refusal{OtherLog, r.note.lines[0]}
	}
	outside := false
	for _, key := range k.receipts {
		if key.name != k.origin+"/receipts" {
			continue
		}
		switch s, _ := r.note.signedBy(key.vkey); {
		case s == wrong:
			return refusal{SignatureWrong, ""}
		case s == good && r.index < key.until:
			return nil
		case s == good:
			outside = true
		}
	}
	if outside {
		return refusal{KeyNotValid, decimal(r.index)}
	}
	return refusal{KeyUnknown, ""}
}

// entry is what the judge reads of an entry's data.
type entry struct {
	Version      int     `json:"v"`
	ReportNumber *string `json:"report_number"`
	Seq          int64   `json:"seq"`
	Time         string  `json:"ts"`
	Severity     string  `json:"severity"`
	Priority     string  `json:"priority"`
	Source       string  `json:"source"`
	CreatedAt    string  `json:"created_at"`
	Location     struct {
		Lat *float64 `json:"lat"`
		Lon *float64 `json:"lon"`
	} `json:"location"`
	ContentHash    string `json:"content_hash"`
	NoteHash       string `json:"note_hash"`
	AssignmentHash string `json:"assignment_hash"`
	Comment        struct {
		Hash string `json:"hash"`
	} `json:"comment"`
}

// payloadDiffers returns why the payload is not the entry that the receipt promises; empty if it is, or is not there.
func (r *receipt) payloadDiffers() Code {
	if r.payload == nil {
		return ""
	}
	if tlog.RecordHash([]byte(*r.payload)) != r.leaf {
		return PayloadDiffers
	}
	var e entry
	if json.Unmarshal([]byte(*r.payload), &e) != nil || e.ReportNumber == nil || *e.ReportNumber != r.number || e.Time != r.time {
		return PayloadOther
	}
	return ""
}
