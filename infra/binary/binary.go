// Package binary finds the functions of this repository and builds them as they
// run in Lambda.
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
)

// Kind says who calls a function.
type Kind string

// Kinds, by what a function's main calls of shared/start.
const (
	HTTP     Kind = "HTTP"           // API Gateway
	Queue    Kind = "Queue"          // SQS
	Schedule Kind = "Schedule"       // EventBridge
	Resource Kind = "CustomResource" // CloudFormation, during a deploy
)

// Function is a folder of functions/.
type Function struct {
	Name string
	Kind Kind
}

// Discover lists the functions of the module at root, by name. A folder with Go
// files and no main of its own is an error: it would never be deployed.
func Discover(root string) ([]Function, error) {
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	var out []Function
	var faults []error
	for _, e := range entries { // sorted by name
		if files, err := filepath.Glob(filepath.Join(root, "functions", e.Name(), "*.go")); err != nil || len(files) == 0 {
			continue
		}
		kind, err := kindOf(filepath.Join(root, "functions", e.Name(), "lambda", "main.go"))
		if err != nil {
			faults = append(faults, fmt.Errorf("functions/%s: %w", e.Name(), err))
			continue
		}
		out = append(out, Function{Name: e.Name(), Kind: kind})
	}
	return out, errors.Join(faults...)
}

// kindOf reads which of start's functions a main calls.
func kindOf(path string) (Kind, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "", errors.New("no lambda/main.go")
	}
	if err != nil {
		return "", fmt.Errorf("read its main: %w", err)
	}
	var kind Kind
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "start" {
				kind = Kind(s.Sel.Name)
			}
		}
		return true
	})
	switch kind {
	case HTTP, Queue, Schedule, Resource:
		return kind, nil
	}
	return "", fmt.Errorf("its main starts nothing of shared/start (%q)", kind)
}

// BuildAll builds functions for goarch, each to where path says. What did not change costs little.
func BuildAll(ctx context.Context, root string, functions []Function, goarch string, path func(name string) string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2) // each takes all cores by itself when much is to compile
	for _, f := range functions {
		group.Go(func() error { return Build(ctx, root, f.Name, goarch, path(f.Name)) })
	}
	return group.Wait()
}

// Build writes the bootstrap of one function for goarch to out. The same source
// gives the same bytes on any machine. HTTP/2 is left out: what functions call over
// net/http answers 1.1 as well, and gRPC brings its own.
func Build(ctx context.Context, root, name, goarch, out string) error {
	return BuildPackage(ctx, root, "./functions/"+name+"/lambda", goarch, out)
}

// BuildPackage builds a program of this module as Build builds a function.
func BuildPackage(ctx context.Context, root, path, goarch, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc,nethttpomithttp2", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w", "-o", out, path)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch, "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", path, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// Root is the folder of this module: the nearest one above the working
// directory that has a go.mod.
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
