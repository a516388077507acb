// Package admission decides whether a request may go on. The session must be valid, and every budget that the request
// spends must have a request left. With a cache (Valkey) both checks take one round trip. Without a cache, or while it is
// down, the database does both, also in one round trip. It counts only what costs something: guesses of passwords, and what
// people create. All other requests are then counted in the memory of the process.
package admission

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/valkey-io/valkey-go"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Gate implements httpapi.Admission and identity.Forgetter.
type Gate struct {
	cache  *Cache
	stored Sessions
	limits *StoredLimits
	rates  *Rates
	memory *Memory
	clock  timestamp.Clock
}

// Sessions reads sessions from the database.
type Sessions interface {
	identity.Sessions
	// Ask adds the look-up of a session to p. Its result is nil for a session that is not valid.
	Ask(p database.Pipeline, id uuid.UUID) *database.Ask[*identity.Session]
}

// NewGate makes a gate that asks the cache c, which may be nil, before the database. With nil limits, the process
// counts what the cache does not.
func NewGate(c *Cache, stored Sessions, limits *StoredLimits, rates *Rates, now timestamp.Clock) *Gate {
	return &Gate{cache: c, stored: stored, limits: limits, rates: rates, memory: NewMemory(), clock: now}
}

// How long the cache keeps a session. Forget makes a change visible at once; these times
// bound how long a cache that lost the Forget may answer with the old session.
const (
	cachedFor   = time.Minute
	forgetFor   = 5 * time.Minute // longer than any transaction may last
	askDatabase = "?"
)

// Admit implements httpapi.Admission.
func (g *Gate) Admit(ctx context.Context, session uuid.UUID, spends []Spend) (identity.Session, []Budget, error) {
	rates := g.ratesOf(ctx, spends)
	known, budgets, err := g.fromCache(ctx, session, spends, rates)
	if err != nil { // without a cache, requests go on
		return g.withoutCache(ctx, session, spends, rates)
	}
	if session == uuid.Nil {
		return identity.Session{}, budgets, nil
	}
	if known.Role != "" {
		return known, budgets, nil
	}
	out, err := g.fromDatabase(ctx, session)
	return out, budgets, err
}

func (g *Gate) ratesOf(ctx context.Context, spends []Spend) []Rate {
	rates := make([]Rate, len(spends))
	for i, s := range spends {
		rates[i] = g.rates.Of(ctx, s)
	}
	return rates
}

// withoutCache spends the shared budgets in the database, together with the look-up of the session, and the others in this
// process. If the database cannot count, this process counts all of them.
func (g *Gate) withoutCache(ctx context.Context, session uuid.UUID, spends []Spend, rates []Rate) (identity.Session, []Budget, error) {
	now := g.clock.Now()
	budgets := make([]Budget, len(spends))
	taken := make([]*database.Ask[*Budget], len(spends))
	batch := &database.Batch{}
	counts := false
	for i, s := range spends {
		if g.limits != nil && s.Class.shared() {
			taken[i], counts = g.limits.ask(batch, rates[i], limitKey(s), s.Cost, now), true
		}
	}
	var found *database.Ask[*identity.Session]
	if counts {
		if session != uuid.Nil {
			found = g.stored.Ask(batch, session)
		}
		if err := batch.Send(ctx, g.limits.db); err != nil {
			found, taken = nil, make([]*database.Ask[*Budget], len(spends))
		}
	}
	for i, s := range spends {
		if taken[i] != nil {
			budgets[i] = budgetOf(rates[i], taken[i])
		} else {
			budgets[i] = g.memory.Take(rates[i], limitKey(s), s.Cost, now)
		}
	}
	switch {
	case session == uuid.Nil:
		return identity.Session{}, budgets, nil
	case found == nil:
		out, err := g.fromDatabase(ctx, session)
		return out, budgets, err
	case found.Get() == nil:
		return identity.Session{}, budgets, identity.ErrNoSession
	}
	return *found.Get(), budgets, nil
}

// returnTimeout bounds Return: the client waits for it.
const returnTimeout = 2 * time.Second

// Return gives back what Admit or Take has spent: all of it, or a part if the costs are lower. It returns what is left. A
// failure leaves the budget as it is. It does not stop when the client hangs up.
func (g *Gate) Return(ctx context.Context, spends []Spend) []Budget {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTimeout)
	defer cancel()
	rates := g.ratesOf(ctx, spends)
	back := make([]Spend, len(spends))
	for i, s := range spends {
		back[i] = s
		back[i].Cost = -s.Cost
	}
	_, budgets, err := g.fromCache(ctx, uuid.Nil, back, rates)
	if err == nil {
		return budgets
	}
	for i, s := range spends {
		if g.limits != nil && s.Class.shared() {
			if b, err := g.limits.giveBack(ctx, rates[i], limitKey(s), s.Cost, g.clock.Now()); err == nil {
				budgets[i] = b
				continue
			}
		}
		budgets[i] = g.memory.Return(rates[i], limitKey(s), s.Cost, g.clock.Now())
	}
	return budgets
}

// fromCache spends the budgets and looks the session up in one round trip. A session that the cache does not know has no role.
func (g *Gate) fromCache(ctx context.Context, session uuid.UUID, spends []Spend, rates []Rate) (identity.Session, []Budget, error) {
	var known identity.Session
	budgets := make([]Budget, len(spends))
	err := g.cache.Use(ctx, func(ctx context.Context, client valkey.Client) error {
		commands := make([]valkey.Completed, 0, len(spends)+1)
		for i, s := range spends {
			commands = append(commands, takeCommand(client, rates[i], limitKey(s), s.Cost, g.clock.Now()))
		}
		if session != uuid.Nil {
			commands = append(commands, client.B().Get().Key(sessionKey(session)).Build())
		}
		if len(commands) == 0 {
			return nil
		}
		replies := client.DoMulti(ctx, commands...)
		for i := range spends {
			var err error
			if budgets[i], err = readBudget(rates[i], replies[i]); err != nil {
				return err
			}
		}
		if session == uuid.Nil {
			return nil
		}
		raw, err := replies[len(spends)].AsBytes()
		if valkey.IsValkeyNil(err) || err == nil && string(raw) == askDatabase {
			return nil
		}
		if err != nil {
			return err
		}
		known = cachedSession(raw)
		return nil
	})
	return known, budgets, err
}

// cachedSession reads the session from the cache's text. It is the zero session, and the database is asked, for an entry that is incomplete
// or has a role that this version does not know.
func cachedSession(raw []byte) identity.Session {
	var s identity.Session
	if json.Unmarshal(raw, &s) != nil || s.UserID == uuid.Nil || s.Role != identity.Citizen && !s.Role.IsStaff() {
		return identity.Session{}
	}
	return s
}

// fromDatabase reads a session and stores it in the cache. It stores nothing when Forget
// came in the meantime (NX): the session read may be from before a revocation.
func (g *Gate) fromDatabase(ctx context.Context, id uuid.UUID) (identity.Session, error) {
	s, err := g.stored.Session(ctx, id)
	if err != nil {
		return identity.Session{}, err
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return s, nil
	}
	_ = g.cache.Use(ctx, func(ctx context.Context, client valkey.Client) error { // a failure only means that the database is asked again
		err := client.Do(ctx, client.B().Set().Key(sessionKey(id)).Value(string(raw)).Nx().Ex(cachedFor).Build()).Error()
		if valkey.IsValkeyNil(err) {
			return nil
		}
		return err
	})
	return s, nil
}

// Forget implements identity.Forgetter.
func (g *Gate) Forget(ctx context.Context, sessions []uuid.UUID) {
	// The change is committed even if the client hangs up, so the cache must forget the session in that case too.
	_ = g.cache.UseAlways(context.WithoutCancel(ctx), func(ctx context.Context, client valkey.Client) error { // a cache that is down is not read either
		commands := make([]valkey.Completed, len(sessions))
		for i, id := range sessions {
			commands[i] = client.B().Set().Key(sessionKey(id)).Value(askDatabase).Ex(forgetFor).Build()
		}
		for _, reply := range client.DoMulti(ctx, commands...) {
			if err := reply.Error(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Take spends a budget outside of Admit, as for the items of a batch. It never fails: without a cache and a database it
// decides from what this process has seen.
func (g *Gate) Take(ctx context.Context, s Spend) Budget {
	_, budgets, _ := g.Admit(ctx, uuid.Nil, []Spend{s}) // only the look-up of a session can fail
	return budgets[0]
}

// Session implements identity.Sessions.
func (g *Gate) Session(ctx context.Context, id uuid.UUID) (identity.Session, error) {
	s, _, err := g.Admit(ctx, id, nil)
	return s, err
}

func sessionKey(id uuid.UUID) string { return "session:" + id.String() }

func limitKey(s Spend) string { return "limit:" + string(s.Class) + ":" + s.Key }
