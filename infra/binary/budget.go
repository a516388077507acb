package binary

import (
	"fmt"
	"io"
	"os"
)

// Megabyte is what sizes are stated in.
const Megabyte = 1_000_000

// Budgets, in bytes of the bootstrap for arm64. A binary's size is a good part of a
// cold start, and the first sign that a package came along that does not belong.
const (
	httpBudget   = 16 * Megabyte
	anchorBudget = 26 * Megabyte // the ledger's SDK and gRPC
	workerBudget = 17 * Megabyte // nobody waits for these; mail templates and the schema's tool are in them
)

// Budget is how large f's binary may be, in bytes.
func (f Function) Budget() int64 {
	switch {
	case f.Name == "anchor":
		return anchorBudget
	case f.Kind == HTTP:
		return httpBudget
	}
	return workerBudget
}

// CheckSizes prints the size of each function's binary beside its budget to out,
// and fails when one is over. path is where a function's bootstrap lies.
func CheckSizes(out io.Writer, functions []Function, path func(name string) string) error {
	over := 0
	for _, f := range functions {
		info, err := os.Stat(path(f.Name))
		if err != nil {
			return fmt.Errorf("size of %s: %w", f.Name, err)
		}
		mark := ""
		if info.Size() > f.Budget() {
			over++
			mark = "  over its budget"
		}
		if _, err := fmt.Fprintf(out, "  %-14s %5.1f of %2d MB%s\n", f.Name, float64(info.Size())/Megabyte, f.Budget()/Megabyte, mark); err != nil {
			return err
		}
	}
	if over > 0 {
		return fmt.Errorf("%d binaries are over their budget (infra/binary/budget.go): `go list -deps ./functions/<name>/lambda` tells what came along", over)
	}
	return nil
}
