// Package staff holds the routes of moderators, officials and administrators: their
// queue, changes of status in bulk, overrides of the AI's verdict and notes. It also
// holds the route by which a reporter appeals a rejection.
package staff

import (
	"context"
	"net/http"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

const name = "staff"

// Group is the route group of staff.
type Group struct {
	db     *database.DB
	outbox *outbox.Outbox
	reader *reportread.Reader

	renditions *upload.Renditions
	receipts   *ledger.Receipts
}

type groupConfig struct {
	Storage  storage.Config
	Ledger   ledger.Config
	Receipts ledger.ReceiptsConfig
}

// New makes the group from a kit and its configuration.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	links := storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)
	receipts, err := service.OpenReceipts(kit, cfg.Receipts)
	if err != nil {
		return nil, err
	}
	reader := reportread.NewReader(kit.DB, links, geocoding.NewMunicipalities(kit.DB), cfg.Ledger).WithReceipts(receipts)
	return &Group{db: kit.DB, outbox: kit.Outbox, reader: reader,
		renditions: upload.NewRenditions(storage.New(kit.AWS, cfg.Storage), kit.Log), receipts: receipts}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	g.registerQueue(api)
	g.registerExport(api)
	g.registerBulk(api)
	g.registerBulkAssign(api)
	g.registerAgencies(api)
	g.registerOverride(api)
	g.registerNotes(api)
	g.registerAppeal(api)
	g.registerLog(api)
	g.registerReporter(api)
	g.registerListOfPerson(api)
	g.registerTemplates(api)
}

type reportOutput struct {
	ETag string `header:"ETag"`
	Body reportread.Report
}

// change applies do to a report, whose version is version where that is not nil, and returns the changed report.
func (g *Group) change(ctx context.Context, ref report.Ref, version *int, do func(tx *outbox.Tx, h *reportwrite.Locked) error) (*reportOutput, error) {
	about, err := ref.About()
	if err != nil {
		return nil, err
	}
	out, err := reportwrite.Apply(ctx, g.reader, g.outbox, reportwrite.Change{
		Report: about, By: identity.Must(ctx), Expect: reportwrite.Expect{Version: version}, Record: recordReport, Receipts: g.receipts, Do: do})
	if err != nil {
		return nil, err
	}
	return &reportOutput{ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}

// recordReport stores the changed report as the answer to a repeated request. It reads the report only if the request has
// an Idempotency-Key.
func recordReport(ctx context.Context, tx *outbox.Tx, read func() (reportread.Report, error)) error {
	if !httpapi.HasIdempotencyKey(ctx) {
		return nil
	}
	out, err := read()
	if err != nil {
		return err
	}
	return httpapi.RecordAnswer(ctx, tx, http.StatusOK, out)
}
