// Package peer runs what this system is compared with: the same endpoints in Python, on the same database, as an ordinary
// application of FastAPI, Pydantic and SQLAlchemy has them. Its code is in the folder app.
package peer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/debian"
	"github.com/lafaekstreet/backend/infra/local/loopback"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
)

// python is the distribution's Python. The distribution's packages run on no other.
const python = "/usr/bin/python3"

const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 5 * time.Second
)

//go:embed app/*.py
var app embed.FS

// packages are what the peer needs, with the faster event loop and HTTP parser.
func packages() []string {
	return []string{"python3-fastapi", "python3-sqlalchemy", "python3-greenlet", "python3-asyncpg", "gunicorn", "python3-uvicorn",
		"python3-uvloop", "python3-httptools", "python3-argon2", "python3-jwt"}
}

// releases are those with Pydantic 1 and SQLAlchemy 1.4: Debian 12 and Ubuntu 24.04.
func releases() []string { return []string{"bookworm", "noble"} }

// Install gets the packages that this machine lacks and unpacks them into dir. It installs nothing, so it does not need root. On a
// distribution without these packages it returns errors.ErrUnsupported.
func Install(ctx context.Context, dir string, log io.Writer) error {
	release, err := debian.ReadRelease("/etc/os-release")
	if err != nil {
		return err
	}
	if !slices.Contains(releases(), release.Codename) {
		return fmt.Errorf("the peer needs Python packages as in Debian 12 or Ubuntu 24.04: %w", errors.ErrUnsupported)
	}
	if installed(ctx, dir) == nil {
		return nil
	}
	fmt.Fprintln(log, "the peer's Python packages are missing; getting the distribution's")
	apt, err := debian.Open(ctx, filepath.Join(dir, "apt"), release.Codename, "")
	if err != nil {
		return err
	}
	names, err := apt.Missing(ctx, packages()...)
	if err != nil {
		return err
	}
	files := filepath.Join(dir, "files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return fmt.Errorf("install the peer: %w", err)
	}
	if err := apt.Download(ctx, files, names...); err != nil {
		return err
	}
	if err := debian.UnpackAll(ctx, files, tree(dir)); err != nil {
		return err
	}
	return errors.Join(installed(ctx, dir), apt.RemoveLists(), os.RemoveAll(files))
}

// installed returns an error if Python does not find the packages.
func installed(ctx context.Context, dir string) error {
	const all = "import argon2, asyncpg, fastapi, greenlet, gunicorn, httptools, jwt, uvicorn.workers, uvloop, sqlalchemy.ext.asyncio"
	cmd := exec.CommandContext(ctx, python, "-c", all)
	cmd.Env = environment(dir)
	return subprocess.Run(cmd, "find the peer's Python packages")
}

// tree is the folder in dir into which the packages are unpacked.
func tree(dir string) string { return filepath.Join(dir, "tree") }

func environment(dir string) []string {
	return append(os.Environ(), "PYTHONPATH="+filepath.Join(tree(dir), "usr/lib/python3/dist-packages"), "LD_LIBRARY_PATH="+debian.LibraryPath(tree(dir)))
}

// Server is a running peer: two worker processes with eight connections to the database each.
type Server struct {
	// URL is its address, without a path.
	URL string

	process *subprocess.Process
	code    string
}

// Start runs the peer on the database at address. The packages are those of Install in dir. Links to pictures are those of
// bucket.
func Start(ctx context.Context, dir, address, bucket string) (*Server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("start the peer: %w", err)
	}
	database, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("start the peer: the database's address is no URL")
	}
	database.Scheme, database.RawQuery = "postgresql+asyncpg", ""
	port, err := loopback.FreePort()
	if err != nil {
		return nil, err
	}
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
	if s.code, err = os.MkdirTemp("", "peer-"); err != nil {
		return nil, fmt.Errorf("start the peer: %w", err)
	}
	if err := os.CopyFS(s.code, app); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.code))
	}
	cmd := exec.Command(python, "-m", "gunicorn", "app:app", "--preload", "--workers", "2", "--worker-class", "uvicorn.workers.UvicornWorker",
		"--bind", strings.TrimPrefix(s.URL, "http://"), "--log-level", "warning", "--timeout", "120")
	var log strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Join(s.code, "app"), &log, &log
	cmd.Env = append(environment(dir), "PEER_DATABASE="+database.String(), "PEER_BUCKET="+bucket, "PEER_SECRET="+strings.Repeat("bench ", 8))
	if s.process, err = subprocess.Start(cmd); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.code))
	}
	if err := s.awaitReady(ctx); err != nil {
		err = errors.Join(err, s.Stop())
		return nil, fmt.Errorf("start the peer: %w: %s", err, subprocess.Cause(log.String()))
	}
	return s, nil
}

// Stop ends the peer.
func (s *Server) Stop() error {
	return errors.Join(s.process.Stop(stopTimeout), os.RemoveAll(s.code))
}

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodHead, s.URL, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			return answer.Body.Close()
		}
		select {
		case <-s.process.Done():
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
