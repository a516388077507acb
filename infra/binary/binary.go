// Package binary builds the functions of this repository as they run in Lambda, and checks the size of each against a
// budget.
package binary

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Functions returns the functions of the catalogue. It fails if they differ from the module at root: a folder of functions/
// that is not in the catalogue, a function without a folder, or a main that starts another kind of function.
func Functions(root string) ([]catalog.Function, error) {
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	var faults []error
	found := make(map[catalog.FunctionName]bool)
	for _, e := range entries {
		if files, err := filepath.Glob(filepath.Join(root, "functions", e.Name(), "*.go")); err != nil || len(files) == 0 {
			continue
		}
		found[catalog.FunctionName(e.Name())] = true
		if err := check(root, catalog.FunctionName(e.Name())); err != nil {
			faults = append(faults, fmt.Errorf("functions/%s: %w", e.Name(), err))
		}
	}
	for _, f := range catalog.Functions() {
		if !found[f.Name] {
			faults = append(faults, fmt.Errorf("functions/%s is in the catalogue and not on disk", f.Name))
		}
	}
	return catalog.Functions(), errors.Join(faults...)
}

// check compares a function on disk with the catalogue.
func check(root string, name catalog.FunctionName) error {
	kind, err := kindOf(filepath.Join(root, "functions", string(name), "lambda", "main.go"))
	if err != nil {
		return err
	}
	f, ok := catalog.Find(name)
	if !ok {
		return errors.New("shared/catalog does not name it")
	}
	if f.Kind != kind {
		return fmt.Errorf("its main calls start.%s; in the catalogue it is %s", kind, f.Kind)
	}
	return nil
}

// kindOf reads from a main which function of shared/start it calls.
func kindOf(path string) (catalog.Kind, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("it has no lambda/main.go")
	}
	if err != nil {
		return "", fmt.Errorf("read its main: %w", err)
	}
	var kind catalog.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "start" {
				kind = catalog.Kind(s.Sel.Name)
			}
		}
		return true
	})
	switch kind {
	case catalog.HTTP, catalog.Queue, catalog.Schedule, catalog.Deploy:
		return kind, nil
	default:
		return "", fmt.Errorf("its main calls no known function of shared/start (%q)", kind)
	}
}

// BuildAll builds functions for goarch, each to the file that path returns. An unchanged function is built quickly.
func BuildAll(ctx context.Context, root string, functions []catalog.Function, goarch string, path func(name string) string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2) // one build alone can use all cores
	for _, f := range functions {
		group.Go(func() error { return Build(ctx, root, string(f.Name), goarch, path(string(f.Name))) })
	}
	return group.Wait()
}

// Build writes the bootstrap of one function for goarch to out. The same source gives the same bytes on any machine.
// net/http's HTTP/2 is left out: every server that functions call by net/http speaks HTTP/1.1 too, and gRPC has its own.
func Build(ctx context.Context, root, name, goarch, out string) error {
	path := "./functions/" + name + "/lambda"
	if name != versioned {
		return BuildPackage(ctx, root, path, goarch, out)
	}
	version, err := Version(ctx, root)
	if err != nil {
		return err
	}
	return BuildPackage(ctx, root, path, goarch, out, VersionFlag(version))
}

// BuildPackage builds the program at path, relative to root, as Build builds a function, with linker flags of its own.
func BuildPackage(ctx context.Context, root, path, goarch, out string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc,nethttpomithttp2", "-trimpath", "-buildvcs=false",
		"-ldflags", strings.Join(append([]string{"-s", "-w"}, flags...), " "), "-o", out, path)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch, "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", path, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// Root returns the folder of this module: the working directory or the nearest folder above it that has a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find the module: no go.mod above the working directory")
		}
	}
}
