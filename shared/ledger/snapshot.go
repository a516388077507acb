package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/report"
)

// ErrNoReport reports that no report has the id.
var ErrNoReport = errors.New("no such report")

// snapshot is the state of a report that its events vouch for.
type snapshot struct {
	State
	id                  uuid.UUID
	number              string
	latitude, longitude float64
	capturedAt          *time.Time
	images              [][]byte // SHA-256 of the processed public renditions, oldest first
	agency              string   // code of the actor's, while appending
}

const selectSnapshot = `
SELECT r.id, r.report_number, r.issue_type, coalesce(r.issue_type_raw, ''), r.severity, r.status, r.title, r.description,
       r.latitude, r.longitude, r.captured_at,
       ARRAY(SELECT u.display_sha256 FROM report_images i JOIN uploads u ON u.id = i.upload_id
             WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL
             ORDER BY i.created_at, i.id)
FROM reports r WHERE r.id = ` + report.IDSQL

// lockSnapshot also takes the report's row lock, under which a chain grows.
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

// content is what of a report may be personal: free text, the exact place, the
// time of the photograph. Only its salted hash leaves the database.
type content struct {
	Title        string  `json:"title"`
	Description  string  `json:"description"`
	IssueTypeRaw string  `json:"issue_type_raw"`
	Latitude     float64 `json:"latitude"`
	Longitude    float64 `json:"longitude"`
	CapturedAt   *string `json:"captured_at"` // with microseconds, all the database keeps
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
