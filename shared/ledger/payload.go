package ledger

import (
	"crypto/hmac"
	"crypto/rand"
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

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// MaxMessage is the most bytes of one message of the consensus service.
const MaxMessage = 1024

// maxListedImages keeps payloads within MaxMessage; more images are recorded as one digest.
const maxListedImages = 4

// Limits of the texts that come from a model's answer or from configuration, in bytes.
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

// changedBy is the kind of actor and the code of its agency, never a person.
type changedBy struct {
	Kind   string `json:"kind"`
	Agency string `json:"agency,omitempty"`
}

// place is in degrees (WGS 84), rounded to 4 decimals, about 11 metres: it is public and must not show a front door.
type place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// payloadTime is RFC 3339 in UTC with milliseconds.
const payloadTime = "2006-01-02T15:04:05.000Z"

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

// imageFields returns the hashes in hex, or one digest of all of them if there are more than maxListedImages.
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

// ErrNoReport reports that no report has the id.
var ErrNoReport = errors.New("no such report")

// snapshot is the part of a report that an event records.
type snapshot struct {
	State
	id                  uuid.UUID
	number              string
	latitude, longitude float64
	capturedAt          *time.Time
	images              [][]byte // SHA-256 of the processed public renditions, oldest first
	agency              string   // code of the actor's agency; only set to append an event
}

const selectSnapshot = `
SELECT r.id, r.report_number, r.issue_type, coalesce(r.issue_type_raw, ''), r.severity, r.status, r.title, r.description,
       r.latitude, r.longitude, r.captured_at,
       ARRAY(SELECT u.display_sha256 FROM report_images i JOIN uploads u ON u.id = i.upload_id
             WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL
             ORDER BY i.created_at, i.id)
FROM reports r WHERE r.id = ` + report.IDSQL

// lockSnapshot also locks the report's row, for appending an event.
const lockSnapshot = selectSnapshot + ` FOR NO KEY UPDATE OF r`

// scanSnapshot reads a row of selectSnapshot.
func scanSnapshot(row pgx.CollectableRow) (*snapshot, error) {
	var s snapshot
	err := row.Scan(&s.id, &s.number, &s.IssueType, &s.IssueTypeRaw, &s.Severity, &s.Status,
		&s.Title, &s.Description, &s.latitude, &s.longitude, &s.capturedAt, &s.images)
	return &s, err
}

func (s *snapshot) rounded() place {
	return place{Lat: math.Round(s.latitude*1e4) / 1e4, Lon: math.Round(s.longitude*1e4) / 1e4}
}

// content is the part of a report that may be personal: free text, the exact place, the time of the photograph. A payload
// has only its salted hash.
type content struct {
	Title        string  `json:"title"`
	Description  string  `json:"description"`
	IssueTypeRaw string  `json:"issue_type_raw"`
	Latitude     float64 `json:"latitude"`
	Longitude    float64 `json:"longitude"`
	CapturedAt   *string `json:"captured_at"` // with microseconds, the precision of the database
}

// contentHash is HMAC-SHA-256 of the canonical content under the report's salt.
func (s *snapshot) contentHash(salt []byte) ([]byte, error) {
	c := content{Title: s.Title, Description: s.Description, IssueTypeRaw: s.IssueTypeRaw, Latitude: s.latitude, Longitude: s.longitude}
	if s.capturedAt != nil {
		at := s.capturedAt.UTC().Format("2006-01-02T15:04:05.000000Z")
		c.CapturedAt = &at
	}
	raw, err := canonical(c)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write(raw)
	return mac.Sum(nil), nil
}

const saltBytes = 32

// newSalt makes and stores the salt of a report, with its first event.
func newSalt(p database.Pipeline, report uuid.UUID, at time.Time) []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	p.Queue(`INSERT INTO report_salts (report_id, salt, created_at) VALUES ($1, $2, $3)`, report, salt, at)
	return salt
}

// selectSalt has no row after ForgetPerson.
const selectSalt = `SELECT salt FROM report_salts WHERE report_id = $1 AND seq = 1`

// ForgetPerson deletes the salts of a person's reports. Without the salt nobody can confirm a guess of a title, a
// description or an exact place by its hash. The proofs that the events existed stay valid. It cannot be undone.
func ForgetPerson(p database.Pipeline, user uuid.UUID) {
	p.Queue(`DELETE FROM report_salts WHERE report_id IN (SELECT id FROM reports WHERE user_id = $1)`, user)
}
