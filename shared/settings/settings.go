// Package settings holds what an administrator may change while the system
// runs: thresholds, limits, the image maximum, the AI budget.
package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Settings are all of them. The tags are also their validation in the API. A setting that was added after version 0.1.0 may be
// absent from a request (required:"false"): earlier clients do not know it, and it then stays as it is.
type Settings struct {
	// RejectConfidence is the AI's confidence of irrelevance from which a report is rejected without a person.
	RejectConfidence float64 `json:"reject_confidence" minimum:"0.5" maximum:"1" doc:"AI confidence of irrelevance from which a report is rejected without a person" example:"0.95"`
	// AcceptConfidence is the AI's confidence of relevance below which a person decides.
	AcceptConfidence float64 `json:"accept_confidence" minimum:"0" maximum:"1" doc:"AI confidence of relevance below which a person decides" example:"0.6"`
	// DuplicateRadius bounds the search for duplicates, in metres.
	DuplicateRadius int `json:"duplicate_radius_meters" minimum:"1" maximum:"1000" doc:"How far apart duplicates may be, in metres" example:"50"`
	// DuplicateSimilarity is the cosine similarity of pictures from which a duplicate is suggested.
	DuplicateSimilarity float64 `json:"duplicate_similarity" minimum:"0" maximum:"1" doc:"Cosine similarity of pictures from which a duplicate is suggested" example:"0.85"`
	// EvidenceImages is how many pictures a citizen may attach to a report.
	EvidenceImages int `json:"evidence_images_max" minimum:"1" maximum:"10" doc:"Pictures a citizen may attach to one report" example:"1"`
	// Area is where reports may be.
	Area report.Area `json:"report_area" required:"false" doc:"Where reports may be: smallest longitude, smallest latitude, largest longitude, largest latitude, in degrees WGS 84. By default Timor-Leste with a margin of one degree" example:"[123.04,-10.51,128.35,-7.12]"`
	// ReportsPerHour and the limits below are requests per hour and person.
	ReportsPerHour      int `json:"reports_per_hour" minimum:"1" maximum:"10000" doc:"New reports an hour and person" example:"20"`
	BatchReportsPerHour int `json:"batch_reports_per_hour" minimum:"1" maximum:"10000" doc:"Reports in batches an hour and person, counted by item" example:"200"`
	UploadsPerHour      int `json:"uploads_per_hour" minimum:"1" maximum:"10000" doc:"Pictures an hour and person" example:"60"`
	// CitizenEventsPerDay and CitizenEventsPerReport bound a reporter's own changes of words and pictures: each is an event of
	// the public ledger.
	CitizenEventsPerDay    int `json:"citizen_events_per_day" required:"false" minimum:"1" maximum:"10000" doc:"Changes of words and pictures a day by one reporter" example:"200"`
	CitizenEventsPerReport int `json:"citizen_events_per_report" required:"false" minimum:"1" maximum:"10000" doc:"Changes of words and pictures a day by a reporter of one report" example:"20"`
	// LedgerBurst and LedgerIntervalSeconds bound the messages to the public ledger, each of which costs money: a bucket of
	// LedgerBurst that regains one every LedgerIntervalSeconds.
	LedgerBurst           int `json:"ledger_burst" required:"false" minimum:"1" maximum:"100000" doc:"Messages to the public ledger that may be sent without waiting. A message costs 0.0008 USD" example:"200"`
	LedgerIntervalSeconds int `json:"ledger_interval_seconds" required:"false" minimum:"10" maximum:"86400" doc:"Seconds in which one more message to the public ledger may be sent. 240 is at most 9 USD a month" example:"240"`
	// PublishBeforeVerdict shows the words and pictures of a report to everybody before the AI or staff verified it.
	PublishBeforeVerdict bool `json:"publish_before_verdict" required:"false" doc:"true: everybody sees words and pictures of a pending report. false: only its reporter and staff do, until a verdict"`
	// AutoAssign gives a report that is verified to the agency that fits it best.
	AutoAssign bool `json:"auto_assign" required:"false" doc:"A report that is verified goes to the agency that fits its place and type best" example:"true"`
	// Deadlines are the working days in which a report of each severity should be fixed.
	Deadlines Deadlines `json:"deadlines" required:"false" doc:"Working days to fix a report, from the day after its assignment"`
	// Holidays are days on which nobody works, besides those of the law (shared/workday): those that follow the moon, and others.
	Holidays []timestamp.Date `json:"holidays" required:"false" maxItems:"366" doc:"Days without work besides weekends and the public holidays of fixed date and of Easter: those that follow the moon, which the government announces each year"`
	// DisputeDays is how long after a repair people may say that it is not done.
	DisputeDays int `json:"dispute_days" required:"false" minimum:"1" maximum:"365" doc:"Days after a repair in which people may say that it is not done" example:"30"`
	// FlagsToHide is how many people's flags hide words and pictures until a moderator has looked.
	FlagsToHide int `json:"flags_to_hide" required:"false" minimum:"1" maximum:"100" doc:"Flags of different people that hide words and pictures until a moderator has looked" example:"3"`
	// FlagMinAccountDays is the age of an account from which its flags count.
	FlagMinAccountDays int `json:"flag_min_account_days" required:"false" minimum:"0" maximum:"365" doc:"Days since registration before the flags of an account count" example:"3"`
	// FixedNeedsPicture lists the issue types whose repair needs a picture of it.
	FixedNeedsPicture []report.IssueType `json:"fixed_needs_picture" required:"false" maxItems:"12" doc:"Issue types that need a picture of the repair to be fixed; the others need a note or a picture"`
	// Open311Jurisdiction is the jurisdiction_id of the Open311 interface; "" accepts any.
	Open311Jurisdiction string `json:"open311_jurisdiction" required:"false" maxLength:"100" doc:"jurisdiction_id of the Open311 interface; empty accepts any"`
	// AIMonthlyTokens bounds input and output tokens of all model calls a calendar month (UTC); 0 means no bound.
	AIMonthlyTokens int64 `json:"ai_monthly_tokens" minimum:"0" maximum:"1000000000000" doc:"Tokens of all model calls a calendar month (UTC), in and out; 0 for no bound. Past it, people decide about new reports" example:"2000000000"`
	// AIDailyPictures bounds the pictures that the models look at in a day (UTC), AIDailyPicturesPerson those of one person's reports; 0 means no bound.
	AIDailyPictures       int `json:"ai_daily_pictures" required:"false" minimum:"0" maximum:"10000000" doc:"Pictures that the AI looks at in a day (UTC); 0 for no bound. Past it, people decide about new reports" example:"5000"`
	AIDailyPicturesPerson int `json:"ai_daily_pictures_person" required:"false" minimum:"0" maximum:"1000000" doc:"The same for the reports of one person" example:"200"`
}

// Deadlines are working days by severity. A report without a severity has those of medium.
type Deadlines struct {
	Low      int `json:"low" minimum:"1" maximum:"365" example:"30"`
	Medium   int `json:"medium" minimum:"1" maximum:"365" example:"15"`
	High     int `json:"high" minimum:"1" maximum:"365" example:"5"`
	Critical int `json:"critical" minimum:"1" maximum:"365" example:"2"`
}

// For returns the working days for a severity; "" counts as medium.
func (d Deadlines) For(s report.Severity) int {
	switch s {
	case report.Low:
		return d.Low
	case report.High:
		return d.High
	case report.Critical:
		return d.Critical
	}
	return d.Medium
}

// Default are the settings that apply until an administrator changes them.
func Default() Settings {
	return Settings{
		RejectConfidence: 0.95, AcceptConfidence: 0.6,
		DuplicateRadius: 50, DuplicateSimilarity: 0.85,
		EvidenceImages: 1, Area: report.TimorLeste(),
		ReportsPerHour: 20, BatchReportsPerHour: 200, UploadsPerHour: 60,
		CitizenEventsPerDay: 200, CitizenEventsPerReport: 20,
		LedgerBurst: 200, LedgerIntervalSeconds: 240,
		AutoAssign: true, Deadlines: Deadlines{Low: 30, Medium: 15, High: 5, Critical: 2}, Holidays: []timestamp.Date{},
		DisputeDays: 30, FlagsToHide: 3, FlagMinAccountDays: 3, FixedNeedsPicture: []report.IssueType{},
		AIMonthlyTokens: 2_000_000_000, AIDailyPictures: 5000, AIDailyPicturesPerson: 200,
	}
}

// Check checks what the schema does not, and gives the words of FixedNeedsPicture their spelling, each once. It fails with a 422
// about the setting.
func (s *Settings) Check() error {
	if a := s.Area; a[0] >= a[2] || a[1] >= a[3] {
		return problem.InvalidField("report_area", "expected the smallest longitude and latitude first, then the largest")
	}
	seen := map[timestamp.Date]bool{}
	for _, d := range s.Holidays {
		switch {
		case d.Year() < 2020 || d.Year() > 2100:
			return problem.InvalidField("holidays", "expected dates of the years 2020 to 2100")
		case seen[d]:
			return problem.InvalidField("holidays", "expected each date once")
		}
		seen[d] = true
	}
	types := []report.IssueType{}
	for _, word := range s.FixedNeedsPicture {
		t, known := report.ParseIssueType(string(word))
		if !known {
			return problem.InvalidField("fixed_needs_picture", "expected issue types")
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	s.FixedNeedsPicture = types
	return nil
}

// key is the one row of app_settings that holds them all.
const key = "settings"

// kept is how long a process uses the settings it last read.
const kept = 30 * time.Second

// Reader reads the settings, at most once every 30 s. Safe for concurrent use.
type Reader struct {
	db    database.Querier
	clock timestamp.Clock

	mu      sync.Mutex
	current Settings
	readAt  time.Time // zero before the first successful read
}

// NewReader reads from db.
func NewReader(db database.Querier, now timestamp.Clock) *Reader {
	return &Reader{db: db, clock: now, current: Default()}
}

// Current are the settings of now or of at most 30 s ago. It fails only when this
// process has never read them and cannot read them now.
func (r *Reader) Current(ctx context.Context) (Settings, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	if !r.readAt.IsZero() && now.Sub(r.readAt) < kept {
		return r.current, nil
	}
	s, err := Read(ctx, r.db)
	if err != nil {
		if r.readAt.IsZero() {
			return Settings{}, err
		}
		return r.current, nil // old settings are better than none
	}
	r.current, r.readAt = s, now
	return s, nil
}

const query = `SELECT value FROM app_settings WHERE key = $1`

// Read reads the present settings. One that was never set has its default.
func Read(ctx context.Context, q database.Querier) (Settings, error) {
	var stored json.RawMessage
	err := q.QueryRow(ctx, query, key).Scan(&stored)
	if errors.Is(err, pgx.ErrNoRows) {
		return Default(), nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	s, err := decode(stored)
	if err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	return s, nil
}

// Ask is Read in a pipeline.
func Ask(p database.Pipeline) *database.Ask[Settings] {
	scan := func(row pgx.CollectableRow) (Settings, error) {
		var stored json.RawMessage
		if err := row.Scan(&stored); err != nil {
			return Settings{}, err
		}
		return decode(stored)
	}
	stored := database.AskOptional(p, scan, query, key)
	return database.Derive(func() Settings {
		if s := stored.Get(); s != nil {
			return *s
		}
		return Default()
	})
}

// decode reads stored settings.
func decode(stored json.RawMessage) (Settings, error) {
	s := Default()
	if err := json.Unmarshal(stored, &s); err != nil {
		return Settings{}, err
	}
	return s.Complete(), nil
}

// Complete returns s with the default area if it has none, as clients of an earlier version send it, and with empty lists
// where null was sent for them.
func (s Settings) Complete() Settings {
	if s.Area == (report.Area{}) {
		s.Area = Default().Area
	}
	if s.Holidays == nil {
		s.Holidays = []timestamp.Date{}
	}
	if s.FixedNeedsPicture == nil {
		s.FixedNeedsPicture = []report.IssueType{}
	}
	return s
}

// Write replaces the settings in the caller's transaction, which also records
// who did it (audit.Record). Every process uses them within 30 s.
func Write(p database.Pipeline, by uuid.UUID, s Settings) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	const upsert = `
		INSERT INTO app_settings (key, value, updated_by) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by, updated_at = now()`
	p.Queue(upsert, key, string(raw), by)
	return nil
}
