package locale_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
)

// verb is a part of a format that varies.
var verb = regexp.MustCompile(`%[dsqv]`)

// makers are the functions that make an error about a field: of package problem and of functions/open311.
var makers = map[string]bool{"InvalidField": true, "notFound": true, "refused": true}

// Every message about a field has its text in all languages. The messages are read from the source: the last argument of
// makers and the Message of a problem.Field, as a text, a format or a constant.
func TestEveryFieldMessageHasAText(t *testing.T) {
	t.Parallel()
	all, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	found := fieldMessages(t)
	for message, where := range found {
		n := -1
		key := "field." + verb.ReplaceAllStringFunc(message, func(string) string { n++; return "{" + string(rune('a'+n)) + "}" })
		if _, ok := all[key]; !ok {
			t.Errorf("%s: the catalog has no text for %q", where, key)
		}
	}
	if len(found) < 60 {
		t.Errorf("only %d messages found: the search is broken", len(found))
	}
}

func fieldMessages(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	constants := make(map[string]string) // by name; only of those files that use them
	for _, root := range []string{"../../shared", "../../functions"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for i, name := range n.Names {
						if i < len(n.Values) {
							constants[name.Name], _ = textOf(n.Values[i], nil)
						}
					}
				case *ast.CallExpr:
					if makers[called(n.Fun)] && len(n.Args) == 2 {
						note(out, n.Args[1], constants, path)
					}
				case *ast.KeyValueExpr:
					if name, ok := n.Key.(*ast.Ident); ok && name.Name == "Message" {
						note(out, n.Value, constants, path)
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
	return out
}

// note adds the text of an expression, if it is written in the source.
func note(out map[string]string, e ast.Expr, constants map[string]string, path string) {
	if text, ok := textOf(e, constants); ok && text != "" {
		out[text] = path
	}
}

// textOf is the text of a literal, of a sum of literals, of a format and of a constant.
func textOf(e ast.Expr, constants map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		a, ok := textOf(e.X, constants)
		b, also := textOf(e.Y, constants)
		return a + b, ok && also
	case *ast.Ident:
		text, ok := constants[e.Name]
		return text, ok
	case *ast.CallExpr:
		if called(e.Fun) == "Sprintf" {
			return textOf(e.Args[0], constants)
		}
	}
	return "", false
}

// called is the name of a called function.
func called(fun ast.Expr) string {
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}
