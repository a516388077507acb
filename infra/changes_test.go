package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// references are the names of the values that a stack exports, and of those of other stacks that it imports.
type references struct{ exports, imports []string }

// cloud is what CloudFormation has after some deploys.
type cloud struct {
	stacks map[string]references
	// made are the named resources of each stack, and kept are those that stayed when their stack dropped them.
	made map[string]map[string]bool
	kept map[string]bool
}

func newCloud() *cloud {
	return &cloud{stacks: make(map[string]references), made: make(map[string]map[string]bool), kept: make(map[string]bool)}
}

// deploy updates the stacks in the order of the CLI, and returns what CloudFormation refuses. A stack that is not in w any
// more stays as it is: the CLI does not know it.
func (c *cloud) deploy(t *testing.T, w *written) []string {
	t.Helper()
	for _, stack := range deployOrder(t, w) {
		next := referencesOf(t, w, stack)
		var refused []string
		for _, name := range c.stacks[stack].exports {
			if slices.Contains(next.exports, name) {
				continue
			}
			for other, r := range c.stacks {
				if slices.Contains(r.imports, name) {
					refused = append(refused, fmt.Sprintf("%s cannot remove %s: %s imports it", stack, name, other))
				}
			}
		}
		for _, name := range next.imports {
			if producer, _, _ := strings.Cut(name, ":"); !slices.Contains(c.stacks[producer].exports, name) {
				refused = append(refused, fmt.Sprintf("%s cannot import %s: nobody exports it", stack, name))
			}
		}
		refused = append(refused, c.replace(w, stack)...)
		if len(refused) > 0 {
			slices.Sort(refused)
			return refused
		}
		c.stacks[stack] = next
	}
	return nil
}

// replace notes the named resources of a stack. A resource with DeletionPolicy Retain keeps its name when its stack drops it;
// another one of this name cannot be made then.
func (c *cloud) replace(w *written, stack string) []string {
	var refused []string
	next := make(map[string]bool)
	for id, r := range w.Templates[stack].Resources {
		for _, property := range []string{"Name", "AliasName", "QueueName", "LogGroupName", "RoleName", "FunctionName"} {
			if name := w.Text(stack, r.Properties[property]); name != "" && r.Type != "AWS::Lambda::Alias" && r.Type != "AWS::Lambda::Version" && r.Type != "AWS::Lambda::Permission" {
				key := r.Type + " " + name
				next[key] = r.DeletionPolicy == "Retain" || r.DeletionPolicy == "RetainExceptOnCreate"
				if !c.made[stack][key] && c.kept[key] {
					refused = append(refused, fmt.Sprintf("%s cannot make %s: %s exists", stack, id, key))
				}
			}
		}
	}
	for key, retained := range c.made[stack] {
		if _, still := next[key]; !still && retained {
			c.kept[key] = true
		}
	}
	c.made[stack] = next
	return refused
}

var imported = regexp.MustCompile(`"Fn::ImportValue": *"([^"]+)"`)

func referencesOf(t *testing.T, w *written, stack string) references {
	t.Helper()
	var out references
	for _, o := range w.Templates[stack].Outputs {
		if name, ok := o.Export.Name.(string); ok {
			out.exports = append(out.exports, name)
		}
	}
	for _, m := range imported.FindAllSubmatch(w.files[stack+".template.json"], -1) {
		out.imports = append(out.imports, string(m[1]))
	}
	return out
}

// deployOrder is the order in which the CLI deploys: each stack after those that it depends on.
func deployOrder(t *testing.T, w *written) []string {
	t.Helper()
	var manifest struct {
		Artifacts map[string]struct{ Dependencies []string }
	}
	if err := json.Unmarshal(w.files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	var order []string
	var visit func(name string)
	visit = func(name string) {
		if _, stack := w.Templates[name]; !stack || slices.Contains(order, name) {
			return
		}
		for _, d := range slices.Sorted(slices.Values(manifest.Artifacts[name].Dependencies)) {
			visit(d)
		}
		order = append(order, name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.Templates)) {
		visit(name)
	}
	return order
}

// changed synthesizes the managed profile with some settings changed.
func changed(members map[string]any) (*written, error) {
	var all map[string]any
	if err := json.Unmarshal([]byte(profiles["managed"]), &all); err != nil {
		return nil, err
	}
	maps.Copy(all, members)
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return synthesize(string(raw))
}

// secondSigns is the second deploy of a rotation, with a revision.
var secondSigns = sync.OnceValues(func() (*written, error) {
	return changed(map[string]any{"token_keys": []string{"2", "1"}, "revision": "2026-11-29"})
})

// step is one deploy of a series; its name is for messages.
type step struct {
	name string
	w    *written
}

// Each series begins with a stage that signs by key 1 and accepts 1 and 2, behind a distribution, with a cache. The hosted zone
// is left out where the distribution goes: see the runbook.
func TestChangesOfSettingsAreNotRefused(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, members map[string]any) step {
		w, err := changed(members)
		if err != nil {
			t.Fatal(err)
		}
		return step{name, w}
	}
	rotated, err := secondSigns()
	if err != nil {
		t.Fatal(err)
	}
	begin, second := step{"keys 1, 2", all["managed"]}, step{"keys 2, 1", rotated}
	bare := with("key 2, no distribution, no cache", map[string]any{"token_keys": []string{"2"}, "edge": false, "cache": false, "hosted_zone": ""})
	back := with("keys 2, 3, distribution and cache again", map[string]any{"token_keys": []string{"2", "3"}})
	external := with("external", map[string]any{"profile": "external", "database_secret": "test/database", "keep_data_key": true})
	for name, series := range map[string][]step{
		"keys rotate":          {begin, second, bare, back},
		"a key has leaked":     {begin, bare},
		"profile and back":     {begin, external, begin},
		"external from before": {external, begin},
	} {
		c := newCloud()
		for _, s := range series {
			for _, r := range c.deploy(t, s.w) {
				t.Errorf("%s: %s: %s", name, s.name, r)
			}
		}
	}
}

// With another revision each function, each of its versions and the distribution are other ones: they read their secrets again.
func TestARevisionMakesEveryFunctionAnew(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	w, err := secondSigns()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range w.Functions() {
		if f.Env["REVISION"] != "2026-11-29" {
			t.Errorf("%s stays as it is", f.Name)
		}
	}
	for _, v := range w.OfType("AWS::Lambda::Version") {
		if _, same := all["managed"].Templates[v.Stack].Resources[v.ID]; same {
			t.Errorf("%s stays, and its traffic with it", v.ID)
		}
	}
	for _, d := range w.OfType("AWS::CloudFront::Distribution") {
		config, _ := d.Properties["DistributionConfig"].(map[string]any)
		if config["Comment"] != "lafaekstreet-test-edge 2026-11-29" {
			t.Errorf("the distribution stays: %v", config["Comment"])
		}
	}
	t.Setenv("CDK_CONTEXT_JSON", `{"lafaekstreet":{"profile":"external","database_secret":"x","revision":"1"},"revision":"2"}`)
	if s, err := operatorSettings(""); err != nil || s.Revision != "2" {
		t.Errorf("-c revision=2 is not taken: %q, %v", s.Revision, err)
	}
}

// What a managed stage has stored cannot be read without its key. CloudFormation refuses to give the key up.
func TestTheDataKeyIsNotGivenUp(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	c := newCloud()
	if r := c.deploy(t, all["managed"]); r != nil {
		t.Fatal(r)
	}
	r := strings.Join(c.deploy(t, all["external"]), "\n")
	if !strings.Contains(r, "lafaekstreet-test-keys cannot remove lafaekstreet-test-keys:ExportsOutputFnGetAttdata") {
		t.Errorf("refused: %q", r)
	}
}

// A stage that an earlier version has deployed goes on, with the same settings. testdata/deployed has the exports and imports of
// each such version, named by its commit.
func TestStagesOfEarlierVersionsGoOn(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/deployed/*.txt")
	if err != nil || len(files) != 4 {
		t.Fatalf("%d versions, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := newCloud()
		for line := range strings.Lines(string(raw)) {
			word := strings.Fields(line)
			r := c.stacks[word[0]]
			if word[1] == "exports" {
				r.exports = append(r.exports, word[2])
			} else {
				r.imports = append(r.imports, word[2])
			}
			c.stacks[word[0]] = r
		}
		_, profile, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		for _, r := range c.deploy(t, all[profile]) {
			t.Errorf("%s: %s", file, r)
		}
	}
}
