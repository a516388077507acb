package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"
)

// MaxMessage is the most bytes of a payload, and of one message of the consensus service.
const MaxMessage = 1024

// maxListedImages is the most pictures whose hashes a payload lists; more are recorded as one digest.
const maxListedImages = 2

// Limits of the texts that come from a model's answer or from configuration, in bytes.
const (
	maxWord         = 40
	maxDamage       = 24
	maxModel        = 40
	maxReportDetail = 160 // of an Incident about a report
)

// payload is an event as the log has it. Canonical JSON sorts the members. A payload of version 1 is read as one of
// version 2 that lacks members.
//
// A payload has at most MaxMessage bytes. What may be long is made shorter: the codes of agencies to 40 bytes, the words of
// a model to 24, its name to 40. More than two pictures are recorded as images_digest, and so are two where the payload
// would be too long with both lists. Where it is still too long, hidden is one digest, and where it is too long even then,
// this digest stands for images_digest too.
type payload struct {
	Version      int       `json:"v"`
	Event        Type      `json:"event"`
	ReportNumber *string   `json:"report_number"` // null for the log itself
	Seq          int       `json:"seq"`
	Prev         *string   `json:"prev"` // hex of the previous payload's SHA-256
	At           string    `json:"ts"`   // as payloadTime
	ChangedBy    changedBy `json:"changed_by"`
	stateMembers
	changeMembers
}

// stateMembers are the state of the report after the event.
type stateMembers struct {
	IssueType    string   `json:"issue_type,omitempty"`
	Status       string   `json:"status,omitempty"`
	Severity     string   `json:"severity,omitempty"` // absent while the status is pending
	Priority     string   `json:"priority,omitempty"` // like severity
	Location     *place   `json:"location,omitempty"`
	Anonymous    bool     `json:"anonymous,omitempty"`
	Source       string   `json:"source,omitempty"`
	Municipality string   `json:"municipality,omitempty"` // code
	Agency       string   `json:"agency,omitempty"`       // code of the assigned agency
	DueAt        string   `json:"due_at,omitempty"`       // as payloadTime
	DuplicateOf  string   `json:"duplicate_of,omitempty"` // number of the original
	Images       []string `json:"images,omitempty"`       // hex of the SHA-256 of the large renditions
	Thumbs       []string `json:"thumbs,omitempty"`       // of the small ones, in the same order; "" where one is not known, absent where none is
	ImagesDigest string   `json:"images_digest,omitempty"`
	Resolution   []int    `json:"resolution_images,omitempty"` // places in Images of the pictures of the repair, from 0
	Held         []int    `json:"held,omitempty"`              // places, from 0, of the pictures that their verdict keeps from others; absent while the status is pending
	Hidden       []string `json:"hidden,omitempty"`            // as State.Hidden; where this would be too long, hiddenDigest alone
	ContentHash  string   `json:"content_hash,omitempty"`      // absent once the report is erased
}

// changeMembers are about the event itself.
type changeMembers struct {
	CreatedAt      string         `json:"created_at,omitempty"` // as payloadTime; of Submitted and baselines
	OldStatus      string         `json:"old_status,omitempty"`
	AI             *Assessment    `json:"ai,omitempty"`      // absent while the status is pending
	AIHash         string         `json:"ai_hash,omitempty"` // of the AI's AIValidated and of baselines: the analysis that the report then shows
	NoteHash       string         `json:"note_hash,omitempty"`
	ReasonCode     string         `json:"reason_code,omitempty"`
	Comment        *commentMember `json:"comment,omitempty"`
	CommentSeq     int            `json:"comment_seq,omitempty"`
	CommentID      *uuid.UUID     `json:"comment_id,omitempty"` // of an Uncommented whose comment has no event
	AssignmentHash string         `json:"assignment_hash,omitempty"`
	Erased         []int          `json:"erased,omitempty"`
	Baseline       bool           `json:"baseline,omitempty"`
	RowsHash       string         `json:"rows_hash,omitempty"`
	Detail         string         `json:"detail,omitempty"`
	OnBehalfOf     bool           `json:"on_behalf_of,omitempty"`
}

// commentMember names a comment and commits to its author and words.
type commentMember struct {
	ID   uuid.UUID `json:"id"`
	Hash string    `json:"hash"`
}

// changedBy is the kind of actor and the code of its agency, never a person.
type changedBy struct {
	Kind   string `json:"kind"`
	Agency string `json:"agency,omitempty"`
}

// place is in degrees (WGS 84), rounded: it is public and must not show a front door.
type place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// payloadTime is RFC 3339 in UTC with milliseconds, the form of answers too.
const payloadTime = "2006-01-02T15:04:05.000Z"

func instant(t *time.Time) *string {
	if t == nil {
		return nil
	}
	out := t.UTC().Format(payloadTime)
	return &out
}

// canonical encodes v as canonical JSON (RFC 8785).
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

// encode returns the payload of e, event number seq of a report with the state s. Prev is the hash of the event before.
func encode(e Event, s *snapshot, seq int, prev []byte, made commitments) ([]byte, error) {
	p := payload{Version: 2, Event: e.Type, Seq: seq, At: e.At.UTC().Format(payloadTime), ChangedBy: changedBy{Kind: e.Actor.Kind}}
	if prev != nil {
		h := hex.EncodeToString(prev)
		p.Prev = &h
	}
	p.changeMembers = e.members(made)
	p.ReportNumber, p.stateMembers = &s.number, s.members()
	p.ContentHash = hex.EncodeToString(made.content)
	if e.Actor.AgencyID != nil {
		p.ChangedBy.Agency = bounded(s.actorAgency, maxWord)
	}
	if e.Type == Submitted || e.Baseline {
		p.CreatedAt = *instant(&s.CreatedAt)
	}
	if !s.decided() {
		p.AI = nil
	}
	out, err := canonical(p)
	if err == nil && len(out) > MaxMessage && len(p.Images) > 0 {
		p.Images, p.Thumbs, p.Resolution, p.ImagesDigest = nil, nil, nil, s.imagesDigest()
		out, err = canonical(p)
	}
	if err == nil && len(out) > MaxMessage && len(p.Hidden) > 0 {
		p.Hidden = []string{hiddenDigest(s.Hidden, "")}
		out, err = canonical(p)
	}
	if err == nil && len(out) > MaxMessage && len(p.Hidden) > 0 && p.ImagesDigest != "" {
		p.Hidden, p.ImagesDigest = []string{hiddenDigest(s.Hidden, p.ImagesDigest)}, ""
		out, err = canonical(p)
	}
	if err != nil {
		return nil, err
	}
	if len(out) > MaxMessage {
		return nil, fmt.Errorf("payload of %d bytes exceeds a message of %d", len(out), MaxMessage)
	}
	return out, nil
}

// members are the members about the event.
func (e *Event) members(made commitments) changeMembers {
	m := changeMembers{OldStatus: e.OldStatus, AIHash: hex.EncodeToString(made.analysis), NoteHash: hex.EncodeToString(made.note),
		ReasonCode: e.ReasonCode, CommentSeq: e.CommentSeq,
		AssignmentHash: hex.EncodeToString(made.assignment), Erased: e.Erased, Baseline: e.Baseline, RowsHash: e.RowsHash, Detail: bounded(e.Detail, maxReportDetail), OnBehalfOf: e.OnBehalfOf}
	if e.Comment != nil {
		m.Comment = &commentMember{ID: e.Comment.ID, Hash: hex.EncodeToString(made.comment)}
	}
	if e.CommentID != uuid.Nil {
		m.CommentID = &e.CommentID
	}
	if e.AI != nil {
		m.AI = &Assessment{
			Relevant: e.AI.Relevant, Confidence: math.Round(e.AI.Confidence*1e4) / 1e4,
			Severity: bounded(e.AI.Severity, maxWord), DamageType: bounded(e.AI.DamageType, maxDamage), Model: bounded(e.AI.Model, maxModel),
		}
	}
	return m
}

// members are the members about the state, but for the content hash.
func (s *State) members() stateMembers {
	where := s.place()
	m := stateMembers{IssueType: s.IssueType, Status: s.Status, Location: &where, Anonymous: s.Anonymous, Source: s.Source,
		Municipality: s.MunicipalityCode, Agency: bounded(s.Agency, maxWord), DuplicateOf: s.DuplicateOf, Hidden: s.Hidden}
	if s.decided() {
		m.Severity, m.Priority, m.Held = s.Severity, s.Priority, s.held()
	}
	if due := instant(s.DueAt); due != nil {
		m.DueAt = *due
	}
	if len(s.Pictures) > maxListedImages {
		m.ImagesDigest = s.imagesDigest()
		return m
	}
	known := false
	for i, p := range s.Pictures {
		if p.Resolution {
			m.Resolution = append(m.Resolution, i)
		}
		m.Images = append(m.Images, hex.EncodeToString(p.Display))
		m.Thumbs = append(m.Thumbs, hex.EncodeToString(p.Thumbnail))
		known = known || p.Thumbnail != nil
	}
	if !known {
		m.Thumbs = nil
	}
	return m
}

// held are the places of the pictures that their verdict keeps from others.
func (s *State) held() []int {
	var out []int
	for i, p := range s.Pictures {
		if p.Held {
			out = append(out, i)
		}
	}
	return out
}

// imagesDigest is the hex of the SHA-256 over the hashes of all pictures, of each the large and then the small rendition.
// The byte 1 follows the hashes of a picture of the repair.
func (s *State) imagesDigest() string {
	all := sha256.New()
	for _, p := range s.Pictures {
		_, _ = all.Write(p.Display)
		_, _ = all.Write(p.Thumbnail)
		if p.Resolution {
			_, _ = all.Write([]byte{1})
		}
	}
	return hex.EncodeToString(all.Sum(nil))
}

// digestPrefix begins a digest that stands for a list.
const digestPrefix = "sha256:"

// hiddenDigest stands for a list of what is hidden: the hex of the SHA-256 over its entries, joined by line feeds. images is
// the images_digest that it stands for too, as a last entry; "" for none.
func hiddenDigest(entries []string, images string) string {
	if images != "" {
		entries = append(slices.Clone(entries), "images:"+images)
	}
	sum := sha256.Sum256([]byte(strings.Join(entries, "\n")))
	return digestPrefix + hex.EncodeToString(sum[:])
}

// imagesDigestV1 is imagesDigest as payloads of version 1 have it, for more than four pictures: of the large renditions alone.
func (s *State) imagesDigestV1() string {
	all := sha256.New()
	for _, p := range s.Pictures {
		_, _ = all.Write(p.Display)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// decode parses a payload and refuses one that is not canonical JSON.
func decode(raw []byte) (*payload, error) {
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("payload is not JSON: %w", err)
	}
	again, err := jcs.Transform(raw)
	if err != nil || string(again) != string(raw) {
		return nil, errors.New("payload is not in canonical form")
	}
	return &p, nil
}

// bounded removes all but letters, digits and plain punctuation from s and cuts it to n bytes: JSON escapes none of these,
// so that an answer of a model cannot make a payload too large.
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
