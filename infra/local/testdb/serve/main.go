// Command serve runs PostgreSQL for tests.
//
//	serve -keep dir        runs the server that test processes share; it ends after the last of them
//	serve -- command …     runs the command with its own server, named by TEST_DATABASE_URL
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// linger is how long the shared server runs without a user. It is longer than the time between two test binaries.
const linger = 20 * time.Second

func main() {
	keep := flag.String("keep", "", "directory of the shared server")
	tools := flag.String("tools", ".run/pg", "directory into which PostgreSQL is unpacked if it cannot be installed")
	flag.Parse()
	var err error
	if *keep != "" {
		err = keepShared(*keep, *tools)
	} else {
		err = runCommand(*tools, flag.Args())
	}
	var failed commandError
	if errors.As(err, &failed) {
		os.Exit(failed.code) // the command has printed its error
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(ctx context.Context, dir, tools string) (*postgres.Cluster, error) {
	binaries, err := postgres.FindBinaries(ctx, tools, os.Stderr)
	if err != nil {
		return nil, err
	}
	return postgres.Start(ctx, postgres.Options{Dir: dir, Binaries: binaries, Connections: 300})
}

// keepShared runs the shared server. It deletes the data of earlier servers first.
func keepShared(dir, tools string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	kept, err := os.OpenFile(filepath.Join(dir, "keeper.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	defer kept.Close()
	if err := syscall.Flock(int(kept.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", kept.Name(), err)
	}
	data := filepath.Join(dir, "cluster")
	if err := os.RemoveAll(data); err != nil {
		return fmt.Errorf("remove the last server's data: %w", err)
	}
	cluster, err := start(ctx, data, tools)
	if err != nil {
		return err
	}
	address := cluster.URL("postgres")
	if err := os.WriteFile(filepath.Join(dir, "url"), []byte(address+"\n"), 0o600); err != nil {
		return errors.Join(fmt.Errorf("write address: %w", err), cluster.Stop())
	}
	fmt.Println(address)
	if err := os.Stdout.Close(); err != nil {
		return errors.Join(fmt.Errorf("report address: %w", err), cluster.Stop())
	}
	alone, err := awaitNoUser(ctx, filepath.Join(dir, "users.lock"), cluster.Done())
	if err != nil {
		return errors.Join(err, cluster.Stop())
	}
	defer alone.Close() // releases the lock last: a new user must not find a server that is about to end
	return errors.Join(os.Remove(filepath.Join(dir, "url")), cluster.Stop(), os.RemoveAll(data))
}

// awaitNoUser returns when the server had no user for the time linger. It returns the locked file: new users wait for it.
func awaitNoUser(ctx context.Context, path string, ended <-chan struct{}) (*os.File, error) {
	users, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := time.Now(); time.Since(last) < linger; {
		select {
		case <-ctx.Done():
			return users, nil
		case <-ended:
			return users, nil
		case <-tick.C:
		}
		if syscall.Flock(int(users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			last = time.Now()
			continue
		}
		if time.Since(last) >= linger {
			break
		}
		if err := syscall.Flock(int(users.Fd()), syscall.LOCK_UN); err != nil {
			return nil, fmt.Errorf("unlock %s: %w", path, err)
		}
	}
	return users, nil
}

// runCommand runs a command with its own server.
func runCommand(tools string, command []string) error {
	if len(command) == 0 {
		return errors.New("usage: serve -- command [argument]…")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	dir, err := os.MkdirTemp(testdb.BaseDir(), "lafaekstreet-test-")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	cluster, err := start(ctx, filepath.Join(dir, "cluster"), tools)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "TEST_DATABASE_URL="+cluster.URL("postgres"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = commandError{code: exit.ExitCode()}
	}
	return errors.Join(err, cluster.Stop())
}

// commandError means that the command of runCommand failed.
type commandError struct{ code int }

func (e commandError) Error() string { return fmt.Sprintf("the command ended with code %d", e.code) }
