package notifications

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// maxAlerts is how many alerts a person may have.
const maxAlerts = 10

func (g *Group) registerAlerts(api *httpapi.API) {
	const path = "/api/v1/alerts"
	op := func(method, path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{Method: method, Path: path, Tags: []string{name}, Summary: summary, Description: description}}
	}
	httpapi.Register(api, op(http.MethodGet, path, "List the caller's alerts", "Oldest first; at most 10."), g.listAlerts)
	add := op(http.MethodPost, path, "Ask to be told of reports at a place",
		"A place with radius_meters, or a municipality. The caller is told in the app, and by one mail a day, of reports of others there that got their verdict (new) or were fixed. "+
			"The same alert again is 200 with the first one; more than 10 are 409 alert_limit.")
	add.DefaultStatus, add.Creates = http.StatusCreated, true
	add.Responses = map[string]*huma.Response{"200": httpapi.JSON[Alert](api, "The alert existed already")}
	add.Lenient = &httpapi.Lenient{Strict: []string{"latitude", "longitude", "radius_meters", "municipality", "issue_types", "events"}}
	add.Aliases = map[string]string{"lat": "latitude", "lng": "longitude", "lon": "longitude", "radius": "radius_meters", "municipality_code": "municipality"}
	httpapi.Register(api, add.WithProblems(errAlertLimit, report.ErrOutsideArea), g.addAlert)
	httpapi.Register(api, op(http.MethodDelete, path+"/{id}", "Remove an alert", "Nothing is sent for it any more. What it has sent stays in the list of notifications.").WithProblems(errNoAlert), g.removeAlert)
}

// Alert is a place of which a person wants to hear.
type Alert struct {
	ID               uuid.UUID                 `json:"id"`
	Latitude         *float64                  `json:"latitude" doc:"Degrees, WGS 84; null with municipality"`
	Longitude        *float64                  `json:"longitude"`
	RadiusMeters     *int                      `json:"radius_meters"`
	Municipality     *string                   `json:"municipality" doc:"Name; null with a place"`
	MunicipalityCode *string                   `json:"municipality_code"`
	IssueTypes       []report.IssueType        `json:"issue_types" doc:"Empty for all"`
	Events           []notification.AlertEvent `json:"events" enum:"new,fixed"`
	CreatedAt        timestamp.Time            `json:"created_at"`
}

const alertColumns = `a.id, a.latitude, a.longitude, a.radius_meters, m.name, a.municipality_code, a.issue_types, a.events, a.created_at`

func scanAlert(row pgx.CollectableRow) (Alert, error) {
	var a Alert
	var at time.Time
	err := row.Scan(&a.ID, &a.Latitude, &a.Longitude, &a.RadiusMeters, &a.Municipality, &a.MunicipalityCode, &a.IssueTypes, &a.Events, &at)
	a.CreatedAt = timestamp.Of(at)
	return a, err
}

type alertsOutput struct{ Body []Alert }

func (g *Group) listAlerts(ctx context.Context, _ *struct{}) (*alertsOutput, error) {
	rows, err := g.db.Query(ctx, alertsOf+` ORDER BY a.created_at, a.id`, identity.Must(ctx).UserID)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	if found == nil {
		found = []Alert{}
	}
	return &alertsOutput{found}, nil
}

const alertsOf = `SELECT ` + alertColumns + ` FROM alerts a LEFT JOIN municipalities m ON m.code = a.municipality_code WHERE a.user_id = $1`

type alertInput struct {
	Body struct {
		_            struct{} `schema:"AlertCreate"`
		Latitude     *float64 `json:"latitude,omitempty" minimum:"-90" maximum:"90" doc:"Degrees, WGS 84" example:"-8.5569"`
		Longitude    *float64 `json:"longitude,omitempty" minimum:"-180" maximum:"180" example:"125.5603"`
		RadiusMeters *int     `json:"radius_meters,omitempty" minimum:"1" maximum:"20000" example:"500"`
		Municipality *string  `json:"municipality,omitempty" doc:"Code or name, in any of its spellings; instead of a place" example:"Dili"`
		IssueTypes   []string `json:"issue_types,omitempty" maxItems:"12" doc:"Absent or empty for all" example:"pothole"`
		Events       []string `json:"events,omitempty" maxItems:"2" doc:"new, fixed; absent for both" example:"fixed"`
	}
}

type alertOutput struct {
	Status int
	Body   Alert
}

// alert is the alert that the request asks for.
func (g *Group) alert(ctx context.Context, in *alertInput) (Alert, error) {
	b := in.Body
	out := Alert{ID: database.NewID(), IssueTypes: []report.IssueType{}, Events: []notification.AlertEvent{}}
	switch {
	case b.Municipality != nil && b.Latitude == nil && b.Longitude == nil:
		code, ok, err := g.municipalities.Code(ctx, *b.Municipality)
		if err != nil {
			return out, err
		}
		if !ok {
			return out, problem.InvalidField("municipality", "no municipality goes by that name")
		}
		out.MunicipalityCode = &code
	case b.Municipality != nil:
		return out, problem.InvalidField("municipality", "send a place or a municipality, not both")
	case b.Latitude == nil || b.Longitude == nil || b.RadiusMeters == nil:
		return out, problem.InvalidField("radius_meters", "send latitude, longitude and radius_meters, or a municipality")
	default:
		limits, err := g.settings.Current(ctx)
		if err != nil {
			return out, err
		}
		if !report.ValidPoint(*b.Latitude, *b.Longitude) || !limits.Area.Has(*b.Latitude, *b.Longitude) {
			return out, report.ErrOutsideArea
		}
		out.Latitude, out.Longitude, out.RadiusMeters = b.Latitude, b.Longitude, b.RadiusMeters
	}
	for _, word := range b.IssueTypes {
		t, known := report.ParseIssueType(word)
		if !known {
			return out, problem.InvalidField("issue_types", "holds a word that is not in the list of values")
		}
		out.IssueTypes = append(out.IssueTypes, t)
	}
	for _, word := range b.Events {
		e := notification.AlertEvent(word)
		if e != notification.AlertNew && e != notification.AlertFixed {
			return out, problem.InvalidField("events", "holds a word that is not in the list of values")
		}
		out.Events = append(out.Events, e)
	}
	if len(out.Events) == 0 {
		out.Events = append(out.Events, notification.AlertNew, notification.AlertFixed)
	}
	slices.Sort(out.IssueTypes)
	slices.Sort(out.Events)
	out.IssueTypes, out.Events = slices.Compact(out.IssueTypes), slices.Compact(out.Events)
	return out, nil
}

func (g *Group) addAlert(ctx context.Context, in *alertInput) (*alertOutput, error) {
	asked, err := g.alert(ctx, in)
	if err != nil {
		return nil, err
	}
	user, out := identity.Must(ctx).UserID, &alertOutput{}
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		// One person's alerts are added one after the other, so that they can be counted.
		tx.Queue(`SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE`, user)
		there := database.AskRows(tx, scanAlert, alertsOf+` ORDER BY a.created_at, a.id`, user)
		at := database.AskRow(tx, pgx.RowTo[time.Time], `SELECT now()`)
		named := database.AskOptional(tx, pgx.RowTo[string], `SELECT name FROM municipalities WHERE code = $1`, asked.MunicipalityCode)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read alerts: %w", err)
		}
		asked.CreatedAt, asked.Municipality = timestamp.Of(at.Get()), named.Get()
		if i := slices.IndexFunc(there.Get(), asked.same); i >= 0 {
			out.Status, out.Body = http.StatusOK, there.Get()[i]
			return httpapi.RecordAnswer(ctx, tx, out.Status, out.Body)
		}
		if len(there.Get()) >= maxAlerts {
			return errAlertLimit.Param("max", strconv.Itoa(maxAlerts))
		}
		const insert = `INSERT INTO alerts (id, user_id, latitude, longitude, radius_meters, municipality_code, issue_types, events) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
		tx.Queue(insert, asked.ID, user, asked.Latitude, asked.Longitude, asked.RadiusMeters, asked.MunicipalityCode, texts(asked.IssueTypes), texts(asked.Events))
		out.Status, out.Body = http.StatusCreated, asked
		return httpapi.RecordAnswer(ctx, tx, out.Status, out.Body)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// texts are words as the driver sends them in every query mode.
func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

// same reports whether a and b tell of the same.
func (a Alert) same(b Alert) bool {
	return equal(a.Latitude, b.Latitude) && equal(a.Longitude, b.Longitude) && equal(a.RadiusMeters, b.RadiusMeters) &&
		equal(a.MunicipalityCode, b.MunicipalityCode) && slices.Equal(a.IssueTypes, b.IssueTypes) && slices.Equal(a.Events, b.Events)
}

func equal[T comparable](a, b *T) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

var errNoAlert = problem.New(problem.NotFound, "alert_not_found")

func (g *Group) removeAlert(ctx context.Context, in *oneInput) (*httpapi.MessageOutput, error) {
	out, err := g.touch(ctx, `DELETE FROM alerts WHERE id = $1 AND user_id = $2 RETURNING true`, in.ID, "message.alert_removed")
	if errors.Is(err, errNotFound) {
		return nil, errNoAlert
	}
	return out, err
}
