// Package database opens PostgreSQL for a Lambda: it connects with the first statement, the pool is small, and no
// setting of a connection outlives a transaction, so that a pooler may give each transaction another connection. Tx and
// Batch send statements in few round trips.
package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config is where the database is and how much of it one process may hold.
type Config struct {
	URL string `env:"DATABASE_URL,required,notEmpty"`
	// Role is set in each transaction; empty keeps the role of the login.
	Role string `env:"DATABASE_ROLE"`
	// MaxConns is 2 for a Lambda, which serves one request at a time.
	MaxConns int32 `env:"DATABASE_MAX_CONNS" envDefault:"2"`
	// ExecMode is pgx's query mode; "exec" or "simple_protocol" suit poolers that keep no session.
	ExecMode string `env:"DATABASE_EXEC_MODE" envDefault:"cache_statement"`
	// StatementTimeout bounds one statement. It is set in each transaction; 0 keeps that of the login.
	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT"`
	// ConnectTimeout bounds one attempt to connect, if the URL does not say connect_timeout; 0 is five seconds. A database that
	// sleeps needs longer.
	ConnectTimeout time.Duration `env:"DATABASE_CONNECT_TIMEOUT"`
	// IAM is how a login without a password signs in.
	IAM IAM
}

// Querier runs statements: a pool, a connection or a transaction.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Open prepares a pool; the first statement connects.
func Open(ctx context.Context, c Config) (*DB, error) {
	pc, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New("open database: DATABASE_URL is malformed")
	}
	mode, ok := execModes[c.ExecMode]
	if !ok {
		return nil, fmt.Errorf("open database: DATABASE_EXEC_MODE %q is unknown", c.ExecMode)
	}
	pc.ConnConfig.DefaultQueryExecMode = mode
	pc.MaxConns = c.MaxConns
	pc.MinConns = 0
	pc.MaxConnIdleTime = 5 * time.Minute
	if pc.ConnConfig.ConnectTimeout == 0 {
		pc.ConnConfig.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	}
	switch c.IAM.Auth {
	case "":
	case authIAM:
		pc.BeforeConnect = c.IAM.beforeConnect
	default:
		return nil, fmt.Errorf("open database: DATABASE_AUTH %q is unknown", c.IAM.Auth)
	}
	pc.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerTypes(conn)
		return nil
	}
	pc.ConnConfig.RuntimeParams["application_name"] = "lafaekstreet" // the one parameter that every pooler accepts
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{Pool: pool, settings: c.settings()}, nil
}

var execModes = map[string]pgx.QueryExecMode{
	"cache_statement": pgx.QueryExecModeCacheStatement,
	"cache_describe":  pgx.QueryExecModeCacheDescribe,
	"exec":            pgx.QueryExecModeExec,
	"simple_protocol": pgx.QueryExecModeSimpleProtocol,
}

// retryable reports that the transaction may succeed when it is run again.
func retryable(err error) bool {
	switch code(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return false
}

// Unavailable reports that the database could not be reached or is shutting
// down, starting up or out of connections: the caller may try later.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	if c := code(err); c != "" {
		// 08: connection; 53: insufficient resources; 57P: operator intervention; 57014: statement timeout
		return strings.HasPrefix(c, "08") || strings.HasPrefix(c, "53") || strings.HasPrefix(c, "57P") || c == "57014"
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, net.ErrClosed) || pgconn.Timeout(err) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Violates reports that a statement broke the named constraint or unique index.
func Violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.HasPrefix(pg.Code, "23") && pg.ConstraintName == constraint
}

func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// Page reads a page of a list and counts the whole of it, in one round trip. count has the first arguments of list.
func Page[T any](ctx context.Context, q Querier, count, list string, counted int, scan pgx.RowToFunc[T], args ...any) ([]T, int, error) {
	batch := &Batch{}
	total := AskRow(batch, pgx.RowTo[int], count, args[:counted]...)
	items := AskRows(batch, scan, list, args...)
	if err := batch.Send(ctx, q); err != nil {
		return nil, 0, err
	}
	return items.Get(), total.Get(), nil
}
