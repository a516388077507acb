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

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

func TestEveryTextStandsInThreeLanguagesWithTheSameParameters(t *testing.T) {
	t.Parallel()
	all, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for key, texts := range all {
		want := map[string]bool{}
		for _, p := range parameter.FindAllString(texts[locale.English], -1) {
			want[p] = true
		}
		for _, l := range locale.Languages() {
			if strings.TrimSpace(texts[l]) == "" {
				t.Errorf("%s has no text in %s", key, l)
			}
			got := map[string]bool{}
			for _, p := range parameter.FindAllString(texts[l], -1) {
				got[p] = true
			}
			if len(got) != len(want) {
				t.Errorf("%s: parameters in %s are %v, in English %v", key, l, got, want)
			}
		}
	}
}

// TestEveryProblemCodeHasAText reads the code of every problem made anywhere.
func TestEveryProblemCodeHasAText(t *testing.T) {
	t.Parallel()
	all, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for code, where := range problemCodes(t) {
		found++
		if _, ok := all["problem."+code]; !ok && code != "client_closed_request" {
			t.Errorf("%s: the problem %q has no text", where, code)
		}
	}
	if found < 10 {
		t.Errorf("only %d problem codes found: the search is broken", found)
	}
}

func problemCodes(t *testing.T) map[string]string {
	t.Helper()
	codes := make(map[string]string)
	for _, root := range []string{"../../shared", "../../functions"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if d == nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) < 2 || !isProblemNew(call.Fun) {
					return true
				}
				if literal, ok := call.Args[1].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if code, err := strconv.Unquote(literal.Value); err == nil && code != "" {
						codes[code] = path
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
	return codes
}

func isProblemNew(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "New" {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "problem"
}

func TestFromHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]locale.Language{
		"tet": locale.Tetum, "tet-TL,pt;q=0.8": locale.Tetum, "pt-BR": locale.Portuguese, "en-GB;q=0.9,pt;q=0.2": locale.English,
	} {
		if got, ok := locale.FromHeader(header); !ok || got != want {
			t.Errorf("%s: got %s %v", header, got, ok)
		}
	}
	for _, header := range []string{"", "fr", ";;;", strings.Repeat("x", 5000)} {
		if _, ok := locale.FromHeader(header); ok {
			t.Errorf("%.20q names none of ours", header)
		}
	}
}

func TestCapitalized(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"": "", "é falso.": "É falso.", "it is": "It is", "Tuir": "Tuir"} {
		if got := locale.Capitalized(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
