package bench

import "context"

// stormReports are sent in ten minutes, see BenchmarkFlood.
const stormReports = "20000x"

// mostStormP99 is the goal for creating a report during a storm, in milliseconds.
const mostStormP99 = 1000

// storm measures how reports are created, and how the workers catch up, while a flood brings 20,000 of them.
func storm(ctx context.Context, r *Run) error {
	got, err := r.benchmark(ctx, "./infra/local/pipeline", "Flood", stormReports)
	if err != nil {
		return err
	}
	row := got["BenchmarkFlood"]
	t := NewTable("A storm: 20,000 reports in ten minutes, half of them about 20 places", "", "per s", "p50 ms", "p99 ms", "failed", "caught up after s", "duplicates found %", "goal")
	t.Row("POST /reports beside all workers", row["sent/s"], round(row["p50-ms"]), round(row["p99-ms"]), round(row["failed"]), round(row["catch-up-s"]),
		round(row["duplicates-%"]), r.Goal("creating reports in a storm", row["failed"] == 0 && row["p99-ms"] <= mostStormP99))
	t.Note("API, workers, stand-ins and PostgreSQL share this machine; the pictures are small. Goal: no failure, p99 of at most %d ms", mostStormP99)
	r.Print(t)
	return nil
}
