// Package admin serves what administrators do: people, agencies, settings and the audit log.
// It is a function of its own, because it alone may change roles.
package admin

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// Group is the route group "admin".
type Group struct {
	db         *database.DB
	outbox     *outbox.Outbox
	clock      timestamp.Clock
	hasher     *credential.Hasher
	sealer     *seal.Sealer
	revoker    *identity.Revoker
	codes      credential.Codes
	links      weblink.Base
	client     *outbound.Client // checks the URLs of webhooks; it calls none
	setupToken string
}

// Config has the settings that this function alone reads.
type Config struct {
	// SetupToken lets the first administrator in, once; empty keeps that closed.
	SetupToken string `env:"ADMIN_SETUP_TOKEN"`
	Passwords  credential.PasswordConfig
	Seal       seal.Config
	Outbound   outbound.Config
}

// Open makes the function out of its configuration.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) { return open(ctx, env) }

func open(ctx context.Context, env config.Env, opts ...service.Option) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, "admin", env, New, opts...)
}

// New makes the group out of a kit and its configuration.
func New(kit *service.Kit, cfg Config) (*Group, error) {
	sealer, err := seal.New(cfg.Seal)
	if err != nil {
		return nil, err
	}
	return &Group{db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, hasher: credential.NewHasher(cfg.Passwords),
		sealer: sealer, revoker: kit.Revoker(), codes: credential.NewCodes(sealer, kit.Clock), links: kit.Links, client: outbound.New(cfg.Outbound, time.Second), setupToken: cfg.SetupToken}, nil
}

// Name implements httpapi.Group.
func (*Group) Name() string { return "admin" }

// Register implements httpapi.Group.
func (g *Group) Register(a *httpapi.API) {
	g.registerSetup(a)
	g.registerUsers(a)
	g.registerInvite(a)
	g.registerResetTOTP(a)
	g.registerAnnounce(a)
	g.registerAgencies(a)
	g.registerAPIKeys(a)
	g.registerAudit(a)
	g.registerSettings(a)
	g.registerWebhooks(a)
}

// operation is what all routes but setup share: the caller is an administrator whose
// session passed the second factor.
func operation(method, path, summary, description string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: method, Path: "/api/v1/admin" + path, Summary: summary, Description: description,
			Tags: []string{"staff"}},
		Roles: []identity.Role{identity.Admin}, SecondFactor: true, Cache: httpapi.Never, MaxBody: 64 << 10,
	}
}
