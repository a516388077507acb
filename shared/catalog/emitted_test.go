package catalog_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

const module = "github.com/lafaekstreet/backend/"

// TestEveryMetricIsEmitted reads the source of the functions. A metric that no code emits would leave its alarm silent and
// its line on the dashboard empty. Alarms and dashboards can name constants only, so this covers them too.
func TestEveryMetricIsEmitted(t *testing.T) {
	t.Parallel()
	declared := metricConstants(t)
	if len(declared) != len(catalog.Metrics()) {
		t.Fatalf("%d constants, %d metrics", len(declared), len(catalog.Metrics()))
	}
	used := usedNames(t, "../../functions", "../../shared")
	for i, name := range declared {
		if !used[name] {
			t.Errorf("no function emits %s (%s): remove it, or emit it", name, catalog.Metrics()[i].Name())
		}
	}
}

// metricConstants lists the constants of the type Metric in the order of their values.
func metricConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "metrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		first, _ := g.Specs[0].(*ast.ValueSpec)
		if kind, ok := first.Type.(*ast.Ident); !ok || kind.Name != "Metric" {
			continue
		}
		for _, s := range g.Specs {
			v, _ := s.(*ast.ValueSpec)
			if name := v.Names[0].Name; ast.IsExported(name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// usedNames lists what non-test code in the folders names of this package.
func usedNames(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	used := make(map[string]bool)
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil || !slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"`+module+`shared/catalog"` }) {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "catalog" {
						used[s.Sel.Name] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return used
}
