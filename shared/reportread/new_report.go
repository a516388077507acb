package reportread

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// NewReport is a report that a transaction creates.
type NewReport struct {
	ID           uuid.UUID
	Number       database.Late
	ClientID     *uuid.UUID
	IssueType    report.IssueType
	IssueTypeRaw *string
	Title        string
	Description  string
	Severity     report.Severity
	Latitude     float64
	Longitude    float64
	Accuracy     *float64 // metres
	Address      Address
	// MunicipalityCode is that of the municipality in Address; nil without one.
	MunicipalityCode *string
	Source           report.Source
	AIStatus         report.AIStatus
	Anonymous        bool
	CapturedAt       *time.Time
	Images           []NewImage
	Author           Author // the zero Author for a report that staff file for somebody
	By               report.ActorKind
	At               time.Time // of the transaction
}

// Address is an address in words. Its parts are nil where they are unknown.
type Address struct {
	Address      *string // the whole line
	Street       *string
	Suco         *string
	District     *string
	Municipality *string
}

// NewImage is a picture that a report is created with, or that is added to it.
type NewImage struct {
	ID uuid.UUID
	upload.Locked
}

// Author is the reporter as readers see them.
type Author struct {
	ID     uuid.UUID
	Name   string
	Avatar *uuid.UUID // an upload
}

// Known is the author's id; nil for the zero Author.
func (a *Author) Known() *uuid.UUID {
	if a.ID == uuid.Nil {
		return nil
	}
	return &a.ID
}

// NewReport returns what Report will return for n after the commit, without reading it. Its number is the placeholder
// of n.Number.
func (r *Reader) NewReport(ctx context.Context, v Viewer, n NewReport) (Report, error) {
	row := &summaryRow{anonymous: n.Anonymous, personID: n.Author.Known(), personName: &n.Author.Name, avatar: n.Author.Avatar}
	row.Summary = Summary{
		ID: n.ID, ReportNumber: n.Number.Placeholder(), Title: n.Title, Description: n.Description, IssueType: n.IssueType,
		IssueTypeRaw: n.IssueTypeRaw, Severity: &n.Severity, Priority: &n.Severity, Status: report.Pending,
		Latitude: n.Latitude, Longitude: n.Longitude, LocationAccuracy: SinglePrecision(n.Accuracy),
		Address: n.Address.Address, Street: n.Address.Street, Suco: n.Address.Suco, District: n.Address.District,
		Municipality: n.Address.Municipality, AIStatus: &n.AIStatus, BlockchainStatus: report.LedgerQueued, ClientID: n.ClientID, Version: 1, Source: n.Source,
		CreatedAt: timestamp.Of(n.At), UpdatedAt: timestamp.Of(n.At), author: n.Author.Known(),
	}
	out := Report{
		AI:                 &Assessment{},
		Blockchain:         ledger.Anchor{Status: string(report.LedgerQueued), Network: r.ledger.Network},
		StatusHistory:      []Step{{NewStatus: report.Pending, ChangedBy: string(n.By), CreatedAt: timestamp.Of(n.At)}},
		PossibleDuplicates: []Candidate{},
		CapturedAt:         timestamp.OfPtr(n.CapturedAt),
	}
	images := make([]imageRow, len(n.Images))
	for i, image := range n.Images {
		images[i] = image.row("evidence", n.At)
		if row.image == nil && image.State == upload.Processed {
			row.image, row.generation, row.Blurhash = &image.Locked.ID, &image.Generation, image.Blurhash
		}
	}
	return r.complete(ctx, v, out, row, images)
}

func (i NewImage) row(kind string, at time.Time) imageRow {
	return imageRow{state: i.State, upload: i.Locked.ID, generation: i.Generation, Image: Image{ID: i.ID, Kind: kind, IsPublic: kind == "resolution",
		Width: i.Width, Height: i.Height, Blurhash: i.Blurhash, CreatedAt: timestamp.Of(at)}}
}

// NewImage returns what Image will return for i after the commit, without reading it.
func (r *Reader) NewImage(ctx context.Context, i NewImage, kind string, at time.Time) (Image, error) {
	return r.image(ctx, i.row(kind, at))
}

// SinglePrecision rounds v as the database does: it stores four bytes.
func SinglePrecision(v *float64) *float64 {
	if v == nil {
		return nil
	}
	rounded := float64(float32(*v))
	return &rounded
}
