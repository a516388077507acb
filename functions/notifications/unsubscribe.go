package notifications

import (
	"context"
	_ "embed" // the page
	"fmt"
	"html"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
)

// unsubscribePolicy is the Content-Security-Policy of the page: its own style and its own form, and nothing else.
const unsubscribePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// unsubscribeHTML is the page of an unsubscribe link. The names in braces are replaced by texts of the catalog; no text of a
// request is on the page. Package html/template would make the binary twice as large: see functions/web/markup.go.
//
//go:embed unsubscribe.html
var unsubscribeHTML string

// registerUnsubscribe adds the two routes of RFC 8058. A mail program may follow the link by itself, so GET changes nothing.
// POST needs neither a cookie nor signing in: who has the token got the mail.
func (g *Group) registerUnsubscribe(api *httpapi.API) {
	op := func(method, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: method, Path: "/unsubscribe/{token}", Tags: []string{name}, Summary: summary, Description: description,
			Responses: map[string]*huma.Response{"200": {Description: "A web page", Content: map[string]*huma.MediaType{
				"text/html": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}},
		}, Access: httpapi.Public, Cache: httpapi.Never, Limit: admission.LimitView, PageStatuses: []int{http.StatusNotFound}}
	}
	httpapi.Register(api, op(http.MethodGet, "The page that ends mails of one kind", "The link of a mail. The page has a button. It changes nothing by itself."), g.unsubscribeForm)
	httpapi.Register(api, op(http.MethodPost, "End mails of one kind", "One click (RFC 8058): the body is not read. Again is harmless. Codes are mailed in any case."), g.unsubscribe)
}

type unsubscribeInput struct {
	Token string `path:"token" maxLength:"400" doc:"From the header List-Unsubscribe of a mail. It has no time limit"`
	Lang  string `query:"lang" maxLength:"40" doc:"tet, pt or en; else the language of the browser"`
}

type htmlOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (g *Group) unsubscribeForm(ctx context.Context, in *unsubscribeInput) (*htmlOutput, error) {
	stop, err := mail.ParseStopToken(g.sealer, in.Token)
	if err != nil {
		return in.page(ctx, http.StatusNotFound, "unknown", "")
	}
	return in.page(ctx, http.StatusOK, "ask", stop.Kind)
}

func (g *Group) unsubscribe(ctx context.Context, in *unsubscribeInput) (*htmlOutput, error) {
	stop, err := mail.ParseStopToken(g.sealer, in.Token)
	if err != nil {
		return in.page(ctx, http.StatusNotFound, "unknown", "")
	}
	q, args := stopSQL(stop)
	if _, err := g.db.Exec(ctx, q, args...); err != nil {
		return nil, fmt.Errorf("end mails: %w", err)
	}
	return in.page(ctx, http.StatusOK, "done", stop.Kind)
}

// stopSQL returns the statement that ends mails of a kind. It changes nothing where they have ended, or nobody gets them any more.
func stopSQL(stop mail.Stop) (string, []any) {
	if stop.Kind == mail.StopContact {
		return `UPDATE report_contacts SET muted_at = now() WHERE report_id = $1 AND muted_at IS NULL`, []any{stop.ID}
	}
	const q = `
		UPDATE users SET updated_at = now(), notification_prefs = jsonb_set(notification_prefs, '{muted}',
			CASE WHEN jsonb_typeof(notification_prefs -> 'muted') = 'array' THEN notification_prefs -> 'muted' ELSE '[]' END || to_jsonb($2::text))
		WHERE id = $1 AND deleted_at IS NULL AND NOT coalesce(notification_prefs -> 'muted' ? $2, false)`
	return q, []any{stop.ID, string(stop.Kind)}
}

// page renders the page in one of its three forms: ask, done, unknown.
func (in *unsubscribeInput) page(ctx context.Context, status int, form string, kind mail.StopKind) (*htmlOutput, error) {
	l, ok := locale.Parse(in.Lang)
	if !ok {
		l = locale.FromContext(ctx)
	}
	word := func(key string) string {
		text, _ := locale.Text(l, key, nil)
		return html.EscapeString(text)
	}
	title, text, what, button := word("page.stop."+form+".title"), word("page.stop."+form+".text"), "", ""
	if kind != "" {
		what = word("page.stop.kind." + string(kind))
	}
	if form == "ask" {
		button = `<form method="post"><button name="List-Unsubscribe" value="One-Click">` + word("page.stop.button") + `</button></form>`
	}
	page := strings.NewReplacer("{language}", string(l), "{title}", title, "{kind}", what, "{text}", text, "{form}", button).Replace(unsubscribeHTML)
	return &htmlOutput{status, "text/html; charset=utf-8", unsubscribePolicy, []byte(page)}, nil
}
