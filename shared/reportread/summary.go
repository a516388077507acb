package reportread

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Summary is a report as lists show it.
type Summary struct {
	_                  struct{}            `schema:"ReportSummary"`
	ID                 uuid.UUID           `json:"id"`
	ReportNumber       string              `json:"report_number" example:"LS-2026-000123"`
	Title              string              `json:"title" example:"Kuak iha estrada" doc:"With content_pending the label of the type, in the reader's language; with content_hidden too, except for the reporter and staff"`
	Description        string              `json:"description" example:"Motorbikes fall here after the rain."`
	ContentPending     bool                `json:"content_pending,omitempty" doc:"true while the report has no verdict and the reader is neither its reporter nor staff. Then words, pictures, address, street, severity, AI and reporter are left out, and the place has 3 decimals"`
	ContentHidden      bool                `json:"content_hidden,omitempty" doc:"true while a moderator, or the flags of several people, keep the words from others than the reporter and staff. Others see the label of the type as title, no description, address or street, and suco, district and municipality only where they are names of the boundaries"`
	IssueType          report.IssueType    `json:"issue_type"`
	IssueTypeRaw       *string             `json:"issue_type_raw,omitempty" doc:"The reporter's own word, where issue_type is other"`
	Severity           *report.Severity    `json:"severity" doc:"null with content_pending"`
	SeverityScore      *int                `json:"severity_score" minimum:"1" maximum:"10" example:"7"`
	Priority           *report.Severity    `json:"priority" doc:"null with content_pending"`
	Status             report.Status       `json:"status"`
	RejectionReason    *string             `json:"rejection_reason,omitempty" doc:"Where the status is rejected"`
	ContentEdited      bool                `json:"content_edited,omitempty" doc:"A moderator changed title, description or issue type"`
	Latitude           float64             `json:"latitude" doc:"Degrees, WGS 84"`
	Longitude          float64             `json:"longitude" doc:"Degrees, WGS 84"`
	LocationAccuracy   *float64            `json:"location_accuracy" doc:"Metres"`
	Address            *string             `json:"address" example:"Rua de Caicoli"`
	Street             *string             `json:"street" example:"Avenida Nicolau Lobato"`
	Suco               *string             `json:"suco" doc:"Village or quarter" example:"Comoro"`
	District           *string             `json:"district" doc:"Administrative post"`
	Municipality       *string             `json:"municipality" example:"Dili"`
	ImageURL           *string             `json:"image_url" doc:"First picture; works for 15 to 30 minutes. null in lists: use thumbnail_url there. Each address is signed, and a signature cannot be compressed"`
	ThumbnailURL       *string             `json:"thumbnail_url" doc:"First picture, small"`
	Blurhash           *string             `json:"blurhash" doc:"To show before the picture is there" example:"LEHV6nWB2yk8pyo0adR*.7kCMdnj"`
	Reporter           *Person             `json:"reporter" doc:"null for an anonymous report and for an author who left"`
	AssignedAgency     *ReportAgency       `json:"assigned_agency"`
	DuplicateOf        *Original           `json:"duplicate_of" doc:"null to whoever may not see the original"`
	AIStatus           *report.AIStatus    `json:"ai_status" doc:"null with content_pending"`
	BlockchainStatus   report.LedgerStatus `json:"blockchain_status"`
	CommentsCount      int                 `json:"comments_count" example:"2"`
	ConfirmationsCount int                 `json:"confirmations_count" doc:"People who saw the problem too" example:"3"`
	FollowersCount     int                 `json:"followers_count" doc:"People who follow the report, its reporter aside" example:"4"`
	Following          bool                `json:"following" doc:"true where the caller follows the report"`
	ClientID           *uuid.UUID          `json:"client_id,omitempty" doc:"Only to the reporter"`
	Version            int                 `json:"version" doc:"Counts changes; the If-Match and expected_version of the next one"`
	Source             report.Source       `json:"source" enum:"app,web,assisted,open311,import" doc:"How the report came in"`
	CreatedAt          timestamp.Time      `json:"created_at"`
	UpdatedAt          timestamp.Time      `json:"updated_at"`
	ResolvedAt         *timestamp.Time     `json:"resolved_at"`
	DueAt              *timestamp.Time     `json:"due_at" doc:"Until when its agency should repair it; null where it was never assigned"`
	Removed            *report.Tombstone   `json:"removed,omitempty" doc:"Of a report that was rejected, withdrawn or removed, which its reporter and staff alone read. One that was withdrawn or removed has no pictures"`

	author *uuid.UUID // also where Reporter is withheld
}

// Person is somebody behind a report or a comment.
type Person struct {
	ID        uuid.UUID `json:"id"`
	FullName  string    `json:"full_name"`
	AvatarURL *string   `json:"avatar_url"`
}

// ReportAgency is who a report is assigned to.
type ReportAgency struct {
	ID         uuid.UUID `json:"id"`
	Code       string    `json:"code"`
	Name       string    `json:"name" doc:"In the reader's language"`
	AgencyType string    `json:"agency_type" enum:"municipal,national,contractor"`
}

// Original is the report another one is a duplicate of.
type Original struct {
	_            struct{}  `schema:"DuplicateOriginal"`
	ID           uuid.UUID `json:"id"`
	ReportNumber string    `json:"report_number"`
}

// summaryColumns of reports r joined by summaryJoins. The column of Viewer.following comes after them.
const summaryColumns = `r.id, r.report_number, r.title, r.description, r.issue_type, r.issue_type_raw, r.severity,
	r.severity_score, r.priority, r.status, r.rejection_reason, r.latitude, r.longitude, r.location_accuracy, r.address,
	r.street, r.suco, r.district, r.municipality, r.ai_status, r.blockchain_status, r.comments_count, r.confirmations_count, r.followers_count, r.client_id,
	r.version, r.source, r.created_at, r.updated_at, r.resolved_at, r.due_at, r.user_id, r.is_anonymous,
	u.id, u.full_name, avatar.id, a.id, a.code, a.agency_type, a.name, a.name_tet, a.name_pt, o.id, o.report_number, o.deleted_at IS NULL AND o.status <> 'rejected', i.upload_id, i.generation, i.blurhash,
	r.reason_code, r.original_words IS NOT NULL, i.public, ` + report.TombstoneSQL + `, ` + report.HiddenSQL + `, NOT ` + report.WordsShownSQL + `, ` + report.ShownSucoSQL + `, ` + report.ShownDistrictSQL + `, ` + report.ShownMunicipalitySQL

// following returns the column that says whether the viewer follows a report r.
func (v Viewer) following(w *where) string {
	if v.userID == uuid.Nil {
		return ", false"
	}
	return w.bind(", EXISTS (SELECT FROM report_follows fo WHERE fo.report_id = r.id AND fo.user_id = ?)", v.userID)
}

// confirmed returns the column that says whether the viewer confirmed a report r.
func (v Viewer) confirmed(w *where) string {
	if v.userID == uuid.Nil {
		return ", false"
	}
	return w.bind(", EXISTS (SELECT FROM report_confirmations co WHERE co.report_id = r.id AND co.user_id = ?)", v.userID)
}

const summaryJoins = `
	LEFT JOIN users u ON u.id = r.user_id AND u.deleted_at IS NULL
	LEFT JOIN uploads avatar ON avatar.id = u.avatar_upload_id AND avatar.state = 'processed'
	LEFT JOIN agencies a ON a.id = r.assigned_agency_id
	LEFT JOIN reports o ON o.id = r.duplicate_of
	LEFT JOIN LATERAL (
		SELECT p.id AS upload_id, p.generation, p.blurhash, ` + report.PublicPictureSQL + ` AS public FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
		WHERE ri.report_id = r.id AND ri.deleted_at IS NULL AND ri.kind = 'evidence' AND p.state = 'processed'
		ORDER BY public DESC, ri.created_at, ri.id LIMIT 1) i ON true`

// summaryRow is a row of summaryColumns: a Summary, and the values from which present makes its other members.
type summaryRow struct {
	Summary
	resolved       *time.Time
	due            *time.Time
	anonymous      bool
	personID       *uuid.UUID
	personName     *string
	avatar, image  *uuid.UUID
	generation     *int // of image
	agencyID       *uuid.UUID
	agency         [5]*string // code, type, name in English, Tetum and Portuguese
	originalID     *uuid.UUID
	originalNumber *string
	originalShown  *bool // to everybody
	reasonCode     *report.ReasonCode
	imagePublic    *bool // everybody may see the picture, of a report that is not hidden
	hidden         bool  // report.HiddenSQL
	heldBack       bool  // report.HeldBackSQL, where one report is read
	// What others see of a report that is hidden or whose words are.
	shownSuco, shownDistrict, shownMunicipality *string
}

// targets are the scan destinations of summaryColumns and of Viewer.following, in their order.
func (s *summaryRow) targets() []any {
	return []any{&s.ID, &s.ReportNumber, &s.Title, &s.Description, &s.IssueType, &s.IssueTypeRaw, &s.Severity,
		&s.SeverityScore, &s.Priority, &s.Status, &s.RejectionReason, &s.Latitude, &s.Longitude, &s.LocationAccuracy,
		&s.Address, &s.Street, &s.Suco, &s.District, &s.Municipality, &s.AIStatus, &s.BlockchainStatus, &s.CommentsCount,
		&s.ConfirmationsCount, &s.FollowersCount,
		&s.ClientID, &s.Version, &s.Source, &s.CreatedAt.Time, &s.UpdatedAt.Time, &s.resolved, &s.due, &s.author, &s.anonymous,
		&s.personID, &s.personName, &s.avatar, &s.agencyID, &s.agency[0], &s.agency[1], &s.agency[2], &s.agency[3], &s.agency[4],
		&s.originalID, &s.originalNumber, &s.originalShown, &s.image, &s.generation, &s.Blurhash, &s.reasonCode, &s.ContentEdited,
		&s.imagePublic, &s.Removed, &s.hidden, &s.ContentHidden, &s.shownSuco, &s.shownDistrict, &s.shownMunicipality, &s.Following}
}

func scanSummary(row pgx.CollectableRow) (*summaryRow, error) {
	s := &summaryRow{}
	return s, row.Scan(s.targets()...)
}

// hiddenFrom reports whether the words and pictures of the report are kept from v.
func (s *summaryRow) hiddenFrom(v Viewer) bool { return s.hidden && !v.KnowsAuthor(s.author) }

// withhold removes from a row what v may not see of it.
func (s *summaryRow) withhold(ctx context.Context, v Viewer) {
	if s.Removed.Final() {
		s.image, s.Blurhash = nil, nil
	}
	if public := s.imagePublic != nil && *s.imagePublic; !public && !v.KnowsAuthor(s.author) {
		s.image, s.Blurhash = nil, nil
	}
	if s.ContentHidden && !v.KnowsAuthor(s.author) || s.hiddenFrom(v) {
		s.Title, s.Description, s.IssueTypeRaw, s.Address, s.Street = s.IssueType.Label(locale.FromContext(ctx)), "", nil, nil, nil
		s.Suco, s.District, s.Municipality = s.shownSuco, s.shownDistrict, s.shownMunicipality
	}
	if !s.hiddenFrom(v) {
		return
	}
	s.ContentPending = true
	s.Severity, s.SeverityScore, s.Priority, s.AIStatus = nil, nil, nil, nil
	s.Latitude, s.Longitude, s.LocationAccuracy = report.ShownPlace(s.Latitude), report.ShownPlace(s.Longitude), nil
	s.personID, s.CommentsCount = nil, 0
	s.image, s.Blurhash = nil, nil
}

// present makes the Summary that v may see out of a row.
func (r *Reader) present(ctx context.Context, v Viewer, s *summaryRow) (Summary, error) {
	var err error
	s.withhold(ctx, v)
	out := s.Summary
	out.ResolvedAt, out.DueAt = timestamp.OfPtr(s.resolved), timestamp.OfPtr(s.due)
	if s.Status == report.Rejected && out.RejectionReason == nil && s.reasonCode != nil {
		text := reasonText(ctx, *s.reasonCode)
		out.RejectionReason = &text
	}
	if s.image != nil {
		if out.ThumbnailURL, err = r.link(ctx, *s.image, *s.generation, upload.Thumbnail); err != nil {
			return Summary{}, err
		}
	}
	if s.personID != nil && (!s.anonymous || v.SeesAnonymous(s.author)) {
		out.Reporter = &Person{ID: *s.personID, FullName: *s.personName}
		if s.avatar != nil {
			if out.Reporter.AvatarURL, err = r.link(ctx, *s.avatar, 0, upload.Thumbnail); err != nil {
				return Summary{}, err
			}
		}
	}
	if s.agencyID != nil {
		out.AssignedAgency = &ReportAgency{ID: *s.agencyID, Code: *s.agency[0], AgencyType: *s.agency[1],
			Name: locale.Name(locale.FromContext(ctx), *s.agency[2], *s.agency[3], *s.agency[4])}
	}
	if s.originalID != nil && (*s.originalShown || v.staff) { // only to viewers who may see the original
		out.DuplicateOf = &Original{ID: *s.originalID, ReportNumber: *s.originalNumber}
	}
	if !v.owns(s.author) {
		out.ClientID = nil
	}
	return out, nil
}

// reasonText says in the language of ctx why a report was rejected, as a sentence.
func reasonText(ctx context.Context, code report.ReasonCode) string {
	text := locale.TextFor(ctx, "notification.reason."+string(code))
	return locale.Capitalized(text)
}

func (r *Reader) presentAll(ctx context.Context, v Viewer, rows []*summaryRow) ([]Summary, error) {
	out := make([]Summary, len(rows))
	for i, row := range rows {
		var err error
		if out[i], err = r.present(ctx, v, row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// link is the address of a rendition. The pictures of people are never made anew: their generation is 0.
func (r *Reader) link(ctx context.Context, id uuid.UUID, generation int, rendition upload.Rendition) (*string, error) {
	url, err := r.links.Link(ctx, upload.RenditionKey(id, generation, rendition))
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", rendition, err)
	}
	return &url, nil
}
