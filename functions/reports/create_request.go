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
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

// CreateRequest is the body of POST /reports. Apps that are already installed cannot be changed, and they may send a
// report days after it was written. So an unknown enum word, a long address or a null is never a reason to refuse it.
type CreateRequest struct {
	_                struct{}        `additionalProperties:"true"`
	ClientID         *string         `json:"client_id,omitempty" format:"uuid" doc:"Made by the phone; a repeat gets the same report (aliases: local_id, client_report_id)"`
	IssueType        string          `json:"issue_type" doc:"One of the issue types, or a synonym; any other word becomes other (aliases: report_type, type, category)" example:"pothole"`
	Title            *string         `json:"title,omitempty" maxLength:"150" example:"Deep hole before the bridge"`
	Description      *string         `json:"description,omitempty" maxLength:"2000"`
	Latitude         float64         `json:"latitude" minimum:"-90" maximum:"90" doc:"Degrees, WGS 84" example:"-8.5569"`
	Longitude        float64         `json:"longitude" minimum:"-180" maximum:"180" example:"125.5603"`
	LocationAccuracy *float64        `json:"location_accuracy,omitempty" doc:"Metres" example:"6.5"`
	Address          *string         `json:"address,omitempty"`
	Municipality     *string         `json:"municipality,omitempty"`
	District         *string         `json:"district,omitempty" doc:"Administrative post"`
	Suco             *string         `json:"suco,omitempty"`
	Street           *string         `json:"street,omitempty"`
	Severity         *string         `json:"severity,omitempty" doc:"The reporter's guess: low, medium, high, critical" example:"high"`
	Images           []ImageRef      `json:"images,omitempty" maxItems:"20"`
	S3Keys           []string        `json:"s3_keys,omitempty" maxItems:"20" doc:"As returned by pre-upload-image; instead of images"`
	ImageURL         *string         `json:"image_url,omitempty" doc:"As returned by pre-upload-image; instead of images"`
	CapturedAt       *string         `json:"captured_at,omitempty" doc:"When the picture was taken, at most 30 days ago" example:"2026-11-21T08:30:00Z"`
	CreatedOffline   *bool           `json:"created_offline,omitempty"`
	DeviceInfo       json.RawMessage `json:"device_info,omitempty" doc:"Anything about the phone, at most 2 KB; private"`
	IsAnonymous      *bool           `json:"is_anonymous,omitempty" doc:"Hides the reporter from everybody but staff"`
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
		"street", "severity", "image_url", "captured_at"}
}

// uploads are the ids of the uploads that the request names, in one of three ways, each once.
func (r CreateRequest) uploads() ([]uuid.UUID, error) {
	var out []uuid.UUID
	add := func(field string, id uuid.UUID, ok bool) error {
		if !ok {
			return problem.InvalidField(field, "names no upload")
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
		return nil
	}
	for i, ref := range r.Images {
		field := fmt.Sprintf("images[%d]", i)
		var id uuid.UUID
		ok := false
		switch {
		case ref.UploadID != nil:
			parsed, err := uuid.Parse(*ref.UploadID)
			id, ok = parsed, err == nil
		case ref.S3Key != nil:
			id, ok = upload.IDOfKey(*ref.S3Key)
		}
		if err := add(field, id, ok); err != nil {
			return nil, err
		}
	}
	for i, key := range r.S3Keys {
		id, ok := upload.IDOfKey(key)
		if err := add(fmt.Sprintf("s3_keys[%d]", i), id, ok); err != nil {
			return nil, err
		}
	}
	if r.ImageURL != nil && strings.TrimSpace(*r.ImageURL) != "" {
		id, ok := upload.IDOfKey(*r.ImageURL)
		if err := add("image_url", id, ok); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const (
	maxPart       = 300                 // runes of a part of an address; the rest is cut off
	maxDeviceInfo = 2048                // bytes
	maxAge        = 30 * 24 * time.Hour // of captured_at
	maxAhead      = 10 * time.Minute    // of captured_at; a later time becomes the present one
)

// CreateInput is a checked CreateRequest, with the values that are read before the transaction.
type CreateInput struct {
	clientID       *uuid.UUID
	issueType      report.IssueType
	issueTypeRaw   *string
	title          string
	description    string
	latitude       float64
	longitude      float64
	accuracy       *float64
	address        reportread.Address
	severityGuess  *report.Severity
	uploads        []uuid.UUID
	capturedAt     *time.Time
	createdOffline bool
	deviceInfo     json.RawMessage
	anonymous      bool
	contentHash    [sha256.Size]byte
	// Not part of the request:
	municipalityCode *string // nil where the name is unknown
	maxImages        int     // allowed for a report
}

// input checks a request at the time now.
func (r CreateRequest) input(now time.Time) (CreateInput, error) {
	in := CreateInput{
		title: clean(r.Title), description: clean(r.Description), latitude: r.Latitude, longitude: r.Longitude,
		address: reportread.Address{Address: part(r.Address), Street: part(r.Street), Suco: part(r.Suco), District: part(r.District),
			Municipality: part(r.Municipality)},
		createdOffline: r.CreatedOffline != nil && *r.CreatedOffline, anonymous: r.IsAnonymous != nil && *r.IsAnonymous,
	}
	if !report.ValidPoint(r.Latitude, r.Longitude) {
		return CreateInput{}, problem.InvalidField("latitude", "outside the range of coordinates")
	}
	in.issueType, in.issueTypeRaw = issueTypeOf(r.IssueType)
	if r.Severity != nil {
		if s, ok := report.ParseSeverity(*r.Severity); ok {
			in.severityGuess = &s
		}
	}
	if r.LocationAccuracy != nil && *r.LocationAccuracy >= 0 && *r.LocationAccuracy < 1e6 {
		in.accuracy = r.LocationAccuracy
	}
	var err error
	if in.clientID, err = optionalID("client_id", r.ClientID); err != nil {
		return CreateInput{}, err
	}
	if in.capturedAt, err = parseCapturedAt(r.CapturedAt, now); err != nil {
		return CreateInput{}, err
	}
	if in.uploads, err = r.uploads(); err != nil {
		return CreateInput{}, err
	}
	if len(r.DeviceInfo) > maxDeviceInfo {
		return CreateInput{}, problem.InvalidField("device_info", "at most 2 KB")
	}
	if len(r.DeviceInfo) > 0 && string(r.DeviceInfo) != "null" {
		in.deviceInfo = database.JSON(r.DeviceInfo) // never a reason to refuse a report
	}
	in.contentHash = in.hash()
	return in, nil
}

// parseCapturedAt reads when a picture was taken. A phone's clock may be a little fast.
func parseCapturedAt(s *string, now time.Time) (*time.Time, error) {
	if s == nil || strings.TrimSpace(*s) == "" {
		return nil, nil
	}
	text := strings.TrimSpace(*s)
	if len(text) > len(time.DateOnly) && text[len(time.DateOnly)] == ' ' { // RFC 3339, 5.6: a space may stand for the T, and Dart's toString has it
		text = text[:len(time.DateOnly)] + "T" + text[len(time.DateOnly)+1:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil { // Dart writes local times without a zone
		t, err = time.ParseInLocation("2006-01-02T15:04:05.999999999", text, report.Zone())
	}
	if err != nil {
		return nil, problem.InvalidField("captured_at", "expected an RFC 3339 date-time")
	}
	if now.Sub(t) > maxAge {
		return nil, problem.InvalidField("captured_at", "more than 30 days ago")
	}
	if t.Sub(now) > maxAhead {
		t = now
	}
	t = t.UTC().Truncate(time.Microsecond)
	return &t, nil
}

func optionalID(field string, s *string) (*uuid.UUID, error) {
	if s == nil || strings.TrimSpace(*s) == "" {
		return nil, nil
	}
	id, err := uuid.Parse(strings.TrimSpace(*s))
	if err != nil {
		return nil, problem.InvalidField(field, "expected a UUID")
	}
	return &id, nil
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

// hash tells a retry from another report with the same client_id: a retry has the same hash, other content has another one.
// Members that may differ in a retry (the state of the phone, a picture that was uploaded again) are not part of it.
//
// The hashes of earlier reports are stored. So a new member must be appended to fields, and only when it is set. Otherwise
// all hashes change, and the retry of an earlier report becomes a conflict.
func (in CreateInput) hash() [sha256.Size]byte {
	// The order is part of the hash, and hashes of old reports are stored: never change it.
	address := []*string{in.address.Address, in.address.Street, in.address.Suco, in.address.District, in.address.Municipality}
	fields := []any{in.issueType, in.issueTypeRaw, in.title, in.description,
		math.Round(in.latitude * 1e6), math.Round(in.longitude * 1e6), address, in.severityGuess, in.anonymous}
	raw, _ := json.Marshal(fields) // numbers in range, strings and bools always encode
	return sha256.Sum256(raw)
}
