// Package meta serves what concerns the service itself: health, vocabulary and limits, and the
// OpenAPI document with its pages.
package meta

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const name = "meta"

// Group is the route group about the service itself.
type Group struct {
	db       *database.DB
	clock    timestamp.Clock
	settings *settings.Reader
	probes   probes
	last     lastReady
}

// New makes the group out of a kit and its configuration.
func New(kit *service.Kit, cfg probeConfig) (*Group, error) {
	return &Group{db: kit.DB, clock: kit.Clock, settings: kit.Settings, probes: newProbes(kit.DB, kit.AWS, cfg)}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	health := operation("/health", "Whether the service answers")
	health.Description = "Touches nothing: an app decides by it whether it is online."
	health.Limit, health.Cache = admission.LimitNone, httpapi.Never
	httpapi.Register(api, health, g.health)

	ready := operation("/health/ready", "Whether everything the service needs answers")
	ready.Description = "Asks the database, the cache and the queues. 503 when the database or the queues do not answer; without the cache it is degraded."
	ready.Cache = httpapi.Never
	ready.Responses = map[string]*huma.Response{"503": httpapi.JSON[readiness](api, "Something does not")}
	httpapi.Register(api, ready, g.ready)

	ping := operation("/api/v1/", "Ping")
	ping.Description = "Answers \"pong\" without asking anything else."
	ping.OperationID, ping.Cache = "ping_api_v1__get", httpapi.Never
	httpapi.Register(api, ping, func(context.Context, *struct{}) (*pingOutput, error) { return &pingOutput{Body: "pong"}, nil })

	// The journey client's name for the ping that asks the database.
	database := operation("/api/v1/mongodb", "Ping the database")
	database.Description = "Answers \"Pong\" after a word with the database, else 503. The path has the name that the journey client knows."
	database.OperationID, database.Cache = "ping_mongodb_api_v1_mongodb_get", httpapi.Never
	httpapi.Register(api, database, g.pingDatabase)

	vocabulary := operation("/api/v1/meta", "Words, labels and limits")
	vocabulary.Description = "The words of each set with their labels in three languages, and the limits that an app checks before it sends. It changes rarely: keep it, and ask with If-None-Match."
	vocabulary.Cache = httpapi.Shared
	httpapi.Register(api, vocabulary, g.vocabulary)
	g.registerDocuments(api)
}

func operation(path, summary string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{name}, Summary: summary},
		Access:    httpapi.Public,
	}
}

type pingOutput struct{ Body string }

func (g *Group) pingDatabase(ctx context.Context, _ *struct{}) (*pingOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := g.db.Ping(ctx); err != nil {
		return nil, problem.New(problem.Unavailable, "unavailable").After(2 * time.Second).Because(err)
	}
	return &pingOutput{Body: "Pong"}, nil
}

type healthOutput struct {
	Body struct {
		_       struct{}       `schema:"Health"`
		Status  string         `json:"status" enum:"healthy"`
		Version string         `json:"version"`
		Time    timestamp.Time `json:"time"`
	}
}

func (g *Group) health(context.Context, *struct{}) (*healthOutput, error) {
	out := &healthOutput{}
	out.Body.Status, out.Body.Version, out.Body.Time = "healthy", version, timestamp.Of(g.clock.Now())
	return out, nil
}

// version is the version of the software, in the form of semver.org, as GET /health states it. The build sets it
// (infra/binary); a program that was built otherwise says 0.0.0-dev.
var version = "0.0.0-dev"
