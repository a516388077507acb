package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

func first(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func TestOnlyGoRuns(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		functions := w.Functions()
		if len(functions) != len(catalog.Functions()) {
			t.Errorf("%d functions, want %d", len(functions), len(catalog.Functions()))
		}
		for _, f := range functions {
			if f.Properties["Runtime"] != "provided.al2023" || f.Properties["Handler"] != "bootstrap" {
				t.Errorf("%s runs on %v", f.Name, f.Properties["Runtime"])
			}
			if !slices.Equal(w.Texts(f.Stack, f.Properties["Architectures"]), []string{"arm64"}) {
				t.Errorf("%s: architecture %v", f.Name, f.Properties["Architectures"])
			}
			tracing, _ := f.Properties["TracingConfig"].(map[string]any)
			if tracing["Mode"] != "Active" {
				t.Errorf("%s is not traced", f.Name)
			}
			if _, inside := f.Properties["VpcConfig"]; inside != (w.settings.managed() && !strings.HasSuffix(f.Name, "-keys") && !strings.HasSuffix(f.Name, "-verify")) {
				t.Errorf("%s: in a VPC: %v", f.Name, inside)
			}
			logging, _ := f.Properties["LoggingConfig"].(map[string]any)
			group, ok := w.Find(f.Stack, logging["LogGroup"])
			if days, _ := group.Properties["RetentionInDays"].(float64); !ok || days != w.settings.LogDays {
				t.Errorf("%s keeps its logs for %v days", f.Name, days)
			}
		}
		for kind, n := range map[string]int{"AWS::CloudFormation::CustomResource": 0, "Custom::AWS": 0, "Custom::S3BucketNotifications": 0, "Custom::Schema": 1, "Custom::Verified": 1} {
			if got := len(w.OfType(kind)); got != n {
				t.Errorf("%d of %s, want %d", got, kind, n)
			}
		}
	})
}

func TestStacksAreWithinTheLimits(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for name, template := range w.Templates {
			if n := len(template.Resources); n == 0 || n > 450 {
				t.Errorf("%s has %d resources", name, n)
			}
			if n := len(w.files[name+".template.json"]); n > 900_000 {
				t.Errorf("%s is %d bytes", name, n)
			}
		}
	})
}

func TestSynthesisIsDeterministic(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range slices.Sorted(maps.Keys(profiles)) {
		again, err := synthesize(profiles[profile])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(again.files)) {
			if strings.HasSuffix(name, ".template.json") && !bytes.Equal(all[profile].files[name], again.files[name]) {
				t.Errorf("%s, %s differs from one synthesis to the next", profile, name)
			}
		}
	}
}

func TestDeploymentsAreRolledBack(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	w := all["managed"]
	groups := w.OfType("AWS::CodeDeploy::DeploymentGroup")
	if aliases := w.OfType("AWS::Lambda::Alias"); len(groups) != len(aliases) || len(groups) == 0 {
		t.Errorf("%d deployment groups for %d aliases", len(groups), len(aliases))
	}
	for _, g := range groups {
		back, _ := g.Properties["AutoRollbackConfiguration"].(map[string]any)
		alarms, _ := g.Properties["AlarmConfiguration"].(map[string]any)
		if back["Enabled"] != true || alarms["Enabled"] != true {
			t.Errorf("%s is not rolled back", g.ID)
		}
	}
	if n := len(all["external"].OfType("AWS::CodeDeploy::DeploymentGroup")); n != 0 {
		t.Errorf("all at once, yet %d deployment groups", n)
	}
}

// CloudFormation has to make the versions first, then call them, and then change the aliases that the API calls.
func TestNoTrafficBeforeTheVersionsAreVerified(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		verified := w.OfType("Custom::Verified")
		if len(verified) != 1 {
			t.Fatalf("%d custom resources call the versions", len(verified))
		}
		asked, _ := verified[0].Properties["Versions"].([]any)
		aliases := w.OfType("AWS::Lambda::Alias")
		if len(aliases) == 0 || len(aliases) != len(asked) {
			t.Errorf("%d aliases, %d versions are called", len(aliases), len(asked))
		}
		for _, a := range aliases {
			if raw, _ := json.Marshal(a.DependsOn); !strings.Contains(string(raw), `"`+verified[0].ID+`"`) {
				t.Errorf("%s gets its traffic before the versions are called", a.ID)
			}
			version, _ := a.Properties["FunctionVersion"].(map[string]any)
			named, ok := w.Find(a.Stack, map[string]any{"Ref": first(att(version))})
			if !ok || !slices.ContainsFunc(asked, func(v any) bool { n, _ := w.Find(a.Stack, v); return n.Key() == named.Key() }) {
				t.Errorf("the version of %s is not called", a.ID)
			}
		}
	})
}

func att(v map[string]any) []any { list, _ := v["Fn::GetAtt"].([]any); return list }

// TestCfnLint runs where cfn-lint, a program in Python, is installed.
func TestCfnLint(t *testing.T) {
	if _, err := exec.LookPath("cfn-lint"); err != nil {
		t.Log("cfn-lint is not installed: only CDK's own rules and these tests check the templates")
		return
	}
	each(t, func(t *testing.T, w *written) {
		dir := t.TempDir()
		args := []string{
			"-i", "W3005", // CDK also writes dependencies that follow from references
			"--",
		}
		for _, name := range slices.Sorted(maps.Keys(w.files)) {
			if !strings.HasSuffix(name, ".template.json") {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), w.files[name], 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, filepath.Join(dir, name))
		}
		if out, err := exec.CommandContext(t.Context(), "cfn-lint", args...).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
