package security

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	named   = regexp.MustCompile(`\b(Test|Fuzz)[A-Z0-9]\w+`)
	defined = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// standIns are packages that are not deployed: their tests prove nothing about the deployed system.
var standIns = regexp.MustCompile(`/infra/local/(aws|cache|console|faults|fcm|gateway|google|hedera|loopback|nominatim|smtp|dbproxy)/`)

// ours returns the names of all tests except those of stand-ins.
func ours(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	for _, dir := range []string{"functions", "shared", "infra", "migrations"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") || standIns.MatchString(filepath.ToSlash(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range defined.FindAllSubmatch(text, -1) {
				there[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return there
}

const root = "../../.."

// Every line of the table names a test, and every named test exists.
func TestEveryLineNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	there := ours(t)
	table, err := os.ReadFile(filepath.Join(root, "infra/decisions/0013-security.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.SplitSeq(string(table), "\n") {
		proofs := named.FindAllString(line, -1)
		if strings.HasPrefix(line, "| API") || strings.HasPrefix(line, "| V") {
			lines++
			if len(proofs) == 0 {
				t.Errorf("the line names no test: %.60s", line)
			}
		}
		for _, name := range proofs {
			if !there[name] {
				t.Errorf("there is no test %s, or only in a stand-in", name)
			}
		}
	}
	if lines < 20 {
		t.Errorf("found only %d lines of the table", lines)
	}
}

// CONTRIBUTING.md names the tests that fail when a step is forgotten.
func TestTheGuideNamesNoUnknownTest(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := ours(t)
	for _, name := range named.FindAllString(string(guide), -1) {
		if !there[name] {
			t.Errorf("CONTRIBUTING.md names %s, and there is no such test", name)
		}
	}
}
