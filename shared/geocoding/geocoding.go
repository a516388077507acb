// Package geocoding names places: exactly and at once from imported boundaries,
// otherwise by asking Nominatim, politely, and remembering the answer.
package geocoding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// Sources of an address.
const (
	SourceBoundaries = "boundaries" // imported polygons, perhaps with the geocoder's street
	SourceNominatim  = "nominatim"
	SourceNone       = "none" // nothing is known
)

// Address is what is known of a place; nil parts are unknown.
type Address struct {
	DisplayName      *string `json:"display_name"`
	Street           *string `json:"street"`
	Suco             *string `json:"suco"`
	District         *string `json:"district"`
	Municipality     *string `json:"municipality"`
	MunicipalityCode *string `json:"-"`
	Country          *string `json:"country"`
	Source           string  `json:"source"`
	Cached           bool    `json:"cached"`
}

// ErrSilent reports that the geocoder said nothing: its turn did not come within
// the caller's patience, it failed, or it is left alone after failures.
var ErrSilent = errors.New("geocoder silent")

// silent is ErrSilent with its cause in words alone, so that nobody takes a
// geocoder's broken connection for the database's.
func silent(cause error) error { return fmt.Errorf("%w: %s", ErrSilent, cause.Error()) }

// Resolver names places.
type Resolver struct {
	db             *database.DB
	nominatim      *Nominatim
	municipalities *Municipalities
	log            *slog.Logger
	metrics        *telemetry.Metrics
}

// NewResolver uses the boundaries in db and n for the rest; a nil n leaves only the boundaries.
func NewResolver(db *database.DB, n *Nominatim, log *slog.Logger, m *telemetry.Metrics) *Resolver {
	return &Resolver{db: db, nominatim: n, municipalities: NewMunicipalities(db), log: log, metrics: m}
}

// Reverse names the place at a latitude and longitude (degrees WGS 84, checked
// by the caller). Patience bounds the wait for the geocoder's turn. When the
// geocoder cannot be asked it returns what the boundaries know, together with
// ErrSilent: there may be more to know later.
func (r *Resolver) Reverse(ctx context.Context, latitude, longitude float64, patience time.Duration) (Address, error) {
	local, err := within(ctx, r.db, latitude, longitude)
	if err != nil {
		return Address{Source: SourceNone}, err
	}
	asked, err := r.ask(ctx, cellOf(latitude, longitude), patience, func(ctx context.Context) (Address, error) {
		return r.nominatim.Reverse(ctx, latitude, longitude)
	})
	if err != nil {
		return local, err
	}
	return merged(local, asked), nil
}

// merged prefers the boundaries, which are exact, and takes the street from the geocoder.
func merged(local, asked Address) Address {
	if local.Source == SourceNone {
		return asked
	}
	local.Street, local.Cached = asked.Street, asked.Cached
	if asked.DisplayName != nil {
		local.DisplayName = asked.DisplayName
	}
	return local
}
