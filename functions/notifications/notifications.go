// Package notifications holds the routes of a person's notifications. Their texts are
// in the language of the request.
package notifications

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

const name = "notifications"

// Group is the route group of notifications.
type Group struct {
	db     *database.DB
	links  weblink.Base
	sealer *seal.Sealer

	municipalities *geocoding.Municipalities
	settings       *settings.Reader
}

// groupConfig is the configuration of the group. The keys check the tokens of links that end mails.
type groupConfig struct {
	Seal seal.Config
}

// New makes the group from a kit.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	sealer, err := seal.New(cfg.Seal)
	if err != nil {
		return nil, err
	}
	return &Group{db: kit.DB, links: kit.Links, sealer: sealer, municipalities: geocoding.NewMunicipalities(kit.DB), settings: kit.Settings}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	op := func(method, path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: method, Path: "/api/v1/notifications" + path, Tags: []string{name}, Summary: summary, Description: description,
		}}
	}
	list := op(http.MethodGet, "", "List the caller's notifications, newest first",
		"What push messages and mails said, for the list in the app. Title and body are in the language of the request.")
	list.Aliases = page.Aliases()
	httpapi.Register(api, list, g.list)
	httpapi.Register(api, op(http.MethodGet, "/unread-count", "Count the caller's unread notifications",
		"The number for the badge of the app."), g.unread)
	httpapi.Register(api, op(http.MethodPost, "/read-all", "Mark all notifications as read",
		"Answers how many were unread."), g.readAll)
	httpapi.Register(api, op(http.MethodPost, "/{id}/read", "Mark a notification as read",
		"One that was read already stays so.").WithProblems(errNotFound), g.readOne)
	httpapi.Register(api, op(http.MethodDelete, "/{id}", "Remove a notification",
		"It is gone from the list. The report that it was about stays as it is.").WithProblems(errNotFound), g.remove)
	g.registerAlerts(api)
	g.registerUnsubscribe(api)
}

// Notification is one notification of the caller.
type Notification struct {
	ID        uuid.UUID         `json:"id"`
	Type      notification.Type `json:"type" enum:"report_received,report_verified,report_rejected,report_removed,report_edited,report_status_changed,report_fixed,report_disputed,report_assigned,report_overdue,report_duplicate,comment_added,blockchain_confirmed,alert,announcement"`
	Title     string            `json:"title" doc:"In the language of the request"`
	Body      string            `json:"body"`
	Message   string            `json:"message" doc:"The same as body"`
	Data      Data              `json:"data"`
	IsRead    bool              `json:"is_read"`
	CreatedAt timestamp.Time    `json:"created_at"`
}

// Data is the report that a notification is about.
type Data struct {
	_            struct{}       `schema:"NotificationData"`
	ReportID     *uuid.UUID     `json:"report_id"`
	ReportNumber *string        `json:"report_number"`
	Status       *report.Status `json:"status" doc:"The current status of the report"`
	Link         *string        `json:"link" doc:"The page of the report, to open in a browser"`
}

type listInput struct {
	page.Query
	UnreadOnly bool `query:"unread_only" doc:"Leave out notifications that were read"`
}

type listOutput struct {
	Body page.Envelope[Notification]
}

func (g *Group) list(ctx context.Context, in *listInput) (*listOutput, error) {
	user := identity.Must(ctx).UserID
	const (
		q = `SELECT n.id, n.type, ` + notification.ParamsSQL + `, n.report_id, r.report_number, r.status, n.read_at IS NOT NULL, n.created_at
			FROM notifications n LEFT JOIN reports r ON r.id = n.report_id
			WHERE n.user_id = $1 AND (NOT $2 OR n.read_at IS NULL)
			ORDER BY n.created_at DESC, n.id DESC LIMIT $3 OFFSET $4`
		count = `SELECT count(*) FROM notifications n WHERE n.user_id = $1 AND (NOT $2 OR n.read_at IS NULL)`
	)
	language, links := locale.FromContext(ctx), g.links.Or(httpapi.Origin(ctx))
	batch := &database.Batch{}
	items := database.AskRows(batch, func(row pgx.CollectableRow) (Notification, error) { return scan(row, language, links) },
		q, user, in.UnreadOnly, in.Limit(), in.Offset())
	total := database.AskRow(batch, pgx.RowTo[int], count, user, in.UnreadOnly)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	return &listOutput{Body: page.NewEnvelope(in.Query, items.Get(), total.Get())}, nil
}

func scan(row pgx.CollectableRow, l locale.Language, links weblink.Base) (Notification, error) {
	var (
		n      Notification
		raw    []byte
		at     time.Time
		params map[string]string
	)
	err := row.Scan(&n.ID, &n.Type, &raw, &n.Data.ReportID, &n.Data.ReportNumber, &n.Data.Status, &n.IsRead, &at)
	if err != nil {
		return Notification{}, err
	}
	if err := json.Unmarshal(raw, &params); err != nil {
		return Notification{}, fmt.Errorf("parameters of a notification: %w", err)
	}
	if n.Data.ReportNumber != nil {
		link := links.Report(*n.Data.ReportNumber)
		n.Data.Link = &link
	}
	n.Title, n.Body = notification.Text(l, n.Type, params)
	n.Message, n.CreatedAt = n.Body, timestamp.Of(at)
	return n, nil
}

type unreadOutput struct {
	Body struct {
		_           struct{} `schema:"UnreadCount"`
		UnreadCount int      `json:"unread_count"`
		Count       int      `json:"count" doc:"The same as unread_count"`
	}
}

func (g *Group) unread(ctx context.Context, _ *struct{}) (*unreadOutput, error) {
	out := &unreadOutput{}
	const q = `SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL`
	if err := g.db.QueryRow(ctx, q, identity.Must(ctx).UserID).Scan(&out.Body.UnreadCount); err != nil {
		return nil, fmt.Errorf("count unread notifications: %w", err)
	}
	out.Body.Count = out.Body.UnreadCount
	return out, nil
}

type readAllOutput struct {
	Body struct {
		_       struct{} `schema:"MarkedRead"`
		Updated int64    `json:"updated" doc:"How many notifications were unread"`
	}
}

func (g *Group) readAll(ctx context.Context, _ *struct{}) (*readAllOutput, error) {
	const q = `UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL`
	tag, err := g.db.Exec(ctx, q, identity.Must(ctx).UserID)
	if err != nil {
		return nil, fmt.Errorf("read all notifications: %w", err)
	}
	out := &readAllOutput{}
	out.Body.Updated = tag.RowsAffected()
	return out, nil
}

type oneInput struct {
	ID string `path:"id" format:"uuid"`
}

var errNotFound = problem.New(problem.NotFound, "notification_not_found")

func (g *Group) readOne(ctx context.Context, in *oneInput) (*httpapi.MessageOutput, error) {
	const q = `UPDATE notifications SET read_at = coalesce(read_at, now()) WHERE id = $1 AND user_id = $2 RETURNING true`
	return g.touch(ctx, q, in.ID, "message.notification_read")
}

func (g *Group) remove(ctx context.Context, in *oneInput) (*httpapi.MessageOutput, error) {
	const q = `DELETE FROM notifications WHERE id = $1 AND user_id = $2 RETURNING true`
	return g.touch(ctx, q, in.ID, "message.notification_removed")
}

// touch runs q, which changes one notification of the caller, and answers with the
// text of key.
func (g *Group) touch(ctx context.Context, q, id, key string) (*httpapi.MessageOutput, error) {
	var done bool
	err := g.db.QueryRow(ctx, q, id, identity.Must(ctx).UserID).Scan(&done)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("change notification: %w", err)
	}
	return httpapi.Message(ctx, key), nil
}
