package geocoding

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"github.com/lafaekstreet/backend/shared/database"
)

// Municipality is one of the fourteen municipalities of Timor-Leste. Coordinates are degrees WGS 84.
type Municipality struct {
	Code                           string
	Name, NameTet, NamePt          string
	Latitude, Longitude            float64
	MinLon, MinLat, MaxLon, MaxLat float64
	aliases                        []string
}

// Municipalities reads the table of municipalities once and keeps it: it changes only with a migration.
type Municipalities struct {
	db database.Querier

	mu    sync.Mutex
	all   []Municipality
	codes map[string]string // by folded name
}

// NewMunicipalities returns Municipalities that read db at the first use.
func NewMunicipalities(db database.Querier) *Municipalities { return &Municipalities{db: db} }

// All returns all municipalities, ordered by code.
func (d *Municipalities) All(ctx context.Context) ([]Municipality, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	return d.all, nil
}

// Code returns the code of the municipality with a name: its code, its name in one of the three languages, or an old or
// foreign spelling. Case and accents do not matter. False when there is none.
func (d *Municipalities) Code(ctx context.Context, name string) (string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx); err != nil {
		return "", false, err
	}
	code, ok := d.codes[foldName(name)]
	return code, ok, nil
}

// load reads the table at the first call. The caller holds mu.
func (d *Municipalities) load(ctx context.Context) error {
	if d.all != nil {
		return nil
	}
	const q = `SELECT code, name, name_tet, name_pt, latitude, longitude, min_lon, min_lat, max_lon, max_lat, aliases
		FROM municipalities ORDER BY code`
	rows, err := d.db.Query(ctx, q)
	if err != nil {
		return fmt.Errorf("read municipalities: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Municipality, error) {
		var m Municipality
		err := row.Scan(&m.Code, &m.Name, &m.NameTet, &m.NamePt, &m.Latitude, &m.Longitude, &m.MinLon, &m.MinLat, &m.MaxLon, &m.MaxLat, &m.aliases)
		return m, err
	})
	if err != nil {
		return fmt.Errorf("read municipalities: %w", err)
	}
	d.codes = make(map[string]string)
	for _, m := range all {
		for _, name := range append([]string{m.Code, m.Name, m.NameTet, m.NamePt}, m.aliases...) {
			d.codes[foldName(name)] = m.Code
		}
	}
	d.all = all
	return nil
}

// foldName reduces a name to its lower-case letters without accents, apostrophes, spaces and digits. "Municipality of" and its
// translations are removed. The function fold_name of the database does less: it keeps digits and such prefixes.
func foldName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(norm.NFKD.String(name)) {
		if unicode.IsLetter(r) && !unicode.Is(unicode.Lm, r) { // a letter of the class Lm serves as an apostrophe
			b.WriteRune(r)
		}
	}
	out := b.String()
	for _, prefix := range []string{"municipalityof", "municipiode", "munisipiu", "municipio", "districtof", "distritode"} {
		if rest, ok := strings.CutPrefix(out, prefix); ok && rest != "" {
			out = rest
		}
	}
	return strings.TrimSuffix(out, "municipality")
}
