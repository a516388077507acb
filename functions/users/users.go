// Package users serves what signed-in people do with their own account, and the
// profiles of others. Registering and mailed links are in functions/auth,
// which alone can sign; journeys of a person are in functions/journeys.
package users

import (
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Group is the route group "users".
type Group struct {
	db      *database.DB
	outbox  *outbox.Outbox
	clock   timestamp.Clock
	hasher  *credential.Hasher
	google  *credential.GoogleVerifier
	codes   credential.Codes
	sealer  *seal.Sealer
	revoker *identity.Revoker
	links   *storage.Links

	receipts *ledger.Receipts
}

// Config has the settings that this function alone reads.
type Config struct {
	Passwords credential.PasswordConfig
	Google    credential.GoogleConfig
	Seal      seal.Config
	Storage   storage.Config
	Receipts  ledger.ReceiptsConfig
}

// Open makes the function out of its configuration.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) { return open(ctx, env) }

func open(ctx context.Context, env config.Env, opts ...service.Option) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, "users", env, New, opts...)
}

// New makes the group out of a kit and its configuration.
func New(kit *service.Kit, cfg Config) (*Group, error) {
	sealer, err := seal.New(cfg.Seal)
	if err != nil {
		return nil, err
	}
	receipts, err := service.OpenReceipts(kit, cfg.Receipts)
	if err != nil {
		return nil, err
	}
	return &Group{receipts: receipts, db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, sealer: sealer,
		hasher: credential.NewHasher(cfg.Passwords), google: credential.NewGoogleVerifier(cfg.Google, kit.Clock),
		codes:   credential.NewCodes(sealer, kit.Clock),
		revoker: kit.Revoker(), links: storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)}, nil
}

// Name implements httpapi.Group.
func (*Group) Name() string { return "users" }

// Register implements httpapi.Group.
func (g *Group) Register(a *httpapi.API) {
	g.registerRead(a)
	g.registerChange(a)
	g.registerPassword(a)
	g.registerSessions(a)
	g.registerDevices(a)
	g.registerErase(a)
	g.registerExport(a)
	g.registerAvatar(a)
}

func operation(method, path, summary, description string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: method, Path: "/api/v1/users" + path, Summary: summary, Description: description,
			Tags: []string{"users"}},
		MaxBody: maxBody,
	}
}

// maxBody bounds a request of the group, in bytes.
const maxBody = 64 << 10

// googleFresh is the highest age of a Google token that replaces the password.
const googleFresh = 5 * time.Minute

// member is a text of a partial change: absent leaves what is stored, null or
// an empty text clears it.
type member struct {
	sent  bool
	value string
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *member) UnmarshalJSON(b []byte) error {
	m.sent = true
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &m.value)
}

// Schema implements huma.SchemaProvider.
func (member) Schema(huma.Registry) *huma.Schema {
	longest := 400
	return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &longest}
}
