package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// The session of our own pages. The refresh token is in a cookie that no script can read and that the browser sends to
// webSessionPath alone, from pages of this site alone. The access token goes to the script, which keeps it in memory.
const (
	webSessionPath = "/api/v1/auth/web-session"
	// webSessionCookie repeats in the tags of webSessionInput.
	webSessionCookie = "lafaekstreet_session"
)

// errForeignPage refuses a request that does not come from a page of this site. A form of another site cannot send the header,
// and a script of another site must ask first and is never allowed to.
var errForeignPage = problem.New(problem.Forbidden, "page_required")

func (g *Group) registerWebSession(a *httpapi.API) {
	begin := operation("/auth/web-session", "Begin or renew the session of a page",
		"For pages of this site: the header X-LafaekStreet: 1 is required. With refresh_token the token is put into a cookie; without, "+
			"that of the cookie is used. Both exchange it for a new one, as /auth/refresh does, and answer an access token. The cookie is "+
			"HttpOnly and SameSite=Strict, and no other route reads it. That of staff ends with the browser.")
	end := operation("/auth/web-session", "End the session of a page", "Ends the session of the cookie and deletes the cookie. 200 also where there is none.")
	end.Method = http.MethodDelete
	for _, o := range []*httpapi.Operation{&begin, &end} {
		o.Limit, o.LimitMember = admission.LimitView, "" // each view of a page asks, and a suburb may share one address
	}
	httpapi.Register(a, begin.WithProblems(errForeignPage, errRefreshExpired, errRefreshInvalid, errRefreshReused, errTokenMissing), g.beginWebSession)
	httpapi.Register(a, end.WithProblems(errForeignPage), g.endWebSession)
}

type webSessionInput struct {
	Page   string `header:"X-LafaekStreet" doc:"1; required"`
	Site   string `header:"Sec-Fetch-Site" hidden:"true"`
	Cookie string `cookie:"lafaekstreet_session" hidden:"true"`
	Lang   string `cookie:"lang" hidden:"true"`
	Body   *struct {
		_            struct{} `schema:"WebSessionRefresh"`
		RefreshToken string   `json:"refresh_token,omitempty" maxLength:"4096" doc:"As handed out at sign-in; left out to use that of the cookie"`
		DeviceID     string   `json:"device_id,omitempty" doc:"As in device at sign-in. With it an answer that was lost may be asked for once more after 60 seconds"`
	} `required:"false"`
}

// ours reports whether a page of this site sent the request.
func (in *webSessionInput) ours() bool {
	return in.Page != "" && (in.Site == "" || in.Site == "same-origin")
}

// WebSession is what a page gets to know of its session.
type WebSession struct {
	AccessToken string       `json:"access_token" doc:"JWT, EdDSA; goes behind Bearer. Keep it in memory alone"`
	TokenType   string       `json:"token_type" enum:"bearer"`
	ExpiresIn   int          `json:"expires_in" doc:"Seconds the access token is good for" example:"3600"`
	User        account.User `json:"user"`
}

type webSessionOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      WebSession
}

func (g *Group) beginWebSession(ctx context.Context, in *webSessionInput) (*webSessionOutput, error) {
	if !in.ours() {
		return nil, errForeignPage
	}
	token, device, signIn := in.Cookie, "", false
	if in.Body != nil {
		device = in.Body.DeviceID
		if in.Body.RefreshToken != "" {
			token, signIn = in.Body.RefreshToken, true
		}
	}
	if token == "" {
		return nil, errTokenMissing
	}
	tokens, err := g.renew(ctx, token, device)
	if err != nil {
		return nil, err
	}
	cookie := sessionCookie(ctx, tokens.RefreshToken)
	if tokens.User.Role == identity.Citizen {
		cookie.MaxAge = int(refreshLife.Seconds())
	}
	out := &webSessionOutput{SetCookie: []http.Cookie{cookie}, Body: WebSession{tokens.AccessToken, tokens.TokenType, tokens.ExpiresIn, tokens.User}}
	if _, chosen := locale.Parse(in.Lang); signIn && !chosen {
		out.SetCookie = append(out.SetCookie, http.Cookie{Name: "lang", Value: string(tokens.User.PreferredLanguage), Path: "/", MaxAge: int((365 * 24 * 60 * 60)),
			SameSite: http.SameSiteLaxMode, Secure: cookie.Secure})
	}
	return out, nil
}

// sessionCookie returns the cookie with this value. It ends with the browser.
func sessionCookie(ctx context.Context, value string) http.Cookie {
	return http.Cookie{Name: webSessionCookie, Value: value, Path: webSessionPath, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(httpapi.Origin(ctx), "https:")}
}

type endWebSessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		_       struct{} `schema:"WebSessionEnd"`
		Message string   `json:"message" doc:"What happened, in the reader's language"`
	}
}

func (g *Group) endWebSession(ctx context.Context, in *webSessionInput) (*endWebSessionOutput, error) {
	if !in.ours() {
		return nil, errForeignPage
	}
	if in.Cookie != "" {
		if err := g.endSessionOf(ctx, in.Cookie); err != nil {
			return nil, err
		}
	}
	out := &endWebSessionOutput{SetCookie: sessionCookie(ctx, "")}
	out.SetCookie.MaxAge = -1
	out.Body.Message = locale.TextFor(ctx, "auth.logged_out")
	return out, nil
}

// endSessionOf ends the session of a refresh token, new or used. It does nothing for an unknown one.
func (g *Group) endSessionOf(ctx context.Context, token string) error {
	return g.db.InTx(ctx, func(tx *database.Tx) error {
		var person, session uuid.UUID
		const q = `SELECT s.user_id, s.id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1`
		err := tx.QueryRow(ctx, q, refreshHash(token)).Scan(&person, &session)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read refresh token: %w", err)
		}
		g.revoker.One(ctx, tx, person, session, identity.LoggedOut, g.clock.Now())
		return nil
	})
}
