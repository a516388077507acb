package database

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Ask is a statement in a Pipeline together with its result, which is there once the statement has run.
type Ask[T any] struct {
	sql      string
	answered bool
	answer   T
	missing  error
	checks   []func(T) error
	derive   func() T
}

// AskRow adds a statement of which the first row is read by scan. Without a row the round trip fails: with
// pgx.ErrNoRows unless Missing says otherwise.
func AskRow[T any](p Pipeline, scan pgx.RowToFunc[T], sql string, args ...any) *Ask[T] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) (T, error) {
		rows, _ := results.Query() // its error is in rows too
		return pgx.CollectOneRow(rows, scan)
	})
}

// AskOptional is AskRow of a row that may be missing: the result is nil then.
func AskOptional[T any](p Pipeline, scan pgx.RowToFunc[T], sql string, args ...any) *Ask[*T] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) (*T, error) {
		rows, _ := results.Query()
		row, err := pgx.CollectOneRow(rows, scan)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, nil
		}
		return &row, err
	})
}

// AskRows adds a statement of which all rows are read by scan. The result is not nil when there are none.
func AskRows[T any](p Pipeline, scan pgx.RowToFunc[T], sql string, args ...any) *Ask[[]T] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) ([]T, error) {
		rows, _ := results.Query()
		return pgx.CollectRows(rows, scan)
	})
}

// AskAffected adds a statement of which the result is the number of rows it changed.
func AskAffected(p Pipeline, sql string, args ...any) *Ask[int64] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) (int64, error) {
		tag, err := results.Exec()
		return tag.RowsAffected(), err
	})
}

// Derive is an Ask without a statement of its own: f makes its result, once, of the results of others.
func Derive[T any](f func() T) *Ask[T] { return &Ask[T]{derive: f} }

func newAsk[T any](p Pipeline, sql string, args []any, read func(pgx.BatchResults) (T, error)) *Ask[T] {
	a := &Ask[T]{sql: sql}
	p.add(&pgx.QueuedQuery{SQL: sql, Arguments: args, Fn: func(results pgx.BatchResults) error {
		answer, err := read(results)
		if a.missing != nil && errors.Is(err, pgx.ErrNoRows) {
			return a.missing
		}
		if err != nil {
			return failure(sql, err)
		}
		for _, check := range a.checks {
			if err := check(answer); err != nil {
				return err
			}
		}
		a.answer, a.answered = answer, true
		return nil
	}})
	return a
}

// Missing has the round trip fail with err when there is no row. It returns a.
func (a *Ask[T]) Missing(err error) *Ask[T] {
	a.missing = err
	return a
}

// Check has the round trip fail with the error that f returns for the result. It returns a.
func (a *Ask[T]) Check(f func(T) error) *Ask[T] {
	a.checks = append(a.checks, f)
	return a
}

// Get returns the result. It panics when the statement has not run or has failed: whoever gets that far has not sent
// the pipeline, or has not looked at its error.
func (a *Ask[T]) Get() T {
	if a.derive != nil {
		a.answer, a.answered, a.derive = a.derive(), true, nil
	}
	if !a.answered {
		panic(fmt.Sprintf("database: Ask.Get before the statement has run, or after it failed: %s", a.sql))
	}
	return a.answer
}
