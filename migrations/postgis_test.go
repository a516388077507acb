package migrations_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"testing"
)

// Functions of PostGIS whose names begin with an underscore are not part of its interface: a new version may change or
// drop them.
func TestNoPrivateFunctionOfPostGIS(t *testing.T) {
	t.Parallel()
	private := []byte("_st" + "_") // apart, so that this file is not found
	read := 0
	for _, dir := range []string{"../functions", "../shared", "../infra", "."} {
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" && path.Ext(name) != ".sql" {
				return err
			}
			text, err := os.ReadFile(path.Join(dir, name))
			if read++; bytes.Contains(bytes.ToLower(text), private) {
				t.Errorf("%s uses a private function of PostGIS", path.Join(dir, name))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}
