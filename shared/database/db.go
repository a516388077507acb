package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is a pool of connections. Each statement runs with the role and the time limit of Config, which end with its
// transaction. They travel in the same round trip.
type DB struct {
	*pgxpool.Pool
	// settings is the statement that sets them; empty when nothing is set.
	settings string
}

// settings is the statement that sets role, time limit and time zone until the end of a transaction. It is empty when the
// login has all of them.
func (c Config) settings() string {
	var set []string
	add := func(name, value string) {
		set = append(set, fmt.Sprintf("set_config('%s', '%s', true)", name, strings.ReplaceAll(value, "'", "''")))
	}
	if c.Role != "" {
		add("role", c.Role)
		add("timezone", "UTC")
	}
	if c.StatementTimeout > 0 {
		add("statement_timeout", fmt.Sprint(c.StatementTimeout.Milliseconds()))
	}
	if len(set) == 0 {
		return ""
	}
	return "SELECT " + strings.Join(set, ", ")
}

// SendBatch implements Querier. PostgreSQL runs what is sent together as one transaction.
func (db *DB) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if db.settings == "" {
		return db.Pool.SendBatch(ctx, b)
	}
	lead := []*pgx.QueuedQuery{statement(db.settings, nil)}
	if all := b.QueuedQueries; len(all) > 0 && strings.HasPrefix(all[0].SQL, "begin") {
		// The settings are those of this transaction, and its isolation has to be chosen before any query.
		lead = []*pgx.QueuedQuery{all[0], lead[0]}
		b = &pgx.Batch{QueuedQueries: all[1:]}
	}
	return sendAfter(ctx, db.Pool, lead, b)
}

// Exec implements Querier.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if db.settings == "" {
		return db.Pool.Exec(ctx, sql, args...)
	}
	return execOne(db.SendBatch(ctx, one(sql, args)))
}

// Query implements Querier.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if db.settings == "" {
		return db.Pool.Query(ctx, sql, args...)
	}
	return queryOne(db.SendBatch(ctx, one(sql, args)))
}

// QueryRow implements Querier.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if db.settings == "" {
		return db.Pool.QueryRow(ctx, sql, args...)
	}
	return rowOfOne(db.SendBatch(ctx, one(sql, args)))
}
