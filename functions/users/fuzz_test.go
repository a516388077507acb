package users

import (
	"errors"
	"math"
	"testing"

	"github.com/lafaekstreet/backend/shared/problem"
)

// FuzzPlace: any cursor is a 422, or names a place among the records; that
// place written as a cursor leads there again.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"", place{}.String(), place{3, 250}.String(), place{len(exported) - 1, math.MaxInt}.String(), place{len(exported), 0}.String(), place{-1, 0}.String(),
		"MS4y", "MS4yLjM", "MC4wMA", "K", "====", "MS4tMQ", "MS4gMg"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := parsePlace(cursor)
		if err != nil {
			var e *problem.Error
			if !errors.As(err, &e) || e.Kind != problem.Invalid || len(e.Fields) != 1 || p != (place{}) {
				t.Errorf("%q: %+v, %v", cursor, p, err)
			}
			return
		}
		if p.kind < 0 || p.kind >= len(exported) || p.records < 0 {
			t.Errorf("%q is %+v", cursor, p)
		}
		if again, err := parsePlace(p.String()); err != nil || again != p {
			t.Errorf("%q is %+v is %+v, %v", cursor, p, again, err)
		}
	})
}
