// Package importboundaries loads the polygons of municipalities, administrative posts or sucos, and names of small places, from
// GeoJSON.
package importboundaries

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// Levels of boundaries, the largest first.
const (
	levelMunicipality = "municipality"
	levelDistrict     = "district" // administrative post
	levelSuco         = "suco"
)

// localities are small places. They have a name at a point, and no boundary.
const localities = "locality"

// Options say what the features are.
type Options struct {
	Level string `json:"level"` // municipality, district (administrative post), suco or locality
	Name  string `json:"name"`  // property that holds the name
	// Parent is the property that holds the name of the unit above; of localities the municipality.
	Parent string `json:"parent"`
	Code   string `json:"code"` // property that holds a code
}

// maxFile bounds the file, in bytes. The sucos in full detail are smaller.
const maxFile = 200 << 20

// byteOrderMark is written by some programs at the start of a file. RFC 8259, section 8.1 lets a reader ignore it.
const byteOrderMark = "\ufeff"

type feature struct {
	Properties map[string]any  `json:"properties"`
	Geometry   json.RawMessage `json:"geometry"`
}

func (f feature) property(name string) string {
	if v, ok := f.Properties[name]; ok && v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Run replaces the boundaries of a level by those of the file, all or none, and returns how many there are. Then it sets the
// municipality of reports that had none. The login in databaseURL owns the schema.
func Run(ctx context.Context, o Options, file io.Reader, databaseURL string) (int, error) {
	if !slices.Contains([]string{levelMunicipality, levelDistrict, levelSuco, localities}, o.Level) {
		return 0, fmt.Errorf("-level is municipality, district, suco or locality, not %q", o.Level)
	}
	features, err := read(file)
	if err != nil {
		return 0, err
	}
	if databaseURL == "" {
		return 0, errors.New("set DATABASE_URL to the database to import into")
	}
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if o.Level == localities {
		return len(features), replaceNames(ctx, conn, o, features)
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM boundaries WHERE level = $1`, o.Level); err != nil {
			return fmt.Errorf("replace level %s: %w", o.Level, err)
		}
		municipalities := geocoding.NewMunicipalities(tx)
		for i, f := range features {
			if err := insert(ctx, tx, municipalities, o, f); err != nil {
				return fmt.Errorf("feature %d: %w", i+1, err)
			}
		}
		if _, err := tx.Exec(ctx, report.ForgetNames); err != nil {
			return fmt.Errorf("take names that are gone out of erased reports: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(features), assignMunicipalities(ctx, databaseURL)
}

// replaceNames replaces the names of localities, all or none.
func replaceNames(ctx context.Context, conn *pgx.Conn, o Options, features []feature) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM place_names`); err != nil {
			return fmt.Errorf("replace names: %w", err)
		}
		municipalities := geocoding.NewMunicipalities(tx)
		for i, f := range features {
			if err := insertName(ctx, tx, municipalities, o, f); err != nil {
				return fmt.Errorf("feature %d: %w", i+1, err)
			}
		}
		return nil
	})
}

// insertName adds a locality. Its municipality is the one that the file names, else the one whose boundary it is in.
func insertName(ctx context.Context, tx pgx.Tx, municipalities *geocoding.Municipalities, o Options, f feature) error {
	name := f.property(o.Name)
	if name == "" {
		return fmt.Errorf("no property %q; choose the property with the name by -name", o.Name)
	}
	code, _, err := municipalities.Code(ctx, f.property(o.Parent))
	if err != nil {
		return err
	}
	const query = `
		INSERT INTO place_names (id, name, municipality_code, place)
		SELECT $1, $2, coalesce(nullif($3, ''), (SELECT b.code FROM boundaries b WHERE b.level = 'municipality' AND ST_Covers(b.area, at) LIMIT 1)), at
		  FROM (SELECT ST_SetSRID(ST_Force2D(ST_GeomFromGeoJSON($4)), 4326)) AS p (at)
		RETURNING ST_X(place) BETWEEN -180 AND 180 AND ST_Y(place) BETWEEN -90 AND 90`
	var onEarth bool
	if err := tx.QueryRow(ctx, query, database.NewID(), name, code, string(f.Geometry)).Scan(&onEarth); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !onEarth {
		return fmt.Errorf("%s: no point in degrees of longitude and latitude (WGS 84)", name)
	}
	return nil
}

func read(f io.Reader) ([]feature, error) {
	var collection struct {
		Type     string    `json:"type"`
		Features []feature `json:"features"`
	}
	text := bufio.NewReader(io.LimitReader(f, maxFile))
	if mark, err := text.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = text.Discard(len(mark)) // it is in the buffer
	}
	if err := json.NewDecoder(text).Decode(&collection); err != nil {
		return nil, fmt.Errorf("not GeoJSON: %w", err)
	}
	if collection.Type != "FeatureCollection" || len(collection.Features) == 0 {
		return nil, errors.New("expected a FeatureCollection with features")
	}
	return collection.Features, nil
}

func insert(ctx context.Context, tx pgx.Tx, municipalities *geocoding.Municipalities, o Options, f feature) error {
	name := f.property(o.Name)
	if name == "" {
		return fmt.Errorf("no property %q; choose the property with the name by -name", o.Name)
	}
	code := f.property(o.Code)
	if o.Level == levelMunicipality {
		found, ok, err := municipalities.Code(ctx, name)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%q is not a known name of a municipality", name)
		}
		code = found
	}
	// ST_Force2D: some programs write a height with every point.
	const query = `
		INSERT INTO boundaries (id, level, name, parent, code, area)
		VALUES ($1, $2, $3, nullif($4, ''), nullif($5, ''),
		        ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_Force2D(ST_GeomFromGeoJSON($6)), 4326)), 3)))
		RETURNING NOT ST_IsEmpty(area) AND ST_XMin(area) >= -180 AND ST_XMax(area) <= 180 AND ST_YMin(area) >= -90 AND ST_YMax(area) <= 90`
	var onEarth bool
	err := tx.QueryRow(ctx, query, database.NewID(), o.Level, name, f.property(o.Parent), code, string(f.Geometry)).Scan(&onEarth)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !onEarth {
		return fmt.Errorf("%s: no polygon in degrees of longitude and latitude (WGS 84)", name)
	}
	return nil
}

// assignAtOnce is the most reports of one transaction.
const assignAtOnce = 100

// assignMunicipalities sets the municipality of reports that have none and lie in a boundary, each with an event of the ledger.
// Where it fails half way, the next import goes on.
func assignMunicipalities(ctx context.Context, databaseURL string) error {
	db, err := database.Open(ctx, database.Config{URL: databaseURL, MaxConns: 1, ExecMode: "cache_statement"})
	if err != nil {
		return fmt.Errorf("assign municipalities to reports: %w", err)
	}
	defer db.Close()
	o := outbox.New(db, nil, slog.New(slog.DiscardHandler))
	for n := 1; n > 0; {
		err := o.Do(ctx, func(tx *outbox.Tx) error {
			n, err = assignSome(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("assign municipalities to reports: %w", err)
		}
	}
	return nil
}

func assignSome(ctx context.Context, tx *outbox.Tx) (int, error) {
	const query = `
		WITH found AS (
			SELECT r.id, m.code, m.name FROM reports r JOIN boundaries b ON ST_Covers(b.area, ST_SetSRID(ST_MakePoint(r.longitude, r.latitude), 4326))
			  JOIN municipalities m ON m.code = b.code
			 WHERE b.level = 'municipality' AND r.municipality_code IS NULL AND r.deleted_at IS NULL
			 ORDER BY r.id LIMIT $1 FOR NO KEY UPDATE OF r)
		UPDATE reports r SET municipality_code = found.code, municipality = coalesce(nullif(r.municipality, ''), found.name), updated_at = now()
		  FROM found WHERE r.id = found.id RETURNING r.id`
	rows, err := tx.Query(ctx, query, assignAtOnce)
	if err != nil {
		return 0, err
	}
	changed, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return 0, err
	}
	for _, id := range changed {
		if err := ledger.Amend(ctx, tx, id); err != nil {
			return 0, err
		}
	}
	return len(changed), nil
}
