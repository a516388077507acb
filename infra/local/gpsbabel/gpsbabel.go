// Package gpsbabel converts files with GPSBabel, a program by others that knows most formats of GPS devices. Tests learn
// with it whether other programs read our files as we mean them.
package gpsbabel

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/local/debian"
	"github.com/lafaekstreet/backend/infra/local/missing"
)

// Unpacked is the folder of the repository into which the command install unpacks GPSBabel when it does not run as root.
const Unpacked = ".run/gpsbabel"

// program is the path of GPSBabel in that folder.
const program = "usr/bin/gpsbabel"

// Installed reports whether the machine has GPSBabel, or the folder tree has it unpacked.
func Installed(tree string) bool {
	if _, err := exec.LookPath("gpsbabel"); err == nil {
		return true
	}
	_, err := os.Stat(filepath.Join(tree, program))
	return err == nil
}

// Convert converts the waypoints, routes and tracks of a file from one format of GPSBabel to another. A format may have
// options, as on the command line of GPSBabel: "kml,points=0". Without GPSBabel it fails the test in CI, and skips it
// elsewhere. `make test` gets GPSBabel.
func Convert(t *testing.T, file []byte, from, to string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(t)
	cmd.Args = append(cmd.Args, "-w", "-r", "-t", "-i", from, "-f", in, "-o", to, "-F", out)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gpsbabel from %s to %s: %v: %s", from, to, err, said)
	}
	converted, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return converted
}

func command(t *testing.T) *exec.Cmd {
	t.Helper()
	if path, err := exec.LookPath("gpsbabel"); err == nil {
		return exec.CommandContext(t.Context(), path)
	}
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(root, Unpacked)
	if Installed(tree) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(tree, program))
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+debian.LibraryPath(tree))
		return cmd
	}
	missing.Program(t, "no GPSBabel on this machine: whether another program reads our files is not tested")
	return nil
}
