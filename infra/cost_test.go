package main

import (
	"testing"

	"github.com/lafaekstreet/backend/infra/cost"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// Each alarm, secret and key costs: deployed.json, which `make cost` reads, has the numbers of the templates.
func TestCostsCountWhatIsDeployed(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	known, err := cost.ReadDeployed()
	if err != nil {
		t.Fatal(err)
	}
	if len(known) != len(all) {
		t.Errorf("deployed.json has %d profiles, want %d", len(known), len(all))
	}
	for profile, w := range all {
		is := cost.Deployed{Alarms: len(w.OfType("AWS::CloudWatch::Alarm")), Dashboards: len(w.OfType("AWS::CloudWatch::Dashboard")),
			Keys: len(w.OfType("AWS::KMS::Key")), Secrets: len(w.OfType("AWS::SecretsManager::Secret")), Queues: len(catalog.Queues())}
		if profile == cost.External {
			is.Alarms += releaseAlarms() // its templates here are "all-at-once", without them
		}
		// The managed templates have two keys of a kind, as for a while after a rotation. One of each is counted.
		is.Keys -= len(w.settings.LogKeys) - 1
		is.Secrets -= len(w.settings.TokenKeys) + len(w.settings.SealKeys) + len(w.settings.ReceiptsKeys) - 3
		if known[profile] != is {
			t.Errorf("infra/cost/deployed.json has %+v for %s, the templates %+v", known[profile], profile, is)
		}
	}
}

// releaseAlarms is how many alarms watch the new versions of the HTTP functions during a gradual deployment.
func releaseAlarms() int {
	each, functions := 0, 0
	for _, a := range catalog.Alarms() {
		if a.Signal.Scope == catalog.EachRelease {
			each++
		}
	}
	for _, f := range catalog.Functions() {
		if f.Kind == catalog.HTTP {
			functions++
		}
	}
	return each * functions
}
