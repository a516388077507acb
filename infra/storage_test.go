package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/storage"
)

func TestBucketIsPrivate(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		buckets := w.OfType("AWS::S3::Bucket")
		if len(buckets) != 2 {
			t.Fatalf("%d buckets", len(buckets))
		}
		for _, b := range buckets {
			block, _ := b.Properties["PublicAccessBlockConfiguration"].(map[string]any)
			for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
				if block[name] != true {
					t.Errorf("%s: %s: %v", b.ID, name, block[name])
				}
			}
		}
		b, _ := bucketOf(w, "media")
		policy := string(w.files[b.Stack+".template.json"])
		if strings.Count(policy, `"aws:SecureTransport": "false"`) != 2 || strings.Count(policy, `"s3:TlsVersion"`) != 2 {
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

// Stored data is encrypted and is sent by TLS alone.
func TestStoredDataIsEncrypted(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, b := range w.OfType("AWS::S3::Bucket") {
			if b.Properties["BucketEncryption"] == nil {
				t.Errorf("%s does not encrypt pictures", b.ID)
			}
		}
		media, _ := bucketOf(w, "media")
		if versions, _ := media.Properties["VersioningConfiguration"].(map[string]any); versions["Status"] != "Enabled" {
			t.Error("an overwritten picture is lost")
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
		if c.Properties["StorageEncrypted"] != true || c.Properties["KmsKeyId"] == nil || c.Properties["BackupRetentionPeriod"] != float64(backupDays) {
			t.Errorf("database: %v", c.Properties)
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

// Files of riders are deleted soon, and nobody is told of them: the function images would take them for pictures.
func TestFilesOfRidersExpireAndAreNotAnnounced(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		b, _ := bucketOf(w, "media")
		lifecycle, _ := b.Properties["LifecycleConfiguration"].(map[string]any)
		rules, _ := lifecycle["Rules"].([]any)
		notified, _ := json.Marshal(b.Properties["NotificationConfiguration"])
		for _, prefix := range []string{storage.Imports, storage.Routes} {
			found := false
			for _, rule := range rules {
				r, _ := rule.(map[string]any)
				kept, _ := r["NoncurrentVersionExpiration"].(map[string]any)
				found = found || r["Prefix"] == prefix && r["Status"] == "Enabled" && r["ExpirationInDays"] == 1.0 && kept["NoncurrentDays"] == 1.0
			}
			if !found {
				t.Errorf("no rule deletes what is under %s after a day: %v", prefix, rules)
			}
			if strings.HasPrefix(prefix, catalog.OriginalsPrefix) || strings.Contains(string(notified), prefix) {
				t.Errorf("objects under %s are announced: %s", prefix, notified)
			}
		}
	})
}

// A page of an allowed origin may send pictures and files of journeys straight to S3.
func TestBrowsersMaySendFilesToTheBucket(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		b, _ := bucketOf(w, "media")
		cors, _ := b.Properties["CorsConfiguration"].(map[string]any)
		rules, _ := cors["CorsRules"].([]any)
		rule, _ := first(rules).(map[string]any)
		raw, _ := json.Marshal(rule)
		if origins, _ := json.Marshal(w.settings.CORSOrigins); !strings.Contains(string(raw), `"AllowedOrigins":`+string(origins)) ||
			!strings.Contains(string(raw), `"PUT"`) || !strings.Contains(string(raw), `"AllowedHeaders":["*"]`) {
			t.Errorf("browsers may do %s", raw)
		}
	})
}

// bucketOf finds a bucket by the beginning of its id.
func bucketOf(w *written, id string) (assembly.Named, bool) {
	for _, b := range w.OfType("AWS::S3::Bucket") {
		if strings.HasPrefix(b.ID, id) {
			return b, true
		}
	}
	return assembly.Named{}, false
}

// The bucket of the log locks only what is locked by the PUT: full files. Partial files have to go.
func TestLogBucket(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		b, ok := bucketOf(w, "log")
		if !ok {
			t.Fatal("the public log has no bucket")
		}
		locked := w.settings.LogLockMode != "none"
		if b.Properties["ObjectLockConfiguration"] != nil || (b.Properties["ObjectLockEnabled"] == true) != locked || (b.Properties["VersioningConfiguration"] != nil) != locked {
			t.Errorf("lock mode %s: %v", w.settings.LogLockMode, b.Properties)
		}
		if locked {
			if raw, _ := json.Marshal(b.Properties["LifecycleConfiguration"]); !strings.Contains(string(raw), `"NoncurrentDays":1`) {
				t.Errorf("partial files and checkpoints stay for ever: %s", raw)
			}
		} else if b.Properties["LifecycleConfiguration"] != nil {
			t.Errorf("files of the log expire: %v", b.Properties["LifecycleConfiguration"])
		}
		if b.Properties["NotificationConfiguration"] != nil || b.Properties["CorsConfiguration"] != nil {
			t.Errorf("somebody hears of files of the log, or browsers write them: %v", b.Properties)
		}
		for _, f := range w.Functions() {
			want := strings.HasSuffix(f.Name, "-anchor") && locked
			if f.Allows("s3:PutObjectRetention", w.Text(b.Stack, map[string]any{"Fn::GetAtt": []any{b.ID, "Arn"}})+"/tile/0/000") != want || (f.Env["LOG_LOCK_MODE"] != "") != want {
				t.Errorf("%s may lock files: want %v, mode %q", f.Name, want, f.Env["LOG_LOCK_MODE"])
			}
		}
	})
}

// A former generation of a key stays exported while it is listed: else CloudFormation refuses to remove it from a stack that is
// deployed before those that use it.
func TestKeysOfTheLogChangeInTwoDeploys(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	w := all["managed"]
	outputs := string(w.files[w.settings.name("keys")+".template.json"])
	for _, key := range []string{"log2", "log1", "receipts2", "receipts1"} {
		if !strings.Contains(outputs, `"ExportsOutput`) || !strings.Contains(outputs, key) {
			t.Errorf("%s is not there", key)
		}
		found := false
		for line := range strings.Lines(outputs) {
			found = found || strings.Contains(line, `"ExportsOutput`) && strings.Contains(line, key)
		}
		if !found {
			t.Errorf("%s is not exported", key)
		}
	}
	for _, f := range w.Functions() {
		if arn := f.Env["RECEIPTS_KEY_SECRET_ARN"]; arn != "" && !strings.Contains(arn, "receipts2") && !strings.Contains(arn, "receipts-2") {
			t.Errorf("%s signs with %s, want the first generation", f.Name, arn)
		}
	}
}

func TestKeysSignAndSecretsHaveNoValue(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		specs := map[any]int{}
		for _, k := range w.OfType("AWS::KMS::Key") {
			if spec := k.Properties["KeySpec"]; spec == "ECC_SECG_P256K1" || spec == "ECC_NIST_EDWARDS25519" {
				specs[spec]++
				if k.Properties["KeyUsage"] != "SIGN_VERIFY" || k.Properties["EnableKeyRotation"] != nil {
					t.Errorf("signing key: %v", k.Properties)
				}
			} else if k.Properties["EnableKeyRotation"] != true {
				t.Errorf("%s is not rotated", k.ID)
			}
		}
		if specs["ECC_SECG_P256K1"] != 1 || specs["ECC_NIST_EDWARDS25519"] != len(w.settings.LogKeys) {
			t.Errorf("keys of the ledger and of the log: %v", specs)
		}
		for _, s := range w.OfType("AWS::SecretsManager::Secret") {
			if strings.Contains(w.Text(s.Stack, s.Properties["Name"]), "database") {
				continue // CloudFormation makes its value
			}
			if s.Properties["SecretString"] != nil {
				t.Errorf("%s has its value in the template", s.ID)
			}
		}
	})
}
