package testdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// keeper is the import path of the program that runs the shared server.
const keeper = "github.com/lafaekstreet/backend/infra/local/testdb/serve"

// useSharedServer returns the address of the shared server and starts the server if it does not run. The server then runs
// at least until this process ends.
//
// Every user holds a shared lock on users.lock. The keeper stops the server only while it holds that lock exclusively. So
// while a process has the shared lock, a running server stays, and a stopped one is gone for good.
func useSharedServer(ctx context.Context) (string, error) {
	dir := SharedDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make directory of the test database: %w", err)
	}
	users, err := os.OpenFile(filepath.Join(dir, "users.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return "", fmt.Errorf("open lock of the test database: %w", err)
	}
	if err := flock(ctx, users, syscall.LOCK_SH); err != nil {
		return "", errors.Join(fmt.Errorf("wait for the test database: %w", err), users.Close())
	}
	// The lock must last until this process ends, but the garbage collector closes the descriptor of an os.File that is not
	// used any more. The duplicate shares the lock, and nothing closes it.
	if _, err := syscall.Dup(int(users.Fd())); err != nil {
		return "", fmt.Errorf("keep lock of the test database: %w", err)
	}
	start, err := os.OpenFile(filepath.Join(dir, "start.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return "", fmt.Errorf("open lock of the test database: %w", err)
	}
	defer start.Close()
	if err := flock(ctx, start, syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("wait for the test database: %w", err)
	}
	if address, ok := running(dir); ok {
		return address, nil
	}
	return startKeeper(ctx, dir)
}

// running returns the address that the keeper has written, and false if no keeper runs.
func running(dir string) (string, bool) {
	text, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return "", false
	}
	kept, err := os.OpenFile(filepath.Join(dir, "keeper.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return "", false
	}
	defer kept.Close()
	if syscall.Flock(int(kept.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return "", false // no keeper holds the lock
	}
	return strings.TrimSpace(string(text)), true
}

// startKeeper builds the keeper, starts it in a session of its own, and returns the address that it prints.
func startKeeper(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "keeper")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, keeper)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the keeper of the test database: %w: %s", err, out)
	}
	log, err := os.OpenFile(filepath.Join(dir, "keeper.log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return "", fmt.Errorf("open log of the test database: %w", err)
	}
	defer log.Close()
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return "", fmt.Errorf("start the test database: %w", err)
	}
	defer read.Close()
	cmd := exec.Command(program, "-keep", dir, "-tools", filepath.Join(root, ".run/pg"))
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = write, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	if err := errors.Join(err, write.Close()); err != nil {
		return "", fmt.Errorf("start the test database: %w", err)
	}
	address, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		cause, _ := os.ReadFile(log.Name())
		return "", fmt.Errorf("start the test database: %s", strings.TrimSpace(string(cause)))
	}
	return strings.TrimSpace(address), cmd.Process.Release()
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

func flock(ctx context.Context, file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
