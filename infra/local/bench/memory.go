package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
	"github.com/lafaekstreet/backend/shared/config"
)

// Goals for memory, in MiB: of every HTTP function, and what export may use more than when idle.
const (
	maxResident = 128
	maxExport   = 64
)

// memory runs the binaries of the functions as Lambda does, with one request at a time and two database connections, and
// prints the largest resident memory of each.
func memory(ctx context.Context, r *Run) error {
	s, err := r.newTestbed(ctx, r.Size)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lafaekstreet-bench-")
	if err != nil {
		return errors.Join(err, s.close())
	}
	defer os.RemoveAll(dir)
	t := NewTable(fmt.Sprintf("Memory of the binaries at %s reports, MiB resident", short(s.database.Reports)), "function", "asked", "idle", "peak", "above idle", "goal", "seconds")
	t.Note("Goals: HTTP functions at most %d in all, export at most %d above idle.", maxResident, maxExport)
	names := []string{"export", "public", "reports"}
	if !r.Brief {
		names = []string{"export", "auth", "community", "journeys", "locations", "meta", "monitoring", "notifications", "public", "reports", "staff", "users"}
	}
	for _, name := range names {
		if r.Rows != nil && !r.Rows.MatchString(name) {
			continue
		}
		cells, err := r.resident(ctx, s, dir, name)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, err), s.close())
		}
		t.Row(cells...)
	}
	r.Print(t)
	return s.close()
}

// resident measures one function and returns its row.
func (r *Run) resident(ctx context.Context, s *testbed, dir, name string) ([]any, error) {
	root, err := binary.Root()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	if err := binary.Build(ctx, root, name, runtime.GOARCH, path); err != nil {
		return nil, err
	}
	env := config.Env{}
	maps.Copy(env, s.site.Env)
	env["DATABASE_MAX_CONNS"] = "2"
	f, err := runtimeapi.New(runtimeapi.Config{Name: name, Binary: path, Env: env, Timeout: 15 * time.Minute, Memory: 256})
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Start(ctx); err != nil {
		return nil, err
	}
	idle, err := peak(path)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	asked, err := r.ask(ctx, s, f, name)
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	most, err := peak(path)
	if err != nil {
		return nil, err
	}
	met := most <= maxResident
	if name == "export" {
		met = most-idle <= maxExport
	}
	return []any{name, asked, fmt.Sprintf("%.0f", idle), fmt.Sprintf("%.0f", most), fmt.Sprintf("%.0f", most-idle),
		r.Goal("memory of "+name, met), fmt.Sprintf("%.1f", took.Seconds())}, nil
}

// ask sends a function its most frequent request 200 times (slow ones 20 times, export once). It returns what it sent.
func (r *Run) ask(ctx context.Context, s *testbed, f *runtimeapi.Function, name string) (string, error) {
	if name == "export" {
		_, err := f.Invoke(ctx, []byte(`{}`))
		return "everything, twice", err
	}
	times := 200
	if name == "auth" || name == "public" || name == "staff" {
		times = 20
	}
	if r.Brief {
		times = 2
	}
	for i := range times {
		if err := invoke(ctx, f, s.frequent(name, i), http.StatusBadRequest); err != nil {
			return "", err
		}
	}
	path, _, _ := strings.Cut(s.frequent(name, 0).Path, "?")
	return fmt.Sprintf("%d x %s", times, path), nil
}

// peak is the largest resident memory, in MiB, that the process of a program has had (VmHWM, Linux only).
func peak(program string) (float64, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != program {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		if err != nil {
			return 0, fmt.Errorf("read memory: %w", err)
		}
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
				return kb / 1024, err
			}
		}
	}
	return 0, fmt.Errorf("no process of %s", program)
}
