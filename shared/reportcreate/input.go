// Package reportcreate writes new reports: the row with its number, the history, the first event of the public log and the messages to
// the workers. The functions that take requests decide who may create a report, and which request repeats an earlier one.
package reportcreate

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Input is the checked content of a new report.
type Input struct {
	ClientID         *uuid.UUID // given by the sender; nil for none
	IssueType        report.IssueType
	IssueTypeRaw     *string // the sender's word, where it names no issue type
	Title            string
	Description      string
	Latitude         float64 // degrees, WGS 84
	Longitude        float64
	Accuracy         *float64 // metres
	Address          reportread.Address
	MunicipalityCode *string          // of the municipality in Address; nil where the name is unknown
	SeverityGuess    *report.Severity // the sender's
	CapturedAt       *time.Time
	CreatedOffline   bool
	DeviceInfo       json.RawMessage
	Anonymous        bool
	ContentHash      [sha256.Size]byte
	Source           report.Source
	Contact          *Contact // whom the report is for; nil for a person's own report
}

// AcceptedHash tells a repeat from a request with other content: type, words and place. It is stored with the report, so its
// members and their order stay as they are.
func (in Input) AcceptedHash() [sha256.Size]byte {
	raw, _ := json.Marshal([]any{in.IssueType, in.IssueTypeRaw, in.Title, in.Description, Degrees(in.Latitude), Degrees(in.Longitude)})
	return sha256.Sum256(raw)
}

// Degrees is a coordinate as it is compared: to 6 decimals, about 0.1 m.
func Degrees(v float64) float64 { return math.Round(v * 1e6) }
