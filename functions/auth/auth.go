// Package auth signs people in and out: e-mail with one-time codes, the form and
// link flows of the journey client, Google, and the second factor of staff.
// It alone holds the key that signs tokens.
package auth

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
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
	codes   credential.Codes
	lockout lockout
	log     *slog.Logger
	webURL  string
	// networkAddresses is the number of addresses to which one network may request mails with codes or links within an hour.
	networkAddresses int
}

// hasher is what the group needs of credential.Hasher.
type hasher interface {
	Hash(ctx context.Context, password string) (string, error)
	HashWith(ctx context.Context, password string, salt []byte) (string, error)
	Check(ctx context.Context, hash, password string) (credential.Verdict, error)
}

// Lifetimes of the contract.
const (
	accessLife    = time.Hour
	refreshLife   = identity.SessionLife // sliding
	refreshGrace  = time.Minute          // a client whose answer was lost may repeat the exchange; a phone waits up to 60 s
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
	g.registerEmailCode(a)
	g.registerRefresh(a)
	g.registerWebSession(a)
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
		// Sign-in goes on without an optional member that cannot be read. Members that name the purpose, a person or a secret are taken as sent.
		Lenient: &httpapi.Lenient{Exact: true, Strict: []string{"purpose", "grant_type", "code", "recovery_code"}},
	}
}

// maxBody bounds a request of the group, in bytes.
const maxBody = 16 << 10

// Config has the settings that this function alone reads.
type Config struct {
	// SigningKey is the private JWK (RFC 8037) access tokens are signed with; its
	// public half is in TOKEN_PUBLIC_KEYS everywhere.
	SigningKey string `env:"TOKEN_SIGNING_KEY,required,notEmpty"`
	// WebBaseURL is where mailed links lead, without a slash at its end.
	WebBaseURL string `env:"WEB_BASE_URL" envDefault:"https://www.lafaekstreet.com"`
	// NetworkAddresses is the number of addresses to which one network may request mails with codes or links within an hour.
	NetworkAddresses int `env:"RATE_LIMIT_MAILED_ADDRESSES_PER_HOUR" envDefault:"300"`
	Tokens           identity.Config
	Passwords        credential.PasswordConfig
	Google           credential.GoogleConfig
	Seal             seal.Config
}

// Open makes the function out of its configuration.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) { return open(ctx, env) }

func open(ctx context.Context, env config.Env, opts ...service.Option) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, "auth", env, New, opts...)
}

// New makes the group out of a kit and its configuration.
func New(kit *service.Kit, cfg Config) (*Group, error) {
	g := &Group{db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, log: kit.Log, webURL: cfg.WebBaseURL, networkAddresses: cfg.NetworkAddresses,
		hasher: credential.NewHasher(cfg.Passwords), google: credential.NewGoogleVerifier(cfg.Google, kit.Clock),
		revoker: kit.Revoker()}
	var err error
	if g.signer, err = NewSigner(cfg.SigningKey, cfg.Tokens); err != nil {
		return nil, err
	}
	if g.links, err = identity.NewVerifier(linkConfig(cfg.Tokens), kit.Clock); err != nil {
		return nil, err
	}
	if g.sealer, err = seal.New(cfg.Seal); err != nil {
		return nil, err
	}
	g.codes = credential.NewCodes(g.sealer, kit.Clock)
	g.lockout = lockout{db: kit.DB, sealer: g.sealer, clock: kit.Clock}
	return g, nil
}
