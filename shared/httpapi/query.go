package httpapi

import (
	"math"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
)

// numbersOf are the query parameters of op that are numbers.
func numbersOf(op *huma.Operation) []string {
	var numbers []string
	for _, p := range op.Parameters {
		if p.In == "query" && p.Schema != nil && p.Schema.Type == huma.TypeNumber {
			numbers = append(numbers, p.Name)
		}
	}
	return numbers
}

// checkFinite refuses NaN and the infinities: they parse as numbers, and no range check stops NaN.
func checkFinite(query url.Values, numbers []string) error {
	for _, name := range numbers {
		n, err := strconv.ParseFloat(query.Get(name), 64)
		if err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
			return problem.InvalidField(name, "expected a finite number")
		}
	}
	return nil
}
