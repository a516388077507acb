package database_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// pipelines are the two kinds: what is added is run by the function returned.
func pipelines(t *testing.T, use func(name string, r *trips, p database.Pipeline, run func() error)) {
	t.Helper()
	db, r := transactions(t)
	b := &database.Batch{}
	use("batch", r, b, func() error { return b.Send(t.Context(), db) })
	db, r = transactions(t)
	err := db.InTx(t.Context(), func(tx *database.Tx) error {
		use("transaction", r, tx, func() error { return tx.Flush(t.Context()) })
		return nil
	})
	if err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Error(err)
	}
}

func TestResultsComeWithOneRoundTrip(t *testing.T) {
	t.Parallel()
	pipelines(t, func(name string, r *trips, p database.Pipeline, run func() error) {
		p.Queue(`INSERT INTO things VALUES (1, 'a'), (2, 'b')`)
		changed := database.AskAffected(p, `UPDATE things SET name = name || $1`, "!")
		one := database.AskRow(p, pgx.RowTo[string], `SELECT name FROM things WHERE id = $1`, 1)
		there := database.AskOptional(p, pgx.RowTo[int], `SELECT id FROM things WHERE id = $1`, 2)
		missing := database.AskOptional(p, pgx.RowTo[int], `SELECT id FROM things WHERE id = $1`, 3)
		all := database.AskRows(p, pgx.RowTo[int], `SELECT id FROM things ORDER BY id`)
		none := database.AskRows(p, pgx.RowTo[int], `SELECT id FROM things WHERE id > 2`)
		both := database.Derive(func() int { return len(all.Get()) + len(none.Get()) })
		if err := run(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(r.all) != 1 {
			t.Errorf("%s: %d round trips, want 1: %q", name, len(r.all), r.all)
		}
		if changed.Get() != 2 || one.Get() != "a!" || *there.Get() != 2 || missing.Get() != nil ||
			!slices.Equal(all.Get(), []int{1, 2}) || none.Get() == nil || both.Get() != 2 {
			t.Errorf("%s: got %d changed, %q, %v, %v, %v, %v, %d", name, changed.Get(), one.Get(), there.Get(), missing.Get(), all.Get(),
				none.Get(), both.Get())
		}
		if err := run(); err != nil || len(r.all) != 1 {
			t.Errorf("%s: run again with nothing added: %v, %d round trips", name, err, len(r.all))
		}
	})
}

// panicText is what f panics with, empty if it does not.
func panicText(f func()) string {
	text := ""
	func() {
		defer func() {
			if v := recover(); v != nil {
				text, _ = v.(string)
			}
		}()
		f()
	}()
	return text
}

func TestAResultCannotBeReadBeforeItIsThere(t *testing.T) {
	t.Parallel()
	pipelines(t, func(name string, _ *trips, p database.Pipeline, run func() error) {
		ask := database.AskRow(p, pgx.RowTo[int], `SELECT 1`)
		derived := database.Derive(func() int { return ask.Get() })
		for what, get := range map[string]func(){"ask": func() { ask.Get() }, "derived": func() { derived.Get() }} {
			if text := panicText(get); !strings.Contains(text, "before the statement has run") || !strings.Contains(text, "SELECT 1") {
				t.Errorf("%s, %s: panic %q", name, what, text)
			}
		}
		if err := run(); err != nil || ask.Get() != 1 || derived.Get() != 1 {
			t.Errorf("%s: then %v, %d, %d", name, err, ask.Get(), derived.Get())
		}
	})
}

func TestAFailureLeavesNoResults(t *testing.T) {
	t.Parallel()
	missing, refused := errors.New("missing"), errors.New("refused")
	for want, add := range map[string]func(p database.Pipeline) *database.Ask[int]{
		"INSERT INTO things: ERROR: duplicate key": func(p database.Pipeline) *database.Ask[int] {
			p.Queue(`INSERT INTO things VALUES (1, 'a'), (1, 'b')`)
			return database.AskRow(p, pgx.RowTo[int], `SELECT 1`)
		},
		"SELECT id FROM: no rows": func(p database.Pipeline) *database.Ask[int] {
			return database.AskRow(p, pgx.RowTo[int], `SELECT id FROM things`)
		},
		"missing": func(p database.Pipeline) *database.Ask[int] {
			return database.AskRow(p, pgx.RowTo[int], `SELECT id FROM things`).Missing(missing)
		},
		"refused": func(p database.Pipeline) *database.Ask[int] {
			return database.AskRow(p, pgx.RowTo[int], `SELECT 1`).Check(func(int) error { return refused })
		},
	} {
		pipelines(t, func(name string, _ *trips, p database.Pipeline, run func() error) {
			ask := add(p)
			after := database.AskRow(p, pgx.RowTo[int], `SELECT 2`)
			if err := run(); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
			for _, a := range []*database.Ask[int]{ask, after} {
				if panicText(func() { a.Get() }) == "" {
					t.Errorf("%s, %s: a result of a round trip that failed can be read", name, want)
				}
			}
		})
	}
}

func TestLateValueIsFilledIn(t *testing.T) {
	t.Parallel()
	db, r := transactions(t)
	if _, err := db.Exec(t.Context(), `ALTER TABLE things ALTER name SET NOT NULL`); err != nil {
		t.Fatal(err)
	}
	r.all = nil
	store := func(id int, late database.Late, text string, give bool) error {
		return db.InTx(t.Context(), func(tx *database.Tx) error {
			if give {
				number := database.AskRow(tx, pgx.RowTo[string], `SELECT set_config('late.number', 'LS-1', true)`)
				defer func() {
					if panicText(func() { number.Get() }) == "" {
						t.Error("the value was there before the commit")
					}
				}()
			}
			tx.Queue(`INSERT INTO things VALUES ($4, `+database.Filled+`)`, late.Args(text, id)...)
			return nil
		})
	}
	late := database.NewLate("number", 14)
	if err := store(1, late, "no "+late.Placeholder()+", "+late.Placeholder()+"!", true); err != nil {
		t.Fatal(err)
	}
	if len(r.all) != 1 {
		t.Errorf("%d round trips, want 1", len(r.all))
	}
	if err := store(2, database.Late{}, "nothing late", false); err != nil {
		t.Fatal(err)
	}
	// The same connection: what the first transaction kept ended with it.
	if err := store(3, late, late.Placeholder(), false); err == nil {
		t.Error("a placeholder was filled without a value")
	}
	var stored string
	if err := db.QueryRow(t.Context(), `SELECT string_agg(name, '; ' ORDER BY id) FROM things`).Scan(&stored); err != nil || stored != "no LS-1, LS-1!; nothing late" {
		t.Errorf("got %q, %v", stored, err)
	}
}

func TestPlaceholdersDiffer(t *testing.T) {
	t.Parallel()
	a, b := database.NewLate("number", 14), database.NewLate("number", 14)
	if len(a.Placeholder()) != 14 || a.Placeholder() == b.Placeholder() || a.Known() || !(database.Late{}).Known() {
		t.Errorf("got %q and %q", a.Placeholder(), b.Placeholder())
	}
}
