// Package migrations holds the database schema as numbered SQL files and applies them in the order of their numbers.
//
// A deploy applies new files before it replaces the functions, so the old code runs on the new schema for a while: a
// file must not break the code that is deployed. A file that has landed is never changed, but for its comments, because
// databases that have it do not run it again. There are no files that undo others: a mistake is corrected by a new file,
// and a failed deploy is undone by a restore of the database.
package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose needs
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Apply brings the database at url to the newest version; a database that has it is not changed. The role in url must
// own the database and be allowed to create the extensions. Processes that migrate the same database at the same time
// wait for each other. A database that lacks a file but has a later one is refused. The address may be that of a
// transaction pooler: nothing is kept in a session.
func Apply(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("open database: its address is malformed")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // without prepared statements
	db := stdlib.OpenDB(*config)
	return errors.Join(apply(ctx, db), db.Close())
}

func apply(ctx context.Context, db *sql.DB) error {
	unlock, err := lockDatabase(ctx, db)
	if err != nil {
		return err
	}
	return errors.Join(up(ctx, db), unlock())
}

func up(ctx context.Context, db *sql.DB) error {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	return nil
}

// lockWait is how long Apply waits for another process that migrates the same database, and lockInterval how often it asks.
const (
	lockWait     = 5 * time.Minute
	lockInterval = time.Second
)

// takeLock asks for the lock of all that migrate this database. The lock belongs to a transaction, which is open while the
// migrations run in others: a pooler could give a lock of a session to somebody else. Earlier versions of this program took the
// same lock for their session.
//
// It is sent by the simple protocol. The other one would keep its snapshot until the transaction ends, and an index that is made
// CONCURRENTLY waits for such a snapshot.
const takeLock = `SELECT pg_try_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', '0', true)`

// lockDatabase takes the lock and returns the function that gives it back. That function fails if the lock was lost meanwhile.
// No statement waits for the lock: an index that is made CONCURRENTLY would wait for that statement.
func lockDatabase(ctx context.Context, db *sql.DB) (func() error, error) {
	for end := time.Now().Add(lockWait); ; {
		unlock, err := tryLock(ctx, db)
		if unlock != nil || err != nil {
			return unlock, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("another process migrates the database, or holds its lock, for %s", lockWait)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for other migrations: %w", ctx.Err())
		case <-time.After(lockInterval):
		}
	}
}

// tryLock returns nil if another process has the lock.
func tryLock(ctx context.Context, db *sql.DB) (func() error, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("lock the database for migrations: %w", err)
	}
	var locked bool
	var setting string
	err = tx.QueryRowContext(ctx, takeLock, pgx.QueryExecModeSimpleProtocol, lock.DefaultLockID).Scan(&locked, &setting)
	if err != nil || !locked {
		if err != nil {
			err = fmt.Errorf("lock the database for migrations: %w", err)
		}
		return nil, errors.Join(err, tx.Rollback())
	}
	return func() error {
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("the lock against other migrations was lost: %w", err)
		}
		return nil
	}, nil
}

// Hash identifies the schema: the SHA-256 of the names and contents of all files in their order, as 64 hexadecimal digits.
func Hash() (string, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return "", fmt.Errorf("list migrations: %w", err)
	}
	sum := sha256.New()
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read migration: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
