package geocoding

import (
	"context"
	"fmt"
	"strings"

	"github.com/lafaekstreet/backend/shared/database"
)

// boundariesAt returns the address of a point from the imported polygons that hold it. The source is "none" when none does.
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
