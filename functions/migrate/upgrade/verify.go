package upgrade

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
)

// payload has the members of version 1 that are compared.
type payload struct {
	Version      int     `json:"v"`
	Event        string  `json:"event"`
	ReportNumber string  `json:"report_number"`
	Seq          int     `json:"seq"`
	Prev         *string `json:"prev"`
	At           string  `json:"ts"`
	ChangedBy    struct {
		Kind string `json:"kind"`
	} `json:"changed_by"`
	IssueType    string   `json:"issue_type"`
	Severity     string   `json:"severity"`
	Status       string   `json:"status"`
	Location     place    `json:"location"`
	Images       []string `json:"images"`
	ImagesDigest string   `json:"images_digest"`
	ContentHash  string   `json:"content_hash"`
	Baseline     bool     `json:"baseline"`
	Erased       []int    `json:"erased"`
}

// place is in degrees, rounded to 4 decimals.
type place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// verdict is the verification of one report by the rules of the first version, and by two more that its events allow: the
// row is gone only after REPORT_WITHDRAWN, and its salt is missing only where the reporter's account is deleted.
type verdict struct {
	*record
	// broken is the first thing that differs; "" where nothing does.
	broken string
	// old reports that the first event is of version 1.
	old bool
	// done reports that an earlier run has upgraded the report: a backup that was restored forgets how far it came.
	done bool
	// removed reports that somebody else than the reporter withdrew the report.
	removed bool
	// rejectedBy is the kind of actor of the newest event that left the report rejected; "" without one.
	rejectedBy string

	events int
	hash   []byte   // of the newest payload
	newest *payload // nil without one that can be read
}

// pending reports that the report has to be upgraded.
func (v *verdict) pending() bool { return v.old && !v.done || v.events == 0 }

func (v *verdict) fail(format string, args ...any) {
	if v.broken == "" {
		v.broken = fmt.Sprintf(format, args...)
	}
}

// take verifies the next event.
func (v *verdict) take(e *event) {
	v.events++
	sum := sha256.Sum256(e.Payload)
	switch {
	case !bytes.Equal(sum[:], e.Hash):
		v.fail("event %d does not have the recorded hash", e.Seq)
	case e.Seq != v.events:
		v.fail("event %d is missing", v.events)
	case !bytes.Equal(e.Prev, v.hash):
		v.fail("event %d does not follow event %d", e.Seq, e.Seq-1)
	}
	v.hash = bytes.Clone(e.Hash)
	p, err := decode(e.Payload)
	if err != nil {
		v.newest = nil
		v.fail("event %d: %s", e.Seq, err)
		return
	}
	if p.Event != e.Type || p.Seq != e.Seq || p.ReportNumber != v.Number || deref(p.Prev) != hex.EncodeToString(e.Prev) {
		v.fail("event %d: its payload is about another event", e.Seq)
	}
	v.old = v.old || v.events == 1 && p.Version == 1
	if p.Version == 1 {
		v.anchored(e)
	}
	v.done = v.done || p.Version > 1 && (p.Baseline || p.Event == "INCIDENT" || len(p.Erased) > 0)
	v.removed = p.Event == "REPORT_WITHDRAWN" && p.ChangedBy.Kind != "citizen"
	if p.Status == "rejected" && (v.newest == nil || v.newest.Status != "rejected") {
		v.rejectedBy = p.ChangedBy.Kind
	}
	v.newest = p
}

// anchored verifies that the event is in the message that it was submitted in. One that was not submitted yet has none.
func (v *verdict) anchored(e *event) {
	switch {
	case !e.Queued:
		v.fail("event %d was never queued for the ledger", e.Seq)
	case e.BatchSize == nil:
	case *e.BatchSize == 0:
		if !bytes.Equal(e.Message, e.Payload) {
			v.fail("event %d differs from its message", e.Seq)
		}
	default:
		if err := checkInclusion(e.Message, e.Payload, e.Proof, e.LeafIndex); err != nil {
			v.fail("event %d is not in the batch of its message: %s", e.Seq, err)
		}
	}
}

// finish compares the row with the newest event.
func (v *verdict) finish() {
	if v.events == 0 {
		v.fail("the report has no events")
	}
	if v.Salt == nil && !v.AuthorErased {
		v.fail("the salt of its content is missing")
	}
	p := v.newest
	if p == nil || p.Version != 1 {
		return // later versions vouch for more; their verification compares it
	}
	if v.Gone != (p.Event == "REPORT_WITHDRAWN") {
		v.fail("it is withdrawn, or its newest event is, and the other is not")
	}
	here := place{Lat: math.Round(v.Latitude*1e4) / 1e4, Lon: math.Round(v.Longitude*1e4) / 1e4}
	if v.IssueType != p.IssueType || v.Severity != p.Severity || v.Status != p.Status || here != p.Location {
		v.fail("type, severity, status or place differ from the newest event")
	}
	if v.Salt != nil && !v.AuthorErased {
		if err := v.content(p.ContentHash); err != nil {
			v.fail("%s", err)
		}
	}
	v.images(p)
}

// content compares text, exact place and time of capture with their salted hash.
func (v *verdict) content(recorded string) error {
	content := struct {
		Title        string  `json:"title"`
		Description  string  `json:"description"`
		IssueTypeRaw string  `json:"issue_type_raw"`
		Latitude     float64 `json:"latitude"`
		Longitude    float64 `json:"longitude"`
		CapturedAt   *string `json:"captured_at"`
	}{v.Title, v.Description, v.IssueTypeRaw, v.Latitude, v.Longitude, nil}
	if v.CapturedAt != nil {
		at := v.CapturedAt.UTC().Format("2006-01-02T15:04:05.000000Z")
		content.CapturedAt = &at
	}
	raw, err := json.Marshal(content)
	if err != nil {
		return err
	}
	if raw, err = jcs.Transform(raw); err != nil {
		return err
	}
	mac := hmac.New(sha256.New, v.Salt)
	_, _ = mac.Write(raw)
	if want, err := hex.DecodeString(recorded); err != nil || !hmac.Equal(mac.Sum(nil), want) {
		return errors.New("text, exact place or time of capture differ from the newest event")
	}
	return nil
}

// images verifies that the report has every picture of its newest event. It may have more: the first version recorded a
// picture with the event after its processing.
func (v *verdict) images(p *payload) {
	if p.ImagesDigest != "" {
		all := sha256.New()
		for _, d := range v.Displays {
			_, _ = all.Write(d)
		}
		if hex.EncodeToString(all.Sum(nil)) != p.ImagesDigest {
			v.fail("the pictures differ from those of the newest event")
		}
		return
	}
	for _, h := range p.Images {
		if !slices.ContainsFunc(v.Displays, func(d []byte) bool { return hex.EncodeToString(d) == h }) {
			v.fail("a picture of the newest event is gone or was changed")
		}
	}
}

// decode parses a payload and refuses one that is not canonical JSON (RFC 8785).
func decode(raw []byte) (*payload, error) {
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, errors.New("its payload cannot be read")
	}
	if again, err := jcs.Transform(raw); err != nil || !bytes.Equal(again, raw) {
		return nil, errors.New("its payload is not in canonical form")
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", p.At); err != nil {
		return nil, errors.New("its payload has no time")
	}
	return &p, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return strings.ToLower(*s)
}
