// Command build builds the functions into dist/ as they run in Lambda, and prints the size of each binary beside its
// budget. It fails when a binary is over its budget.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/catalog"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// run builds the functions called names, or all of them when names is empty.
func run(ctx context.Context, names []string) error {
	root, err := binary.Root()
	if err != nil {
		return err
	}
	functions, err := binary.Functions(root)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		functions = slices.DeleteFunc(functions, func(f catalog.Function) bool { return !slices.Contains(names, string(f.Name)) })
	}
	path := func(name string) string { return filepath.Join(root, "dist", name, "bootstrap") }
	if err := binary.BuildAll(ctx, root, functions, "arm64", path); err != nil {
		return err
	}
	return binary.CheckSizes(os.Stdout, functions, path)
}
