package bench

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// initTable lists the packages that do most before main in the HTTP functions.
func initTable(functions []catalog.Function, inits map[catalog.FunctionName][]binary.Init) *Table {
	type work struct {
		pkg       string
		took      time.Duration // in all functions
		bytes     int           // in one
		functions int
	}
	all := make(map[string]work)
	for _, f := range functions {
		if f.Kind != catalog.HTTP {
			continue
		}
		for _, i := range inits[f.Name] {
			w := all[i.Package]
			all[i.Package] = work{i.Package, w.took + i.Took, i.Bytes, w.functions + 1}
		}
	}
	most := slices.SortedFunc(maps.Values(all), func(a, b work) int { return cmp.Compare(b.took, a.took) })
	t := NewTable("What packages do before main, by time over all HTTP functions", "package", "functions", "ms in each", "KB in each")
	for _, w := range most[:min(12, len(most))] {
		t.Row(strings.TrimPrefix(w.pkg, "github.com/"), w.functions, w.took/time.Duration(w.functions), float64(w.bytes)/1000)
	}
	t.Note("Traced by the Go runtime (GODEBUG=inittrace=1), in one start of each.")
	return t
}
