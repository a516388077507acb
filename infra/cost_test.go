package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Decision 0014 counts what the templates have: each alarm, secret and key costs.
func TestCostsCountWhatIsDeployed(t *testing.T) {
	raw, err := os.ReadFile("decisions/0014-cost.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	count := func(profile, kind string) int { return len(all[profile].OfType(kind)) }
	for _, want := range []string{
		fmt.Sprintf("(%d with `\"deployment\": \"all-at-once\"`), managed %d;", count("external", "AWS::CloudWatch::Alarm"), count("managed", "AWS::CloudWatch::Alarm")),
		fmt.Sprintf("%d dashboards", count("external", "AWS::CloudWatch::Dashboard")),
		fmt.Sprintf("%d of the stage, and those that you name", count("external", "AWS::SecretsManager::Secret")),
		fmt.Sprintf("| %d keys;", count("external", "AWS::KMS::Key")),
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the decision does not say %q", want)
		}
	}
}
