package bench

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Each HTTP function has a request for the part coldstart. It panics for a function without one.
func TestEveryHTTPFunctionHasARequest(t *testing.T) {
	t.Parallel()
	s := &testbed{samples: &samples{reports: []uuid.UUID{uuid.New()}, journeys: []uuid.UUID{uuid.New()}}}
	for _, f := range catalog.Functions() {
		if f.Kind == catalog.HTTP && s.frequent(string(f.Name), 0).Path == "" {
			t.Errorf("the request of %s has no path", f.Name)
		}
	}
}
