package binary_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// TestEveryBinaryIsWithinItsBudget builds what would be deployed.
func TestEveryBinaryIsWithinItsBudget(t *testing.T) {
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	functions, err := binary.Functions(root)
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
		kind catalog.Kind
		size int64
		over bool
	}{
		"auth": {catalog.HTTP, 19_000_000, false}, "users": {catalog.HTTP, 19_000_001, true},
		"anchor": {catalog.Queue, 26_000_000, false}, "notify": {catalog.Queue, 19_000_001, true},
	} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path(name), c.size); err != nil {
			t.Fatal(err)
		}
		var table bytes.Buffer
		err := binary.CheckSizes(&table, []catalog.Function{{Name: catalog.FunctionName(name), Kind: c.kind}}, path)
		if (err != nil) != c.over || strings.Contains(table.String(), "over") != c.over {
			t.Errorf("%s of %d bytes: %v, %s", name, c.size, err, &table)
		}
	}
	if err := binary.CheckSizes(&bytes.Buffer{}, []catalog.Function{{Name: "missing"}}, path); err == nil {
		t.Error("a binary that is not there is within its budget")
	}
}

func TestFunctionsOnDiskAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := binary.Functions(root); err != nil {
		t.Error(err)
	}
	other := t.TempDir()
	for path, text := range map[string]string{
		"functions/unnamed/lambda/main.go": "package main\n\nfunc main() { start.HTTP(nil) }\n", "functions/unnamed/a.go": "package unnamed\n",
		"functions/meta/lambda/main.go": "package main\n\nfunc main() { start.Queue(nil) }\n", "functions/meta/a.go": "package meta\n",
	} {
		if err := os.MkdirAll(filepath.Join(other, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = binary.Functions(other)
	for _, want := range []string{"functions/unnamed: shared/catalog does not name it", "functions/meta: its main calls start.Queue", "functions/auth is in the catalogue and not on disk"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
