package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// operation is one method of one path of the catalogue.
type operation struct {
	method, path string
	function     catalog.FunctionName
}

func operations() []operation {
	var out []operation
	for _, r := range catalog.Routes() {
		for _, method := range r.Methods {
			out = append(out, operation{method, r.Path, r.Function})
		}
	}
	return out
}

func TestRoutesAreThoseOfTheCatalogue(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		routes, err := w.Routes()
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, r := range routes {
			name := strings.TrimPrefix(w.Text(r.Function.Stack, r.Function.Properties["FunctionName"]), w.settings.name(""))
			if got[r.Key] != "" {
				t.Errorf("%s is there twice", r.Key)
			}
			got[r.Key] = name
		}
		want := map[string]string{"$default": string(catalog.Fallback)}
		for _, o := range operations() {
			for _, path := range gatewayPaths(o.path) {
				want[o.method+" "+path] = string(o.function)
			}
		}
		for key, function := range want {
			if got[key] != function {
				t.Errorf("%s leads to %q, want %q", key, got[key], function)
			}
		}
		for key := range got {
			if _, ok := want[key]; !ok {
				t.Errorf("%s is not in the catalogue", key)
			}
		}
		if n := len(got); n > 300 {
			t.Errorf("%d routes; an HTTP API takes 300", n)
		}
	})
}

func TestRouteThatEndsInASlash(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{"/a": {"/a"}, "/a/": {"/a", "/a/{proxy+}"}, "/": {"/"}, "/{x}": {"/{x}"}} {
		if got := gatewayPaths(path); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	clash := []catalog.Route{{Function: "a", Path: "/x", Methods: []string{"GET"}}, {Function: "b", Path: "/x/", Methods: []string{"GET"}}}
	if _, _, err := routeKeys(clash); err == nil {
		t.Error("one route leads to two functions")
	}
}

func TestEveryQueueHasItsDeadLettersAndItsConsumer(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		live := make(map[string]assembly.Named)
		dead := make(map[string]bool)
		for _, q := range w.OfType("AWS::SQS::Queue") {
			name := strings.TrimPrefix(w.Text(q.Stack, q.Properties["QueueName"]), w.settings.name(""))
			if base, ok := strings.CutSuffix(name, "-dead"); ok {
				dead[base] = true
				continue
			}
			live[name] = q
			redrive, _ := q.Properties["RedrivePolicy"].(map[string]any)
			target, ok := w.Find(q.Stack, redrive["deadLetterTargetArn"])
			if !ok || w.Text(target.Stack, target.Properties["QueueName"]) != w.settings.name(name+"-dead") {
				t.Errorf("%s has no dead letters of its own", name)
			}
			if n, _ := redrive["maxReceiveCount"].(float64); n < 5 {
				t.Errorf("%s gives up after %v deliveries", name, n)
			}
			if q.Properties["SqsManagedSseEnabled"] != true {
				t.Errorf("%s is not encrypted", name)
			}
		}
		for _, name := range catalog.QueueNames() {
			if _, ok := live[string(name)]; !ok || !dead[string(name)] {
				t.Errorf("queue %s or its dead letters are missing", name)
			}
		}
		sources := make(map[string]bool)
		timeouts := make(map[string]int)
		for _, f := range w.Functions() {
			timeouts[f.Key()] = f.Timeout
		}
		for _, s := range w.Sources() {
			name := strings.TrimPrefix(w.Text(s.Queue.Stack, s.Queue.Properties["QueueName"]), w.settings.name(""))
			sources[name] = true
			if f := w.Text(s.Function.Stack, s.Function.Properties["FunctionName"]); f != w.settings.name(name) {
				t.Errorf("%s is consumed by %s", name, f)
			}
			if !s.Partial || s.Concurrency < 2 {
				t.Errorf("%s: partial failures %v, concurrency %d", name, s.Partial, s.Concurrency)
			}
			visibility, _ := s.Queue.Properties["VisibilityTimeout"].(float64)
			if int(visibility) < 6*timeouts[s.Function.Key()] {
				t.Errorf("%s is visible again after %v s; its function may take %d", name, visibility, timeouts[s.Function.Key()])
			}
			waits := name == "anchor" && w.settings.HederaAccount == "" || name == "notify" && w.settings.MailSecret == ""
			if s.Enabled == waits {
				t.Errorf("%s: enabled %v", name, s.Enabled)
			}
		}
		if len(sources) != len(live) {
			t.Errorf("%d queues, %d with a consumer", len(live), len(sources))
		}
	})
}

func TestAlarmsAreThoseOfTheCatalogue(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		got := make(map[string]bool)
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			name := w.Text(a.Stack, a.Properties["AlarmName"])
			actions, _ := a.Properties["AlarmActions"].([]any)
			if topic, ok := w.Find(a.Stack, first(actions)); !ok || topic.Type != "AWS::SNS::Topic" {
				t.Errorf("%s tells nobody", name)
			}
			got[entryOf(t, strings.TrimPrefix(name, a.Stack+"-"))] = true
		}
		for _, a := range catalog.Alarms() {
			absent := a.Signal.Scope == catalog.Database && !w.settings.managed() ||
				a.Signal.Scope == catalog.EachRelease && w.settings.Deployment == "all-at-once"
			if got[a.Name] == absent {
				t.Errorf("%s: made %v", a.Name, got[a.Name])
			}
		}
	})
}

// entryOf is the name that the catalogue gives an alarm, with a placeholder for its queue or function.
func entryOf(t *testing.T, name string) string {
	t.Helper()
	if slices.ContainsFunc(catalog.Alarms(), func(a catalog.Alarm) bool { return a.Name == name }) {
		return name
	}
	for _, a := range catalog.Alarms() {
		for _, f := range catalog.Functions() {
			if a.For(string(f.Name)).Name == name {
				return a.Name
			}
		}
	}
	t.Errorf("%s is no alarm of the catalogue", name)
	return name
}

// TestSilenceOfTheClocksIsHeard: a schedule that is off, a function that never comes to its end, neither counts as an error
// often enough. What they tell at the end of each run has to come.
func TestSilenceOfTheClocksIsHeard(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		heard := make(map[string]bool)
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			metric, _ := a.Properties["MetricName"].(string)
			period, _ := a.Properties["Period"].(float64)
			periods, _ := a.Properties["EvaluationPeriods"].(float64)
			below := a.Properties["ComparisonOperator"] == "LessThanThreshold" && a.Properties["Threshold"] == 1.0
			if below && a.Properties["TreatMissingData"] == "breaching" && a.Properties["Statistic"] == "SampleCount" {
				heard[fmt.Sprintf("%s %v", metric, period*periods/60)] = true
			}
		}
		for _, want := range []string{"outbox_age 15", "export_duration 240"} {
			if !heard[want] {
				t.Errorf("nobody hears that %s minutes are silent: %v", want, heard)
			}
		}
	})
}

// TestAnOutageIsHeardWhenFewAsk: at night a handful of requests come in five minutes, and all of them may fail.
func TestAnOutageIsHeardWhenFewAsk(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			if !strings.HasSuffix(w.Text(a.Stack, a.Properties["AlarmName"]), "-api-errors") {
				continue
			}
			raw, err := json.Marshal(a.Properties["Metrics"])
			if err != nil || !strings.Contains(string(raw), "IF(all \\u003e= 50, 100 * faults / all, IF(faults \\u003e= 5, 100, 0))") {
				t.Errorf("%s, %v", raw, err)
			}
			return
		}
		t.Error("no alarm about errors of the API")
	})
}

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
			t.Error("pictures would go with the stack")
		}
		policy := string(w.files[b.Stack+".template.json"])
		if !strings.Contains(policy, `"aws:SecureTransport": "false"`) || !strings.Contains(policy, `"s3:TlsVersion"`) {
			t.Error("requests in clear are not refused")
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

// TestWhatIsStoredIsEncryptedAndKept: at rest under a key, on the way by TLS, and not lost with a stack.
func TestWhatIsStoredIsEncryptedAndKept(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, b := range w.OfType("AWS::S3::Bucket") {
			if b.Properties["BucketEncryption"] == nil {
				t.Errorf("%s keeps pictures in clear", b.ID)
			}
			versions, _ := b.Properties["VersioningConfiguration"].(map[string]any)
			if versions["Status"] != "Enabled" {
				t.Errorf("%s: what is overwritten is gone", b.ID)
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
			t.Errorf("%d queues and topics refuse requests in clear, want %d", refusing, want)
		}
		clusters, caches := w.OfType("AWS::RDS::DBCluster"), w.OfType("AWS::ElastiCache::ServerlessCache")
		if !w.settings.managed() {
			if len(clusters)+len(caches) > 0 {
				t.Error("the external profile has data of its own")
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
				t.Errorf("the database takes connections in clear: %v", parameters)
			}
		}
		if caches[0].Properties["KmsKeyId"] == nil {
			t.Error("the cache is not under our key")
		}
		for _, s := range w.OfType("AWS::SecretsManager::Secret") {
			if s.Properties["KmsKeyId"] == nil {
				t.Errorf("%s is not under our key", s.ID)
			}
		}
		for _, f := range w.Functions() {
			if url := f.Env["DATABASE_URL"]; url != "" && !strings.Contains(url, "sslmode=verify-full") {
				t.Errorf("%s connects by %s", f.Name, url)
			}
			if url := f.Env["CACHE_URL"]; url != "" && !strings.HasPrefix(url, "rediss://") {
				t.Errorf("%s keeps sessions by %s", f.Name, url)
			}
		}
	})
}

func TestLedgerKeyIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		found := false
		for _, k := range w.OfType("AWS::KMS::Key") {
			if k.DeletionPolicy != "Retain" {
				t.Errorf("%s would go with its stack", k.ID)
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
				continue // goes with its database, of which a snapshot stays
			}
			if s.DeletionPolicy != "Retain" || s.Properties["SecretString"] != nil {
				t.Errorf("%s: %s, value in the template: %v", s.ID, s.DeletionPolicy, s.Properties["SecretString"] != nil)
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

// TestNoTrafficBeforeTheVersionsAreVerified follows what CloudFormation makes
// before what: versions, the question to them, then the aliases traffic comes by.
func TestNoTrafficBeforeTheVersionsAreVerified(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		verified := w.OfType("Custom::Verified")
		if len(verified) != 1 {
			t.Fatalf("%d questions", len(verified))
		}
		asked, _ := verified[0].Properties["Versions"].([]any)
		aliases := w.OfType("AWS::Lambda::Alias")
		if len(aliases) == 0 || len(aliases) != len(asked) {
			t.Errorf("%d aliases, %d versions are asked", len(aliases), len(asked))
		}
		for _, a := range aliases {
			if raw, _ := json.Marshal(a.DependsOn); !strings.Contains(string(raw), `"`+verified[0].ID+`"`) {
				t.Errorf("%s gets its traffic whatever the answer is", a.ID)
			}
			version, _ := a.Properties["FunctionVersion"].(map[string]any)
			named, ok := w.Find(a.Stack, map[string]any{"Ref": first(att(version))})
			if !ok || !slices.ContainsFunc(asked, func(v any) bool { n, _ := w.Find(a.Stack, v); return n.Key() == named.Key() }) {
				t.Errorf("the version of %s is not asked", a.ID)
			}
		}
	})
}

func att(v map[string]any) []any { list, _ := v["Fn::GetAtt"].([]any); return list }

// Dashboards of at most 50 metrics cost nothing, and show only what is measured.
func TestDashboards(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		boards := w.OfType("AWS::CloudWatch::Dashboard")
		if len(boards) == 0 || len(boards) > 3 {
			t.Errorf("%d dashboards", len(boards))
		}
		for _, b := range boards {
			text := w.Text(b.Stack, b.Properties["DashboardBody"])
			var body struct {
				Widgets []struct {
					Type       string
					Properties struct {
						Metrics []any
						Query   string
					}
				}
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				t.Errorf("%s: %v", b.ID, err)
			}
			metrics, starts := 0, 0
			for _, widget := range body.Widgets {
				metrics += len(widget.Properties.Metrics)
				if strings.Contains(widget.Properties.Query, "@initDuration") {
					starts++
				}
			}
			if metrics == 0 || metrics > 50 {
				t.Errorf("%s shows %d metrics", b.ID, metrics)
			}
			if strings.HasPrefix(b.ID, "functions") && starts != 1 {
				t.Errorf("%s does not show cold starts", b.ID)
			}
			if strings.Contains(text, `"InitDuration"`) {
				t.Errorf("%s shows a metric that Lambda does not have", b.ID)
			}
		}
	})
}

// TestCfnLint is optional: it runs where cfn-lint (a program in Python) is installed.
func TestCfnLint(t *testing.T) {
	if _, err := exec.LookPath("cfn-lint"); err != nil {
		t.Log("cfn-lint is not installed: templates are held to CDK's own rules and to these tests alone")
		return
	}
	each(t, func(t *testing.T, w *written) {
		dir := t.TempDir()
		args := []string{
			"-i", "W3005", // CDK states dependencies that follow from references too
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
