package public

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (p *Public) registerLedger(a *httpapi.API) {
	httpapi.Register(a, read("/api/v1/public/blockchain/report/{id}/history", "The ledger's record of a report",
		"Every event in order, with the canonical payload, its hash and where it is in the public log and on the ledger. So too for a report that was rejected, withdrawn or removed. Payloads from before the public log are null for a report that was never shown.").WithProblems(report.ErrNotFound), p.history)
	verify := read("/api/v1/public/blockchain/report/{id}/verify", "Check a report against the public log and the ledger", ledger.VerifyDescription)
	verify.Limit = admission.LimitVerify
	httpapi.Register(a, verify.WithProblems(report.ErrNotFound), p.verify)
}

type historyOutput struct{ Body ledger.ReportHistory }

func (p *Public) history(ctx context.Context, in *report.RefInput) (*historyOutput, error) {
	id, err := in.ID.Resolve(ctx, p.db)
	if err != nil {
		return nil, err
	}
	h, err := ledger.History(ctx, p.db, p.ledger, id, publicGate(id))
	if err != nil {
		return nil, err
	}
	return &historyOutput{*h}, nil
}

type verifyOutput struct{ Body ledger.Verification }

func (p *Public) verify(ctx context.Context, in *report.RefInput) (*verifyOutput, error) {
	id, err := in.ID.Resolve(ctx, p.db)
	if err != nil {
		return nil, err
	}
	v, err := ledger.Verify(ctx, p.db, ledger.Sources{Log: p.log.files, Mirror: p.mirror}, p.ledger, id, publicGate(id))
	if errors.Is(err, ledger.ErrMirrorUnavailable) || errors.Is(err, ledger.ErrLogUnavailable) {
		return nil, problem.New(problem.Unavailable, "unavailable").After(10 * time.Second).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return &verifyOutput{*v}, nil
}

// publicGate lets everybody read the ledger record of every report.
func publicGate(id uuid.UUID) ledger.Gate {
	return func(p database.Pipeline) *database.Ask[bool] {
		return reportread.Public().MayReadRecord(p, report.AboutID(id))
	}
}
