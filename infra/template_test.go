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
			// CloudFormation reads at most 60 values of other services for a template.
			if n := bytes.Count(w.files[name+".template.json"], []byte("{{resolve:")); n > 60 {
				t.Errorf("%s has %d dynamic references", name, n)
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
	groups, served := w.OfType("AWS::CodeDeploy::DeploymentGroup"), 0
	for _, f := range catalog.Functions() {
		if f.Kind == catalog.HTTP {
			served++
		}
	}
	if len(groups) != served {
		t.Errorf("%d deployment groups for %d functions", len(groups), served)
	}
	crashes, answers := 0, 0
	for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
		dimensions, _ := a.Properties["Dimensions"].([]any)
		switch name := w.Text(a.Stack, a.Properties["AlarmName"]); {
		case strings.HasSuffix(name, "-failing") && a.Stack == "lafaekstreet-test-functions":
			crashes++
		case strings.HasSuffix(name, "-answers-5xx"):
			answers++
			raw, err := json.Marshal(dimensions)
			if err != nil || !strings.Contains(string(raw), `"Name":"version","Value":{"Fn::GetAtt":["`) || a.Properties["MetricName"] != "server_errors" ||
				a.Properties["EvaluationPeriods"] != 5.0 || a.Properties["DatapointsToAlarm"] != 2.0 {
				t.Errorf("%s does not look at the new version: %s, %v", name, raw, a.Properties)
			}
		}
	}
	if crashes != served || answers != served {
		t.Errorf("%d functions, %d alarms of crashes and %d of answers", served, crashes, answers)
	}
	for _, g := range groups {
		back, _ := g.Properties["AutoRollbackConfiguration"].(map[string]any)
		alarms, _ := g.Properties["AlarmConfiguration"].(map[string]any)
		if list, _ := alarms["Alarms"].([]any); back["Enabled"] != true || alarms["Enabled"] != true || len(list) != 2 {
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

// Messages and schedules go to the alias too: a new version gets none before it is verified.
func TestWorkersAreCalledByTheirAlias(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		called := 0
		for _, m := range w.OfType("AWS::Lambda::EventSourceMapping", "AWS::Events::Rule") {
			target := m.Properties["FunctionName"]
			if targets, _ := m.Properties["Targets"].([]any); len(targets) > 0 {
				rule, _ := targets[0].(map[string]any)
				target = rule["Arn"]
			}
			called++
			if alias, ok := w.Find(m.Stack, target); !ok || alias.Type != "AWS::Lambda::Alias" {
				t.Errorf("%s calls %v", m.ID, target)
			}
		}
		for _, f := range catalog.Functions() {
			if f.Kind == catalog.Queue || f.Kind == catalog.Schedule {
				called--
			}
		}
		if called != 0 {
			t.Errorf("%d workers more are called than there are", called)
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
