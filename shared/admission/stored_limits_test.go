package admission

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// instance opens the gate of one instance without a cache, with connections of its own.
func instance(t *testing.T, address string, now timestamp.Clock) (*Gate, *database.DB) {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{URL: address, MaxConns: 2, ExecMode: "cache_statement"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	rates := NewRates(LimitConfig{UserPerMinute: 600, UserBurst: 200, AddressPerMinute: 60, AuthPerMinute: 10, CreatePerHour: 20, SyncPerHour: 200}, nil)
	return NewGate(nil, identity.NewStoredSessions(db), NewStoredLimits(db, "secret"), rates, now), db
}

// However many instances serve a person at the same time, they allow what one
// instance would.
func TestInstancesShareLimitsWithoutACache(t *testing.T) {
	t.Parallel()
	address := testdb.AppURL(testdb.URL(t))
	now := timestamp.NewManual(time.Now().Truncate(time.Microsecond))
	for _, c := range []struct {
		spend Spend
		want  int64
	}{
		{Spend{Class: LimitCreate, Key: UserKey + "ana", Cost: 1}, 20},
		{Spend{Class: LimitAuth, Key: AddressKey + "203.0.113.7|ana@example.tl", Cost: 1}, 10},
		{Spend{Class: LimitSync, Key: UserKey + "ana", Cost: 50}, 4},
	} {
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 3 {
			g, _ := instance(t, address, now)
			for range 4 {
				wg.Go(func() {
					for range 4 {
						if g.Take(t.Context(), c.spend).Allowed {
							allowed.Add(1)
						}
					}
				})
			}
		}
		wg.Wait()
		if allowed.Load() != c.want {
			t.Errorf("%s: three instances allow %d, want %d", c.spend.Class, allowed.Load(), c.want)
		}
	}
	g, db := instance(t, address, now)
	now.Advance(6 * time.Minute)
	create := Spend{Class: LimitCreate, Key: UserKey + "ana", Cost: 1}
	for i, want := range []bool{true, true, false} { // two of twenty an hour are back
		if got := g.Take(t.Context(), create).Allowed; got != want {
			t.Errorf("six minutes later, request %d: allowed %v", i, got)
		}
	}
	g.Return(t.Context(), []Spend{create})
	if b := g.Take(t.Context(), create); !b.Allowed || b.Remaining != 0 {
		t.Errorf("a request that was given back: %+v", b)
	}
	var text string
	if err := db.QueryRow(t.Context(), `SELECT string_agg(encode(key_hmac, 'escape'), ' ') FROM rate_limits`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	if text == "" || strings.Contains(text, "ana@") || strings.Contains(text, "user:") || strings.Contains(text, "203.0.113") {
		t.Errorf("the table names a person or an address: %s", text)
	}
}

// onlyAsked are sessions that must be asked for with other statements: reading one alone is another round trip, and panics.
type onlyAsked struct{ Sessions }

// Session implements Sessions.
func (onlyAsked) Session(context.Context, uuid.UUID) (identity.Session, error) {
	panic("a round trip of its own")
}

// A session and a shared budget are one round trip, and a session that is not valid leaves the budgets known.
func TestSessionAndBudgetComeTogetherWithoutACache(t *testing.T) {
	t.Parallel()
	g, _ := instance(t, testdb.AppURL(testdb.URL(t)), timestamp.System{})
	g.stored = onlyAsked{g.stored}
	all := []Spend{{Class: LimitGeneral, Key: UserKey + "ana", Cost: 1}, {Class: LimitCreate, Key: UserKey + "ana", Cost: 1}}
	_, budgets, err := g.Admit(t.Context(), uuid.New(), all)
	if !errors.Is(err, identity.ErrNoSession) || len(budgets) != 2 || budgets[0].Remaining != 199 || budgets[1].Remaining != 19 {
		t.Errorf("%+v, %v", budgets, err)
	}
}

// A database that is down neither stops requests nor lifts the limits.
func TestLimitsHoldInOneProcessWithoutADatabase(t *testing.T) {
	t.Parallel()
	g, db := instance(t, testdb.AppURL(testdb.URL(t)), timestamp.System{})
	db.Close()
	guess := Spend{Class: LimitAuth, Key: AddressKey + "x", Cost: 1}
	for i := range 11 {
		if got, want := g.Take(t.Context(), guess).Allowed, i < 10; got != want {
			t.Errorf("request %d: allowed %v, want %v", i, got, want)
		}
	}
	g.Return(t.Context(), []Spend{guess})
	if !g.Take(t.Context(), guess).Allowed {
		t.Error("what was given back is lost")
	}
}

// The database and the process's memory answer every sequence alike.
func TestDatabaseAndMemoryAgree(t *testing.T) {
	t.Parallel()
	_, db := instance(t, testdb.AppURL(testdb.URL(t)), timestamp.System{})
	limits, run := NewStoredLimits(db, "secret"), 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		memory, now := NewMemory(), time.Now().Truncate(time.Microsecond)
		rate := Rate{Limit: rapid.SampledFrom([]int{1, 10, 60, 600}).Draw(r, "limit"), Burst: rapid.IntRange(1, 200).Draw(r, "burst"), Period: time.Hour}
		for range rapid.IntRange(1, 12).Draw(r, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(r, "pause")) * time.Millisecond)
			cost := float64(rapid.IntRange(1, 5).Draw(r, "cost"))
			key := fmt.Sprintf("%d:%d", run, rapid.IntRange(0, 1).Draw(r, "key"))
			if rapid.IntRange(0, 3).Draw(r, "give back") == 0 {
				want := memory.Return(rate, key, cost, now)
				got, err := limits.giveBack(t.Context(), rate, key, cost, now)
				if err != nil || got != want {
					r.Fatalf("returned: database %+v, memory %+v (%v)", got, want, err)
				}
				continue
			}
			want := memory.Take(rate, key, cost, now)
			batch := &database.Batch{}
			taken := limits.ask(batch, rate, key, cost, now)
			if err := batch.Send(t.Context(), db); err != nil {
				r.Fatal(err)
			}
			got := budgetOf(rate, taken)
			if cost > float64(rate.Burst) && !want.Allowed { // how long to wait is not known: it never fits
				got.Retry, got.Reset, got.Remaining = want.Retry, want.Reset, want.Remaining
			}
			if got != want {
				r.Fatalf("database %+v, memory %+v", got, want)
			}
		}
	})
}

// BenchmarkStoredLimits is the cost of one shared budget, beside the cheapest statement there is.
func BenchmarkStoredLimits(b *testing.B) {
	db, err := database.Open(b.Context(), database.Config{URL: testdb.AppURL(testdb.URL(b)), MaxConns: 2, ExecMode: "cache_statement"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	limits, rate := NewStoredLimits(db, "secret"), Rate{Limit: 1_000_000_000, Period: time.Hour, Burst: 1_000_000_000}
	b.Run("take", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			batch := &database.Batch{}
			limits.ask(batch, rate, fmt.Sprintf("user:%d", i%1000), 1, time.Now())
			if err := batch.Send(b.Context(), db); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("nothing", func(b *testing.B) {
		for b.Loop() {
			batch := &database.Batch{}
			batch.Queue(`SELECT 1`)
			if err := batch.Send(b.Context(), db); err != nil {
				b.Fatal(err)
			}
		}
	})
}
