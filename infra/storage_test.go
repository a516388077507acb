package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

func TestBucketIsPrivate(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		buckets := w.OfType("AWS::S3::Bucket")
		if len(buckets) != 1 {
			t.Fatalf("%d buckets", len(buckets))
		}
		b := buckets[0]
		block, _ := b.Properties["PublicAccessBlockConfiguration"].(map[string]any)
		for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if block[name] != true {
				t.Errorf("%s: %v", name, block[name])
			}
		}
		if b.DeletionPolicy != "Retain" {
			t.Error("the pictures are deleted with the stack")
		}
		policy := string(w.files[b.Stack+".template.json"])
		if !strings.Contains(policy, `"aws:SecureTransport": "false"`) || !strings.Contains(policy, `"s3:TlsVersion"`) {
			t.Error("requests without TLS are not refused")
		}
		notification, _ := b.Properties["NotificationConfiguration"].(map[string]any)
		queues, _ := notification["QueueConfigurations"].([]any)
		config, _ := first(queues).(map[string]any)
		q, ok := w.Find(b.Stack, config["Queue"])
		if !ok || w.Text(q.Stack, q.Properties["QueueName"]) != w.settings.name("images") {
			t.Errorf("new pictures are announced to %v", config["Queue"])
		}
		if raw, _ := json.Marshal(config["Filter"]); !strings.Contains(string(raw), catalog.OriginalsPrefix) {
			t.Errorf("announced: %s; renditions would come back as new pictures", raw)
		}
	})
}

// Stored data is encrypted, is sent by TLS alone, and stays when its stack is deleted.
func TestStoredDataIsEncryptedAndKept(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, b := range w.OfType("AWS::S3::Bucket") {
			if b.Properties["BucketEncryption"] == nil {
				t.Errorf("%s does not encrypt pictures", b.ID)
			}
			versions, _ := b.Properties["VersioningConfiguration"].(map[string]any)
			if versions["Status"] != "Enabled" {
				t.Errorf("%s: an overwritten object is lost", b.ID)
			}
		}
		queues := w.OfType("AWS::SQS::Queue")
		for _, q := range queues {
			if q.Properties["SqsManagedSseEnabled"] != true || q.Properties["MessageRetentionPeriod"] != catalog.Retention.Seconds() {
				t.Errorf("%s: %v", q.ID, q.Properties)
			}
		}
		refusing := 0
		for _, kind := range []string{"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"} {
			for _, p := range w.OfType(kind) {
				if raw, _ := json.Marshal(p.Properties); strings.Contains(string(raw), `"aws:SecureTransport":"false"`) {
					refusing++
				}
			}
		}
		if want := len(queues) + len(w.OfType("AWS::SNS::Topic")); len(queues) == 0 || refusing != want {
			t.Errorf("%d queues and topics refuse requests without TLS, want %d", refusing, want)
		}
		clusters, caches := w.OfType("AWS::RDS::DBCluster"), w.OfType("AWS::ElastiCache::ServerlessCache")
		if !w.settings.managed() {
			if len(clusters)+len(caches) > 0 {
				t.Error("the external profile has a database or cache of its own")
			}
			return
		}
		if len(clusters) != 1 || len(caches) != 1 {
			t.Fatalf("%d clusters, %d caches", len(clusters), len(caches))
		}
		c := clusters[0]
		if c.Properties["StorageEncrypted"] != true || c.Properties["KmsKeyId"] == nil || c.Properties["DeletionProtection"] != true ||
			c.DeletionPolicy != "Snapshot" || c.Properties["BackupRetentionPeriod"] != float64(backupDays) {
			t.Errorf("database: %s, %v", c.DeletionPolicy, c.Properties)
		}
		for _, p := range w.OfType("AWS::RDS::DBClusterParameterGroup") {
			parameters, _ := p.Properties["Parameters"].(map[string]any)
			if parameters["rds.force_ssl"] != "1" {
				t.Errorf("the database accepts connections without TLS: %v", parameters)
			}
		}
		if caches[0].Properties["KmsKeyId"] == nil {
			t.Error("the cache is not encrypted under our key")
		}
		for _, s := range w.OfType("AWS::SecretsManager::Secret") {
			if s.Properties["KmsKeyId"] == nil {
				t.Errorf("%s is not encrypted under our key", s.ID)
			}
		}
		for _, f := range w.Functions() {
			if url := f.Env["DATABASE_URL"]; url != "" && !strings.Contains(url, "sslmode=verify-full") {
				t.Errorf("%s connects by %s", f.Name, url)
			}
			if url := f.Env["CACHE_URL"]; url != "" && !strings.HasPrefix(url, "rediss://") {
				t.Errorf("%s reaches the cache by %s", f.Name, url)
			}
		}
	})
}

func TestLedgerKeyIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		found := false
		for _, k := range w.OfType("AWS::KMS::Key") {
			if k.DeletionPolicy != "Retain" {
				t.Errorf("%s is deleted with its stack", k.ID)
			}
			if k.Properties["KeySpec"] == "ECC_SECG_P256K1" {
				found = true
				if k.Properties["KeyUsage"] != "SIGN_VERIFY" || k.Properties["EnableKeyRotation"] != nil {
					t.Errorf("ledger key: %v", k.Properties)
				}
			} else if k.Properties["EnableKeyRotation"] != true {
				t.Errorf("%s is not rotated", k.ID)
			}
		}
		if !found {
			t.Error("no ledger key")
		}
		for _, s := range w.OfType("AWS::SecretsManager::Secret") {
			if strings.Contains(w.Text(s.Stack, s.Properties["Name"]), "database") {
				continue // is deleted with its database, of which a snapshot stays
			}
			if s.DeletionPolicy != "Retain" || s.Properties["SecretString"] != nil {
				t.Errorf("%s: %s, value in the template: %v", s.ID, s.DeletionPolicy, s.Properties["SecretString"] != nil)
			}
		}
	})
}
