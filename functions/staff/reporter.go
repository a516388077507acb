package staff

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerReporter(api *httpapi.API) {
	httpapi.Register(api, httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/reports/{id}/reporter", Tags: []string{name}, Summary: "Read how to reach the reporter of a report",
			Description: "For moderators, administrators and officials of the agency that has the report. Each request is recorded in the audit log. " +
				"404 reporter_unknown for an anonymous report, and where the account was deleted. Of a report that staff filed for somebody: that person. Of a report that came over Open311: the person that the other system named, who confirmed nothing, and the system.",
		},
		Roles: identity.Staff(), Cache: httpapi.Never, Limit: admission.LimitContact,
	}.WithProblems(report.Problems()...).WithProblems(errReporterUnknown, reportwrite.ErrNotYourAgency), g.reporter)
}

// Contact is how to reach a reporter.
type Contact struct {
	_           struct{}        `schema:"ReporterContact"`
	FullName    *string         `json:"full_name"`
	PhoneNumber *string         `json:"phone_number"`
	Email       *string         `json:"email"`
	Language    locale.Language `json:"preferred_language" enum:"tet,pt,en"`
	// SentBy and SystemEmail are those of an API key.
	SentBy      *string `json:"sent_by,omitempty" doc:"The other system that sent the report over Open311; left out for other reports" example:"FixMyStreet"`
	SystemEmail *string `json:"system_email,omitempty" doc:"Of those who run the other system"`
}

// reporterRow is what decides who may read the contact, and the contact.
type reporterRow struct {
	Report    uuid.UUID
	Agency    *uuid.UUID
	Anonymous bool
	Known     bool
	Contact   Contact
}

func scanReporter(row pgx.CollectableRow) (reporterRow, error) {
	var r reporterRow
	c := &r.Contact
	return r, row.Scan(&r.Report, &r.Agency, &r.Anonymous, &r.Known, &c.FullName, &c.PhoneNumber, &c.Email, &c.Language, &c.SentBy, &c.SystemEmail)
}

// An account that took the report over counts before the contact that staff wrote down.
const reporterQuery = `SELECT r.id, r.assigned_agency_id, r.is_anonymous, u.id IS NOT NULL OR c.report_id IS NOT NULL OR k.id IS NOT NULL,
	CASE WHEN u.id IS NULL THEN coalesce(c.full_name, o.full_name) ELSE nullif(u.full_name, '') END,
	CASE WHEN u.id IS NULL THEN coalesce(c.phone_number, o.phone_number) ELSE u.phone_number END,
	CASE WHEN u.id IS NULL THEN coalesce(c.email, o.email) ELSE u.email END::text,
	coalesce(u.preferred_language, c.preferred_language, o.preferred_language, 'en'), k.name, k.contact_email::text
	FROM reports r LEFT JOIN users u ON u.id = r.user_id AND u.deleted_at IS NULL
	LEFT JOIN report_contacts c ON c.report_id = r.id AND c.claimed_at IS NULL
	LEFT JOIN api_keys k ON k.id = r.api_key_id LEFT JOIN open311_contacts o ON o.report_id = r.id AND k.id IS NOT NULL
	WHERE r.id = ` + report.IDSQL

var errReporterUnknown = problem.New(problem.NotFound, "reporter_unknown")

type contactOutput struct{ Body Contact }

func (g *Group) reporter(ctx context.Context, in *report.RefInput) (*contactOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	out := &contactOutput{}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		reportread.ViewerOf(caller).MayChange(tx, about)
		found := database.AskRow(tx, scanReporter, reporterQuery, about.Args()...).Missing(report.ErrNotFound)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read reporter: %w", err)
		}
		r := found.Get()
		switch {
		case !report.ActorOf(caller).WorksFor(r.Agency):
			return reportwrite.ErrNotYourAgency
		case r.Anonymous || !r.Known:
			return errReporterUnknown
		}
		out.Body = r.Contact
		return audit.Record(ctx, tx, audit.Entry{Action: "report.read_reporter", Entity: "report", EntityID: r.Report.String()})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
