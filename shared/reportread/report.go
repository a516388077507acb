package reportread

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Report is one report, with everything that the viewer may see of it.
type Report struct {
	Summary
	Images              []Image          `json:"images" doc:"Oldest first"`
	AI                  *Assessment      `json:"ai" doc:"null with content_pending, and where words or pictures are hidden from the reader"`
	Blockchain          ledger.Anchor    `json:"blockchain"`
	HederaTransactionID *string          `json:"hedera_transaction_id" doc:"The same as blockchain.transaction_id"`
	StatusHistory       []Step           `json:"status_history" doc:"Oldest first"`
	PossibleDuplicates  []Candidate      `json:"possible_duplicates" doc:"By place, type, time and picture, likeliest first. Staff alone see those without a verdict"`
	IsAnonymous         bool             `json:"is_anonymous" doc:"Only moderators, administrators and the reporter see who it was"`
	CapturedAt          *timestamp.Time  `json:"captured_at"`
	WordsHidden         *Hiding          `json:"words_hidden,omitempty" doc:"With content_hidden, to the reporter and staff: who hid the words, and why"`
	Confirmed           bool             `json:"confirmed" doc:"true where the caller said that they see the problem too"`
	Appeal              *Appeal          `json:"appeal,omitempty" doc:"Only to the reporter and staff"`
	OriginalWords       *Words           `json:"original_words,omitempty" doc:"What a moderator changed first, as the reporter wrote it. Only to staff"`
	ReporterLanguage    *locale.Language `json:"reporter_language,omitempty" enum:"tet,pt,en" doc:"Only to other staff: the language to write to the reporter in"`
	Receipt             *ledger.Receipt  `json:"receipt,omitempty" doc:"In the answer to a change: that of the change, of the last where there were several, for whoever made it. Else that of the report's first event, for its reporter alone"`
	// Warnings is set in the answer to a request that sent something which was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// Words are what a reporter wrote.
type Words struct {
	_            struct{}         `schema:"ReportWords"`
	Title        string           `json:"title"`
	Description  string           `json:"description"`
	IssueType    report.IssueType `json:"issue_type"`
	IssueTypeRaw *string          `json:"issue_type_raw,omitempty"`
}

// Hiding is who hid something, and why.
type Hiding struct {
	By         report.HiddenBy   `json:"by" enum:"moderator,flags" doc:"flags: several people said that it should not be shown, and no moderator has looked yet"`
	ReasonCode report.ReasonCode `json:"reason_code"`
}

// Appeal is why the reporter considers a rejection wrong.
type Appeal struct {
	Reason string         `json:"reason"`
	At     timestamp.Time `json:"at"`
}

// Image is a picture of a report. It has addresses once it is processed. Others than the reporter and staff are shown the
// public pictures alone.
type Image struct {
	ID           uuid.UUID          `json:"id"`
	Kind         string             `json:"kind" enum:"evidence,resolution,dispute" doc:"evidence: the problem. resolution: the repair. dispute: that the repair is not done"`
	Status       string             `json:"status" enum:"pending,processed,refused"`
	IsPublic     bool               `json:"is_public" doc:"false while the reporter and staff alone see the picture: it waits for a verdict, or was not found relevant"`
	ImageURL     *string            `json:"image_url"`
	ThumbnailURL *string            `json:"thumbnail_url"`
	Width        *int               `json:"width" doc:"Pixels, upright"`
	Height       *int               `json:"height"`
	Blurhash     *string            `json:"blurhash"`
	CreatedAt    timestamp.Time     `json:"created_at"`
	Hidden       *report.HiddenBy   `json:"hidden,omitempty" enum:"moderator,flags" doc:"Who keeps it from others than the reporter and staff; left out where nobody does"`
	HiddenReason *report.ReasonCode `json:"hidden_reason,omitempty" doc:"Why it is hidden"`
	Redacted     bool               `json:"redacted,omitempty" doc:"Parts of it are black"`
	// Receipt is set in the answer to the request that added the picture.
	Receipt *ledger.Receipt `json:"receipt,omitempty" doc:"In the answer to the request that added the picture: that of the change"`
	// Warnings is set in the answer to the request that added the picture.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// Assessment is the latest result of the AI, or of a person who corrected it.
type Assessment struct {
	Status            report.AIStatus  `json:"status"`
	IsRelevant        *bool            `json:"is_relevant"`
	Confidence        *float64         `json:"confidence" minimum:"0" maximum:"1"`
	DamageType        *string          `json:"damage_type"`
	Severity          *report.Severity `json:"severity"`
	SeverityScore     *int             `json:"severity_score"`
	RecommendedRepair *string          `json:"recommended_repair" doc:"In the reader's language, where the model gave it"`
	AnalyzedAt        *timestamp.Time  `json:"analyzed_at"`

	translations report.AITranslations
}

// Step is one change of status.
type Step struct {
	_         struct{}       `schema:"StatusStep"`
	OldStatus *report.Status `json:"old_status"`
	NewStatus report.Status  `json:"new_status"`
	ChangedBy string         `json:"changed_by" enum:"citizen,ai,moderator,government_official,admin" doc:"In which capacity, never who"`
	Agency    *string        `json:"agency" doc:"Code of the official's agency"`
	// AgencyName is the name that goes with Agency.
	AgencyName *string        `json:"agency_name,omitempty" doc:"Name of the official's agency, in the reader's language"`
	Note       *string        `json:"note" doc:"That of a rejection is for the reporter and staff, that of an override for staff; the reporter reads it where it rejects"`
	CreatedAt  timestamp.Time `json:"created_at"`
}

// Candidate is a report that may be about the same problem.
type Candidate struct {
	_              struct{}      `schema:"PossibleDuplicate"`
	ID             uuid.UUID     `json:"id"`
	ReportNumber   string        `json:"report_number"`
	Status         report.Status `json:"status"`
	Similarity     *float64      `json:"similarity" doc:"Of the pictures: cosine, 1 is the same"`
	DistanceMeters float64       `json:"distance_meters"`
}

// ImageStatus is the status that readers see for the state of an upload.
func ImageStatus(s upload.State) string {
	switch s {
	case upload.Processed, upload.Refused:
		return string(s)
	}
	return "pending"
}

const (
	detailColumns = `, r.captured_at, r.appealed_at, r.appeal_reason, nullif(r.original_words, '{}'),
		r.words_hidden, r.words_hidden_reason, ` + report.HeldBackSQL + `,
		coalesce(u.preferred_language, (SELECT c.preferred_language FROM report_contacts c WHERE c.report_id = r.id AND c.claimed_at IS NULL)), n.is_relevant, n.relevance_confidence, n.damage_type, n.severity, n.severity_score, n.recommended_repair, n.translations, n.created_at
		FROM reports r` + summaryJoins + ` LEFT JOIN ai_analyses n ON n.id = r.ai_analysis_id WHERE r.id = ` + report.IDSQL  // after summaryColumns
	imagesQuery = `SELECT ri.id, ri.kind, p.state, p.id, p.generation, p.width, p.height, p.blurhash, ri.created_at,
		p.state <> 'redacting' AND ` + report.PublicPictureSQL + `, ri.hidden, ri.hidden_reason, ri.boxes IS NOT NULL
		FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
		WHERE ri.deleted_at IS NULL AND ri.report_id = ` + report.IDSQL + ` ORDER BY ri.created_at, ri.id`
	// An override writes its analysis in the transaction of its moves, so both have the same time. That also holds for rows
	// from before notes had readers.
	historyQuery = `SELECT h.old_status, h.new_status, h.actor_kind, a.code, a.name, a.name_tet, a.name_pt, h.note, h.created_at,
		EXISTS (SELECT FROM ai_analyses n WHERE n.report_id = h.report_id AND n.created_at = h.created_at AND n.stage = 'override')
		FROM report_status_history h LEFT JOIN agencies a ON a.id = h.agency_id
		WHERE h.report_id = ` + report.IDSQL + ` ORDER BY h.created_at, h.id`
	candidatesQuery = `SELECT r.id, r.report_number, r.status, c.similarity, c.distance_meters, ` + report.HiddenSQL + `
		FROM duplicate_candidates c JOIN reports r ON r.id = c.candidate_id
		WHERE r.deleted_at IS NULL AND r.status <> 'rejected' AND c.report_id = ` + report.IDSQL + `
		ORDER BY c.similarity DESC NULLS LAST, c.distance_meters LIMIT 20`
)

// Report reads one report. It fails with report.ErrNotFound when there is none, and as Viewer.Refuse does.
func (r *Reader) Report(ctx context.Context, v Viewer, id uuid.UUID) (Report, error) {
	return r.read(ctx, v, report.AboutID(id))
}

// ReportNamed is Report by a reference; one that is neither id nor number is a 422.
func (r *Reader) ReportNamed(ctx context.Context, v Viewer, ref report.Ref) (Report, error) {
	a, err := ref.About()
	if err != nil {
		return Report{}, err
	}
	return r.read(ctx, v, a)
}

func (r *Reader) read(ctx context.Context, v Viewer, a report.About) (Report, error) {
	batch := &database.Batch{}
	found := r.AskAbout(batch, v, a)
	if err := batch.Send(ctx, r.db); err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	return found.Report(ctx)
}

// Asked is a report that the statements of a pipeline read. Its method Report returns it, after they were sent.
type Asked struct {
	reader     *Reader
	viewer     Viewer
	detail     *database.Ask[*detail]
	images     *database.Ask[[]imageRow]
	history    *database.Ask[[]stepRow]
	candidates *database.Ask[[]candidateRow]
	anchor     *database.Ask[ledger.Anchor]
	first      *database.Ask[[]ledger.Logged] // the report's first event, where the viewer is the reporter; else empty
}

// Ask adds the statements that read a report for v to a pipeline.
func (r *Reader) Ask(p database.Pipeline, v Viewer, id uuid.UUID) *Asked {
	return r.AskAbout(p, v, report.AboutID(id))
}

// AskAbout is Ask by an id or a number.
func (r *Reader) AskAbout(p database.Pipeline, v Viewer, a report.About) *Asked {
	w := where{args: a.Args()}
	personal := v.following(&w) + v.confirmed(&w)
	found := database.AskOptional(p, scanDetail, `SELECT `+summaryColumns+personal+detailColumns, w.args...)
	return &Asked{
		reader: r, viewer: v,
		detail: database.Derive(func() *detail {
			if found.Get() == nil {
				return nil
			}
			return *found.Get()
		}),
		images:     database.AskRows(p, scanImage, imagesQuery, a.Args()...),
		history:    database.AskRows(p, scanStep, historyQuery, a.Args()...),
		candidates: database.AskRows(p, scanCandidate, candidatesQuery, a.Args()...),
		anchor:     ledger.AskAnchor(p, r.ledger, a),
		first:      r.askFirst(p, v, a),
	}
}

// askFirst reads a report's first event for its receipt. The result is empty for everybody but the reporter.
func (r *Reader) askFirst(p database.Pipeline, v Viewer, a report.About) *database.Ask[[]ledger.Logged] {
	if r.receipts == nil || v.userID == uuid.Nil {
		return database.Derive(func() []ledger.Logged { return nil })
	}
	return ledger.AskLogged(p, v.userID, `e.seq = 1 AND r.user_id = $3 AND r.id = `+report.IDSQL, a.Args(v.userID)...)
}

// Report returns what was read. It fails with report.ErrNotFound when there is no report, and as Viewer.Refuse does.
func (a *Asked) Report(ctx context.Context) (Report, error) {
	d := a.detail.Get()
	if d == nil {
		return Report{}, report.ErrNotFound
	}
	if err := a.viewer.Refuse(d.row.Removed, d.row.author); err != nil {
		return Report{}, err
	}
	out := d.report
	out.StatusHistory, out.PossibleDuplicates, out.Blockchain = a.viewer.steps(ctx, d.row, a.history.Get()), a.viewer.candidates(d.row, a.candidates.Get()), a.anchor.Get()
	for _, first := range a.first.Get() {
		out.Receipt = a.reader.receipts.For(ctx, first)
	}
	return a.reader.complete(ctx, a.viewer, out, d.row, a.images.Get())
}

// steps returns the changes of status with the notes that v may read. The notes of moves are public. Those of rejections are
// for the reporter and staff, those of overrides for staff; a reporter reads why an override rejected the report. While the
// report is hidden from v, there is no note.
func (v Viewer) steps(ctx context.Context, row *summaryRow, all []stepRow) []Step {
	out := make([]Step, len(all))
	for i, s := range all {
		out[i] = s.Step
		if s.Agency != nil {
			name := locale.Name(locale.FromContext(ctx), *s.names[0], *s.names[1], *s.names[2])
			out[i].AgencyName = &name
		}
		rejects := s.NewStatus == report.Rejected
		switch {
		case v.staff, v.owns(row.author) && (rejects || !s.override):
		case rejects, s.override, row.hiddenFrom(v):
			out[i].Note = nil
		}
	}
	return out
}

// candidates returns the possible duplicates of a report that v may see.
func (v Viewer) candidates(row *summaryRow, all []candidateRow) []Candidate {
	out := []Candidate{}
	for _, c := range all {
		if v.staff || !c.hidden && !row.hiddenFrom(v) {
			out = append(out, c.Candidate)
		}
	}
	return out
}

// complete adds to out what v may see of a row and of the pictures, with their addresses.
func (r *Reader) complete(ctx context.Context, v Viewer, out Report, row *summaryRow, images []imageRow) (Report, error) {
	var err error
	if out.Summary, err = r.present(ctx, v, row); err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	if row.image != nil {
		if out.ImageURL, err = r.link(ctx, *row.image, *row.generation, upload.Display); err != nil {
			return Report{}, fmt.Errorf("read report: %w", err)
		}
	}
	if !v.KnowsAuthor(row.author) {
		out.Appeal, out.WordsHidden = nil, nil
		if row.heldBack {
			out.AI = nil
		}
	}
	if !v.staff {
		out.OriginalWords = nil
	}
	if !v.staff || v.owns(row.author) {
		out.ReporterLanguage = nil
	}
	out.IsAnonymous = row.anonymous
	if row.hiddenFrom(v) {
		out.AI, out.CapturedAt, images = nil, nil, nil
	} else if out.AI != nil {
		out.AI.Status = *row.AIStatus
		out.AI.translations.Put(locale.FromContext(ctx), nil, nil, &out.AI.RecommendedRepair, nil)
	}
	if row.Removed.Final() {
		images = nil // their files are deleted
	}
	out.Images = []Image{}
	for _, i := range images {
		if !i.IsPublic && !v.KnowsAuthor(row.author) {
			continue
		}
		image, err := r.image(ctx, i)
		if err != nil {
			return Report{}, fmt.Errorf("read report: %w", err)
		}
		out.Images = append(out.Images, image)
	}
	if out.Blockchain.Status == "" { // without any event
		out.Blockchain = ledger.Anchor{Status: string(out.BlockchainStatus), Network: r.ledger.Network}
	}
	out.HederaTransactionID = out.Blockchain.TransactionID
	return out, nil
}
