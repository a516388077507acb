package ogc

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// reportFields are the properties of reports. What everybody may see of each is decided by reportread.
func reportFields() []field {
	return []field{
		{"report_number", "string", "", "Such as LS-2026-000123"},
		{"url", "string", "uri", "The page of the report, with its pictures and its proof"},
		{"issue_type", "string", "", "What kind of problem"},
		{"severity", "string", "", "low, medium, high or critical; null before a verdict"},
		{"status", "string", "", "pending, verified, in_progress, fixed or duplicate"},
		{"title", "string", "", "The label of the issue type before a verdict, and where the words are hidden"},
		{"description", "string", "", "Empty before a verdict, and where the words are hidden"},
		{"municipality", "string", "", "Name"},
		{"district", "string", "", "Administrative post"},
		{"suco", "string", "", "Village or quarter"},
		{"street", "string", "", "null before a verdict, and where the words are hidden"},
		{"agency", "string", "", "Who should repair it"},
		{"source", "string", "", "How the report came in: app, web, assisted, open311 or import"},
		{"confirmations", "integer", "", "People who saw the problem too"},
		{"created_at", "string", "date-time", "The time that the parameter datetime is about"},
		{"updated_at", "string", "date-time", ""},
		{"resolved_at", "string", "date-time", "null where nothing was repaired"},
		{"due_at", "string", "date-time", "Until when the agency should repair it"},
	}
}

// reports reads a page of the reports that everybody may see, newest first.
func (g *Group) reports(ctx context.Context, c collection, s selection) (featurePage, error) {
	sources, bad := report.ParseList(s.Source, report.ParseSource)
	if bad != "" || s.Source != "" && len(sources) == 0 {
		return featurePage{}, problem.InvalidField("source", "holds a word that is not in the list of values")
	}
	scopes := []reportread.Scope{s.time.scope()}
	if sources != nil {
		scopes = append(scopes, fromSources(sources))
	}
	q := reportread.Query{Query: page.Query{Page: 1, Size: s.limit}, Sort: "created_at", Order: "desc", Cursor: s.cursor, Filters: reportread.Filters{
		Status: s.Status, IssueType: s.IssueType, Severity: s.Severity, Municipality: s.Municipality, District: s.District, Suco: s.Suco, Box: s.box}}
	for {
		found, err := g.reader.List(ctx, reportread.Public(), q, scopes...)
		if err != nil {
			return featurePage{}, err
		}
		out := featurePage{features: make([]Feature, len(found.Items))}
		for i, item := range found.Items {
			if out.features[i], err = g.featureOf(ctx, c, item); err != nil {
				return featurePage{}, err
			}
		}
		if n := fitting(out.features); n < len(out.features) {
			q.Size = n // the cursor of a page is known only for the page itself
			continue
		}
		if found.NextCursor != nil {
			out.next = *found.NextCursor
		}
		if found.Total < reportread.MaxTotal { // else there may be more
			out.matched = &found.Total
		}
		return out, nil
	}
}

// fromSources is the condition that reports came in by one of the sources. They are written into the statement, so that the planner
// sees which of them are rare.
func fromSources(sources []report.Source) reportread.Scope {
	words := make([]string, len(sources))
	for i, source := range sources {
		words[i] = "'" + string(source) + "'" // one of the constants
	}
	return reportread.Where("r.source IN (" + strings.Join(words, ", ") + ")")
}

// report reads one report. It is not there for a report that not everybody may see, and for an id that is written in another way
// than features have it.
func (g *Group) report(ctx context.Context, c collection, id string) (Feature, error) {
	known, err := uuid.Parse(id)
	if err != nil || known.String() != id {
		return Feature{}, errNotFound
	}
	found, err := g.reader.Summaries(ctx, reportread.Public(), []uuid.UUID{known})
	if err != nil {
		return Feature{}, err
	}
	if len(found) == 0 {
		return Feature{}, errNotFound
	}
	return g.featureOf(ctx, c, found[0])
}

func (g *Group) featureOf(ctx context.Context, c collection, s reportread.Summary) (Feature, error) {
	var agency *string
	if s.AssignedAgency != nil {
		agency = &s.AssignedAgency.Name
	}
	point, err := json.Marshal(map[string]any{"type": "Point", "coordinates": [2]float64{s.Longitude, s.Latitude}})
	if err != nil {
		return Feature{}, err
	}
	base := g.weblinks.Or(httpapi.Origin(ctx))
	return newFeature(s.ID.String(), point, c.fields, s.ReportNumber, base.Report(s.ReportNumber), s.IssueType, s.Severity, s.Status, s.Title, s.Description,
		s.Municipality, s.District, s.Suco, s.Street, agency, s.Source, s.ConfirmationsCount, s.CreatedAt, s.UpdatedAt, s.ResolvedAt, s.DueAt)
}
