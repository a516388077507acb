package bench_test

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/bench"
	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// Each part prints its table, and no request fails. The figures are not tested.
func TestEveryPartPrintsItsTable(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	err := bench.Measure(t.Context(), bench.Options{Size: 500, Server: server(t), Brief: true, Out: &out, Log: &log,
		Only: []string{"reads", "writes", "durable", "memory", "coldstart"}})
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	t.Log(out.String())
	for _, row := range []string{"list, first page", "nearby, 1 km", "public list", "sign in", "export", "hello world", "2 ms to a commit"} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("no row %q", row)
		}
	}
	if strings.Contains(out.String(), "loses requests") {
		t.Errorf("requests failed:\n%s", out.String())
	}
}

// No frequent endpoint makes a sequential scan of reports, with any filter.
func TestNoEndpointReadsAllReports(t *testing.T) {
	t.Parallel()
	all, err := bench.Plans(t.Context(), bench.Options{Size: 30_000, Server: server(t), Lean: true, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		t.Errorf("%s: a sequential scan of reports", name)
	}
}

// server is the tests' PostgreSQL, as its superuser.
func server(t *testing.T) string {
	t.Helper()
	address, err := url.Parse(testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/postgres"
	return address.String()
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"10k": 10_000, "100K": 100_000, "1m": 1_000_000, "10m": 10_000_000, "500": 500} {
		if got, err := bench.ParseSize(text); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "k", "-1", "0", "1g", "99m"} {
		if _, err := bench.ParseSize(text); err == nil {
			t.Errorf("%q is accepted as a size", text)
		}
	}
}
