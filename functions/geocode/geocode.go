// Package geocode is the worker that names the places of reports, away from any
// citizen's request.
package geocode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
)

// patience is how long a message waits for the geocoder's turn; it must stay
// well under the function's timeout.
const patience = 20 * time.Second

// After a failure of the geocoder a report asks again this much later, for as
// long as it is younger than giveUp.
const (
	again  = 15 * time.Minute
	giveUp = 7 * 24 * time.Hour
)

// Geocode is the worker.
type Geocode struct {
	outbox   *outbox.Outbox
	resolver *geocoding.Resolver
	kit      *service.Kit
	log      *slog.Logger
}

// Config is what the worker needs beyond every function's own.
type Config struct {
	Geocoding geocoding.Config
}

// Open makes the worker out of its configuration.
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

// place is where a report is and what is known of it.
type place struct {
	latitude, longitude float64
	createdAt           time.Time
}

func (g *Geocode) handle(ctx context.Context, m events.SQSMessage) error {
	var message queue.GeocodeMessage
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.ReportID == uuid.Nil {
		return queue.Permanent(errors.New("message names no report"))
	}
	p, err := g.place(ctx, message.ReportID)
	if errors.Is(err, pgx.ErrNoRows) { // withdrawn, or named already
		return nil
	}
	if err != nil {
		return err
	}
	address, fault := g.resolver.Reverse(ctx, p.latitude, p.longitude, patience)
	if fault != nil && !errors.Is(fault, geocoding.ErrSilent) {
		return fault
	}
	return g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		known := address.Source != geocoding.SourceNone
		if fault != nil && !known {
			if g.kit.Clock.Now().Sub(p.createdAt) > giveUp {
				g.log.WarnContext(ctx, "place left without a name", "report_id", message.ReportID.String(), "error", fault)
				return nil
			}
			return tx.SendAfter(ctx, queue.Geocode, message, again)
		}
		return store(ctx, tx, message.ReportID, address)
	})
}

func (g *Geocode) place(ctx context.Context, id uuid.UUID) (place, error) {
	const query = `SELECT latitude, longitude, created_at FROM reports WHERE id = $1 AND geocoded_at IS NULL AND deleted_at IS NULL`
	var p place
	if err := g.kit.DB.QueryRow(ctx, query, id).Scan(&p.latitude, &p.longitude, &p.createdAt); err != nil {
		return place{}, fmt.Errorf("read report's place: %w", err)
	}
	return p, nil
}

// store fills in what the citizen left out; their own words stay. The
// municipality's code follows the place, not the words.
func store(ctx context.Context, tx *outbox.Tx, id uuid.UUID, a geocoding.Address) error {
	const query = `
		UPDATE reports SET
		       address = coalesce(nullif(address, ''), $2), street = coalesce(nullif(street, ''), $3), suco = coalesce(nullif(suco, ''), $4),
		       district = coalesce(nullif(district, ''), $5), municipality = coalesce(nullif(municipality, ''), $6),
		       municipality_code = coalesce($7, municipality_code), geocode_source = $8, geocoded_at = now(), updated_at = now()
		 WHERE id = $1 AND geocoded_at IS NULL AND deleted_at IS NULL`
	_, err := tx.Exec(ctx, query, id, a.DisplayName, a.Street, a.Suco, a.District, a.Municipality, a.MunicipalityCode, a.Source)
	if err != nil {
		return fmt.Errorf("store address: %w", err)
	}
	return nil
}
