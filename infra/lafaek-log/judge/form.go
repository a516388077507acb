package judge

import (
	"encoding/json"
	"strings"
)

// Form is what a text is, as far as its shape tells.
type Form int

// The forms.
const (
	IsUnknown Form = iota
	IsReceipt
	IsAnswer // content with its receipt in it
	IsProof
	IsCheckpoint
	IsKeys
	IsContent
)

// FormOf recognises a text. IsUnknown is anything else, such as an error answer or a web page.
func FormOf(text string) Form {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if !strings.HasPrefix(text, "{") {
		return formOfLines(lines(text))
	}
	all, ok := members(text)
	if !ok {
		return IsUnknown
	}
	has := func(name string) bool { _, ok := all[name]; return ok }
	inner, answer := members(string(all["receipt"]))
	switch {
	case has("receipts_vkeys") || has("receipts_vkey"):
		return IsKeys
	case answer && isNote(inner["note"]) && kindOf(all) != noContent:
		return IsAnswer
	case answer && isNote(inner["note"]) || isNote(all["note"]):
		return IsReceipt
	case has("checkpoint") || has("messages") || has("consensus_timestamp"):
		return IsCheckpoint
	case kindOf(all) != noContent:
		return IsContent
	}
	return IsUnknown
}

// isNote reports whether a value is the text of a signed note, and not somebody's words with a dash in them.
func isNote(value json.RawMessage) bool { return formOfLines(lines(textOf(value))) == IsReceipt }

// formOfLines recognises a text that is no JSON.
func formOfLines(all []string) Form {
	if len(all) > 0 && strings.HasPrefix(all[0], "c2sp.org/tlog-proof@") {
		return IsProof
	}
	all = cutReceipt(all)
	for i, line := range all {
		if !isSignature(line) {
			continue
		}
		switch {
		case i >= 5 && isNumber(all[i-3]):
			return IsReceipt
		case i >= 3 && isNumber(all[1]):
			return IsCheckpoint
		}
	}
	return IsUnknown
}

// isNumber reports whether a line is a place or a size.
func isNumber(line string) bool { _, ok := number(line); return ok }
