package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Pipeline takes statements that run later, several in one round trip and in the order added. It is a Batch, which runs
// them when it is sent, or a Tx, which runs them with its next statement, at the latest with its commit.
type Pipeline interface {
	// Queue adds a statement without a result. If it fails, its round trip fails.
	Queue(sql string, args ...any)

	add(q *pgx.QueuedQuery)
}

// Batch is a Pipeline for statements outside of a transaction. The zero value is empty and ready.
type Batch struct {
	queries []*pgx.QueuedQuery
}

var _ Pipeline = (*Batch)(nil)

// Queue implements Pipeline.
func (b *Batch) Queue(sql string, args ...any) { b.add(statement(sql, args)) }

func (b *Batch) add(q *pgx.QueuedQuery) { b.queries = append(b.queries, q) }

// Send runs the statements in one round trip and leaves the batch empty. It returns the error of the first that failed.
func (b *Batch) Send(ctx context.Context, q Querier) error {
	if len(b.queries) == 0 {
		return nil
	}
	queries := b.queries
	b.queries = nil
	return q.SendBatch(ctx, &pgx.Batch{QueuedQueries: queries}).Close()
}

// SendSnapshot is Send in a read-only transaction of its own: all statements see the same state of the database. Where q is a
// transaction it is Send.
func (b *Batch) SendSnapshot(ctx context.Context, q Querier) error {
	switch q.(type) {
	case Pipeline, pgx.Tx:
		return b.Send(ctx, q)
	}
	whole := &Batch{}
	whole.Queue(`begin isolation level repeatable read, read only`)
	whole.queries = append(whole.queries, b.queries...)
	whole.Queue(`commit`)
	b.queries = nil
	return whole.Send(ctx, q)
}

// statement is a statement without a result.
func statement(sql string, args []any) *pgx.QueuedQuery {
	return &pgx.QueuedQuery{SQL: sql, Arguments: args, Fn: func(results pgx.BatchResults) error {
		_, err := results.Exec()
		return failure(sql, err)
	}}
}

// failure names the statement that failed with err by its first three words. It is nil for a nil err.
func failure(sql string, err error) error {
	if err == nil {
		return nil
	}
	words := strings.Fields(sql)
	return fmt.Errorf("%s: %w", strings.Join(words[:min(len(words), 3)], " "), err)
}

// Ask is a statement in a Pipeline together with its result, which is there once the statement has run.
type Ask[T any] struct {
	sql      string
	answered bool
	answer   T
	missing  error
	violated map[string]error // by constraint
	checks   []func(T) error
	derive   func() T
}

// AskRow adds a statement. scan reads the first row of its result. Without a row the round trip fails with pgx.ErrNoRows,
// or with the error that Missing sets.
func AskRow[T any](p Pipeline, scan pgx.RowToFunc[T], sql string, args ...any) *Ask[T] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) (T, error) {
		rows, _ := results.Query() // its error is in rows too
		return pgx.CollectOneRow(rows, scan)
	})
}

// AskOptional is AskRow for a row that may be missing. The result is then nil.
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

// AskRows adds a statement. scan reads all rows of its result. Without rows the result is an empty list and not nil.
func AskRows[T any](p Pipeline, scan pgx.RowToFunc[T], sql string, args ...any) *Ask[[]T] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) ([]T, error) {
		rows, _ := results.Query()
		return pgx.CollectRows(rows, scan)
	})
}

// AskAffected adds a statement. The result is the number of rows that it changed.
func AskAffected(p Pipeline, sql string, args ...any) *Ask[int64] {
	return newAsk(p, sql, args, func(results pgx.BatchResults) (int64, error) {
		tag, err := results.Exec()
		return tag.RowsAffected(), err
	})
}

// Derive is an Ask without a statement. f computes its result, once, from the results of other Asks.
func Derive[T any](f func() T) *Ask[T] { return &Ask[T]{derive: f} }

func newAsk[T any](p Pipeline, sql string, args []any, read func(pgx.BatchResults) (T, error)) *Ask[T] {
	a := &Ask[T]{sql: sql}
	p.add(&pgx.QueuedQuery{SQL: sql, Arguments: args, Fn: func(results pgx.BatchResults) error {
		answer, err := read(results)
		if a.missing != nil && errors.Is(err, pgx.ErrNoRows) {
			return a.missing
		}
		for constraint, instead := range a.violated {
			if Violates(err, constraint) {
				return instead
			}
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

// Missing makes the round trip fail with err if there is no row. It returns a. Go finds that out when the round trip has
// ended, so it does not stop a commit in the same one: see Violated.
func (a *Ask[T]) Missing(err error) *Ask[T] {
	a.missing = err
	return a
}

// Violated makes the round trip fail with err if the statement breaks the constraint. It returns a. The database stops at the
// statement, also before a commit in the same round trip.
func (a *Ask[T]) Violated(constraint string, err error) *Ask[T] {
	if a.violated == nil {
		a.violated = make(map[string]error)
	}
	a.violated[constraint] = err
	return a
}

// Check makes the round trip fail if f returns an error for the result. It returns a. As with Missing, a commit in the same
// round trip is not stopped.
func (a *Ask[T]) Check(f func(T) error) *Ask[T] {
	a.checks = append(a.checks, f)
	return a
}

// Get returns the result. It panics if the statement has not run, or has failed: the caller has not sent the pipeline, or
// has ignored its error.
func (a *Ask[T]) Get() T {
	if a.derive != nil {
		a.answer, a.answered, a.derive = a.derive(), true, nil
	}
	if !a.answered {
		panic(fmt.Sprintf("database: Ask.Get before the statement has run, or after it failed: %s", a.sql))
	}
	return a.answer
}

// Late is a text that the database gives in the last round trip of a transaction: the next value of a counter. The row of
// the counter stays locked until the commit, so that the values have no gaps. All other transactions that need a value
// wait for this row. So Go must not read the value before the commit.
//
// A text that contains the value is therefore made with a placeholder. The statement that stores the text replaces the
// placeholder by the value:
//
//   - The statement that gives the value is added to the Tx as late as possible, and keeps the value for the rest of the
//     transaction: SELECT set_config('late.report_number', value, true).
//   - A statement that stores such a text is added after it, and has Filled in the place of the text. Its first arguments
//     are those of Args.
//   - Go reads the value (AskRow of the first statement) after the commit.
//
// A placeholder is random: no text that a client sends can contain it. The zero Late is for a text without such a value.
type Late struct {
	name        string
	placeholder string
}

// Filled is the text $1 with the late value in the place of each placeholder, as an SQL expression of the arguments of
// Late.Args. It is NULL when no statement before it in the transaction has given the value.
const Filled = `(CASE WHEN $2::text = '' THEN $1::text ELSE replace($1::text, $2::text, nullif(current_setting($3::text, true), '')) END)`

// NewLate is a value that is kept under 'late.' and the name. The placeholder has the length given, at most 26 bytes.
func NewLate(name string, length int) Late {
	return Late{name: "late." + name, placeholder: rand.Text()[:length]}
}

// Placeholder stands for the value until it is known.
func (l Late) Placeholder() string { return l.placeholder }

// Known reports that there is no value to wait for.
func (l Late) Known() bool { return l.placeholder == "" }

// Args are the arguments of a statement with Filled for the text, then more from $4 on.
func (l Late) Args(text string, more ...any) []any {
	return append([]any{text, l.placeholder, l.name}, more...)
}
