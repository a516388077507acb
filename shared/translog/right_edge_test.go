package translog_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/translog"
)

// The tree has the size and the roots that the reference implementation computes.
func TestRightEdge(t *testing.T) {
	t.Parallel()
	var own translog.RightEdge
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = stored[x]
		}
		return out, nil
	})
	for n := range int64(600) {
		want, err := tlog.TreeHash(n, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := own.Tree(); got != (tlog.Tree{N: n, Hash: want}) {
			t.Fatalf("%d leaves: got %v, want %s", n, got, want)
		}
		leaf := fmt.Appendf(nil, "leaf %d", n)
		more, err := tlog.StoredHashes(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		own.Add(tlog.RecordHash(leaf))
	}
}
