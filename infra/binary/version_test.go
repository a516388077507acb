package binary_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/semver"

	"github.com/lafaekstreet/backend/infra/binary"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ changelog, want string }{
		"released":              {"# Changelog\n\n## [Unreleased]\n\n## [0.2.9] - 2026-12-01\n\n- a\n\n## [0.1.0] - 2026-11-28\n", "0.2.9"},
		"on the way to another": {"# Changelog\n\n## [Unreleased]\n\n### Changed\n\n- b\n\n## [0.2.9] - 2026-12-01\n\n- a\n", "0.2.10-dev"},
		"no release":            {"# Changelog\n\n## [Unreleased]\n\n- b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, root, c.changelog)
			got, err := binary.Version(t.Context(), root)
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// Two commits on the way to a release have two versions: the client's repository publishes each.
func TestVersionCountsCommits(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "## [Unreleased]\n\n- b\n\n## [0.1.0] - 2026-11-28\n")
	git(t, root, "init", "-q")
	for _, want := range []string{"0.1.1-dev.1", "0.1.1-dev.2"} {
		git(t, root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", want)
		if got, err := binary.Version(t.Context(), root); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	shallow := filepath.Join(t.TempDir(), "shallow")
	git(t, root, "clone", "-q", "--depth", "1", "file://"+root, shallow)
	write(t, shallow, "## [Unreleased]\n\n- b\n\n## [0.1.0] - 2026-11-28\n")
	if got, err := binary.Version(t.Context(), shallow); got != "0.1.1-dev" || err != nil {
		t.Errorf("%q, %v: a shallow copy has one commit and cannot count", got, err)
	}
}

// The linker says nothing when the variable that it is to set does not exist.
func TestMetaContainsItsVersion(t *testing.T) {
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	version, err := binary.Version(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "bootstrap")
	if err := binary.Build(t.Context(), root, "meta", "arm64", out); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(built, []byte(version)) {
		t.Errorf("the binary of meta does not contain %q", version)
	}
}

func write(t *testing.T, root, changelog string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, "CHANGELOG.md"), []byte(changelog), 0o600); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, root string, args ...string) {
	t.Helper()
	if text, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, text)
	}
}

// The deploy workflow tells the client's repository a version that `npm version` takes: that of `make version`, and not a hash.
func TestDeployAnnouncesASemanticVersion(t *testing.T) {
	t.Parallel()
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, ".github/workflows/deploy.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, announce, _ := strings.Cut(string(raw), "\n  announce:\n")
	for _, part := range []string{`"client_payload[version]=$(make --silent version)"`, "fetch-depth: 0", "event_type=update-client"} {
		if !strings.Contains(announce, part) {
			t.Errorf("the job announce has no %s", part)
		}
	}
	out, err := exec.CommandContext(t.Context(), "make", "--silent", "--no-print-directory", "-C", root, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := "v" + strings.TrimSpace(string(out)); !semver.IsValid(got) || strings.Count(got, ".") < 2 {
		t.Errorf("make version prints %q", got)
	}
}
