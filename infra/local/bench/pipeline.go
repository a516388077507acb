package bench

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/infra/binary"
)

// Goals for a picture of 12 megapixels: CPU time as a multiple of decoding alone, and memory in MB.
const (
	mostTimesDecode = 2.5
	mostPeakMB      = 150
)

// leastReports is the goal for reports a second through the whole pipeline, with small pictures.
const leastReports = 100

// pipeline prints the cost of the workers, by the benchmarks in their packages.
func pipeline(ctx context.Context, r *Run) error {
	if err := r.pictures(ctx); err != nil {
		return err
	}
	if r.Brief {
		return nil // the others need every worker compiled
	}
	if err := r.messages(ctx); err != nil {
		return err
	}
	return r.throughput(ctx)
}

// pictures compares the images worker with decoding alone.
func (r *Run) pictures(ctx context.Context) error {
	got, err := r.benchmark(ctx, "./functions/images", "PhonePicture", "10x")
	if err != nil {
		return err
	}
	row := got["BenchmarkPhonePicture"]
	t := NewTable("A phone's picture of 12 MP", "", "CPU ms", "peak MB", "× decode", "goal")
	t.Row("decode alone", round(row["decode-cpu-ms"]), round(row["decode-peak-MB"]), "", "")
	t.Row("images worker", round(row["whole-cpu-ms"]), round(row["whole-peak-MB"]), row["x-decode"],
		r.Goal("a phone's picture", row["x-decode"] <= mostTimesDecode && row["whole-peak-MB"] <= mostPeakMB))
	t.Note("decode, turn, shrink twice, encode twice, three hashes; goal: at most %.1f × decoding, %d MB", mostTimesDecode, mostPeakMB)
	r.Print(t)
	return nil
}

// messages measures a round of the worker that publishes the log.
func (r *Run) messages(ctx context.Context) error {
	got, err := r.benchmark(ctx, "./functions/anchor", "Anchor", "1000x")
	if err != nil {
		return err
	}
	row := got["BenchmarkAnchor"]
	t := NewTable("The log's worker, events from the table to their confirmation by the ledger", "", "ms an event", "events/s", "messages for 1,000")
	t.Row("a thousand at once", milliseconds(row), round(row["events/s"]), round(row["messages/1000"]))
	t.Note("bucket, KMS and network answer at once: our own cost")
	r.Print(t)
	return nil
}

// throughput measures reports through all workers, with small pictures and with those of phones.
func (r *Run) throughput(ctx context.Context) error {
	t := NewTable("Reports through the whole pipeline: POST, picture, AI, ledger, notifications", "pictures", "reports", "reports/s", "messages for 1,000", "goal")
	for _, c := range []struct{ pictures, name, times string }{{"320 × 240", "BenchmarkPipeline", "2000x"}, {"12 MP", "BenchmarkPhonePipeline", "50x"}} {
		got, err := r.benchmark(ctx, "./infra/local/pipeline", "^"+c.name+"$", c.times)
		if err != nil {
			return err
		}
		row, goal := got[c.name], ""
		if c.name == "BenchmarkPipeline" {
			goal = r.Goal("reports through the pipeline", row["reports/s"] >= leastReports)
		}
		t.Row(c.pictures, strings.TrimSuffix(c.times, "x"), row["reports/s"], round(row["messages/1000"]), goal)
	}
	t.Note("API, workers, stand-ins and PostgreSQL share this machine; a report is three events. Goal: at least %d a second with small pictures", leastReports)
	r.Print(t)
	return nil
}

var (
	benchmarkName = regexp.MustCompile(`^(Benchmark[^\s-]+)(?:-\d+)?\s`)
	figure        = regexp.MustCompile(`([0-9.e+]+) ([A-Za-z][^\s]*/?[^\s]*)`)
)

// benchmark runs a package's benchmark and returns its figures by name and unit.
func (r *Run) benchmark(ctx context.Context, pkg, name, times string) (map[string]map[string]float64, error) {
	if r.Brief {
		times = "1x"
	}
	root, err := binary.Root()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./infra/local/testdb/serve", "--", "go", "test", "-run", "^$", "-bench", name, "-benchtime", times, "-timeout", "60m", pkg)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, &out, &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("benchmark %s: %w: %s", pkg, err, out.String())
	}
	return readFigures(out.String())
}

// readFigures reads the output of go test -bench. No figures are an error: one that is missing would count as 0, which meets most goals.
func readFigures(output string) (map[string]map[string]float64, error) {
	all, current := map[string]map[string]float64{}, ""
	for line := range strings.Lines(output) {
		if m := benchmarkName.FindStringSubmatch(line); m != nil {
			current = m[1]
		}
		if current == "" || !strings.Contains(line, " ns/op") { // the workers' metrics stand between
			continue
		}
		row := map[string]float64{}
		for _, m := range figure.FindAllStringSubmatch(line, -1) {
			if v, err := strconv.ParseFloat(m[1], 64); err == nil {
				row[m[2]] = v
			}
		}
		all[current] = row
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the benchmark printed no figures: %s", output)
	}
	return all, nil
}

func milliseconds(row map[string]float64) float64 { return row["ns/op"] / 1e6 }

func round(v float64) int { return int(v + 0.5) }
