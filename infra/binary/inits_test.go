package binary_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/binary"
)

// Limits of what is allocated before main, in bytes. It is the same at each start of a binary.
const (
	maxOwnInit = 16_000    // by one of our packages: a table or a regular expression is made when it is first needed
	maxInits   = 1_100_000 // by all packages of a function; most are of huma and of the SDK
)

// Every cold start waits for the work that packages do before main.
func TestLittleIsDoneBeforeMain(t *testing.T) {
	t.Parallel()
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "reports")
	if err := binary.Build(t.Context(), root, "reports", runtime.GOARCH, path); err != nil {
		t.Fatal(err)
	}
	all, err := binary.Inits(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, i := range all {
		total += i.Bytes
		if strings.HasPrefix(i.Package, "github.com/lafaekstreet/") && i.Bytes > maxOwnInit {
			t.Errorf("%s allocates %d bytes before main, at most %d", i.Package, i.Bytes, maxOwnInit)
		}
	}
	if total > maxInits {
		t.Errorf("%d bytes are allocated before main, at most %d", total, maxInits)
	}
}
