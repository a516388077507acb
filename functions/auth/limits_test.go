package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lafaekstreet/backend/shared/config"
)

// Ten a minute for an address of the network and of a person together.
func TestAuthRoutesAreLimitedByNetworkAddressAndEMail(t *testing.T) {
	t.Parallel()
	cached := config.Env{"CACHE_URL": "redis://" + miniredis.RunT(t).Addr(), "CACHE_TIMEOUT": "5s"}
	for name, env := range map[string]config.Env{"in memory": nil, "in the cache": cached} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, env)
			forgot := func(ip, email string) answer {
				return s.from(ip+":1", request{path: "/auth/forgot-password", body: fields{"email": email}})
			}
			for i := range 10 {
				a := s.expect(forgot("203.0.113.7", " Ana@Example.tl"), 200, "")
				if a.header.Get("RateLimit-Limit") != "10" || a.header.Get("RateLimit-Remaining") != fmt.Sprint(9-i) || a.header.Get("RateLimit-Reset") == "" {
					t.Errorf("request %d: %v", i, a.header)
				}
			}
			a := s.expect(forgot("203.0.113.7", "ana@example.tl"), 429, "rate_limited")
			if a.header.Get("Retry-After") != "6" || a.header.Get("RateLimit-Remaining") != "0" {
				t.Errorf("refused: %v", a.header)
			}
			s.expect(forgot("203.0.113.7", "rui@example.tl"), 200, "")
			s.expect(forgot("198.51.100.1", "ana@example.tl"), 200, "")
			s.clock.Advance(6 * time.Second)
			s.expect(forgot("203.0.113.7", "ana@example.tl"), 200, "")
			s.expect(forgot("203.0.113.7", "ana@example.tl"), 429, "rate_limited")
		})
	}
}

// A request with a valid token spends the budget of the person. A request without one spends the budget of its network
// address.
func TestALimitedClientDoesNotLimitOthersOfItsAddress(t *testing.T) {
	t.Parallel()
	s := newSystem(t, config.Env{"RATE_LIMIT_USER_PER_MINUTE": "60", "RATE_LIMIT_USER_BURST": "5", "RATE_LIMIT_ADDRESS_PER_MINUTE": "20"})
	flooder, neighbour := s.signedUp("ana@example.tl").text("access_token"), s.signedUp("rui@example.tl").text("access_token")
	const ip = "203.0.113.7:1"
	probe := func(token string) answer { return s.from(ip, request{path: "/auth/totp/enroll", token: token}) }
	refused := 0
	for range 30 {
		if a := probe(flooder); a.status == 429 {
			refused++
		}
	}
	if refused != 25 {
		t.Errorf("%d of 30 were refused, want 25", refused)
	}
	s.expect(probe(neighbour), 403, "forbidden")
	s.expect(s.from(ip, request{path: "/auth/refresh", body: fields{"refresh_token": "x"}}), 401, "token_invalid")
	for range 19 {
		s.expect(probe("guess"), 401, "token_invalid")
	}
	s.expect(probe("guess"), 429, "rate_limited")
	s.clock.Advance(2 * time.Second)
	s.expect(probe(neighbour), 403, "forbidden")
}

// Instances share a cache: a session that ends on one has ended on the other.
func TestLogoutHoldsOnEveryInstance(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited(), config.Env{"CACHE_URL": "redis://" + miniredis.RunT(t).Addr(), "CACHE_TIMEOUT": "5s"})
	second := s.open()
	token := s.signedUp("ana@example.tl").text("access_token")
	probe := func() int { return s.do(request{path: "/auth/totp/enroll", token: token, instance: second}).status }
	for range 2 {
		if got := probe(); got != 403 {
			t.Fatalf("signed in: %d", got)
		}
	}
	s.expect(s.do(request{path: "/auth/logout", token: token}), 200, "")
	if got := probe(); got != 401 {
		t.Errorf("after the logout: %d", got)
	}
}
