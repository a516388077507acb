// Command run measures the system and prints tables; `make bench` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/lafaekstreet/backend/infra/local/bench"
)

func main() {
	size := flag.String("size", "10k", "reports: 10k, 100k, 1m or a number")
	only := flag.String("only", "", "parts to measure, separated by commas; all when empty")
	rows := flag.String("rows", "", "endpoints to measure, a regular expression; all when empty")
	dir := flag.String("dir", ".run/bench", "where generated databases are kept")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *size, *only, *rows, *dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, size, only, rows, dir string) error {
	n, err := bench.ParseSize(size)
	if err != nil {
		return err
	}
	chosen, err := regexp.Compile(rows)
	if err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	return bench.Measure(ctx, bench.Options{Size: n, Rows: chosen, Only: strings.FieldsFunc(only, func(r rune) bool { return r == ',' }),
		Dir: dir, Out: os.Stdout, Log: os.Stderr})
}
