package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Pipeline takes statements that run later, several in one round trip and in the order added. It is a Batch, which runs
// them when it is sent, or a Tx, which runs them with its next statement, at the latest with its commit.
type Pipeline interface {
	// Queue adds a statement without a result. Its failure is that of the round trip it travels in.
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

// statement is one without a result.
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
