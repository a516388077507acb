// Package auth signs people in and out: e-mail with one-time codes, the form and
// link flows of the journey client, Google, and the second factor of staff.
// It alone holds the key that signs tokens.
package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/shared/admission"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Group is the route group "auth".
type Group struct {
	db      *database.DB
	outbox  *outbox.Outbox
	clock   timestamp.Clock
	sealer  *seal.Sealer
	hasher  hasher
	signer  *Signer
	links   *identity.Verifier
	google  *credential.GoogleVerifier
	revoker *identity.Revoker
	codes   codes
	lockout lockout
	webURL  string
}

// hasher is what the group needs of credential.Hasher.
type hasher interface {
	Hash(ctx context.Context, password string) (string, error)
	Check(ctx context.Context, hash, password string) (credential.Verdict, error)
}

// Lifetimes of the contract.
const (
	accessLife    = time.Hour
	refreshLife   = 60 * 24 * time.Hour // sliding
	refreshGrace  = 10 * time.Second    // a client whose answer was lost may repeat the exchange
	linkLife      = 15 * time.Minute
	challengeLife = 5 * time.Minute
)

// maxSessions is how many sessions a person keeps. Those unused for longest end first.
const maxSessions = 50

// Name implements httpapi.Group.
func (*Group) Name() string { return "auth" }

// Register implements httpapi.Group.
func (g *Group) Register(a *httpapi.API) {
	g.registerAccount(a)
	g.registerLogin(a)
	g.registerReset(a)
	g.registerSession(a)
	g.registerSecondFactor(a)
	g.registerLinks(a)
}

// operation is what all routes of the group share: no token is needed, and requests are
// limited by network address and by e-mail.
func operation(path, summary, description string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodPost, Path: "/api/v1" + path, Summary: summary, Description: description,
			Tags: []string{"auth"}},
		Access: httpapi.Public, Limit: admission.LimitAuth, LimitMember: "email", Cache: httpapi.Never, MaxBody: maxBody,
	}
}

// maxBody bounds a request of the group, in bytes.
const maxBody = 16 << 10
