// Package generate fills a migrated database with reports of Timor-Leste over two years, up to ten million: places
// on its land, clustered at towns, with types, histories, comments, pictures, ledger events, embeddings, notifications
// and journeys. The same seed and end give the same rows.
//
// Every row is a function of the seed and its own number, so rows are written by COPY, over two connections at a time, and
// few are kept in memory. Indexes are made at the end. COPY needs columns and values of its own: the product's statements insert one row at a time, which takes many
// times as long. Where the product has a statement for many rows, it is used: the legs of journeys, and the folding of
// counters and map cells.
package generate

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/credential"
)

// Version is the version of the generated data. A database of another version is generated again.
const Version = 2

// Password is the password of every generated account.
const Password = "uma-lulik-77"

// Bounds for large rows. The newest reports have them.
const (
	maxLedgered  = 50_000 // their events, submissions and transactions are 2 KB a report
	maxEmbedded  = 20_000 // a vector is 4 KB: a million would be 4 GB, and the search for similar reports reads only near ones
	leanLedgered = 500
	leanEmbedded = 500
	maxJourneys  = 5_000
	maxDetailed  = 1_000_000 // histories, comments, analyses and notifications are 2.5 KB a report
)

// detailed reports whether report i has a history, comments, an analysis and notifications. Half of those that have are the
// newest reports, the others are spread evenly over the rest.
func (o Options) detailed(i int) bool {
	most := o.Detailed
	if most == 0 {
		most = maxDetailed
	}
	every := o.Reports / most
	return every < 2 || i >= o.Reports-most/2 || i%(2*every) == 0
}

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

// Options configures Fill.
type Options struct {
	Reports int
	Seed    uint64
	// Until is when the newest report was created.
	Until time.Time
	// Log receives how long each kind of row took. May be nil.
	Log io.Writer
	// Lean leaves out rows that query plans do not depend on: most vectors and ledger events.
	Lean bool
	// Detailed is about how many reports have a history, comments, an analysis and notifications; 0 means a million.
	Detailed int
}

// Fill writes everything into the database at address. It must be migrated and empty, and the role a superuser. Triggers
// are off meanwhile, so counters and map cells are counted once at the end. Check compares them.
func Fill(ctx context.Context, address string, o Options) error {
	hash, err := credential.NewHasher(credential.PasswordConfig{}).Hash(ctx, Password)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // rows are garbage as soon as they are sent
	var fillers []*filler
	data := newDataset(o)
	for range connections {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return fmt.Errorf("generate: %w", err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		f := &filler{conn: conn, dataset: data, passwordHash: hash}
		if err := f.begin(ctx); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
		fillers = append(fillers, f)
	}
	indexes, err := fillers[0].dropIndexes(ctx)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	for _, next := range []func() ([]task, error){
		func() ([]task, error) { return data.rows(), nil },
		func() ([]task, error) { return append(indexes, counts()...), nil },
		func() ([]task, error) { return fillers[0].vacuums(ctx) },
	} {
		tasks, err := next()
		if err == nil {
			err = together(ctx, tasks, fillers, o.Log)
		}
		if err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	return nil
}

// dataset holds what every row is a function of.
type dataset struct {
	Options
	words
	country  country
	towns    []weighted[town]
	agencies []agency
	start    time.Time
	people   int
	first    map[int]int // number of the first report of each year
}

func newDataset(o Options) *dataset {
	o.Until = o.Until.UTC().Truncate(time.Second)
	w := &dataset{Options: o, words: newWords(), country: newCountry(), towns: towns(), agencies: agencies(), start: o.Until.AddDate(-2, 0, 0), people: max(50, o.Reports/20), first: map[int]int{}}
	for i := 0; i < o.Reports; {
		year := w.year(i)
		w.first[year] = i
		low, high := i, o.Reports // binary search for the first report of a later year
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

// countIn is the number of reports of a year.
func (w *dataset) countIn(year int) int {
	end := w.Reports
	for other, first := range w.first {
		if other > year {
			end = min(end, first)
		}
	}
	return end - w.first[year]
}

// createdAt is when report i was created: in the order of the numbers, and more and more often.
func (w *dataset) createdAt(i int) time.Time {
	share := math.Pow((float64(i)+0.5)/float64(w.Reports), 0.7)
	return w.start.Add(time.Duration(share * float64(w.Until.Sub(w.start)))).Truncate(time.Microsecond)
}

// CitizenEmail is the address of person i. The first ones have the most reports.
func CitizenEmail(i int) string { return fmt.Sprintf("citizen-%06d@example.org", i) }

// The addresses of a moderator and of an official of the roads agency.
const (
	ModeratorEmail = "moderator@example.org"
	OfficialEmail  = "official@example.org"
)
