package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/upload"
)

// CreateRequest is a report as a phone sends it. Apps in the field cannot be mended and
// may send what was written days ago, so anything that can be understood is: an
// unknown enum word, a long address or a null never loses a report.
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

// createTexts are the members that are text even where they look like a number.
func createTexts() []string {
	return []string{"client_id", "issue_type", "title", "description", "address", "municipality", "district", "suco",
		"street", "severity", "image_url", "captured_at"}
}

// uploads are the referenced ones, each once, whichever of the three ways they were named.
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
