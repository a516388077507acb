package bench_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/local/bench"
	"github.com/lafaekstreet/backend/infra/local/bench/peer"
	"github.com/lafaekstreet/backend/infra/local/missing"
)

// The peer answers as the system does: the part fails if it has other reports, another order, another total or other members.
func TestThePeerAnswersTheSame(t *testing.T) {
	t.Parallel()
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	dir := filepath.Join(root, ".run", "bench")
	if err := peer.Install(t.Context(), filepath.Join(dir, "..", "peer"), &log); err != nil {
		missing.Program(t, "no FastAPI on this machine: whether the peer is a fair one is not tested: "+err.Error())
	}
	err = bench.Measure(t.Context(), bench.Options{Size: 500, Server: server(t), Brief: true, Dir: dir, Out: &out, Log: &log, Only: []string{"peer"}})
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	t.Log(out.String())
	for _, row := range []string{"list, first page", "report ", "nearby, 1 km", "create a report", "sign in"} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("no row %q", row)
		}
	}
}
