package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// chain checks hash, columns and predecessor of each event.
func (v *verifier) chain(links []link) {
	var prev []byte
	for i := range links {
		l := &links[i]
		sum := sha256.Sum256(l.Payload)
		if !bytes.Equal(sum[:], l.Hash) {
			v.fail("hash", "event %d: its payload hashes to %x, recorded is %x", l.Seq, sum, l.Hash)
		}
		if l.Seq != i+1 {
			v.fail("chain", "event %d is missing: the next one found is %d", i+1, l.Seq)
		}
		if !bytes.Equal(l.Prev, prev) {
			v.fail("chain", "event %d does not follow event %d", l.Seq, i)
		}
		prev = sum[:]
		p, err := decode(l.Payload)
		if err != nil {
			v.expect("hash", l.Seq, err)
			continue
		}
		v.expect("hash", l.Seq, l.agrees(p))
		if got := deref(p.Prev); got != hex.EncodeToString(l.Prev) {
			v.fail("chain", "event %d names %q as its predecessor", l.Seq, got)
		}
	}
}

// agrees compares the payload with the columns beside it.
func (l *link) agrees(p *payload) error {
	if _, err := payloadInstant(p.At); err != nil {
		return errors.New("its payload has no time")
	}
	if p.Event != l.Type || p.Seq != l.Seq || l.Topic != p.Event.Topic() {
		return fmt.Errorf("its payload is event %d, %s; the row says %d, %s on topic %s", p.Seq, p.Event, l.Seq, l.Type, l.Topic)
	}
	return nil
}

// current compares the report as it is now with its newest event.
func (v *verifier) current(links []link, s *snapshot, salt []byte) {
	if len(links) == 0 {
		return
	}
	p, err := decode(links[len(links)-1].Payload)
	if err != nil {
		return // the check of hashes reports it
	}
	now := s.members()
	if deref(&s.number) != deref(p.ReportNumber) {
		v.fail("report", "its number is %s now, the newest event records %s", s.number, deref(p.ReportNumber))
	}
	if p.Version == 1 { // its members are fewer, and do not wait for the verdict
		where := place{Lat: math.Round(s.Latitude*1e4) / 1e4, Lon: math.Round(s.Longitude*1e4) / 1e4}
		now = stateMembers{IssueType: s.IssueType, Status: s.Status, Severity: s.Severity, Location: &where}
	}
	recorded := p.stateMembers
	for _, m := range []*stateMembers{&now, &recorded} { // these have checks of their own
		m.Images, m.Thumbs, m.ImagesDigest, m.ContentHash = nil, nil, "", ""
	}
	v.same("report", now, recorded)
	v.content(p, s, salt)
	v.images(p, s)
}

// same records a failure of the property for the first member that differs.
func (v *verifier) same(property string, now, recorded any) {
	a, b := membersOf(now), membersOf(recorded)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if string(a[name]) != string(b[name]) {
			v.fail(property, "its %s is %s now, the newest event records %s", name, a[name], b[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if a[name] == nil {
			v.fail(property, "it has no %s now, the newest event records %s", name, b[name])
		}
	}
}

// membersOf are the members of v as JSON, by name.
func membersOf(v any) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage)
	if raw, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(raw, &out) // it is an object
	}
	return out
}

func (v *verifier) content(p *payload, s *snapshot, salt []byte) {
	if salt == nil {
		v.notes["content"] = "erased: the proofs stand, the content can no longer be told"
		return
	}
	hash := s.contentHash
	if p.Version == 1 {
		hash = s.contentHashV1
	}
	now, err := hash(salt)
	if err != nil {
		v.fail("content", "%s", err)
		return
	}
	recorded, err := hex.DecodeString(p.ContentHash)
	if err != nil || !hmac.Equal(now, recorded) {
		v.fail("content", "text, exact place or time differ from those of the newest event")
	}
}

// images checks that the report has every photograph of its newest event. It may have more: the next event records
// photographs that were processed later.
func (v *verifier) images(p *payload, s *snapshot) {
	digest := s.imagesDigest
	if p.Version == 1 {
		digest = s.imagesDigestV1
	}
	if p.ImagesDigest != "" {
		if digest() != p.ImagesDigest {
			v.fail("images", "the photographs differ from those of the newest event")
		}
		return
	}
	var now []string
	for _, picture := range s.Pictures {
		now = append(now, hex.EncodeToString(picture.Display))
	}
	for _, h := range p.Images {
		if !slices.Contains(now, h) {
			v.fail("images", "photograph %s… of the newest event is gone or was changed", h[:min(8, len(h))])
		}
	}
	if extra := len(now) - len(p.Images); extra > 0 && v.breaks["images"] == "" {
		v.notes["images"] = fmt.Sprintf("%d photographs as recorded, %d waiting for the next event", len(p.Images), extra)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return strings.ToLower(*s)
}
