// Package generate fills a migrated database with reports of Timor-Leste as they might come in over two years, even a
// million: places on its land clustered at towns, types, moves with their histories, comments, pictures,
// ledger events, embeddings, notifications, journeys. The same seed and end give the same rows.
//
// Every row is a function of the seed and its own number, so tables are written one by one, by COPY, without keeping
// any of them in memory.
package generate

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/credential"
)

// Version names what is generated: a database made by another version is another one.
const Version = 1

// Password opens every account that is generated.
const Password = "uma-lulik-77"

// The most reports with something that would otherwise outgrow the rest: the newest have it.
const (
	maxLedgered  = 50_000 // their events, submissions and transactions are 2 KB a report
	maxEmbedded  = 20_000 // a vector is 4 KB: a million would be 4 GB, and similar reads only those near by
	leanLedgered = 500
	leanEmbedded = 500
	maxJourneys  = 5_000
)

func (o Options) ledgerFrom() int {
	if o.Lean {
		return o.Reports - leanLedgered
	}
	return o.Reports - maxLedgered
}

func (o Options) embeddedFrom() int {
	if o.Lean {
		return o.Reports - leanEmbedded
	}
	return o.Reports - maxEmbedded
}

// Options say how much is generated.
type Options struct {
	Reports int
	Seed    uint64
	// Until is when the newest report came in.
	Until time.Time
	// Log is told how long each kind of row took; may be nil.
	Log io.Writer
	// Lean leaves out what plans of reading do not depend on: most vectors and ledger events.
	Lean bool
}

// Fill writes everything into the database at address, which is migrated and empty and whose role is a superuser. The
// counters and map cells that triggers keep otherwise are counted once at the end; Check compares them.
func Fill(ctx context.Context, address string, o Options) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	hash, err := credential.NewHasher(credential.PasswordConfig{}).Hash(ctx, Password)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	f := &filler{conn: conn, world: newWorld(o), passwordHash: hash}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"preparation", f.begin}, {"people", f.people}, {"reports", f.reports}, {"pictures", f.pictures}, {"histories", f.histories},
		{"comments", f.comments}, {"analyses", f.analyses}, {"embeddings", f.embeddings}, {"ledger", f.ledger},
		{"notifications", f.notifications}, {"journeys", f.journeys}, {"counters", f.count}, {"indexes", f.finish},
	} {
		start := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
		if o.Log != nil {
			fmt.Fprintf(o.Log, "  %-14s %7.1f s\n", step.name, time.Since(start).Seconds())
		}
	}
	return nil
}

// world is what every row is a function of.
type world struct {
	Options
	words
	country  country
	towns    []weighted[town]
	agencies []agency
	start    time.Time
	people   int
	first    map[int]int // number of the first report of each year
}

func newWorld(o Options) *world {
	o.Until = o.Until.UTC().Truncate(time.Second)
	w := &world{Options: o, words: newWords(), country: newCountry(), towns: towns(), agencies: agencies(), start: o.Until.AddDate(-2, 0, 0), people: max(50, o.Reports/20), first: map[int]int{}}
	for i := 0; i < o.Reports; {
		year := w.year(i)
		w.first[year] = i
		low, high := i, o.Reports // the first of a later year
		for low < high {
			if middle := (low + high) / 2; w.year(middle) == year {
				low = middle + 1
			} else {
				high = middle
			}
		}
		i = low
	}
	return w
}

// filedIn is how many reports a year has.
func (w *world) filedIn(year int) int {
	end := w.Reports
	for other, first := range w.first {
		if other > year {
			end = min(end, first)
		}
	}
	return end - w.first[year]
}

// filed is when report i came in: in the order of their numbers, and ever more of them.
func (w *world) filed(i int) time.Time {
	share := math.Pow((float64(i)+0.5)/float64(w.Reports), 0.7)
	return w.start.Add(time.Duration(share * float64(w.Until.Sub(w.start)))).Truncate(time.Microsecond)
}

// CitizenEmail is the address of person i; the first ones have filed most.
func CitizenEmail(i int) string { return fmt.Sprintf("citizen-%06d@example.org", i) }

// The addresses of a moderator, and of an official of the agency for roads.
const (
	ModeratorEmail = "moderator@example.org"
	OfficialEmail  = "official@example.org"
)
