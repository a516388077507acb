package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/debian"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
)

// The source of pgvector in Debian 13. Debian 12 has no package of pgvector.
const (
	vectorRelease = "trixie"
	vectorArchive = "pgvector_0.8.0.orig.tar.gz"
	vectorSHA256  = "867a2c328d4928a5a9d6f052cd3bc78c7d60228a9b914ad32aa3db88e9de27b0"
)

// vectorBuild says which PostgreSQL pgvector is built for, and with what.
type vectorBuild struct {
	bin  string   // directory of its pg_config; pgvector is installed into the same tree
	env  []string // for make and everything it starts
	make []string // further make variables
}

// buildVector builds and installs pgvector. It needs only the headers of the development package of PostgreSQL, so it
// unpacks that package; installing it would also install a second compiler.
func buildVector(ctx context.Context, packages *debian.Packages, major string, target vectorBuild) error {
	dir, err := os.MkdirTemp("", "pgvector-")
	if err != nil {
		return fmt.Errorf("make build directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := packages.Download(ctx, dir, "postgresql-server-dev-"+major); err != nil {
		return err
	}
	if err := debian.UnpackAll(ctx, dir, filepath.Join(dir, "headers")); err != nil {
		return err
	}
	if err := packages.Source(ctx, dir, "pgvector"); err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(dir, vectorArchive))
	if err != nil {
		return fmt.Errorf("the package archive has another version of pgvector than %s: %w", vectorArchive, err)
	}
	if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != vectorSHA256 {
		return fmt.Errorf("%s is not the file this project was tested with: its SHA-256 is %x", vectorArchive, sum)
	}
	tar := exec.CommandContext(ctx, "tar", "-xzf", vectorArchive, "--one-top-level=source", "--strip-components=1")
	tar.Dir = dir
	if err := subprocess.Run(tar, "unpack pgvector"); err != nil {
		return err
	}
	variables := append([]string{
		"OPTFLAGS=", // replaces -march=native: the result must also run on another processor
		"with_llvm=no",
		"includedir_server=" + filepath.Join(dir, "headers/usr/include/postgresql", major, "server"),
		"PG_CONFIG=" + filepath.Join(target.bin, "pg_config"),
	}, target.make...)
	for _, goals := range [][]string{{"-j2"}, {"install"}} {
		// env(1) finds make by the PATH of cmd.Env, which may begin with an unpacked compiler; os/exec would use our PATH.
		cmd := exec.CommandContext(ctx, "env", slices.Concat([]string{"make"}, goals, variables)...)
		cmd.Dir = filepath.Join(dir, "source")
		cmd.Env = append(os.Environ(), target.env...)
		if err := subprocess.Run(cmd, "build pgvector: make "+strings.Join(goals, " ")); err != nil {
			return err
		}
	}
	return nil
}
