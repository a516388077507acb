package database_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

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
