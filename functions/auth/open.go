package auth

import (
	"context"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
)

// Config is what the function needs besides what every function has.
type Config struct {
	// SigningKey is the private JWK (RFC 8037) access tokens are signed with; its
	// public half is in TOKEN_PUBLIC_KEYS everywhere.
	SigningKey string `env:"TOKEN_SIGNING_KEY,required,notEmpty"`
	// WebBaseURL is where mailed links lead, without a slash at its end.
	WebBaseURL string `env:"WEB_BASE_URL" envDefault:"https://www.lafaekstreet.com"`
	Tokens     identity.Config
	Passwords  credential.PasswordConfig
	Google     credential.GoogleConfig
	Seal       seal.Config
}

// Open makes the function out of its configuration.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) { return open(ctx, env) }

func open(ctx context.Context, env config.Env, opts ...service.Option) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, "auth", env, New, opts...)
}

// New makes the group out of a kit and its configuration.
func New(kit *service.Kit, cfg Config) (*Group, error) {
	g := &Group{db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, webURL: cfg.WebBaseURL,
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
	g.codes = codes{sealer: g.sealer, clock: kit.Clock}
	g.lockout = lockout{db: kit.DB, sealer: g.sealer, clock: kit.Clock}
	return g, nil
}
