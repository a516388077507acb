package admission_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	local "github.com/lafaekstreet/backend/infra/local/cache"
	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// stored stands for the sessions table.
type stored struct {
	mu      sync.Mutex
	known   map[uuid.UUID]identity.Session
	reads   int
	reading func() // called after a read, before its answer
}

func (s *stored) Session(_ context.Context, id uuid.UUID) (identity.Session, error) {
	s.mu.Lock()
	s.reads++
	out, ok := s.known[id]
	reading := s.reading
	s.mu.Unlock()
	if reading != nil {
		reading()
	}
	if !ok {
		return identity.Session{}, identity.ErrNoSession
	}
	return out, nil
}

// Ask implements admission.Sessions.
func (s *stored) Ask(_ database.Pipeline, id uuid.UUID) *database.Ask[*identity.Session] {
	return database.Derive(func() *identity.Session {
		out, err := s.Session(context.Background(), id)
		if err != nil {
			return nil
		}
		return &out
	})
}

func (s *stored) revoke(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
}

func (s *stored) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

type bundle struct {
	t      *testing.T
	clock  *timestamp.Manual
	stored *stored
	id     uuid.UUID
	out    *bytes.Buffer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	id := uuid.New()
	return &bundle{t: t, clock: timestamp.NewManual(time.Now()), id: id, out: &bytes.Buffer{},
		stored: &stored{known: map[uuid.UUID]identity.Session{id: {UserID: uuid.New(), Role: identity.Citizen}}}}
}

// process is one instance of a function, on the cache at an address.
func (b *bundle) process(address string) *admission.Gate {
	b.t.Helper()
	c, err := admission.NewCache(admission.CacheConfig{URL: address, Timeout: 2 * time.Second}, b.clock, telemetry.NewMetrics(b.out, "test", "test", b.clock))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	rates := admission.NewRates(admission.LimitConfig{UserPerMinute: 600, UserBurst: 3, AddressPerMinute: 60, AuthPerMinute: 10}, nil)
	return admission.NewGate(c, b.stored, nil, rates, b.clock)
}

// addresses are those of the caches every test runs on.
func addresses(t *testing.T) map[string]string {
	t.Helper()
	server, err := local.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return map[string]string{"server": server.URL(), "miniredis": "redis://" + miniredis.RunT(t).Addr()}
}

func TestARevocationIsSeenByEveryProcessAtOnce(t *testing.T) {
	t.Parallel()
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			first, second := b.process(address), b.process(address)
			for range 3 {
				for _, g := range []*admission.Gate{first, second} {
					if _, err := g.Session(t.Context(), b.id); err != nil {
						t.Fatal(err)
					}
				}
			}
			if n := b.stored.count(); n != 1 {
				t.Errorf("the database was read %d times, want once", n)
			}
			first.Forget(t.Context(), []uuid.UUID{b.id}) // in the transaction
			if _, err := second.Session(t.Context(), b.id); err != nil {
				t.Errorf("before the commit the session stands: %v", err)
			}
			b.stored.revoke(b.id) // the commit
			for _, g := range []*admission.Gate{first, second} {
				if _, err := g.Session(t.Context(), b.id); !errors.Is(err, identity.ErrNoSession) {
					t.Errorf("after the commit: %v", err)
				}
			}
		})
	}
}

// A reader that has seen the session before its revocation, and tells the cache
// after: the cache must not believe it.
func TestALateReaderDoesNotBringASessionBack(t *testing.T) {
	t.Parallel()
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			slow, other := b.process(address), b.process(address)
			b.stored.reading = func() {
				b.stored.reading = nil
				other.Forget(t.Context(), []uuid.UUID{b.id})
				b.stored.revoke(b.id)
			}
			if _, err := slow.Session(t.Context(), b.id); err != nil {
				t.Fatalf("what it read: %v", err)
			}
			for _, g := range []*admission.Gate{slow, other} {
				if _, err := g.Session(t.Context(), b.id); !errors.Is(err, identity.ErrNoSession) {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

func TestLimitsAreSharedByProcesses(t *testing.T) {
	t.Parallel()
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			spend := []admission.Spend{{Class: admission.LimitGeneral, Key: admission.UserKey + name, Cost: 1}, {Class: admission.LimitAuth, Key: "k" + name, Cost: 1}}
			var allowed int
			for i := range 5 {
				g := b.process(address)
				_, budgets, err := g.Admit(t.Context(), b.id, spend)
				if err != nil || len(budgets) != 2 {
					t.Fatalf("request %d: %v, %v", i, budgets, err)
				}
				if budgets[0].Allowed {
					allowed++
				}
				if budgets[1].Remaining != 9-i {
					t.Errorf("request %d leaves %d", i, budgets[1].Remaining)
				}
			}
			if allowed != 3 {
				t.Errorf("%d of a burst of 3 were allowed", allowed)
			}
		})
	}
}

// The cache goes away and comes back: requests go on, a metric counts it, and
// the limits hold as far as this process can see.
func TestRequestsGoOnWithoutTheCache(t *testing.T) {
	t.Parallel()
	b, server := setup(t), miniredis.RunT(t)
	g := b.process("redis://" + server.Addr())
	if _, err := g.Session(t.Context(), b.id); err != nil {
		t.Fatal(err)
	}
	server.Close()
	var allowed int
	for range 5 {
		if _, err := g.Session(t.Context(), b.id); err != nil {
			t.Fatalf("without a cache: %v", err)
		}
		if g.Take(t.Context(), admission.Spend{Class: admission.LimitGeneral, Key: admission.UserKey + "x", Cost: 1}).Allowed {
			allowed++
		}
	}
	if allowed != 3 {
		t.Errorf("%d of a burst of 3 were allowed", allowed)
	}
	if !strings.Contains(b.out.String(), "cache_unavailable") {
		t.Error("nothing counts it")
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	reads := b.stored.count()
	b.clock.Advance(3 * time.Second) // the cache has rested
	for range 5 {
		if _, err := g.Session(t.Context(), b.id); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.stored.count() - reads; n > 1 {
		t.Errorf("the cache is back, and the database was read %d times", n)
	}
}

func TestNoCacheAtAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	g := b.process("")
	if _, err := g.Session(t.Context(), b.id); err != nil {
		t.Fatal(err)
	}
	g.Forget(t.Context(), []uuid.UUID{b.id})
	b.stored.revoke(b.id)
	if _, err := g.Session(t.Context(), b.id); !errors.Is(err, identity.ErrNoSession) {
		t.Errorf("revoked: %v", err)
	}
	if _, err := admission.NewCache(admission.CacheConfig{URL: "::no address::secret"}, b.clock, nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a malformed address: %v", err)
	}
}
