package main

import (
	"strings"
	"testing"
)

// Without the setting protect nothing of a stage stays but keys of KMS, which wait for their deletion. A bucket with Object
// Lock stays: it cannot be deleted.
func TestAStageCanBeRemoved(t *testing.T) {
	unprotected := strings.Replace(profiles["managed"], `"stage"`, `"protect":false,"stage"`, 1)
	for name, raw := range map[string]string{"locked": unprotected, "unlocked": strings.Replace(unprotected, `"log_lock_mode":"compliance",`, "", 1)} {
		w, err := synthesize(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range w.OfType("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance") {
			stays := name == "locked" && r.Properties["ObjectLockEnabled"] == true
			if r.DeletionPolicy != map[bool]string{true: "Retain", false: "Delete"}[stays] {
				t.Errorf("%s: %s: %s", name, r.ID, r.DeletionPolicy)
			}
			if r.Properties["DeletionProtection"] == true {
				t.Errorf("%s: %s refuses to be deleted", name, r.ID)
			}
		}
		if strings.Contains(string(w.files["manifest.json"]), `"terminationProtection": true`) {
			t.Errorf("%s: a stack refuses to be deleted", name)
		}
	}
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(all["managed"].files["manifest.json"]), `"terminationProtection": true`); n != 3 {
		t.Errorf("%d stacks are protected by default", n)
	}
}
