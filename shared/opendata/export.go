package opendata

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Format is the file format of an export.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	GeoJSON Format = "geojson"
)

// Formats returns all formats.
func Formats() []Format { return []Format{CSV, GeoJSON} }

// ContentType returns the media type of the format.
func (f Format) ContentType() string {
	if f == CSV {
		return "text/csv; charset=utf-8"
	}
	return "application/geo+json"
}

// Key returns the key of the export of all reports in the media bucket. The file is compressed with gzip.
func (f Format) Key() string { return "exports/reports." + string(f) }

// row is one report as open data. It has nothing about the reporter or the device. A report without a verdict has no words,
// street and severity, and its place has 3 decimals. One whose words are hidden has no words and
// street. Neither has a name of a place that somebody typed.
type row struct {
	ID           uuid.UUID
	Number       string
	IssueType    string
	Severity     string
	Status       string
	Title        string
	Description  string
	Latitude     float64
	Longitude    float64
	Municipality string
	District     string
	Suco         string
	Street       string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	ResolvedAt   *time.Time
}

// ExportColumns is the start of a query for an export of reports r. The caller adds WHERE and ORDER BY. The conditions must
// contain PublicCondition.
const ExportColumns = `
	SELECT r.id, r.report_number, r.issue_type, r.severity, r.status, r.title, r.description, r.latitude, r.longitude,
	       coalesce(r.municipality, ''), coalesce(r.district, ''), coalesce(r.suco, ''), coalesce(r.street, ''),
	       coalesce(` + report.ShownMunicipalitySQL + `, ''), coalesce(` + report.ShownDistrictSQL + `, ''), coalesce(` + report.ShownSucoSQL + `, ''),
	       r.created_at, r.updated_at, r.resolved_at, ` + report.HiddenSQL + `, NOT ` + report.WordsShownSQL + `
	  FROM reports r `

// PublicCondition is true for reports r that everybody may see: not deleted and not rejected.
const PublicCondition = `r.deleted_at IS NULL AND r.status <> 'rejected'`

// encoder writes rows in a format. begin comes first, end last.
type encoder interface {
	begin() error
	row(r *row) error
	end() error
}

// ExportBound limits an export.
type ExportBound struct {
	Rows  int
	Bytes int // tested before each row: an export may be larger by one row and the buffer of the encoder, some kilobytes
}

// WriteExport runs a query that begins with ExportColumns and writes all its rows to w. It returns the number of rows.
func WriteExport(ctx context.Context, q database.Querier, f Format, w io.Writer, query string, args ...any) (int, error) {
	n, _, err := WriteExportUpTo(ctx, ExportBound{math.MaxInt, math.MaxInt}, q, f, w, query, args...)
	return n, err
}

// WriteExportUpTo is WriteExport that stops at a bound. It returns true when there are more rows.
func WriteExportUpTo(ctx context.Context, bound ExportBound, q database.Querier, f Format, w io.Writer, query string, args ...any) (int, bool, error) {
	out := &counter{w: w}
	var e encoder = newCSV(out)
	if f == GeoJSON {
		e = newGeoJSON(out)
	}
	if err := e.begin(); err != nil {
		return 0, false, fmt.Errorf("begin %s: %w", f, err)
	}
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return 0, false, fmt.Errorf("query export: %w", err)
	}
	defer rows.Close()
	n, more := 0, false
	for rows.Next() {
		if more = n >= bound.Rows || out.bytes >= bound.Bytes; more {
			break
		}
		r, err := scan(rows)
		if err != nil {
			return n, false, fmt.Errorf("read export row: %w", err)
		}
		if err := e.row(&r); err != nil {
			return n, false, fmt.Errorf("write %s: %w", f, err)
		}
		n++
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return n, false, fmt.Errorf("read export: %w", err)
	}
	if err := e.end(); err != nil {
		return n, false, fmt.Errorf("end %s: %w", f, err)
	}
	return n, more, nil
}

// counter counts the bytes written to w.
type counter struct {
	w     io.Writer
	bytes int
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.bytes += n
	return n, err
}

func scan(rows pgx.Rows) (row, error) {
	var r row
	var hidden, wordsHidden bool
	var municipality, district, suco string
	err := rows.Scan(&r.ID, &r.Number, &r.IssueType, &r.Severity, &r.Status, &r.Title, &r.Description, &r.Latitude, &r.Longitude,
		&r.Municipality, &r.District, &r.Suco, &r.Street, &municipality, &district, &suco, &r.CreatedAt, &r.UpdatedAt, &r.ResolvedAt, &hidden, &wordsHidden)
	if hidden || wordsHidden {
		r.Title, r.Description, r.Street = report.IssueType(r.IssueType).Label(locale.Default), "", ""
		r.Municipality, r.District, r.Suco = municipality, district, suco
	}
	if hidden {
		r.Severity = ""
		r.Latitude, r.Longitude = report.ShownPlace(r.Latitude), report.ShownPlace(r.Longitude)
	}
	return r, err
}

type csvEncoder struct {
	out    io.Writer
	w      *csv.Writer
	record []string // of the row before
}

func newCSV(w io.Writer) *csvEncoder { return &csvEncoder{out: w, w: csv.NewWriter(w)} }

// begin writes a byte order mark, by which a spreadsheet knows UTF-8, and the names of the columns.
func (e *csvEncoder) begin() error {
	if _, err := io.WriteString(e.out, "\ufeff"); err != nil {
		return err
	}
	return e.w.Write([]string{"report_number", "id", "issue_type", "severity", "status", "title", "description", "latitude", "longitude",
		"municipality", "district", "suco", "street", "created_at", "updated_at", "resolved_at"})
}

func (e *csvEncoder) row(r *row) error {
	resolved := ""
	if r.ResolvedAt != nil {
		resolved = timestamp.Of(*r.ResolvedAt).String()
	}
	e.record = append(e.record[:0], r.Number, r.ID.String(), r.IssueType, r.Severity, r.Status, Cell(r.Title), Cell(r.Description),
		strconv.FormatFloat(r.Latitude, 'f', -1, 64), strconv.FormatFloat(r.Longitude, 'f', -1, 64),
		Cell(r.Municipality), Cell(r.District), Cell(r.Suco), Cell(r.Street),
		timestamp.Of(r.CreatedAt).String(), timestamp.Of(r.UpdatedAt).String(), resolved)
	return e.w.Write(e.record)
}

func (e *csvEncoder) end() error {
	e.w.Flush()
	return e.w.Error()
}

// Cell puts an apostrophe before text that a spreadsheet would run as a formula (OWASP, CSV injection). A spreadsheet may drop
// white space and invisible characters at the beginning, and read full-width and small forms of the characters as themselves.
func Cell(text string) string {
	visible := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.In(r, unicode.White_Space, unicode.Cc, unicode.Cf) })
	first, _ := utf8.DecodeRuneInString(visible)
	if strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "\r") || strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫", first) {
		return "'" + text
	}
	return text
}
