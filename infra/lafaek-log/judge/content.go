package judge

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/tlog"
)

// maxEntries bounds the entries with which content is compared.
const maxEntries = 16

// object is a JSON object with its values as they were written.
type object = map[string]json.RawMessage

var null = json.RawMessage("null")

// Members of a report under its salt. The names of the place are often set after the report was filed.
var (
	wordMembers = []string{"title", "description", "issue_type_raw", "latitude", "longitude", "captured_at"}
	placeNames  = []string{"address", "street", "suco", "district", "municipality"}
)

// kind is what a content is.
type kind int

const (
	noContent kind = iota
	aReport
	aComment
	anAssignment
	aNote
)

// reportMembers are what every answer about a report has. An error answer has a title too.
var reportMembers = []string{"title", "description", "latitude", "longitude"}

// kindOf recognises a content by its members.
func kindOf(given object) kind {
	has := func(name string) bool { _, ok := given[name]; return ok }
	switch {
	case !slices.ContainsFunc(reportMembers, func(name string) bool { return !has(name) }):
		return aReport
	case isText(given["content"]):
		return aComment
	case has("assigned_to"):
		return anAssignment
	case isText(given["note"]):
		return aNote
	}
	return noContent
}

// content compares the content with the entry, and with later entries of the report where it is a report. The finding is
// empty if they agree. Without a content of its own, an answer with the receipt in it is compared where that is possible.
func (h *hearing) content(text string) (Finding, error) {
	if strings.TrimSpace(text) != "" {
		return h.given(text)
	}
	if h.receipt.answer != "" {
		differs, err := h.given(h.receipt.answer)
		if !errors.Is(err, refusal{ContentNoSalt, ""}) && !errors.Is(err, refusal{ContentUnreadable, ""}) {
			return differs, err
		}
	}
	h.note(NotCompared, "")
	return Finding{}, nil
}

// given compares one content.
func (h *hearing) given(text string) (Finding, error) {
	given, ok := members(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"))
	is := kindOf(given)
	if !ok || is == noContent {
		return Finding{}, refusal{ContentUnreadable, ""}
	}
	if number := textOf(given["report_number"]); is == aReport && number != "" && number != h.receipt.number {
		return Finding{}, refusal{ContentOther, number}
	}
	entries := h.entries()
	if len(h.receipt.salt) == 0 || len(entries) == 0 {
		return Finding{}, refusal{ContentNoSalt, ""}
	}
	if is != aReport {
		entries = entries[:1] // a note, a comment and an assignment have a salt of their own
	} else if entries[0].NoteHash+entries[0].Comment.Hash+entries[0].AssignmentHash != "" {
		return Finding{}, refusal{ContentNoSalt, ""} // the salt is not that of the report
	}
	return h.compare(given, entries)
}

// compare looks for the entry that vouches for most of the content.
func (h *hearing) compare(given object, entries []entry) (Finding, error) {
	var best *variant
	compared, seq := false, int64(0)
	for _, e := range entries {
		expected, variants := commitment(given, e)
		compared = compared || expected != ""
		for _, v := range variants {
			better := expected != "" && (best == nil || len(v.left) < len(best.left))
			if better && hmac.Equal([]byte(expected), []byte(v.hash(h.receipt.salt))) {
				best, seq = &v, e.Seq
			}
		}
	}
	switch {
	case !compared:
		return Finding{}, refusal{ContentNoHash, ""}
	case best == nil:
		if left := withheld(given, entries[0]); left != "" && !contradicts(given, entries) {
			return Finding{}, refusal{ContentWithheld, left}
		}
		return Finding{ContentDiffers, ""}, nil
	}
	h.note(ContentSame, decimal(seq))
	if len(best.left) > 0 {
		h.note(ContentPart, strings.Join(best.left, ", "))
	}
	return Finding{}, nil
}

// entries returns what the receipt and the proofs vouch for: the receipt's entry first, then others of the report, newest
// first.
func (h *hearing) entries() []entry {
	var own, others []entry
	if h.receipt.payload != nil {
		own = h.receipt.ofReport(own, []byte(*h.receipt.payload))
	}
	for _, p := range h.proofs {
		switch {
		case p.entry == nil || !p.holds(tlog.RecordHash(p.entry)):
		case p.index != h.receipt.index:
			others = h.receipt.ofReport(others, p.entry)
		case len(own) == 0:
			own = h.receipt.ofReport(own, p.entry)
		}
	}
	slices.SortStableFunc(others, func(a, b entry) int { return cmp.Compare(b.Seq, a.Seq) })
	return append(own, others[:min(len(others), maxEntries)]...)
}

// ofReport appends the entry in raw to list if it is one of the receipt's report.
func (r *receipt) ofReport(list []entry, raw []byte) []entry {
	var e entry
	if json.Unmarshal(raw, &e) != nil || e.ReportNumber == nil || *e.ReportNumber != r.number {
		return list
	}
	return append(list, e)
}

// variant is content as an entry may have vouched for it. left names the members that it leaves out.
type variant struct {
	object object
	left   []string
}

// hash is the commitment: HMAC-SHA-256 under the salt over the canonical JSON, in hex.
func (v variant) hash(salt []byte) string {
	raw, err := json.Marshal(v.object)
	if err != nil {
		return ""
	}
	if raw, err = jcs.Transform(raw); err != nil {
		return ""
	}
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write(raw)
	return hex.EncodeToString(mac.Sum(nil))
}

// commitment returns the hash in e for what the content is, and the forms in which the content may have been hashed.
func commitment(given object, e entry) (string, []variant) {
	switch kindOf(given) {
	case aReport:
		return e.ContentHash, reportVariants(given, e)
	case aComment:
		return e.Comment.Hash, []variant{{object: object{"author": author(given), "content": given["content"]}}}
	case anAssignment:
		return e.AssignmentHash, []variant{{object: object{"assigned_to": given["assigned_to"]}}}
	case aNote:
		return e.NoteHash, []variant{{object: object{"note": given["note"]}}}
	}
	return "", nil
}

// author is the person's id, or null. Answers have it in user_id, or in an object reporter or author.
func author(given object) json.RawMessage {
	for _, name := range []string{"author", "user_id", "reporter"} {
		value, ok := given[name]
		if !ok {
			continue
		}
		if person, ok := members(string(value)); ok {
			return member(person, "id")
		}
		return value
	}
	return null
}

// member returns the value of a member; null if it is not there.
func member(given object, name string) json.RawMessage {
	if value, ok := given[name]; ok {
		return value
	}
	return null
}

// moment is an RFC 3339 time in UTC with up to 6 decimals.
var moment = regexp.MustCompile(`^"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z"$`)

// captured is a time with as many decimals as the commitment has.
func captured(value json.RawMessage, decimals int) json.RawMessage {
	parts := moment.FindSubmatch(value)
	if parts == nil {
		return value
	}
	return json.RawMessage(`"` + string(parts[1]) + "." + (string(parts[2]) + "000000")[:decimals] + `Z"`)
}

// reportVariants returns the forms of a report at the time of e. The words, the place, the time and the author are as given.
// Severity and priority may be what e states, or any where it states none. Each name of a place may be unknown still.
func reportVariants(given object, e entry) []variant {
	words := make(object)
	for _, name := range wordMembers {
		words[name] = member(given, name)
	}
	if string(words["issue_type_raw"]) == "null" {
		words["issue_type_raw"] = json.RawMessage(`""`)
	}
	words["captured_at"] = captured(words["captured_at"], 3)
	if e.Version == 1 {
		words["captured_at"] = captured(member(given, "captured_at"), 6)
		return []variant{{object: words}}
	}
	words["author"] = author(given)
	words["location_accuracy"] = member(given, "location_accuracy")
	out := []variant{{object: words}}
	out = vary(out, given, "severity", levels(e.Severity)...)
	out = vary(out, given, "priority", levels(e.Priority)...)
	for _, name := range append([]string{"severity_score"}, placeNames...) {
		out = vary(out, given, name, null)
	}
	return out
}

// vary returns the variants with the value of the content for a member, and with each of the others.
func vary(in []variant, given object, name string, others ...json.RawMessage) []variant {
	own := member(given, name)
	var out []variant
	for _, v := range in {
		v.object[name] = own
		out = append(out, v)
		for _, other := range others {
			if string(other) == string(own) {
				continue
			}
			next := variant{maps.Clone(v.object), append(slices.Clone(v.left), name)}
			next.object[name] = other
			out = append(out, next)
		}
	}
	return out
}

// levels are what the severity or the priority may have been: what the entry states, or any.
func levels(stated string) []json.RawMessage {
	words := []string{"low", "medium", "high", "critical"}
	if stated != "" {
		words = []string{stated}
	}
	out := make([]json.RawMessage, len(words))
	for i, word := range words {
		out[i], _ = json.Marshal(word) // a string always encodes
	}
	return out
}
