package main

import (
	"encoding/csv"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// checked are the settings whose templates `make templates` checks: both profiles, with and without what can be left out.
var checked = map[string]string{
	"external, small": profiles["external"],
	"external, large": `{"stage":"test","profile":"external","database_secret":"test/database","cache_secret":"test/cache","region":"us-east-1","edge":true}`,
	"managed, small":  `{"stage":"test","profile":"managed","database_ca":"rds.pem","cache":false,"nat":"gateway","deployment":"all-at-once"}`,
	"managed, large":  profiles["managed"],
}

// TestTemplates checks templates by AWS's specification of its resources and by the rules of cdk-nag ("AWS Solutions"). It takes a
// minute and needs Node.js with the packages of infra/servicespec, so it runs where TEMPLATES is set.
func TestTemplates(t *testing.T) {
	if os.Getenv("TEMPLATES") == "" {
		t.Skip("make templates runs this")
	}
	used := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(checked)) {
		w, err := synthesize(checked[name], func(app awscdk.App) {
			awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(true)}), nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			checkBySpecification(t, w)
			checkByNag(t, w, used)
		})
	}
	for rule := range exceptions {
		if !used[rule] {
			t.Errorf("no template needs the exception to %s any more", rule)
		}
	}
}

func checkBySpecification(t *testing.T, w *written) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"servicespec/check.mjs"}
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if strings.HasSuffix(name, ".template.json") {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, w.files[name], 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, path)
		}
	}
	out, err := exec.CommandContext(t.Context(), "node", args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " values checked, 0 faults") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// checkByNag reads the reports of cdk-nag: a line for each rule and resource.
func checkByNag(t *testing.T, w *written, used map[string]bool) {
	t.Helper()
	lines := 0
	for name, file := range w.files {
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		report, err := csv.NewReader(strings.NewReader(string(file))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range report[1:] { // rule, resource, compliance, reason, level, what the rule asks for
			lines++
			switch rule, resource := line[0], line[1]; {
			case line[2] == "Compliant" || line[2] == "N/A":
			case !excepted(rule, resource):
				t.Errorf("%s: %s is %s: %s", rule, resource, line[2], line[5])
			default:
				used[ruleOf(rule)] = true
			}
		}
	}
	if lines == 0 {
		t.Error("cdk-nag has checked nothing")
	}
	t.Logf("%d lines of cdk-nag", lines)
}

// ruleOf is a rule without what it found: "AwsSolutions-IAM5[Action::s3:*]" is the rule AwsSolutions-IAM5.
func ruleOf(finding string) string {
	rule, _, _ := strings.Cut(finding, "[")
	return rule
}

func excepted(finding, resource string) bool {
	e, ok := exceptions[ruleOf(finding)]
	return ok && (len(e.resources) == 0 || slices.ContainsFunc(e.resources, func(r string) bool { return strings.Contains(resource, r) }))
}
