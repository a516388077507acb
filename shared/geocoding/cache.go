package geocoding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// cacheFor is how long an answer of Nominatim is used.
const cacheFor = 30 * 24 * time.Hour

// cellOf returns the cache key of a point: its square of 0.001 by 0.001 degrees, about 110 m wide.
func cellOf(latitude, longitude float64) string {
	square := func(v float64) string { return strconv.Itoa(int(math.Floor(v * 1000))) }
	return "r:" + square(latitude) + ":" + square(longitude)
}

// cachedOrAsked returns the cached address of a cell. When there is none it waits for a turn, maxWait at most, calls fetch and
// caches the answer.
func (r *Resolver) cachedOrAsked(ctx context.Context, cell string, maxWait time.Duration, fetch func(context.Context) (Address, error)) (Address, error) {
	var cached cachedAddress
	if found, err := r.readCache(ctx, cell, &cached); err != nil || found {
		cached.MunicipalityCode, cached.Cached = cached.Code, found
		return cached.Address, err
	}
	if r.nominatim == nil {
		return Address{Source: SourceNone}, nil
	}
	if err := r.waitTurn(ctx, maxWait); err != nil {
		return Address{}, err
	}
	answer, err := fetch(ctx)
	if err := r.recordOutcome(ctx, err); err != nil {
		return Address{}, err
	}
	if err != nil {
		r.metrics.Add(catalog.GeocoderFailures)
		return Address{}, noAnswer(err)
	}
	if answer.MunicipalityCode, err = r.code(ctx, answer.Municipality); err != nil {
		return Address{}, err
	}
	return answer, r.writeCache(ctx, cell, cachedAddress{answer, answer.MunicipalityCode}, answer.Source)
}

// code returns the code of a municipality; nil when there is no name or no municipality has it.
func (r *Resolver) code(ctx context.Context, name *string) (*string, error) {
	if name == nil {
		return nil, nil //nolint:nilnil // no name, no code
	}
	code, known, err := r.municipalities.Code(ctx, *name)
	if err != nil || !known {
		return nil, err
	}
	return &code, nil
}

// cachedAddress adds the code of the municipality, which the JSON of Address leaves out.
type cachedAddress struct {
	Address
	Code *string `json:"municipality_code"`
}

// readCache reads the answer for a key into an answer. False when there is none, or none younger than cacheFor.
func (r *Resolver) readCache(ctx context.Context, key string, answer any) (bool, error) {
	const query = `SELECT answer FROM geocode_cache WHERE cell = $1 AND fetched_at > now() - $2::interval`
	var raw []byte
	err := r.db.QueryRow(ctx, query, key, cacheFor).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read geocode cache: %w", err)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return false, fmt.Errorf("read geocode cache: %w", err)
	}
	return true, nil
}

func (r *Resolver) writeCache(ctx context.Context, key string, answer any, source string) error {
	raw, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode answer of the geocoder: %w", err)
	}
	const query = `
		INSERT INTO geocode_cache (cell, answer, source) VALUES ($1, $2, $3)
		ON CONFLICT (cell) DO UPDATE SET answer = excluded.answer, source = excluded.source, fetched_at = now()`
	if _, err := r.db.Exec(ctx, query, key, string(raw), source); err != nil {
		return fmt.Errorf("write geocode cache: %w", err)
	}
	return nil
}
