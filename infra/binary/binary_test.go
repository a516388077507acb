package binary_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/binary"
)

// TestEveryBinaryIsWithinItsBudget builds what would be deployed.
func TestEveryBinaryIsWithinItsBudget(t *testing.T) {
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	functions, err := binary.Discover(root)
	if err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(root, "dist", name, "bootstrap") }
	if err := binary.BuildAll(t.Context(), root, functions, "arm64", path); err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := binary.CheckSizes(&table, functions, path); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", &table)
}

func TestOverBudgetIsAFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, c := range map[string]struct {
		kind binary.Kind
		size int64
		over bool
	}{
		"auth": {binary.HTTP, 16_000_000, false}, "users": {binary.HTTP, 16_000_001, true},
		"anchor": {binary.Queue, 26_000_000, false}, "notify": {binary.Queue, 17_000_001, true},
	} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path(name), c.size); err != nil {
			t.Fatal(err)
		}
		var table bytes.Buffer
		err := binary.CheckSizes(&table, []binary.Function{{Name: name, Kind: c.kind}}, path)
		if (err != nil) != c.over || strings.Contains(table.String(), "over") != c.over {
			t.Errorf("%s of %d bytes: %v, %s", name, c.size, err, &table)
		}
	}
	if err := binary.CheckSizes(&bytes.Buffer{}, []binary.Function{{Name: "missing"}}, path); err == nil {
		t.Error("a binary that is not there is within its budget")
	}
}
