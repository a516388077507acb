package postgres_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/postgres"
)

func start(t *testing.T, dir string) *postgres.Cluster {
	t.Helper()
	binaries, err := postgres.FindBinaries(t.Context(), filepath.Join("../../../.run/pg"), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := postgres.Start(t.Context(), postgres.Options{Dir: dir, Binaries: binaries, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// clusterDir is in a directory that only its owner may enter, like the home of root.
func clusterDir(t *testing.T) string {
	t.Helper()
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(private, "postgres")
}

func execute(t *testing.T, cluster *postgres.Cluster, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestKeepsDataOverRestart(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, dir)
	execute(t, first, "CREATE TABLE kept (id int)")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	execute(t, start(t, dir), "INSERT INTO kept VALUES (1)")
}

func TestStartsAfterPostmasterWasKilled(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, dir)
	execute(t, first, "CREATE TABLE kept (id int)")
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	execute(t, start(t, dir), "INSERT INTO kept VALUES (1)")
}

// Where a server does not end with the process that started it, it still runs at the next start.
func TestStopsServerOfEarlierProcess(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	first := start(t, dir)
	execute(t, first, "CREATE TABLE kept (id int)")
	execute(t, start(t, dir), "INSERT INTO kept VALUES (1)")
	<-first.Done()
}

// After a reboot the process id in postmaster.pid may belong to any program.
func TestStartsWhenProcessIDWasReused(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	if err := start(t, dir).Stop(); err != nil {
		t.Fatal(err)
	}
	pidFile := filepath.Join(dir, "data/postmaster.pid")
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data/postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	pid, err := strconv.Atoi(string(first))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
