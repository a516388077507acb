package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// MaxMessage is what one message of the consensus service carries, in bytes.
const MaxMessage = 1024

// maxListedImages keeps payloads within MaxMessage; more images are recorded as one digest.
const maxListedImages = 4

// Bounds of the words that come from a model's answer or from configuration, in bytes.
const (
	maxWord  = 40
	maxModel = 64
)

// payload is an event as the ledger holds it. Canonical JSON sorts the members.
type payload struct {
	Version      int         `json:"v"`
	Event        Type        `json:"event"`
	ReportNumber string      `json:"report_number"`
	Seq          int         `json:"seq"`
	Prev         *string     `json:"prev"` // hex of the previous payload's SHA-256
	At           string      `json:"ts"`
	ChangedBy    changedBy   `json:"changed_by"`
	IssueType    string      `json:"issue_type"`
	Severity     string      `json:"severity"`
	Status       string      `json:"status"`
	OldStatus    string      `json:"old_status,omitempty"`
	Location     place       `json:"location"`
	Images       []string    `json:"images,omitempty"`        // SHA-256 of the public renditions
	ImagesDigest string      `json:"images_digest,omitempty"` // instead, past maxListedImages
	ContentHash  string      `json:"content_hash,omitempty"`  // absent once the report's salt is gone
	AI           *Assessment `json:"ai,omitempty"`
}

// changedBy is an actor's class, and the code of an agency; never a person.
type changedBy struct {
	Kind   string `json:"kind"`
	Agency string `json:"agency,omitempty"`
}

// place is rounded to 4 decimals, about 11 metres: public, and no front door.
type place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// payloadTime is RFC 3339 in UTC with milliseconds.
const payloadTime = "2006-01-02T15:04:05.000Z"

// canonical is v as canonical JSON (RFC 8785).
func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("canonicalize: %w", err)
	}
	return out, nil
}

// encode makes the payload of e out of the report's state s and its place in the chain.
func encode(e Event, s *snapshot, seq int, prev, contentHash []byte) ([]byte, error) {
	p := payload{
		Version: 1, Event: e.Type, ReportNumber: s.number, Seq: seq, At: e.At.UTC().Format(payloadTime),
		ChangedBy: changedBy{Kind: e.Actor.Kind, Agency: bounded(s.agency, maxWord)},
		IssueType: s.IssueType, Severity: s.Severity, Status: s.Status, OldStatus: e.OldStatus,
		Location: s.rounded(), ContentHash: hex.EncodeToString(contentHash),
	}
	p.Images, p.ImagesDigest = imageFields(s.images)
	if prev != nil {
		h := hex.EncodeToString(prev)
		p.Prev = &h
	}
	if e.AI != nil {
		p.AI = &Assessment{
			Relevant: e.AI.Relevant, Confidence: math.Round(e.AI.Confidence*1e4) / 1e4,
			Severity: bounded(e.AI.Severity, maxWord), DamageType: bounded(e.AI.DamageType, maxWord), Model: bounded(e.AI.Model, maxModel),
		}
	}
	out, err := canonical(p)
	if err != nil {
		return nil, err
	}
	if len(out) > MaxMessage {
		return nil, fmt.Errorf("payload of %d bytes exceeds a message of %d", len(out), MaxMessage)
	}
	return out, nil
}

// imageFields lists hashes, or digests them all when they would not fit.
func imageFields(images [][]byte) ([]string, string) {
	if len(images) > maxListedImages {
		all := sha256.New()
		for _, h := range images {
			_, _ = all.Write(h)
		}
		return nil, hex.EncodeToString(all.Sum(nil))
	}
	var list []string
	for _, h := range images {
		list = append(list, hex.EncodeToString(h))
	}
	return list, ""
}

func decode(raw []byte) (*payload, error) {
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("payload is no JSON: %w", err)
	}
	again, err := jcs.Transform(raw)
	if err != nil || string(again) != string(raw) {
		return nil, errors.New("payload is not in canonical form")
	}
	return &p, nil
}

// check validates what the caller says.
func (e *Event) check() error {
	switch e.Type {
	case Submitted, StatusMoved, AIValidated, Amended, Withdrawn:
	default:
		return fmt.Errorf("event type %q is unknown", e.Type)
	}
	switch e.Actor.Kind {
	case "citizen", "ai", "moderator", "government_official", "admin", "system":
	default:
		return fmt.Errorf("actor kind %q is unknown", e.Actor.Kind)
	}
	if e.At.IsZero() || e.At.Year() > 9999 {
		return errors.New("event has no time")
	}
	if (e.Type == StatusMoved) != (e.OldStatus != "") {
		return errors.New("an old status belongs to a status change, and to nothing else")
	}
	if (e.Type == AIValidated) != (e.AI != nil) {
		return errors.New("an assessment belongs to an AI validation, and to nothing else")
	}
	if e.AI != nil && (math.IsNaN(e.AI.Confidence) || e.AI.Confidence < 0 || e.AI.Confidence > 1) {
		return errors.New("confidence is outside 0 to 1")
	}
	return nil
}

// bounded keeps the letters, digits and plain punctuation of s, n bytes at most:
// what a model answers must neither break the form nor grow in escaping.
func bounded(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" _-.:/", r) {
			return r
		}
		return -1
	}, s)
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

func payloadInstant(s string) (time.Time, error) { return time.Parse(payloadTime, s) }
