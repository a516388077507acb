package httpapi

import (
	"encoding/json"
	"testing"
)

func TestNumbersHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"125.5": "1255e-1", "125.50": "1255e-1", "1.255e2": "1255e-1", "1255E-1": "1255e-1", "100": "1e2", "1e2": "1e2", "0.10": "1e-1",
		"-0.10": "-1e-1", "0": "0", "-0.0": "0", "0e5": "0", "1e999999999": "1e999999999", "1e99999999999999999999": "1e99999999999999999999", "12": "12e0",
	} {
		if got := plainNumber(json.Number(text)); got.String() != want || !json.Valid([]byte(got)) {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}
