package reports

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

// CreateRequest is the body of POST /reports. Apps that are already installed cannot be changed, and they may send a
// report days after it was written. So nothing but a missing place is a reason to refuse it: see httpapi.Lenient.
type CreateRequest struct {
	_                struct{}        `schema:"ReportCreate" additionalProperties:"true"`
	ClientID         *string         `json:"client_id,omitempty" format:"uuid" doc:"Made by the phone; a repeat gets the same report (aliases: local_id, client_report_id). The UUID of zeros counts as none"`
	IssueType        *string         `json:"issue_type,omitempty" words:"issue_type" doc:"One of the issue types, or a synonym; any other word becomes other and is kept in issue_type_raw (aliases: report_type, type, category)" example:"pothole"`
	Title            *string         `json:"title,omitempty" maxLength:"150" doc:"What is longer is cut" example:"Deep hole before the bridge"`
	Description      *string         `json:"description,omitempty" maxLength:"2000" doc:"What is longer is cut"`
	Latitude         float64         `json:"latitude" minimum:"-90" maximum:"90" doc:"Degrees, WGS 84; also decimal text. A place outside the area of the service, or 0,0, is a 422 outside_area" example:"-8.5569"`
	Longitude        float64         `json:"longitude" minimum:"-180" maximum:"180" example:"125.5603"`
	LocationAccuracy *float64        `json:"location_accuracy,omitempty" minimum:"0" exclusiveMaximum:"1000000" doc:"Metres" example:"6.5"`
	Address          *string         `json:"address,omitempty" maxLength:"300"`
	Municipality     *string         `json:"municipality,omitempty" maxLength:"300"`
	District         *string         `json:"district,omitempty" maxLength:"300" doc:"Administrative post"`
	Suco             *string         `json:"suco,omitempty" maxLength:"300"`
	Street           *string         `json:"street,omitempty" maxLength:"300"`
	Severity         *string         `json:"severity,omitempty" words:"severity" doc:"The reporter's guess: low, medium, high, critical, or a score from 1 to 10" example:"high"`
	Images           []ImageRef      `json:"images,omitempty" maxItems:"20" doc:"A bare text counts as an upload_id"`
	S3Keys           []string        `json:"s3_keys,omitempty" maxItems:"20" doc:"As returned by pre-upload-image; instead of images"`
	UploadID         *string         `json:"upload_id,omitempty" format:"uuid" doc:"As returned by pre-upload-image; instead of images"`
	ImageURL         *string         `json:"image_url,omitempty" doc:"As returned by pre-upload-image; instead of images"`
	CapturedAt       *string         `json:"captured_at,omitempty" doc:"When the picture was taken. RFC 3339, EXIF, or seconds or milliseconds since 1970; without a zone, the time of Timor-Leste. A time in the future or before 2020 is left out" example:"2026-11-21T08:30:00Z"`
	CreatedOffline   *bool           `json:"created_offline,omitempty"`
	DeviceInfo       json.RawMessage `json:"device_info,omitempty" doc:"Anything about the phone, at most 2 KB; private"`
	OnBehalfOf       *OnBehalfOf     `json:"on_behalf_of,omitempty" doc:"For staff: whom the report is for. It has no reporter, source is assisted, and GET /reports/{id}/log says who filed it. May be empty. From a citizen it is left out with a warning"`
	IsAnonymous      *bool           `json:"is_anonymous,omitempty" doc:"Hides the reporter from everybody but moderators and administrators. A value that cannot be read counts as true"`
}

// ImageRef names an upload of the reporter.
type ImageRef struct {
	_        struct{} `additionalProperties:"true"`
	UploadID *string  `json:"upload_id,omitempty" format:"uuid"`
	S3Key    *string  `json:"s3_key,omitempty"`
}

func createAliases() map[string]string {
	return map[string]string{
		"local_id": "client_id", "client_report_id": "client_id",
		"report_type": "issue_type", "type": "issue_type", "category": "issue_type",
		"lat": "latitude", "lng": "longitude", "lon": "longitude", "accuracy": "location_accuracy",
	}
}

// createTexts are the members of type string: a form field with such a name stays text.
func createTexts() []string {
	return []string{"client_id", "issue_type", "title", "description", "address", "municipality", "district", "suco",
		"street", "severity", "image_url", "upload_id", "captured_at"}
}

// createLenient says how a CreateRequest is read. An unreadable is_anonymous must not show a name. An unreadable on_behalf_of
// counts as one without a contact: otherwise the member of staff would become the reporter.
func createLenient() *httpapi.Lenient {
	return &httpapi.Lenient{Closed: map[string]any{"is_anonymous": true, "on_behalf_of": map[string]any{}}, Bare: map[string]string{"images": "upload_id"},
		NotTaken: slices.Concat(moveMembers(), assignMembers(), []string{"severity_score"})}
}

// createMembers are the members of a new report that no change takes.
func createMembers() []string {
	return []string{"client_id", "latitude", "longitude", "location_accuracy", "images", "s3_keys", "image_url", "upload_id", "captured_at",
		"created_offline", "device_info", "is_anonymous", "severity_score", "on_behalf_of"}
}

// contentMembers are the members that an amendment changes.
func contentMembers() []string {
	return []string{"title", "description", "issue_type", "severity", "address", "street", "suco", "district", "municipality"}
}

// moveMembers are the members of a change of status.
func moveMembers() []string {
	return []string{"status", "note", "reason_code", "duplicate_of", "expected_version"}
}

// assignMembers are the members of an assignment.
func assignMembers() []string { return []string{"agency_id", "user_id", "due_at"} }

// uploadRef is an upload that a request names, and the member that names it.
type uploadRef struct {
	ID    uuid.UUID
	Field string
}

// uploads are the uploads that the request names, in one of four ways, each once. What names no upload is left out with
// a warning.
func (r CreateRequest) uploads(w *warning.Collector) []uploadRef {
	var out []uploadRef
	add := func(field string, id uuid.UUID, ok bool) {
		if !ok {
			w.Add(field, warning.UploadUnknown)
			return
		}
		if !slices.ContainsFunc(out, func(u uploadRef) bool { return u.ID == id }) {
			out = append(out, uploadRef{ID: id, Field: field})
		}
	}
	for i, ref := range r.Images {
		var id uuid.UUID
		ok := false
		switch {
		case ref.UploadID != nil:
			parsed, err := uuid.Parse(*ref.UploadID)
			id, ok = parsed, err == nil
		case ref.S3Key != nil:
			id, ok = upload.IDOfKey(*ref.S3Key)
		}
		add(fmt.Sprintf("images[%d]", i), id, ok)
	}
	for i, key := range r.S3Keys {
		id, ok := upload.IDOfKey(key)
		add(fmt.Sprintf("s3_keys[%d]", i), id, ok)
	}
	if r.UploadID != nil {
		id, err := uuid.Parse(*r.UploadID)
		add("upload_id", id, err == nil)
	}
	if r.ImageURL != nil && strings.TrimSpace(*r.ImageURL) != "" {
		id, ok := upload.IDOfKey(*r.ImageURL)
		add("image_url", id, ok)
	}
	return out
}

const (
	maxPart       = 300              // runes of a part of an address; the rest is cut off
	maxDeviceInfo = 2048             // bytes
	maxAhead      = 10 * time.Minute // of captured_at: a phone's clock may be a little fast
	clockError    = 2 * time.Minute  // of a phone's clock that is not corrected: a request may take as long
)

// firstCapture is the earliest time of a picture: a phone with an earlier one lost its clock.
func firstCapture() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

// CreateInput is a checked CreateRequest, with the values that are read before the transaction.
type CreateInput struct {
	reportcreate.Input
	uploads []uploadRef
	shown   bool // is_anonymous was sent as false
	limits  settings.Settings
}

// readContext is what a request is read with, besides its body.
type readContext struct {
	now      time.Time
	phone    string // X-Client-Time; empty where it was not sent
	area     report.Area
	warnings *warning.Collector
}

// input checks a request. It fails only for a place that no report can have.
func (r CreateRequest) input(rc readContext) (CreateInput, error) {
	w := rc.warnings
	in := CreateInput{Input: reportcreate.Input{
		Title: clean(r.Title), Description: clean(r.Description), Latitude: r.Latitude, Longitude: r.Longitude,
		Address: reportread.Address{Address: part(r.Address), Street: part(r.Street), Suco: part(r.Suco), District: part(r.District),
			Municipality: part(r.Municipality)},
		Accuracy: r.LocationAccuracy, CreatedOffline: r.CreatedOffline != nil && *r.CreatedOffline,
		Anonymous: r.IsAnonymous != nil && *r.IsAnonymous, ClientID: r.clientID(w),
	}}
	if !report.ValidPoint(r.Latitude, r.Longitude) || !rc.area.Has(r.Latitude, r.Longitude) {
		return CreateInput{}, report.ErrOutsideArea
	}
	in.shown = r.IsAnonymous != nil && !*r.IsAnonymous
	in.IssueType, in.IssueTypeRaw = kindOf(r.IssueType, w)
	if r.Severity != nil && strings.TrimSpace(*r.Severity) != "" {
		in.SeverityGuess = severityOf(*r.Severity, w)
	}
	in.CapturedAt = r.captured(rc)
	in.uploads = r.uploads(w)
	if len(r.DeviceInfo) > maxDeviceInfo {
		w.Add("device_info", warning.TooLarge)
	} else if len(r.DeviceInfo) > 0 && string(r.DeviceInfo) != "null" {
		in.DeviceInfo = database.JSON(r.DeviceInfo)
	}
	in.ContentHash = in.hash()
	return in, nil
}

// clientID is the id that the phone gave the report; nil where it gave none, or one that cannot tell reports apart.
func (r CreateRequest) clientID(w *warning.Collector) *uuid.UUID {
	if r.ClientID == nil || strings.TrimSpace(*r.ClientID) == "" {
		return nil
	}
	id, err := uuid.Parse(strings.TrimSpace(*r.ClientID))
	if err != nil || id == uuid.Nil {
		w.Add("client_id", warning.Unreadable)
		return nil
	}
	return &id
}

// severityOf is the severity that a text names; nil, with a warning, where it names none.
func severityOf(text string, w *warning.Collector) *report.Severity {
	s, ok := report.ReadSeverity(text)
	if !ok {
		w.Add("severity", warning.Unreadable)
		return nil
	}
	return &s
}

// captured is when the picture was taken. If the phone's clock is wrong, the time is corrected by the clock's present
// error; what was sent is not kept. A time that cannot be true is left out: see plausible.
func (r CreateRequest) captured(rc readContext) *time.Time {
	if r.CapturedAt == nil || strings.TrimSpace(*r.CapturedAt) == "" {
		return nil
	}
	t, ok := timestamp.ParseAny(*r.CapturedAt, report.Zone())
	if !ok {
		rc.warnings.Add("captured_at", warning.Unreadable)
		return nil
	}
	if ahead, wrong := rc.clockAhead(); wrong {
		// The clock may have been right when the picture was taken, and lost since. Then the corrected time is in the future.
		if corrected := t.Add(-ahead); rc.plausible(corrected) {
			t = corrected
			rc.warnings.Add("captured_at", warning.ClockCorrected)
		}
	}
	if !rc.plausible(t) {
		rc.warnings.Add("captured_at", warning.OutOfRange)
		return nil
	}
	t = t.UTC().Truncate(time.Microsecond)
	return &t
}

// plausible reports whether a picture can be taken at t: not in the future, and not before phones had this app.
func (rc readContext) plausible(t time.Time) bool {
	return t.Sub(rc.now) <= maxAhead && !t.Before(firstCapture())
}

// clockAhead is how far the phone's clock is ahead of ours; false where it is right or not known.
func (rc readContext) clockAhead() (time.Duration, bool) {
	if rc.phone == "" {
		return 0, false
	}
	phone, ok := timestamp.ParseAny(rc.phone, report.Zone())
	if !ok {
		rc.warnings.Add("X-Client-Time", warning.Unreadable)
		return 0, false
	}
	ahead := phone.Sub(rc.now)
	return ahead, ahead.Abs() > clockError
}

// maxRaw is the number of runes of an unknown issue type that are stored.
const maxRaw = 100

// issueTypeOf is the issue type of a word, and the word itself where it is unknown.
func issueTypeOf(word string) (report.IssueType, *string) {
	t, known := report.ParseIssueType(word)
	if known {
		return t, nil
	}
	raw := []rune(clean(&word))
	if len(raw) == 0 {
		return t, nil
	}
	kept := string(raw[:min(len(raw), maxRaw)])
	return t, &kept
}

// kindOf is issueTypeOf for a member that may be missing, with a warning of what was not kept.
func kindOf(word *string, w *warning.Collector) (report.IssueType, *string) {
	text := clean(word)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		w.Add("issue_type", warning.Missing)
	case n > maxRaw:
		w.Add("issue_type", warning.Cut)
	}
	return issueTypeOf(text)
}

// clean is a text to store: without outer space, "" for nil.
func clean(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(database.Text(*s))
}

// part is a part of an address to store, cut to maxPart; nil where it is empty.
func part(s *string) *string {
	text := clean(s)
	if text == "" {
		return nil
	}
	if utf8.RuneCountInString(text) > maxPart {
		text = string([]rune(text)[:maxPart])
	}
	return &text
}

// hash is the content hash of earlier versions. It recognises the first request of a report that one of them created. It also
// has the address, the severity and the anonymity.
//
// The hashes of earlier reports are stored. So a new member must be appended to fields, and only when it is set. Otherwise
// all hashes change, and the retry of an earlier report becomes a conflict.
func (in CreateInput) hash() [sha256.Size]byte {
	// The order is part of the hash, and hashes of old reports are stored: never change it.
	address := []*string{in.Address.Address, in.Address.Street, in.Address.Suco, in.Address.District, in.Address.Municipality}
	fields := []any{in.IssueType, in.IssueTypeRaw, in.Title, in.Description,
		math.Round(in.Latitude * 1e6), math.Round(in.Longitude * 1e6), address, in.SeverityGuess, in.Anonymous}
	raw, _ := json.Marshal(fields) // numbers in range, strings and bools always encode
	return sha256.Sum256(raw)
}
