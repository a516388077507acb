package binary

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// versioned is the one function that states its version (GET /health). Only its binary contains the version, so that a
// commit that changes no other function deploys no other function.
const versioned = "meta"

// VersionFlag is the linker flag that sets the version of the function meta, and so of every program that contains it.
func VersionFlag(version string) string {
	return "-X github.com/lafaekstreet/backend/functions/meta.version=" + version
}

var (
	release = regexp.MustCompile(`(?m)^## \[(\d+)\.(\d+)\.(\d+)\]`)
	entry   = regexp.MustCompile(`(?m)^- `)
)

// Version returns the version of the working tree at root, in the form of semver.org. CHANGELOG.md decides: if nothing
// stands under "Unreleased", it is the newest release (0.1.0). Otherwise it is a version on the way to the next one
// (0.1.1-dev.287), with the number of commits at the end. Without the history of git there is no number (0.1.1-dev).
func Version(ctx context.Context, root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return "", fmt.Errorf("read the version: %w", err)
	}
	at := release.FindSubmatchIndex(text)
	if at == nil {
		return "", errors.New("read the version: CHANGELOG.md has no heading of the form ## [0.1.0]")
	}
	if !entry.Match(text[:at[0]]) {
		return string(text[at[2]:at[7]]), nil
	}
	patch, err := strconv.Atoi(string(text[at[6]:at[7]]))
	if err != nil {
		return "", fmt.Errorf("read the version: %w", err)
	}
	next := fmt.Sprintf("%s%d-dev", text[at[2]:at[6]], patch+1)
	if n := commits(ctx, root); n != "" {
		next += "." + n
	}
	return next, nil
}

// commits is how many commits lead to the present one; empty where git does not know all of them.
func commits(ctx context.Context, root string) string {
	git := func(args ...string) string {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		if err != nil {
			return "" // no git, or no repository: a source archive
		}
		return strings.TrimSpace(string(out))
	}
	if git("rev-parse", "--is-shallow-repository") != "false" {
		return ""
	}
	return git("rev-list", "--count", "HEAD")
}
