package open311

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerRequests(a *httpapi.API) {
	register(g, a, read("/requests", "Search reports"), g.requests)
	register(g, a, read("/requests/{service_request_id}", "Read a report"), g.request)
	register(g, a, read("/tokens/{token}", "The id of a report"), g.token)
}

type requestsInput struct{ Call }

func (g *Group) requests(ctx context.Context, in *requestsInput) (*answer, error) {
	f, err := in.filters(g.clock.Now(), g.bounds)
	if err != nil {
		return nil, err
	}
	found, err := g.reader.List(ctx, reportread.Public(), f.query, f.scopes...)
	if err != nil {
		return nil, err
	}
	if f.beyond {
		return afterLast(document{"service_requests", list{item: "request"}}, len(found.Items) > 0)
	}
	values, err := g.items(ctx, found.Items, in.extended())
	if err != nil {
		return nil, err
	}
	return g.fitted(ctx, &in.Call, f.query.Query, document{"service_requests", list{"request", values}}, found.HasNext, valueOr(found.NextCursor))
}

// extended reports whether the client asks for what the specification does not have.
func (c *Call) extended() bool { return strings.EqualFold(c.text("extensions"), "true") }

type requestInput struct {
	Call
	ID string `path:"service_request_id" doc:"A service_request_id, and the format"`
}

func (g *Group) request(ctx context.Context, in *requestInput) (*answer, error) {
	found, err := g.find(ctx, in.last())
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, notFound("service_request_id", "there is no such request")
	}
	values, err := g.items(ctx, []reportread.Summary{*found}, in.extended())
	if err != nil {
		return nil, err
	}
	return &answer{document: document{"service_requests", list{"request", values}}}, nil
}

// find returns the report with an id or a number; nil where everybody sees none.
func (g *Group) find(ctx context.Context, id string) (*reportread.Summary, error) {
	scope, err := named([]string{id})
	if err != nil {
		return nil, err
	}
	q := reportread.Query{Query: page.Query{Page: 1, Size: 1}, Sort: "created_at", Order: "desc"}
	found, err := g.reader.List(ctx, reportread.Public(), q, scope)
	if err != nil || len(found.Items) == 0 {
		return nil, err
	}
	return &found.Items[0], nil
}

// items are the reports as the specification has them, in the same order. full adds the extensions.
func (g *Group) items(ctx context.Context, all []reportread.Summary, full bool) ([]any, error) {
	if len(all) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	details, err := g.reader.Details(ctx, ids, full)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(all))
	for i := range all {
		item := g.item(ctx, &all[i], details[all[i].ID].Details)
		if full {
			item = append(item, g.extensions(ctx, &all[i], details[all[i].ID])...)
		}
		out[i] = item
	}
	return out, nil
}

type tokenInput struct {
	Call
	Token string `path:"token" doc:"What POST gave as service_request_id, and the format"`
}

// token answers with the id of a report. POST gives ids at once, so a token is an id: clients that always ask get what they had.
func (g *Group) token(ctx context.Context, in *tokenInput) (*answer, error) {
	found, err := g.find(ctx, in.last())
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, notFound("token", "there is no such token")
	}
	item := object{{"service_request_id", found.ReportNumber}, {"token", in.last()}}
	return &answer{document: document{"service_requests", list{"request", []any{item}}}}, nil
}

// valueOr is a text, or "" for none.
func valueOr(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
