package reportread

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Fresh is a report in the moment it is filed.
type Fresh struct {
	ID           uuid.UUID
	ClientID     *uuid.UUID
	IssueType    report.IssueType
	IssueTypeRaw *string
	Title        string
	Description  string
	Severity     report.Severity
	Latitude     float64
	Longitude    float64
	Accuracy     *float64   // metres
	Address      [5]*string // address, street, suco, district, municipality
	AIStatus     report.AIStatus
	Anonymous    bool
	CapturedAt   *time.Time
	Images       []FreshImage
	Author       Author
	At           time.Time // of the transaction
}

// FreshImage is a picture a report is filed with, or that is added to it.
type FreshImage struct {
	ID uuid.UUID
	upload.Held
}

// Author is the reporter as readers see them.
type Author struct {
	ID     uuid.UUID
	Name   string
	Avatar *uuid.UUID // an upload
}

// Fresh is what Report would read of f once it is there, for its author, without reading it: only its number is
// Unnumbered.
func (r *Reader) Fresh(ctx context.Context, v Viewer, f Fresh) (Report, error) {
	row := &summaryRow{anonymous: f.Anonymous, personID: &f.Author.ID, personName: &f.Author.Name, avatar: f.Author.Avatar}
	row.Summary = Summary{
		ID: f.ID, ReportNumber: report.Unnumbered, Title: f.Title, Description: f.Description, IssueType: f.IssueType,
		IssueTypeRaw: f.IssueTypeRaw, Severity: f.Severity, Priority: f.Severity, Status: report.Pending,
		Latitude: f.Latitude, Longitude: f.Longitude, LocationAccuracy: stored(f.Accuracy),
		Address: f.Address[0], Street: f.Address[1], Suco: f.Address[2], District: f.Address[3], Municipality: f.Address[4],
		AIStatus: f.AIStatus, BlockchainStatus: "queued", ClientID: f.ClientID, Version: 1,
		CreatedAt: timestamp.Of(f.At), UpdatedAt: timestamp.Of(f.At), author: &f.Author.ID,
	}
	out := Report{
		Blockchain:         ledger.Anchor{Status: "queued", Network: r.ledger.Network},
		StatusHistory:      []Step{{NewStatus: report.Pending, ChangedBy: string(report.ActorCitizen), CreatedAt: timestamp.Of(f.At)}},
		PossibleDuplicates: []Candidate{},
		CapturedAt:         timestamp.OfPtr(f.CapturedAt),
	}
	images := make([]imageRow, len(f.Images))
	for i, image := range f.Images {
		images[i] = image.row("evidence", f.At)
		if row.image == nil && image.State == upload.Processed {
			row.image, row.Blurhash = &image.Held.ID, image.Blurhash
		}
	}
	return r.complete(ctx, v, out, row, images)
}

func (i FreshImage) row(kind string, at time.Time) imageRow {
	return imageRow{state: i.State, upload: i.Held.ID, Image: Image{ID: i.ID, Kind: kind,
		Width: i.Width, Height: i.Height, Blurhash: i.Blurhash, CreatedAt: timestamp.Of(at)}}
}

// FreshImage is what Image would read of i in the moment it is added, without reading it.
func (r *Reader) FreshImage(ctx context.Context, i FreshImage, kind string, at time.Time) (Image, error) {
	return r.image(ctx, i.row(kind, at))
}

// stored is a number as the database keeps it, in single precision.
func stored(v *float64) *float64 {
	if v == nil {
		return nil
	}
	rounded := float64(float32(*v))
	return &rounded
}
