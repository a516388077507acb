// Package geocoding finds the address of a point and the point of a name. It uses imported boundaries first, which are exact
// and need no network. For the rest it asks Nominatim, at most once a second in the whole system, and caches the answers.
package geocoding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// Sources of an address.
const (
	SourceBoundaries = "boundaries" // imported polygons; street and display name may be from Nominatim
	SourceNominatim  = "nominatim"
	SourceNone       = "none" // nothing is known
)

// Address is the address of a place; unknown parts are nil.
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

// ErrNoAnswer reports that Nominatim gave no answer: the wait for a turn would be longer than maxWait, or the request
// failed, or no requests are sent for some minutes after several failures in a row.
var ErrNoAnswer = errors.New("no answer from the geocoder")

// ErrNoTurn is the ErrNoAnswer of a request that was not sent: too many others wait. Nothing is wrong with Nominatim.
var ErrNoTurn = noAnswer(errors.New("no turn in time"))

// noAnswer returns ErrNoAnswer with the text of its cause. The cause is not wrapped: errors.Is must not find a network error
// of Nominatim and take it for one of the database.
func noAnswer(cause error) error { return fmt.Errorf("%w: %s", ErrNoAnswer, cause.Error()) }

// Resolver finds addresses and places.
type Resolver struct {
	db             *database.DB
	nominatim      *Nominatim
	municipalities *Municipalities
	log            *slog.Logger
	metrics        *telemetry.Metrics
}

// NewResolver returns a resolver that uses the boundaries in db, and n for the rest. With a nil n it uses only boundaries.
func NewResolver(db *database.DB, n *Nominatim, log *slog.Logger, m *telemetry.Metrics) *Resolver {
	return &Resolver{db: db, nominatim: n, municipalities: NewMunicipalities(db), log: log, metrics: m}
}

// Reverse returns the address of a point (degrees WGS 84, checked by the caller). It waits for a turn at Nominatim for maxWait
// at most. When Nominatim gives no answer it returns the address from the boundaries together with ErrNoAnswer: a later
// call may return more.
func (r *Resolver) Reverse(ctx context.Context, latitude, longitude float64, maxWait time.Duration) (Address, error) {
	local, err := boundariesAt(ctx, r.db, latitude, longitude)
	if err != nil {
		return Address{Source: SourceNone}, err
	}
	answer, err := r.cachedOrAsked(ctx, cellOf(latitude, longitude), maxWait, func(ctx context.Context) (Address, error) {
		return r.nominatim.Reverse(ctx, latitude, longitude)
	})
	if err != nil {
		return local, err
	}
	return merge(local, answer), nil
}

// merge returns the address from the boundaries with the street and the display name of Nominatim's answer. If no boundary
// contains the point, it returns only Nominatim's answer.
func merge(local, answer Address) Address {
	if local.Source == SourceNone {
		return answer
	}
	local.Street, local.Cached = answer.Street, answer.Cached
	if answer.DisplayName != nil {
		local.DisplayName = answer.DisplayName
	}
	return local
}

// boundariesAt returns the address of a point from the imported polygons that contain it. If there is none, the source is
// "none".
func boundariesAt(ctx context.Context, q database.Querier, latitude, longitude float64) (Address, error) {
	const query = `
		SELECT max(b.name) FILTER (WHERE level = 'suco'), max(b.name) FILTER (WHERE level = 'district'),
		       coalesce(max(m.name), max(b.name) FILTER (WHERE level = 'municipality')), max(m.code)
		  FROM boundaries b LEFT JOIN municipalities m ON b.level = 'municipality' AND m.code = b.code
		 WHERE ST_Covers(b.area, ST_SetSRID(ST_MakePoint($1, $2), 4326))`
	a := Address{Source: SourceNone}
	err := q.QueryRow(ctx, query, longitude, latitude).
		Scan(&a.Suco, &a.District, &a.Municipality, &a.MunicipalityCode)
	if err != nil {
		return Address{Source: SourceNone}, fmt.Errorf("find boundaries: %w", err)
	}
	if a.Municipality == nil && a.District == nil && a.Suco == nil {
		return a, nil
	}
	country := "Timor-Leste"
	a.Source, a.Country = SourceBoundaries, &country
	a.DisplayName = displayName(a)
	return a, nil
}

func displayName(a Address) *string {
	var parts []string
	for _, p := range []*string{a.Street, a.Suco, a.District, a.Municipality, a.Country} {
		if p != nil && *p != "" {
			parts = append(parts, *p)
		}
	}
	name := strings.Join(parts, ", ")
	return &name
}
