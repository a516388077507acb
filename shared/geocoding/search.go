package geocoding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Search finds places by name: our own first, then, within patience, the
// geocoder's. A geocoder that cannot be asked costs only its part.
func (r *Resolver) Search(ctx context.Context, query string, limit int, patience time.Duration) ([]Found, error) {
	own, err := searchOwn(ctx, r.db, query, limit)
	if err != nil || len(own) >= limit || r.nominatim == nil {
		return own, err
	}
	foreign, err := r.searchForeign(ctx, query, limit, patience)
	if errors.Is(err, ErrSilent) {
		r.log.InfoContext(ctx, "search without the geocoder", "error", err)
		return own, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range foreign {
		if len(own) < limit {
			own = append(own, f)
		}
	}
	return own, nil
}

// searchOwn knows letters and digits alone: of other words it finds nothing, where every name begins with nothing.
func searchOwn(ctx context.Context, q database.Querier, query string, limit int) ([]Found, error) {
	const statement = `
		WITH named AS (
		    SELECT m.name, m.latitude, m.longitude, 'municipality' AS type, m.name AS municipality,
		           (SELECT max(similarity(fold_name(a), fold_name($1)) + (fold_name(a) LIKE fold_name($1) || '%')::int)
		              FROM unnest(m.aliases || ARRAY[m.name, m.name_tet, m.name_pt]) a) AS score
		      FROM municipalities m
		    UNION ALL
		    SELECT b.name || coalesce(', ' || b.parent, ''), ST_Y(ST_PointOnSurface(b.area)), ST_X(ST_PointOnSurface(b.area)), b.level,
		           (SELECT m.name FROM boundaries p JOIN municipalities m ON m.code = p.code
		             WHERE p.level = 'municipality' AND ST_Covers(p.area, ST_PointOnSurface(b.area)) LIMIT 1),
		           similarity(fold_name(b.name), fold_name($1)) + (fold_name(b.name) LIKE fold_name($1) || '%')::int
		      FROM boundaries b
		     WHERE b.level <> 'municipality' AND (fold_name(b.name) LIKE '%' || fold_name($1) || '%' OR similarity(fold_name(b.name), fold_name($1)) > 0.4)
		)
		SELECT name, latitude, longitude, type, municipality FROM named WHERE score > 0.4 AND fold_name($1) <> '' ORDER BY score DESC, name LIMIT $2`
	rows, err := q.Query(ctx, statement, query, limit)
	if err != nil {
		return nil, fmt.Errorf("search places: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Found])
	if err != nil {
		return nil, fmt.Errorf("search places: %w", err)
	}
	return found, nil
}

func (r *Resolver) searchForeign(ctx context.Context, query string, limit int, patience time.Duration) ([]Found, error) {
	key := "s:" + strings.ToLower(strings.Join(strings.Fields(query), " "))
	var raw []byte
	const read = `SELECT answer FROM geocode_cache WHERE cell = $1 AND fetched_at > now() - $2::interval`
	if err := r.db.QueryRow(ctx, read, key, Kept).Scan(&raw); err == nil {
		var found []Found
		err := json.Unmarshal(raw, &found)
		return found, err
	}
	if err := r.turn(ctx, patience); err != nil {
		return nil, err
	}
	found, fault := r.nominatim.Search(ctx, query, 10)
	if err := r.settle(ctx, fault); err != nil {
		return nil, err
	}
	if fault != nil {
		return nil, silent(fault)
	}
	raw, err := json.Marshal(found)
	if err != nil {
		return nil, fmt.Errorf("encode places: %w", err)
	}
	const write = `INSERT INTO geocode_cache (cell, answer, source) VALUES ($1, $2, 'nominatim')
		ON CONFLICT (cell) DO UPDATE SET answer = excluded.answer, fetched_at = now()`
	if _, err := r.db.Exec(ctx, write, key, raw); err != nil {
		return nil, fmt.Errorf("write geocode cache: %w", err)
	}
	return found, nil
}
