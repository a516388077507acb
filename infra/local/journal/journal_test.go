package journal_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/journal"
)

func open(t *testing.T, path string) (*journal.Journal, []int) {
	t.Helper()
	var got []int
	j, err := journal.Open(path, func(line []byte) error {
		var n int
		if err := json.Unmarshal(line, &n); err != nil {
			return err
		}
		got = append(got, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, got
}

func TestOpenReplaysWhatWasAppended(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "j")
	j, got := open(t, path)
	if len(got) != 0 {
		t.Fatalf("a new journal replayed %v", got)
	}
	for n := range 3 {
		if err := j.Append(n); err != nil {
			t.Fatal(err)
		}
	}
	// The journal is not closed, as if the process had been killed.
	if _, got = open(t, path); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("replayed %v", got)
	}
	if err := j.Rewrite([]any{7, 8}); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(9); err != nil {
		t.Fatal(err)
	}
	if _, got = open(t, path); !slices.Equal(got, []int{7, 8, 9}) {
		t.Errorf("after rewrite replayed %v", got)
	}
}

func TestIncompleteLastLineIsRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "j")
	if err := os.WriteFile(path, []byte("1\n2\n34"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, got := open(t, path)
	if !slices.Equal(got, []int{1, 2}) {
		t.Errorf("replayed %v, want the whole lines only", got)
	}
	if err := j.Append(5); err != nil {
		t.Fatal(err)
	}
	if _, got = open(t, path); !slices.Equal(got, []int{1, 2, 5}) {
		t.Errorf("replayed %v", got)
	}
}

func TestCorruptLineIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "j")
	if err := os.WriteFile(path, []byte("1\n}{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(path, func(line []byte) error { var n int; return json.Unmarshal(line, &n) }); err == nil {
		t.Error("a corrupt journal was opened")
	}
}

func TestWithoutPathKeepsNothing(t *testing.T) {
	t.Parallel()
	j, _ := open(t, "")
	if err := j.Append(1); err != nil || j.Size() != 0 {
		t.Errorf("append: %v, size %d", err, j.Size())
	}
	if err := j.Rewrite([]any{1}); err != nil {
		t.Error(err)
	}
}
