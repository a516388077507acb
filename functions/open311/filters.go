package open311

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// maxRadius is the largest radius of a search, in metres.
const maxRadius = 50_000

// statuses are those of a word of the specification: open or closed. What is rejected is in no list.
func statuses(word string) []report.Status {
	switch word {
	case statusOpen:
		return []report.Status{report.Pending, report.Verified, report.InProgress}
	case statusClosed:
		return []report.Status{report.Fixed, report.Duplicate}
	}
	return nil
}

// The statuses of the specification.
const (
	statusOpen   = "open"
	statusClosed = "closed"
)

// statusWord is the word of the specification for a status.
func statusWord(s report.Status) string {
	for _, closed := range statuses(statusClosed) {
		if s == closed {
			return statusClosed
		}
	}
	return statusOpen
}

// named limits a list to the reports with ids or numbers. Words that are neither name no report.
func named(words []string) (reportread.Scope, error) {
	if len(words) > maxItems {
		return reportread.Scope{}, problem.InvalidField("service_request_id", fmt.Sprintf("at most %d ids", maxItems))
	}
	var ids []uuid.UUID
	var numbers []string
	for _, word := range words {
		if number, ok := report.ParseNumber(word); ok {
			numbers = append(numbers, number)
		} else if id, err := uuid.Parse(word); err == nil {
			ids = append(ids, id)
		}
	}
	return reportread.Where("(r.report_number = ANY(?) OR r.id = ANY(?))", numbers, ids), nil
}

// filters are the conditions of a search: a query of reportread and scopes beside it.
type filters struct {
	query  reportread.Query
	scopes []reportread.Scope
	beyond bool // see Call.page
}

// filters reads the parameters of a search. service_request_id overrides all others.
func (c *Call) filters(now time.Time, most bounds) (filters, error) {
	f := filters{query: reportread.Query{Query: page.Query{Page: 1, Size: maxItems}, Sort: "created_at", Order: "desc"}}
	if ids := c.words("service_request_id"); len(ids) > 0 {
		scope, err := named(ids)
		f.scopes = append(f.scopes, scope)
		return f, err
	}
	var err error
	if f.query.Query, f.beyond, err = c.page(most.before); err != nil {
		return filters{}, err
	}
	f.query.Cursor = c.text("cursor")
	f.query.Text, f.query.Box = c.text("q"), c.text("bbox")
	for _, read := range []func(*filters) error{c.codes, c.status, func(f *filters) error { return c.times(f, now) }, c.around} {
		if err := read(&f); err != nil {
			return filters{}, err
		}
	}
	return f, nil
}

func (c *Call) codes(f *filters) error {
	codes := c.words("service_code")
	for i, code := range codes {
		t, ok := serviceOf(code)
		if !ok {
			return problem.InvalidField("service_code", "expected codes of the list of services")
		}
		codes[i] = string(t)
	}
	f.query.IssueType = strings.Join(codes, ",")
	return nil
}

func (c *Call) status(f *filters) error {
	var all []string
	for _, word := range c.words("status") {
		found := statuses(strings.ToLower(word))
		if found == nil {
			return problem.InvalidField("status", "expected open, closed or both")
		}
		for _, s := range found {
			all = append(all, string(s))
		}
	}
	f.query.Status = strings.Join(all, ",")
	return nil
}

// times reads the dates. The default span is not for a client that asks for what changed: an old report may have changed today.
func (c *Call) times(f *filters, now time.Time) error {
	span, asked, err := c.span(now)
	if err != nil {
		return err
	}
	after, since, err := c.time("updated_after")
	if err != nil {
		return err
	}
	before, until, err := c.time("updated_before")
	if err != nil {
		return err
	}
	if asked || !since && !until {
		f.scopes = append(f.scopes, reportread.Created(&span.from, &span.to))
	}
	if since {
		f.scopes = append(f.scopes, reportread.Where("r.updated_at >= ?", after.from))
	}
	if until {
		f.scopes = append(f.scopes, reportread.Where("r.updated_at < ?", before.to))
	}
	if since || until {
		f.query.Sort = "updated_at"
	}
	return nil
}

// around reads lat, long and radius: a circle by the places that everybody is shown. The index finds the box around it.
func (c *Call) around(f *filters) error {
	lat, long, radius := c.text("lat"), c.text("long"), c.text("radius")
	if lat == "" && long == "" && radius == "" {
		return nil
	}
	if lat == "" || long == "" || radius == "" {
		return problem.InvalidField("radius", "send lat, long and radius together")
	}
	latitude, errLat := strconv.ParseFloat(lat, 64)
	longitude, errLong := strconv.ParseFloat(long, 64)
	if errLat != nil || errLong != nil || !report.ValidPoint(latitude, longitude) {
		return problem.InvalidField("lat", "expected degrees (WGS 84)")
	}
	meters, err := strconv.ParseFloat(radius, 64)
	if err != nil || !(meters > 0 && meters <= maxRadius) {
		return problem.InvalidField("radius", fmt.Sprintf("expected metres, more than 0 and at most %d", maxRadius))
	}
	if f.query.Box == "" {
		f.query.Box = boxAround(latitude, longitude, meters)
	}
	f.scopes = append(f.scopes, reportread.Where("ST_Distance("+report.ShownPositionSQL+", ST_SetSRID(ST_MakePoint(?, ?), 4326)::geography) <= ?", longitude, latitude, meters))
	return nil
}

// boxAround is a box in degrees that contains the circle, as a bbox. Near a pole and the antimeridian it has all longitudes.
func boxAround(latitude, longitude, meters float64) string {
	const degree = 110_000 // metres of a degree of latitude, less than anywhere
	height := meters / degree
	south, north := max(latitude-height, -90), min(latitude+height, 90)
	west, east := -180.0, 180.0
	if cos := math.Cos(max(-south, north) * math.Pi / 180); cos > 0.01 {
		if width := height / cos; longitude-width >= -180 && longitude+width <= 180 {
			west, east = longitude-width, longitude+width
		}
	}
	return fmt.Sprintf("%.7f,%.7f,%.7f,%.7f", west, south, east, north)
}
