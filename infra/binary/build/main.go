// Command build makes the functions' binaries as they run in Lambda, in dist/, and
// prints the size of each beside its budget. Over budget is a failure.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/lafaekstreet/backend/infra/binary"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// run builds the functions called names, or all.
func run(ctx context.Context, names []string) error {
	root, err := binary.Root()
	if err != nil {
		return err
	}
	functions, err := binary.Discover(root)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		functions = slices.DeleteFunc(functions, func(f binary.Function) bool { return !slices.Contains(names, f.Name) })
	}
	path := func(name string) string { return filepath.Join(root, "dist", name, "bootstrap") }
	if err := binary.BuildAll(ctx, root, functions, "arm64", path); err != nil {
		return err
	}
	return binary.CheckSizes(os.Stdout, functions, path)
}
