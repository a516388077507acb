package geocoding

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// maxSearch is how many places Nominatim is asked for; the answer is cached for any limit.
const maxSearch = 10

// Search finds places by name: municipalities, imported boundaries and imported names first, then those that Nominatim finds. It waits for
// a turn at Nominatim for maxWait at most. When Nominatim gives no answer, only the first ones are returned.
func (r *Resolver) Search(ctx context.Context, query string, limit int, maxWait time.Duration) ([]Found, error) {
	found, err := SearchLocal(ctx, r.db, query, limit)
	if err != nil || len(found) >= limit || r.nominatim == nil {
		return found, err
	}
	more, err := r.searchNominatim(ctx, query, maxWait)
	if errors.Is(err, ErrNoAnswer) {
		r.log.InfoContext(ctx, "search without the geocoder", "error", err)
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	return append(found, more[:min(len(more), limit-len(found))]...), nil
}

// SearchLocal finds municipalities, boundaries and imported names of localities by name, without the geocoder. Only letters and
// digits are compared: for a query without any it finds nothing.
func SearchLocal(ctx context.Context, q database.Querier, query string, limit int) ([]Found, error) {
	const statement = `
		WITH named AS (
		    SELECT m.name, m.latitude, m.longitude, 'municipality' AS type, m.name AS municipality, 0 AS size,
		           (SELECT max(similarity(fold_name(a), fold_name($1)) + (fold_name(a) LIKE fold_name($1) || '%')::int)
		              FROM unnest(m.aliases || ARRAY[m.name, m.name_tet, m.name_pt]) a) AS score
		      FROM municipalities m
		    UNION ALL
		    SELECT b.name || coalesce(', ' || b.parent, ''), ST_Y(b.label), ST_X(b.label), b.level,
		           (SELECT m.name FROM boundaries p JOIN municipalities m ON m.code = p.code
		             WHERE p.level = 'municipality' AND ST_Covers(p.area, b.label) LIMIT 1), CASE b.level WHEN 'district' THEN 1 ELSE 2 END,
		           similarity(fold_name(b.name), fold_name($1)) + (fold_name(b.name) LIKE fold_name($1) || '%')::int
		      FROM boundaries b
		     WHERE b.level <> 'municipality' AND (fold_name(b.name) LIKE '%' || fold_name($1) || '%' OR fold_name(b.name) % fold_name($1))
		    UNION ALL
		    SELECT n.name || coalesce(', ' || m.name, ''), ST_Y(n.place), ST_X(n.place), 'locality', m.name, 3,
		           similarity(fold_name(n.name), fold_name($1)) + (fold_name(n.name) LIKE fold_name($1) || '%')::int
		      FROM place_names n LEFT JOIN municipalities m ON m.code = n.municipality_code
		     WHERE fold_name(n.name) LIKE '%' || fold_name($1) || '%' OR fold_name(n.name) % fold_name($1)
		)
		SELECT name, latitude, longitude, type, municipality FROM named WHERE score > 0.4 AND fold_name($1) <> '' ORDER BY score DESC, size, name LIMIT $2`
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

// Named finds the places that have exactly this name, at most two: the caller needs a name that is unique. Case, accents and apostrophes do
// not matter. A place is also found by its name with a comma and that of the larger place, as SearchLocal returns it.
func Named(ctx context.Context, q database.Querier, name string) ([]Found, error) {
	const statement = `
		WITH asked AS (SELECT fold_name($1) AS name), named AS (
		    SELECT m.name, m.latitude, m.longitude, 'municipality', m.name FROM municipalities m, asked
		     WHERE asked.name IN (SELECT fold_name(a) FROM unnest(m.aliases || ARRAY[m.name, m.name_tet, m.name_pt]) a)
		    UNION ALL
		    SELECT b.name, ST_Y(b.label), ST_X(b.label), b.level, NULL FROM boundaries b, asked
		     WHERE b.level <> 'municipality' AND asked.name IN (fold_name(b.name), fold_name(b.name || ', ' || b.parent))
		    UNION ALL
		    SELECT n.name, ST_Y(n.place), ST_X(n.place), 'locality', m.name FROM asked, place_names n LEFT JOIN municipalities m ON m.code = n.municipality_code
		     WHERE asked.name IN (fold_name(n.name), fold_name(n.name || ', ' || m.name))
		)
		SELECT * FROM named WHERE fold_name($1) <> '' LIMIT 2`
	rows, err := q.Query(ctx, statement, name)
	if err != nil {
		return nil, fmt.Errorf("find places by name: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Found])
	if err != nil {
		return nil, fmt.Errorf("find places by name: %w", err)
	}
	return found, nil
}

// searchNominatim returns the cached places for a query, or asks Nominatim and caches its answer.
func (r *Resolver) searchNominatim(ctx context.Context, query string, maxWait time.Duration) ([]Found, error) {
	key := "s:" + strings.ToLower(strings.Join(strings.Fields(query), " "))
	var found []Found
	if cached, err := r.readCache(ctx, key, &found); err != nil || cached {
		return found, err
	}
	if err := r.waitTurn(ctx, maxWait); err != nil {
		return nil, err
	}
	found, fault := r.nominatim.Search(ctx, query, maxSearch)
	if err := r.recordOutcome(ctx, fault); err != nil {
		return nil, err
	}
	if fault != nil {
		return nil, noAnswer(fault)
	}
	return found, r.writeCache(ctx, key, found, SourceNominatim)
}
