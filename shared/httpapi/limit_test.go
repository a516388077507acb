package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// keys is an admission that records whose budget was spent.
type keys struct{ seen []string }

// Admit implements httpapi.Admission.
func (k *keys) Admit(_ context.Context, _ uuid.UUID, spends []admission.Spend) (identity.Session, []admission.Budget, error) {
	var budgets []admission.Budget
	for _, s := range spends {
		k.seen = append(k.seen, s.Key)
		budgets = append(budgets, admission.Budget{Allowed: true, Limit: 1, Remaining: 1})
	}
	return identity.Session{}, budgets, nil
}

// Return implements httpapi.Admission.
func (k *keys) Return(context.Context, []admission.Spend) []admission.Budget { return nil }

// Whoever has one address of IPv6 has 2^64 of them: they are one client.
func TestAClientIsItsNetwork(t *testing.T) {
	t.Parallel()
	var k keys
	api := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler), Admission: &k}, &sample{})
	key := func(remote string) string {
		k.seen = nil
		r := httptest.NewRequest(http.MethodGet, "/places", nil)
		r.RemoteAddr = remote
		api.ServeHTTP(httptest.NewRecorder(), r)
		if len(k.seen) != 1 {
			t.Fatalf("%s spends %v", remote, k.seen)
		}
		return k.seen[0]
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff:ffff:ffff:ffff]:2", true},
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false},
		{"203.0.113.7:1", "203.0.113.7:2", true},
		{"203.0.113.7:1", "[::ffff:203.0.113.7]:1", true},
		{"203.0.113.7:1", "203.0.113.8:1", false},
		{"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"somebody:0", "nobody:0", false}, // no gateway says so
	} {
		if got := key(c.a) == key(c.b); got != c.same {
			t.Errorf("%s and %s are one client: %v, want %v", c.a, c.b, got, c.same)
		}
	}
}
