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

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose needs
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// lockSeconds is how long Apply waits for another process that migrates the same database, in seconds.
const lockSeconds = 300

// Apply brings the database at url to the newest version; a database that has it is not changed. The role in url must
// own the database and be allowed to create the extensions. Processes that migrate the same database at the same time
// wait for each other on an advisory lock. A database that lacks a file but has a later one is refused.
func Apply(ctx context.Context, url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return errors.Join(apply(ctx, db), db.Close())
}

func apply(ctx context.Context, db *sql.DB) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, lockSeconds))
	if err != nil {
		return fmt.Errorf("make migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	return nil
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
