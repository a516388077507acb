package httpapi

import (
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
)

// finite refuses NaN and the infinities in numbers of the query: they parse as numbers, and no range check stops NaN.
func (a *API) finite(op *huma.Operation, next http.Handler) http.Handler {
	var numbers []string
	for _, p := range op.Parameters {
		if p.In == "query" && p.Schema != nil && p.Schema.Type == huma.TypeNumber {
			numbers = append(numbers, p.Name)
		}
	}
	if len(numbers) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		for _, name := range numbers {
			n, err := strconv.ParseFloat(query.Get(name), 64)
			if err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
				a.refuse(w, r, problem.InvalidField(name, "expected a finite number"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
