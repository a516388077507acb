package journal_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/journal"
)

func TestStateKeepsTheLastValue(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sub")
	path := filepath.Join(dir, "s.json")
	value := map[string]int{}
	s, err := journal.NewState(dir, "s.json", &value)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []map[string]int{{"a": 1, "b": 2}, {"b": 3}} {
		if err := s.Save(want); err != nil {
			t.Fatal(err)
		}
		var got map[string]int
		if _, err := journal.NewState(dir, "s.json", &got); err != nil || !maps.Equal(got, want) {
			t.Errorf("kept %v, %v; want %v", got, err, want)
		}
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.NewState(dir, "s.json", &value); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken file: %v", err)
	}
}

func TestStateWithoutFolderKeepsNothing(t *testing.T) {
	t.Parallel()
	value := map[string]int{"a": 1}
	s, err := journal.NewState("", "s.json", &value)
	if err != nil || value["a"] != 1 {
		t.Fatalf("%v, %v", value, err)
	}
	if err := s.Save(value); err != nil {
		t.Error(err)
	}
}
