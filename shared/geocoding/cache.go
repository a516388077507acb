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

// Kept is how long an answer of the geocoder is believed.
const Kept = 30 * 24 * time.Hour

// cellOf names the square of a thousandth of a degree (about 110 m) around a point.
func cellOf(latitude, longitude float64) string {
	square := func(v float64) string { return strconv.Itoa(int(math.Floor(v * 1000))) }
	return "r:" + square(latitude) + ":" + square(longitude)
}

// ask answers from the cache, else from the geocoder when its turn comes within patience.
func (r *Resolver) ask(ctx context.Context, cell string, patience time.Duration, fetch func(context.Context) (Address, error)) (Address, error) {
	kept, err := r.remembered(ctx, cell)
	if err != nil || kept != nil {
		return deref(kept), err
	}
	if r.nominatim == nil {
		return Address{Source: SourceNone}, nil
	}
	if err := r.turn(ctx, patience); err != nil {
		return Address{}, err
	}
	answer, err := fetch(ctx)
	if err := r.settle(ctx, err); err != nil {
		return Address{}, err
	}
	if err != nil {
		r.metrics.Add(catalog.GeocoderFailures)
		return Address{}, silent(err)
	}
	if answer.MunicipalityCode, err = r.code(ctx, answer.Municipality); err != nil {
		return Address{}, err
	}
	return answer, r.remember(ctx, cell, answer)
}

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

func deref(a *Address) Address {
	if a == nil {
		return Address{}
	}
	return *a
}

// keptAddress adds what the wire form leaves out.
type keptAddress struct {
	Address
	Code *string `json:"municipality_code"`
}

func (r *Resolver) remembered(ctx context.Context, cell string) (*Address, error) {
	const query = `SELECT answer FROM geocode_cache WHERE cell = $1 AND fetched_at > now() - $2::interval`
	var raw []byte
	err := r.db.QueryRow(ctx, query, cell, Kept).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // nothing remembered is no error
	}
	if err != nil {
		return nil, fmt.Errorf("read geocode cache: %w", err)
	}
	var k keptAddress
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, fmt.Errorf("read geocode cache: %w", err)
	}
	k.MunicipalityCode, k.Cached = k.Code, true
	return &k.Address, nil
}

func (r *Resolver) remember(ctx context.Context, cell string, a Address) error {
	raw, err := json.Marshal(keptAddress{a, a.MunicipalityCode})
	if err != nil {
		return fmt.Errorf("encode address: %w", err)
	}
	const query = `
		INSERT INTO geocode_cache (cell, answer, source) VALUES ($1, $2, $3)
		ON CONFLICT (cell) DO UPDATE SET answer = excluded.answer, source = excluded.source, fetched_at = now()`
	if _, err := r.db.Exec(ctx, query, cell, string(raw), a.Source); err != nil {
		return fmt.Errorf("write geocode cache: %w", err)
	}
	return nil
}
