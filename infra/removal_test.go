package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// withState are the types of resources that have what another deploy cannot make again. What belongs to a database goes the way of
// the database: without its secret nobody knows the password.
var withState = []string{"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
	"AWS::RDS::DBSubnetGroup", "AWS::RDS::DBClusterParameterGroup"}

// With the setting protect all state stays when its stack is deleted. Without it, as at the first deploy, nothing stays but a bucket
// with Object Lock, which cannot be deleted. What a creation that fails has made is removed in both cases, so that the next try can
// make the same names.
func TestStateStaysWithItsProtection(t *testing.T) {
	protected, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	first, err := unprotected()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		all     map[string]*written
		policy  string
		protect bool
	}{{"protected", protected, "RetainExceptOnCreate", true}, {"first deploy", first, "Delete", false}} {
		for profile, w := range c.all {
			for _, r := range w.OfType(withState...) {
				want := c.policy
				if r.Properties["ObjectLockEnabled"] == true {
					want = "RetainExceptOnCreate"
				}
				if r.DeletionPolicy != want {
					t.Errorf("%s, %s: %s: %s, want %s", c.name, profile, r.ID, r.DeletionPolicy, want)
				}
				if r.Type == "AWS::RDS::DBCluster" && r.Properties["DeletionProtection"] != c.protect {
					t.Errorf("%s, %s: %s: deletion protection %v", c.name, profile, r.ID, r.Properties["DeletionProtection"])
				}
			}
			for stack, stays := range terminationProtected(t, w) {
				part := strings.TrimPrefix(stack, w.settings.name(""))
				if want := c.protect && slices.Contains([]string{"data", "keys", "queues", "storage"}, part); stays != want {
					t.Errorf("%s, %s: %s refuses to be deleted: %v", c.name, profile, part, stays)
				}
			}
		}
	}
}

// terminationProtected tells of each stack whether it refuses to be deleted.
func terminationProtected(t *testing.T, w *written) map[string]bool {
	t.Helper()
	var manifest struct {
		Artifacts map[string]struct {
			Type       string
			Properties struct{ TerminationProtection bool }
		}
	}
	if err := json.Unmarshal(w.files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]bool)
	for name, a := range manifest.Artifacts {
		if a.Type == "aws:cloudformation:stack" {
			out[name] = a.Properties.TerminationProtection
		}
	}
	if len(out) == 0 {
		t.Fatal("the manifest has no stack")
	}
	return out
}

// What stays after a failed creation and has a name of its own stops the next try. CloudFormation deletes a secret at once, without
// the days in which it could be restored.
func TestNoNameStopsTheSecondTry(t *testing.T) {
	for _, all := range []func() (map[string]*written, error){synthesized, unprotected} {
		profiles, err := all()
		if err != nil {
			t.Fatal(err)
		}
		for profile, w := range profiles {
			for stack, template := range w.Templates {
				for id, r := range template.Resources {
					// A version and what is only an entry of CloudFormation have no name of their own.
					if r.Type != "AWS::Lambda::Version" && !strings.HasPrefix(r.Type, "Custom::") && r.DeletionPolicy == "Retain" {
						t.Errorf("%s: %s/%s (%s) stays after a creation that fails", profile, stack, id, r.Type)
					}
				}
			}
		}
	}
}
