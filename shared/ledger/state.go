package ledger

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/report"
)

// ErrNoReport reports that no report has the id.
var ErrNoReport = errors.New("no such report")

// State is what the public or the reporter sees of a report, and so what its events record. Each event has the state
// that it leaves behind.
type State struct {
	IssueType, Status  string
	Severity, Priority string // in payloads once the report is not pending
	Source             string
	Anonymous          bool
	CreatedAt          time.Time
	DueAt              *time.Time
	MunicipalityCode   string // "" without one
	Agency             string // code of the assigned agency; "" without one
	DuplicateOf        string // number of the original; "" without one
	// Pictures are the processed ones, in the order in which they were added.
	Pictures []Picture
	// Hidden names what moderators or flags keep from others than staff and the author, sorted: "words", "image:<place in
	// Pictures, from 0>", "comment:<seq of its COMMENT_ADDED>". A comment of an earlier version is named by its id.
	Hidden []string

	// The rest is in payloads as one salted hash.

	Title, Description, IssueTypeRaw              string
	Latitude, Longitude                           float64 // degrees WGS 84
	CapturedAt                                    *time.Time
	Author                                        *uuid.UUID // the person, or the API key of another system; nil once erased
	Address, Street, Suco, District, Municipality *string
	SeverityScore                                 *int
	LocationAccuracy                              *float64 // metres, in single precision as the database has it

	// Analysis is the one that the report shows, as JSON with the members of ai_hash; "" without one.
	Analysis string

	// Located says that the report was verified, in progress, fixed or a duplicate at some time. Its place is then public
	// to 4 decimals (about 11 metres), else to 3 (about 110 metres).
	Located bool
}

// Picture is a processed picture of a report.
type Picture struct {
	Display   []byte // SHA-256 of the large rendition
	Thumbnail []byte // SHA-256 of the small one; nil for a picture that an earlier version processed
	// Resolution says that it shows the repair.
	Resolution bool
	// Held says that its verdict keeps it from others. The setting publish_before_verdict can show it all the same.
	Held bool
	// Shown says that its upload is in the state in which pictures are shown.
	Shown bool
	// Hidden says that a moderator or flags keep it from others.
	Hidden bool
}

// snapshot is a report as an event records it.
type snapshot struct {
	State
	id          uuid.UUID
	number      string
	actorAgency string // code of the actor's agency; only set to append an event
}

// locates lists the states from which on the place of a report is public to 4 decimals.
const locates = `('verified', 'in_progress', 'fixed', 'duplicate')`

// shownAnalysis is the analysis that the report r shows. Numbers are as answers have them.
const shownAnalysis = `(SELECT (json_build_object('model', n.model, 'analyzed_at', to_char(n.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'is_relevant', n.is_relevant, 'relevance_confidence', n.relevance_confidence::float8, 'relevance_reason', n.relevance_reason,
  'damage_type', n.damage_type, 'issue_type', n.issue_type, 'severity', n.severity, 'severity_score', n.severity_score,
  'confidence', n.confidence::float8, 'title', n.title, 'description', n.description, 'recommended_repair', n.recommended_repair,
  'repair_urgency', n.repair_urgency, 'hazards', n.hazards)::jsonb || CASE WHEN n.translations IS NULL THEN '{}' ELSE jsonb_build_object('translations', n.translations) END)::text
  FROM ai_analyses n WHERE n.id = r.ai_analysis_id)`

const selectSnapshot = `
SELECT r.id, r.report_number, r.issue_type, coalesce(r.issue_type_raw, ''), r.severity, r.priority, r.status, r.title, r.description,
       r.latitude, r.longitude, r.captured_at, r.created_at, coalesce(r.user_id, r.api_key_id), r.is_anonymous, r.source, r.address, r.street, r.suco,
       r.district, r.municipality, coalesce(r.municipality_code, ''), r.severity_score, r.location_accuracy, r.due_at, coalesce(` + shownAnalysis + `, ''),
       coalesce((SELECT code FROM agencies WHERE id = r.assigned_agency_id), ''),
       coalesce((SELECT report_number FROM reports o WHERE o.id = r.duplicate_of), ''),
       r.status IN ` + locates + ` OR EXISTS (SELECT FROM report_status_history h WHERE h.report_id = r.id AND h.new_status IN ` + locates + `),
       p.displays, p.thumbnails, p.held, p.shown, p.resolutions, p.hidden, r.words_hidden IS NOT NULL,
       ARRAY(SELECT coalesce(c.seq::text, c.id::text) FROM report_comments c WHERE c.report_id = r.id AND c.hidden IS NOT NULL)
FROM reports r, LATERAL (
  SELECT array_agg(u.display_sha256 ORDER BY i.created_at, i.id) AS displays, array_agg(u.thumbnail_sha256 ORDER BY i.created_at, i.id) AS thumbnails,
         array_agg(` + report.HeldPictureSQL + ` ORDER BY i.created_at, i.id) AS held, array_agg(u.state = 'processed' ORDER BY i.created_at, i.id) AS shown,
         array_agg(i.kind = 'resolution' ORDER BY i.created_at, i.id) AS resolutions,
         array_agg(i.hidden IS NOT NULL ORDER BY i.created_at, i.id) AS hidden
  FROM report_images i JOIN uploads u ON u.id = i.upload_id
  WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL) p
WHERE r.id = ` + report.IDSQL

// scanSnapshot reads a row of selectSnapshot.
func scanSnapshot(row pgx.CollectableRow) (*snapshot, error) {
	var s snapshot
	var displays, thumbnails [][]byte
	var held, shown, resolutions, hidden []bool
	var wordsHidden bool
	var comments []string
	err := row.Scan(&s.id, &s.number, &s.IssueType, &s.IssueTypeRaw, &s.Severity, &s.Priority, &s.Status, &s.Title, &s.Description,
		&s.Latitude, &s.Longitude, &s.CapturedAt, &s.CreatedAt, &s.Author, &s.Anonymous, &s.Source, &s.Address, &s.Street, &s.Suco,
		&s.District, &s.Municipality, &s.MunicipalityCode, &s.SeverityScore, &s.LocationAccuracy, &s.DueAt, &s.Analysis, &s.Agency, &s.DuplicateOf, &s.Located,
		&displays, &thumbnails, &held, &shown, &resolutions, &hidden, &wordsHidden, &comments)
	for i := range displays {
		s.Pictures = append(s.Pictures, Picture{Display: displays[i], Thumbnail: thumbnails[i], Held: held[i], Shown: shown[i], Resolution: resolutions[i], Hidden: hidden[i]})
	}
	s.Hidden = hiddenOf(wordsHidden, s.Pictures, comments)
	return &s, err
}

// hiddenOf is State.Hidden; comments are those that are hidden.
func hiddenOf(words bool, pictures []Picture, comments []string) []string {
	var out []string
	if words {
		out = append(out, "words")
	}
	for i, p := range pictures {
		if p.Hidden {
			out = append(out, "image:"+strconv.Itoa(i))
		}
	}
	for _, c := range comments {
		out = append(out, "comment:"+c)
	}
	slices.Sort(out)
	return out
}

// decided reports whether the report has a verdict.
func (s *State) decided() bool { return s.Status != string(report.Pending) }

// place is the report's place, rounded to as many decimals as the public may know.
func (s *State) place() place {
	scale := 1e3
	if s.Located {
		scale = 1e4
	}
	return place{Lat: math.Round(s.Latitude*scale) / scale, Lon: math.Round(s.Longitude*scale) / scale}
}

// content is the part of a report that may be personal: words, the exact place, the time of the photograph, the author, and
// the findings that are held back while the report is pending. A payload has only its salted hash.
type content struct {
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	IssueTypeRaw  string     `json:"issue_type_raw"` // "" without one
	Latitude      float64    `json:"latitude"`
	Longitude     float64    `json:"longitude"`
	CapturedAt    *string    `json:"captured_at"` // as payloadTime, the form of answers
	Author        *uuid.UUID `json:"author"`
	Address       *string    `json:"address"`
	Street        *string    `json:"street"`
	Suco          *string    `json:"suco"`
	District      *string    `json:"district"`
	Municipality  *string    `json:"municipality"` // the name
	Severity      string     `json:"severity"`
	SeverityScore *int       `json:"severity_score"`
	Priority      string     `json:"priority"`
	Accuracy      *float64   `json:"location_accuracy"` // metres
}

// contentV1 is the content that payloads of version 1 vouch for.
type contentV1 struct {
	Title        string  `json:"title"`
	Description  string  `json:"description"`
	IssueTypeRaw string  `json:"issue_type_raw"`
	Latitude     float64 `json:"latitude"`
	Longitude    float64 `json:"longitude"`
	CapturedAt   *string `json:"captured_at"` // with microseconds
}

// contentHash is the commitment to the report's content under its salt.
func (s *State) contentHash(salt []byte) ([]byte, error) {
	return commit(salt, content{Title: s.Title, Description: s.Description, IssueTypeRaw: s.IssueTypeRaw, Latitude: s.Latitude,
		Longitude: s.Longitude, CapturedAt: instant(s.CapturedAt), Author: s.Author, Address: s.Address, Street: s.Street,
		Suco: s.Suco, District: s.District, Municipality: s.Municipality, Severity: s.Severity, SeverityScore: s.SeverityScore,
		Priority: s.Priority, Accuracy: s.LocationAccuracy})
}

// analysisHash is the commitment to the analysis that the report shows; nil without one.
func (s *State) analysisHash(salt []byte) ([]byte, error) {
	if s.Analysis == "" {
		return nil, nil
	}
	return commit(salt, json.RawMessage(s.Analysis))
}

// contentHashV1 is contentHash as payloads of version 1 have it.
func (s *State) contentHashV1(salt []byte) ([]byte, error) {
	c := contentV1{Title: s.Title, Description: s.Description, IssueTypeRaw: s.IssueTypeRaw, Latitude: s.Latitude, Longitude: s.Longitude}
	if s.CapturedAt != nil {
		at := s.CapturedAt.UTC().Format("2006-01-02T15:04:05.000000Z")
		c.CapturedAt = &at
	}
	return commit(salt, c)
}
