// Package assembly reads the CloudFormation templates of a synthesis. From them it finds what calls each function after a
// deploy, and what each function may do.
package assembly

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Assembly is the templates of one synthesis.
type Assembly struct {
	Templates map[string]Template // by stack name
	exports   map[string]export
	world     World
}

// Template is one stack.
type Template struct {
	Parameters map[string]struct{ Default any }
	Resources  map[string]Resource
	Outputs    map[string]Output
}

// Resource is one resource, with its properties as the template has them.
type Resource struct {
	Type           string
	Properties     map[string]any
	DependsOn      any
	DeletionPolicy string
}

// Output is a value that a stack gives to people and to other stacks.
type Output struct {
	Value  any
	Export struct{ Name any }
}

type export struct {
	stack string
	value any
}

// World has the values that only a deploy decides.
type World struct {
	Region, Account string
	// Attributes of resources, by "stack/logical id" and name. "Ref" is the value of a reference to the resource.
	Attributes map[string]map[string]string
}

// Read reads the templates in dir.
func Read(dir string) (*Assembly, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no templates in %s", dir)
	}
	a := &Assembly{
		Templates: make(map[string]Template), exports: make(map[string]export),
		world: World{Region: "us-east-1", Account: "000000000000"},
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read template: %w", err)
		}
		var t Template
		if err := json.Unmarshal(raw, &t); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(file), err)
		}
		stack := strings.TrimSuffix(filepath.Base(file), ".template.json")
		a.Templates[stack] = t
		for _, o := range t.Outputs {
			if name, ok := o.Export.Name.(string); ok {
				a.exports[name] = export{stack, o.Value}
			}
		}
	}
	return a, nil
}

// In sets the values that a deploy has decided.
func (a *Assembly) In(w World) { a.world = w }

// Named is a resource with its stack and its logical id.
type Named struct {
	Resource
	Stack, ID string
}

// Key is its key in World.Attributes.
func (n Named) Key() string { return n.Stack + "/" + n.ID }

// OfType lists the resources of some types in a stable order.
func (a *Assembly) OfType(kinds ...string) []Named {
	var out []Named
	for _, stack := range slices.Sorted(maps.Keys(a.Templates)) {
		resources := a.Templates[stack].Resources
		for _, id := range slices.Sorted(maps.Keys(resources)) {
			if slices.Contains(kinds, resources[id].Type) {
				out = append(out, Named{resources[id], stack, id})
			}
		}
	}
	return out
}

// Find returns the resource that v refers to. v is a value in stack: {"Ref": …}, {"Fn::GetAtt": …}, or an import of one.
func (a *Assembly) Find(stack string, v any) (Named, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return Named{}, false
	}
	if id, ok := m["Ref"].(string); ok {
		r, ok := a.Templates[stack].Resources[id]
		return Named{r, stack, id}, ok
	}
	if att, ok := m["Fn::GetAtt"].([]any); ok && len(att) == 2 {
		id, _ := att[0].(string)
		r, ok := a.Templates[stack].Resources[id]
		return Named{r, stack, id}, ok
	}
	if name, ok := m["Fn::ImportValue"].(string); ok {
		e, ok := a.exports[name]
		if !ok {
			return Named{}, false
		}
		return a.Find(e.stack, e.value)
	}
	return Named{}, false
}

// Called returns the function that the reference v names. v is the ARN of a function or of an alias.
func (a *Assembly) Called(stack string, v any) (Named, bool) {
	n, ok := a.Find(stack, v)
	if ok && n.Type == "AWS::Lambda::Alias" {
		return a.Find(n.Stack, n.Properties["FunctionName"])
	}
	return n, ok
}
