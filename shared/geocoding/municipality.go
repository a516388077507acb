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

// Municipality is one of the fourteen. Coordinates are degrees WGS 84.
type Municipality struct {
	Code                           string
	Name, NameTet, NamePt          string
	Latitude, Longitude            float64
	MinLon, MinLat, MaxLon, MaxLat float64
	aliases                        []string
}

// Municipalities reads them once: they change with a law, not with a request.
type Municipalities struct {
	db database.Querier

	mu    sync.Mutex
	all   []Municipality
	codes map[string]string // by folded name
}

// NewMunicipalities reads from db at first use.
func NewMunicipalities(db database.Querier) *Municipalities { return &Municipalities{db: db} }

// All lists the fourteen by code.
func (d *Municipalities) All(ctx context.Context) ([]Municipality, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	return d.all, nil
}

// Code is the code of the municipality that goes by word: its code, a name in
// one of the three languages, or an old or foreign spelling, whatever the case
// and accents. False when there is none.
func (d *Municipalities) Code(ctx context.Context, word string) (string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx); err != nil {
		return "", false, err
	}
	code, ok := d.codes[foldName(word)]
	return code, ok, nil
}

// Named is the municipality with a code; false when there is none.
func (d *Municipalities) Named(ctx context.Context, code string) (Municipality, bool, error) {
	all, err := d.All(ctx)
	for _, m := range all {
		if m.Code == code {
			return m, true, err
		}
	}
	return Municipality{}, false, err
}

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

// foldName reduces a name to its letters without case and accents; "municipality of"
// and its translations fall away.
func foldName(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		if unicode.IsLetter(r) {
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
