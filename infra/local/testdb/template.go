package testdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/migrations"
)

// templateLock is the advisory lock that a process holds while it makes a template. The number has no meaning.
const templateLock = 7308827361

// ensureTemplate returns the name of the template database, of which every test gets a copy, and makes the template if it
// does not exist. Its name contains the hash of the migrations, so branches with different schemas can share a server.
func (s *server) ensureTemplate(ctx context.Context) (string, error) {
	hash, err := migrations.Hash()
	if err != nil {
		return "", err
	}
	name := "template_" + hash[:16]
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return "", fmt.Errorf("connect to test database: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", fmt.Errorf("wait for the template: %w", err)
	}
	err = s.makeTemplate(ctx, conn.Conn(), name)
	_, unlockErr := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", templateLock)
	return name, errors.Join(err, unlockErr)
}

// makeTemplate makes the template; the caller holds the lock. IS_TEMPLATE is set last: a database of that name without it
// was left by an interrupted call.
func (s *server) makeTemplate(ctx context.Context, conn *pgx.Conn, name string) error {
	var ready bool
	err := conn.QueryRow(ctx, "SELECT datistemplate FROM pg_database WHERE datname = $1", name).Scan(&ready)
	if ready {
		return nil
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("look for the template: %w", err)
	}
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + quote(name) + " WITH (FORCE)",
		"CREATE DATABASE " + quote(name) + " STRATEGY FILE_COPY",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make the template: %w", err)
		}
	}
	if err := migrations.Apply(ctx, s.databaseURL(name)); err != nil {
		return fmt.Errorf("migrate the template: %w", err)
	}
	// A database cannot be copied while somebody is connected to it.
	if _, err := conn.Exec(ctx, "ALTER DATABASE "+quote(name)+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"); err != nil {
		return fmt.Errorf("finish the template: %w", err)
	}
	return nil
}
