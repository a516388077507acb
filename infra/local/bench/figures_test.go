package bench

import "testing"

// The figures of a benchmark stand in its last line, after lines that the workers print. Without figures there is no row, because a
// missing p99 would meet its goal.
func TestReadFigures(t *testing.T) {
	t.Parallel()
	got, err := readFigures("goos: linux\nBenchmarkFlood-2 {\"_aws\":{}}\n   20000\t  30000000 ns/op\t  7.000 failed\t  812.5 p99-ms\nPASS\n")
	if row := got["BenchmarkFlood"]; err != nil || row["failed"] != 7 || row["p99-ms"] != 812.5 {
		t.Errorf("%v (%v)", got, err)
	}
	if got, err := readFigures("PASS\nok  \tpipeline\t0.1s\n"); err == nil {
		t.Errorf("no figures are read as %v", got)
	}
}
