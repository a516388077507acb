package reports

import (
	"encoding/hex"
	"encoding/json"
	"testing"
)

// This hash recognises the retry of a report, even days later. So it must be the same in every version.
func TestContentHashStaysTheSame(t *testing.T) {
	t.Parallel()
	const whole = `{"issue_type": "pothole", "title": "Deep hole", "description": "Before the bridge", "latitude": -8.5569,
		"longitude": 125.5603, "address": "12 Rua de Caicoli", "street": "Rua de Caicoli", "suco": "Caicoli",
		"district": "Vera Cruz", "municipality": "Dili", "severity": "high", "is_anonymous": true}`
	const least = `{"issue_type": "a strange word", "latitude": -8.5, "longitude": 125.5, "suco": "Caicoli"}`
	for body, want := range map[string]string{
		whole: "89fa07e8684caa6f6e12caeed35977ab5693a113a6cfc18103900bd7de2e2d47",
		least: "3f7275d68bf2c2d8ff7751bd105c372726395e5ae8f75385f48e20d0f4203367",
	} {
		var r CreateRequest
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		in, err := r.input(testContext())
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(in.ContentHash[:]); got != want {
			t.Errorf("the hash of %s\n is %s, want %s", body, got, want)
		}
	}
}
