package binary

import (
	"fmt"
	"io"
	"os"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Megabyte is the unit of the sizes, in bytes.
const Megabyte = 1_000_000

// Budgets, in bytes of the bootstrap for arm64. A larger binary has a longer cold start. A binary that grows a lot usually
// links a package that it does not need.
const (
	httpBudget   = 19 * Megabyte // the typed results of statements are compiled once for each type; reports, staff and public move or read pictures in S3
	anchorBudget = 28 * Megabyte // links the ledger's SDK, gRPC and the client of S3, where it publishes the log
	workerBudget = 19 * Megabyte // no client waits for these; one links the mail templates, another the migration tool
)

// Budget is how large the binary of f may be, in bytes.
func Budget(f catalog.Function) int64 {
	switch {
	case f.Name == "anchor":
		return anchorBudget
	case f.Kind == catalog.HTTP:
		return httpBudget
	default:
		return workerBudget
	}
}

// CheckSizes prints the size of each function's binary beside its budget to out, and fails when one is larger. path
// returns where the bootstrap of a function is.
func CheckSizes(out io.Writer, functions []catalog.Function, path func(name string) string) error {
	over := 0
	for _, f := range functions {
		info, err := os.Stat(path(string(f.Name)))
		if err != nil {
			return fmt.Errorf("size of %s: %w", f.Name, err)
		}
		mark := ""
		if info.Size() > Budget(f) {
			over++
			mark = "  over its budget"
		}
		if _, err := fmt.Fprintf(out, "  %-14s %5.1f of %2d MB%s\n", f.Name, float64(info.Size())/Megabyte, Budget(f)/Megabyte, mark); err != nil {
			return err
		}
	}
	if over > 0 {
		return fmt.Errorf("%d binaries are over their budget (infra/binary/budget.go): `go list -deps ./functions/<name>/lambda` lists what they link", over)
	}
	return nil
}
