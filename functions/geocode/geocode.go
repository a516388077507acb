// Package geocode is the worker that finds the addresses of reports. It reads the queue geocode, so no request of a citizen
// waits for it.
package geocode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"

	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/service"
)

// maxWait is how long a message waits for a turn at the geocoder. It must stay well below the time limit of the function.
const maxWait = 20 * time.Second

// When the geocoder gives no answer for a report, it is asked again after retryAfter, until the report is older than
// retryFor. A report that got no turn, because many wait, is tried again after missedTurn and a random part of missedSpread.
const (
	retryAfter   = 15 * time.Minute
	missedTurn   = 30 * time.Second
	missedSpread = 30 * time.Second
	retryFor     = 7 * 24 * time.Hour
)

// retryIn is how long a report waits until it is tried again.
func retryIn(fault error) time.Duration {
	if errors.Is(fault, geocoding.ErrNoTurn) {
		return missedTurn + rand.N(missedSpread).Truncate(time.Second)
	}
	return retryAfter
}

// Geocode is the worker.
type Geocode struct {
	outbox   *outbox.Outbox
	resolver *geocoding.Resolver
	kit      *service.Kit
	log      *slog.Logger
}

// Config has the settings that this worker alone reads.
type Config struct {
	Geocoding geocoding.Config
}

// Open returns the worker.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "geocode", env)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open geocode: %w", err)
	}
	g := &Geocode{
		outbox: kit.Outbox, kit: kit, log: kit.Log,
		resolver: geocoding.NewResolver(kit.DB, geocoding.NewNominatim(cfg.Geocoding), kit.Log, kit.Metrics),
	}
	return kit.Queue(queue.Geocode, 1, g.handle), nil
}

// location is the point of a report without an address, in degrees WGS 84.
type location struct {
	latitude, longitude float64
	createdAt           time.Time
}

func (g *Geocode) handle(ctx context.Context, m events.SQSMessage) error {
	var message queue.GeocodeMessage
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.ReportID == uuid.Nil {
		return queue.Permanent(errors.New("message names no report"))
	}
	p, err := g.location(ctx, message.ReportID)
	if errors.Is(err, pgx.ErrNoRows) { // the report was deleted, or it has an address
		return nil
	}
	if err != nil {
		return err
	}
	address, fault := g.resolver.Reverse(ctx, p.latitude, p.longitude, maxWait)
	if fault != nil && !errors.Is(fault, geocoding.ErrNoAnswer) {
		return fault
	}
	return g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		found := address.Source != geocoding.SourceNone
		if fault != nil && !found {
			if g.kit.Clock.Now().Sub(p.createdAt) > retryFor {
				g.log.WarnContext(ctx, "report stays without an address", "report_id", message.ReportID.String(), "error", fault)
				return nil
			}
			return tx.SendAfter(ctx, queue.Geocode, message, retryIn(fault))
		}
		stored, changed, err := storeAddress(ctx, tx, message.ReportID, address)
		if err != nil || !stored {
			return err
		}
		return finish(ctx, tx, message.ReportID, changed)
	})
}

// finish writes the ledger event of a changed address. It gives a report that was verified before its municipality was known to the
// agency that fits best.
func finish(ctx context.Context, tx *outbox.Tx, id uuid.UUID, changed bool) error {
	locked := reportwrite.LockForChange(tx, report.AboutID(id), report.System())
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("lock report to assign it: %w", err)
	}
	h := locked.Get()
	if changed {
		h.Event(tx, ledger.Event{Type: ledger.Amended}, report.System())
	}
	return h.AutoAssign(ctx, tx, nil, false)
}

func (g *Geocode) location(ctx context.Context, id uuid.UUID) (location, error) {
	const query = `SELECT latitude, longitude, created_at FROM reports WHERE id = $1 AND geocoded_at IS NULL AND deleted_at IS NULL`
	var p location
	if err := g.kit.DB.QueryRow(ctx, query, id).Scan(&p.latitude, &p.longitude, &p.createdAt); err != nil {
		return location{}, fmt.Errorf("read location of report: %w", err)
	}
	return p, nil
}

// storeAddress writes those parts of an address that the citizen left empty. The code of the municipality always belongs to
// the point, even if the citizen has named another municipality. Of an address only the municipality is written to a report whose
// words were erased. It reports whether it stored the address, and whether the report shows another one by that.
func storeAddress(ctx context.Context, tx *outbox.Tx, id uuid.UUID, a geocoding.Address) (bool, bool, error) {
	const query = `
		WITH was AS (SELECT id, address, street, suco, district, municipality, municipality_code, ` + report.ErasedSQL + ` AS erased FROM reports r
		              WHERE id = $1 AND geocoded_at IS NULL AND deleted_at IS NULL)
		UPDATE reports r SET
		       address = CASE WHEN was.erased THEN r.address ELSE coalesce(nullif(r.address, ''), $2) END,
		       street = CASE WHEN was.erased THEN r.street ELSE coalesce(nullif(r.street, ''), $3) END,
		       suco = CASE WHEN was.erased THEN r.suco ELSE coalesce(nullif(r.suco, ''), $4) END,
		       district = CASE WHEN was.erased THEN r.district ELSE coalesce(nullif(r.district, ''), $5) END,
		       municipality = CASE WHEN was.erased THEN (SELECT name FROM municipalities WHERE code = coalesce($7, r.municipality_code))
		                           ELSE coalesce(nullif(r.municipality, ''), $6) END,
		       municipality_code = coalesce($7, r.municipality_code), geocode_source = $8, geocoded_at = now(), updated_at = now()
		  FROM was WHERE r.id = was.id
		RETURNING (was.address, was.street, was.suco, was.district, was.municipality, was.municipality_code)
		          IS DISTINCT FROM (r.address, r.street, r.suco, r.district, r.municipality, r.municipality_code)`
	var changed bool
	tx.Queue(`SELECT FROM reports WHERE id = $1 FOR NO KEY UPDATE`, id)
	err := tx.QueryRow(ctx, query, id, a.DisplayName, a.Street, a.Suco, a.District, a.Municipality, a.MunicipalityCode, a.Source).Scan(&changed)
	if errors.Is(err, pgx.ErrNoRows) { // another delivery was first, or the report was withdrawn
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("store address: %w", err)
	}
	return true, changed, nil
}
