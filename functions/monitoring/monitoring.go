// Package monitoring serves the statistics of all reports and the public ledger's record of one report, for signed-in
// callers. Package public serves the same to everybody.
package monitoring

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const name = "monitoring"

// Group serves the routes of this package.
type Group struct {
	db     *database.DB
	clock  timestamp.Clock
	ledger ledger.Config
	proof  ledger.Sources
	places *geocoding.Municipalities
}

type groupConfig struct {
	Ledger ledger.Config
	Log    storage.LogConfig
}

// New returns the group.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	log, err := storage.NewLog(kit.AWS, cfg.Log, kit.Clock)
	if err != nil {
		return nil, err
	}
	return &Group{db: kit.DB, clock: kit.Clock, ledger: cfg.Ledger, places: geocoding.NewMunicipalities(kit.DB),
		proof: ledger.Sources{Log: log, Mirror: ledger.NewMirror(cfg.Ledger)}}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	op := func(path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1" + path, Tags: []string{name}, Summary: summary, Description: description,
		}}
	}
	httpapi.Register(api, op("/blockchain/report/{id}/history", "The ledger's record of a report",
		"All events of the report in order, and where each is in the public log and on the ledger. So too for a report that was rejected, withdrawn or removed. Others than its reporter and staff get no payloads from before the public log for a report that was never shown.").WithProblems(report.ErrNotFound), g.history)
	verify := op("/blockchain/report/{id}/verify", "Check a report against the public log and the ledger", ledger.VerifyDescription)
	verify.Limit = admission.LimitVerify
	httpapi.Register(api, verify.WithProblems(report.ErrNotFound), g.verify)
	g.registerStatistics(api)
}

type historyOutput struct{ Body *ledger.ReportHistory }

func (g *Group) history(ctx context.Context, in *report.RefInput) (*historyOutput, error) {
	id, err := in.ID.Resolve(ctx, g.db)
	if err != nil {
		return nil, err
	}
	h, err := ledger.History(ctx, g.db, g.ledger, id, recordGate(ctx, id))
	if err != nil {
		return nil, answerTo(err)
	}
	return &historyOutput{Body: h}, nil
}

type verifyOutput struct{ Body *ledger.Verification }

func (g *Group) verify(ctx context.Context, in *report.RefInput) (*verifyOutput, error) {
	id, err := in.ID.Resolve(ctx, g.db)
	if err != nil {
		return nil, err
	}
	v, err := ledger.Verify(ctx, g.db, g.proof, g.ledger, id, recordGate(ctx, id))
	if err != nil {
		return nil, answerTo(err)
	}
	return &verifyOutput{Body: v}, nil
}

// recordGate lets every caller read the ledger record of every report.
func recordGate(ctx context.Context, id uuid.UUID) ledger.Gate {
	return func(p database.Pipeline) *database.Ask[bool] {
		return reportread.ViewerOf(identity.Must(ctx)).MayReadRecord(p, report.AboutID(id))
	}
}

// answerTo returns the problem that answers an error of the ledger.
func answerTo(err error) error {
	switch {
	case errors.Is(err, ledger.ErrNoReport):
		return report.ErrNotFound
	case errors.Is(err, ledger.ErrMirrorUnavailable), errors.Is(err, ledger.ErrLogUnavailable):
		return problem.New(problem.Unavailable, "unavailable").After(10 * time.Second).Because(err)
	}
	return err
}
