package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/translog"
)

// settings are what an operator chooses: the member "lafaekstreet" of the context, in cdk.json or by -c. They contain no
// secrets.
type settings struct {
	// Stage names the deployment. The name of every resource begins with it.
	Stage string `json:"stage"`
	// Profile is "managed" (database and cache in this account) or "external" (by URL).
	Profile string `json:"profile"`
	Account string `json:"account"` // empty: the account of the caller's credentials
	Region  string `json:"region"`  // empty: the region of the caller's credentials
	// Revision is any word. Another word makes every function anew, so that it reads its secrets again.
	Revision string `json:"revision"`
	// Protect keeps data and keys when their stacks are deleted, and refuses to delete these stacks and the database. It is switched
	// on after the first deploy that succeeds: CloudFormation could not undo a first deploy that fails. Without it a stage can be
	// removed: its keys wait 30 days for their deletion, and nothing else is left.
	Protect bool `json:"protect"`

	// Domain is a domain name for the API; empty: the name that API Gateway makes.
	Domain      string `json:"domain"`
	Certificate string `json:"certificate"` // its ARN, in the same region
	HostedZone  string `json:"hosted_zone"` // id in Route 53; empty: the operator makes the record
	// PublicBaseURL is where people reach this backend: links in mails and push messages begin with it. Empty: the domain.
	// Without both, mails have no links.
	PublicBaseURL string `json:"public_base_url"`
	// WebBaseURL is the site of the journey client. The two links that only its mails have begin with it.
	WebBaseURL  string   `json:"web_base_url"`
	CORSOrigins []string `json:"cors_origins"`
	// Edge puts a CloudFront distribution with a firewall in front of the API. EdgeRate is how many requests one address may
	// send in five minutes.
	Edge     bool    `json:"edge"`
	EdgeRate float64 `json:"edge_rate"`

	// Nat is how functions of the managed profile reach the internet: "instance" or "gateway". NatImage is the AMI (arm64) of the
	// instance; empty: the newest Amazon Linux 2023 at the time when the instance is made.
	Nat      string `json:"nat"`
	NatImage string `json:"nat_image"`
	// Zones are the names of two or more availability zones for the managed profile; empty: the first two of the account.
	Zones     []string `json:"zones"`
	AuroraMin float64  `json:"aurora_min_acu"` // 0 pauses it when idle
	// RelayPause is how many minutes relay leaves a database alone in which nothing is open and nothing was written for an hour. Not
	// given: 15 for an Aurora that pauses, otherwise 0, which is no pause.
	RelayPause *float64 `json:"relay_pause_minutes"`
	AuroraMax  float64  `json:"aurora_max_acu"`
	Cache      bool     `json:"cache"` // managed: a Valkey; external: the secret below
	// KeepDataKey keeps, in the external profile, the key of a stage that was managed before: what it stored is encrypted under
	// this key. The managed profile always has it.
	KeepDataKey bool `json:"keep_data_key"`
	// DatabaseSecret and CacheSecret name the secrets with the URLs, in the external profile.
	DatabaseSecret string `json:"database_secret"`
	CacheSecret    string `json:"cache_secret"`
	// MigrationSecret names the secret with the URL for migrations: the owner's login, at an address without a pooler. The login in
	// DatabaseSecret is then one that owns nothing. Empty: functions sign in as the owner.
	MigrationSecret string `json:"migration_secret"`
	DatabaseMode    string `json:"database_exec_mode"` // see shared/database; "exec" behind a pooler
	// DatabaseRole is the role of a transaction of a function that signs in as the owner; empty: none, it works as the owner.
	DatabaseRole string `json:"database_role"`
	// DatabaseStatementTimeout bounds one statement of a function, such as "20s".
	DatabaseStatementTimeout string `json:"database_statement_timeout"`
	// DatabaseCA is a file of certificates (PEM) by which functions verify the database, relative to the top of the
	// repository. It is deployed with each function, as caPath.
	DatabaseCA string `json:"database_ca"`

	// LogOrigin is the name of the public log. It never changes: every receipt and checkpoint names it.
	LogOrigin string `json:"log_origin"` // empty: lafaekstreet-{stage}/log
	// LogLockMode says who may delete full files of the public log before LogLockDays: "none" is whoever may delete objects,
	// "governance" whoever has a right of its own for it, "compliance" nobody. The bucket gets Object Lock when it is made.
	LogLockMode string   `json:"log_lock_mode"`
	LogLockDays float64  `json:"log_lock_days"`
	Witnesses   []string `json:"witnesses"` // VKEY=URL of those that cosign checkpoints

	HederaNetwork      string            `json:"hedera_network"`
	HederaAccount      string            `json:"hedera_account"` // empty: checkpoints are written to no ledger
	HederaTopicReports string            `json:"hedera_topic_reports"`
	HederaTopicStatus  string            `json:"hedera_topic_status"` // accepted, and not used any more
	HederaNodes        map[string]string `json:"hedera_nodes"`        // host:port → 0.0.N; empty: the public nodes of the network
	HederaMirror       string            `json:"hedera_mirror"`

	BedrockRegion  string `json:"bedrock_region"`
	AIModel        string `json:"ai_model"`
	EmbeddingModel string `json:"embedding_model"`

	MailFrom        string   `json:"mail_from"`
	MailReplyTo     string   `json:"mail_reply_to"` // where answers of readers go; empty: From, which nobody reads
	MailSecret      string   `json:"mail_secret"`   // name of the secret with SMTP_URL; empty: mails and push messages wait
	PushSecret      string   `json:"push_secret"`   // name of the secret with the service account of FCM; empty: no push
	GoogleClientIDs []string `json:"google_client_ids"`
	NominatimURL    string   `json:"nominatim_url"`
	// BaseMap is a map with roads below ours: a style of MapLibre (JSON) or a PMTiles archive; empty for none.
	BaseMap            string   `json:"base_map"`
	BaseMapAttribution string   `json:"base_map_attribution"` // names its makers
	BaseMapSources     []string `json:"base_map_sources"`     // further origins that the style loads from

	// TokenKeys and SealKeys name the generations of keys. The first signs or seals; all are accepted or can open.
	TokenKeys []string `json:"token_keys"`
	SealKeys  []string `json:"seal_keys"`
	// LogKeys and ReceiptsKeys name the generations of the keys that sign checkpoints and receipts. The first signs; the log
	// says since when. The others are kept.
	LogKeys      []string `json:"log_keys"`
	ReceiptsKeys []string `json:"receipts_keys"`

	// Deployment of HTTP functions: "all-at-once", "canary" (10 % for 5 minutes) or "linear" (10 % a minute).
	Deployment    string  `json:"deployment"`
	ThrottleRate  float64 `json:"throttle_rate"`  // requests a second to the whole API
	ThrottleBurst float64 `json:"throttle_burst"` // requests at the same moment
	LogDays       float64 `json:"log_days"`
	Tracing       bool    `json:"tracing"`
	AlarmEmail    string  `json:"alarm_email"`
	BudgetUSD     float64 `json:"budget_usd"` // a month; 0: no budget alarm
	// Memory of single functions in MiB, by name; others have that of the catalogue.
	Memory map[string]float64 `json:"memory"`
}

func defaults() settings {
	return settings{
		Stage: "production", Profile: "external", Nat: "instance", AuroraMax: 4, Cache: true,
		DatabaseMode: "cache_statement", DatabaseRole: appRole, DatabaseStatementTimeout: "20s", CORSOrigins: []string{"*"}, HederaNetwork: "testnet", BedrockRegion: "us-east-1",
		AIModel: "us.amazon.nova-2-lite-v1:0", EmbeddingModel: "amazon.nova-2-multimodal-embeddings-v1:0",
		TokenKeys: []string{"1"}, SealKeys: []string{"1"}, LogKeys: []string{"1"}, ReceiptsKeys: []string{"1"}, Deployment: "canary",
		LogLockMode: string(storage.LockNone), LogLockDays: 3650,
		EdgeRate: 3000, ThrottleRate: 200, ThrottleBurst: 400, LogDays: 30, Tracing: true,
	}
}

// logDays are the numbers of days that CloudWatch Logs can keep a log.
var logDays = []float64{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731}

var (
	stageForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	entityForm = regexp.MustCompile(`^0\.0\.[1-9][0-9]*$`)
	zoneForm   = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9][a-z]$`)
	imageForm  = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	wordForm   = regexp.MustCompile(`^[A-Za-z0-9._:-]{0,60}$`)
	// arnEnding is what Secrets Manager adds to a name. A name that ends so itself is not found without that ending.
	arnEnding = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
	keyForm   = regexp.MustCompile(`^[A-Za-z0-9-]{1,20}$`)
	roleForm  = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)
	// originForm is that of a host name with a path, as c2sp.org/tlog-checkpoint advises.
	originForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9._-]*)+$`)
)

// readSettings reads and checks a JSON object. The error lists every fault.
func readSettings(raw []byte) (settings, error) {
	s := defaults()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("context \"lafaekstreet\": %w", err)
	}
	if s.PublicBaseURL == "" && s.Domain != "" {
		s.PublicBaseURL = "https://" + s.Domain
	}
	if s.LogOrigin == "" {
		s.LogOrigin = "lafaekstreet-" + s.Stage + "/log"
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("context \"lafaekstreet\":\n%w", err)
	}
	return s, nil
}

func (s settings) managed() bool { return s.Profile == "managed" }

// relayPause is how long relay leaves an idle database alone; 0 where the database does not sleep.
func (s settings) relayPause() time.Duration {
	switch {
	case s.RelayPause != nil:
		return time.Duration(*s.RelayPause) * time.Minute
	case s.managed() && s.AuroraMin == 0:
		return 15 * time.Minute
	}
	return 0
}

// removal is what becomes of data and keys when their stack is deleted. With Protect they stay, but for what a first creation that
// fails has made: the next try could not make anything with the same name.
func (s settings) removal() awscdk.RemovalPolicy {
	if s.Protect {
		return awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	}
	return awscdk.RemovalPolicy_DESTROY
}

// name is the full name of a resource of this deployment.
func (s settings) name(part string) string { return "lafaekstreet-" + s.Stage + "-" + part }

// check returns every fault of the settings, sorted by the name of the setting.
func (s settings) check() error {
	var f settingFaults
	f.check(!stageForm.MatchString(s.Stage), "stage: %q must be lower-case letters, digits and hyphens, at most 20", s.Stage)
	f.check(!wordForm.MatchString(s.Revision), "revision: %q must be letters, digits, dots, colons and hyphens, at most 60", s.Revision)
	f.oneOf("profile", s.Profile, "managed", "external")
	f.oneOf("nat", s.Nat, "instance", "gateway")
	f.oneOf("deployment", s.Deployment, "all-at-once", "canary", "linear")
	s.checkNetwork(&f)
	s.checkDatabase(&f)
	s.checkAddresses(&f)
	s.checkLog(&f)
	s.checkLedger(&f)
	s.checkKeys(&f)
	s.checkModels(&f)
	s.checkOperation(&f)
	slices.SortFunc(f, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(f...)
}

// settingFaults collects the faults of settings.
type settingFaults []error

// check adds a fault if bad is true.
func (f *settingFaults) check(bad bool, format string, args ...any) {
	if bad {
		*f = append(*f, fmt.Errorf("  "+format, args...))
	}
}

func (f *settingFaults) oneOf(name, value string, allowed ...string) {
	f.check(!slices.Contains(allowed, value), "%s: %q is not one of %s", name, value, strings.Join(allowed, ", "))
}

// checkNetwork checks what the managed profile runs in.
func (s settings) checkNetwork(f *settingFaults) {
	f.check(s.NatImage != "" && !imageForm.MatchString(s.NatImage), "nat_image: %q is not the id of an image, as ami-0123456789abcdef0", s.NatImage)
	f.check(len(s.Zones) == 1, "zones: the database needs at least two")
	for i, z := range s.Zones {
		f.check(!zoneForm.MatchString(z) || slices.Contains(s.Zones[:i], z), "zones: %q is malformed or repeated; a zone has a name such as us-east-1a", z)
		f.check(s.Region != "" && !strings.HasPrefix(z, s.Region), "zones: %q is not in %s", z, s.Region)
	}
}

func (s settings) checkDatabase(f *settingFaults) {
	f.oneOf("database_exec_mode", s.DatabaseMode, "cache_statement", "cache_describe", "exec", "simple_protocol")
	limit, err := time.ParseDuration(s.DatabaseStatementTimeout)
	f.check(err != nil || limit < time.Second || limit > 15*time.Minute, "database_statement_timeout: %q is not 1s to 15m", s.DatabaseStatementTimeout)
	f.check(s.DatabaseRole != "" && !roleForm.MatchString(s.DatabaseRole), "database_role: %q is no name of a role", s.DatabaseRole)
	f.check(s.managed() && s.MigrationSecret != "", "migration_secret: the managed profile makes its logins itself")
	f.check(s.MigrationSecret != "" && s.MigrationSecret == s.DatabaseSecret, "migration_secret: it names the owner's login, database_secret another one")
	f.check(!s.managed() && s.DatabaseSecret == "", "database_secret: the external profile needs the name of the secret that holds DATABASE_URL")
	f.check(s.managed() && s.DatabaseCA == "", "database_ca: the certificate of Aurora is signed by Amazon's own roots, which no system trusts by itself: "+
		"curl -O https://truststore.pki.rds.amazonaws.com/us-east-1/us-east-1-bundle.pem (of your region) and name the file")
	f.check(s.RelayPause != nil && !slices.Contains([]float64{0, 10, 15, 20, 30, 60}, *s.RelayPause), "relay_pause_minutes: it must be 0, 10, 15, 20, 30 or 60")
	f.check(s.AuroraMin < 0 || s.AuroraMax < 1 || s.AuroraMax > 256 || s.AuroraMin > s.AuroraMax || !half(s.AuroraMin) || !half(s.AuroraMax),
		"aurora_min_acu, aurora_max_acu: %v to %v is not a range within 0 to 256 in steps of 0.5", s.AuroraMin, s.AuroraMax)
}

// checkAddresses checks the domain, the distribution and all URLs.
func (s settings) checkAddresses(f *settingFaults) {
	f.check(s.Domain != "" && s.Certificate == "", "certificate: a domain needs the ARN of its certificate")
	f.check(s.Edge && s.Region != "us-east-1", "edge: AWS makes its firewall in us-east-1 only; set region to us-east-1")
	f.check(s.Edge && s.EdgeRate < 10, "edge_rate: at least 10 requests in five minutes")
	f.check(s.HostedZone != "" && s.Domain == "", "hosted_zone: it is of no use without a domain")
	for _, value := range append([]string{s.BaseMap}, s.BaseMapSources...) {
		u, err := url.Parse(value)
		f.check(value != "" && (err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(value, " ,;")), "base_map: %q is not an https address", value)
	}
	f.check(s.BaseMap != "" && s.BaseMapAttribution == "", "base_map_attribution: name the makers of the base map")
	for name, value := range map[string]string{"database_secret": s.DatabaseSecret, "migration_secret": s.MigrationSecret, "cache_secret": s.CacheSecret,
		"mail_secret": s.MailSecret, "push_secret": s.PushSecret} {
		f.check(arnEnding.MatchString(value), "%s: %q ends in a hyphen and six characters, as the ending that Secrets Manager adds to a name; give the secret another name", name, value)
	}
	for name, value := range map[string]string{"public_base_url": s.PublicBaseURL, "web_base_url": s.WebBaseURL, "hedera_mirror": s.HederaMirror, "nominatim_url": s.NominatimURL} {
		u, err := url.Parse(value)
		f.check(value != "" && (err != nil || u.Host == "" || strings.HasSuffix(value, "/")), "%s: it must be a URL that does not end in a slash", name)
	}
}

// checkLog checks the public log.
func (s settings) checkLog(f *settingFaults) {
	f.oneOf("log_lock_mode", s.LogLockMode, string(storage.LockNone), string(storage.LockGovernance), string(storage.LockCompliance))
	f.check(s.LogLockDays < 1 || s.LogLockDays > 36500 || s.LogLockDays != float64(int(s.LogLockDays)), "log_lock_days: it must be 1 to 36500 days")
	f.check(len(s.LogOrigin) > 60 || !originForm.MatchString(s.LogOrigin), "log_origin: %q is no name such as log.example.org/log, at most 60 characters", s.LogOrigin)
	for _, w := range s.Witnesses {
		_, err := translog.ParseWitnesses(w)
		f.check(err != nil || !strings.Contains(w, "=") || strings.Contains(w, ","), "witnesses: %q is not VKEY=URL: %v", w, err)
	}
}

func (s settings) checkLedger(f *settingFaults) {
	f.oneOf("hedera_network", s.HederaNetwork, "mainnet", "testnet", "previewnet", "local")
	for name, value := range map[string]string{"hedera_account": s.HederaAccount,
		"hedera_topic_reports": s.HederaTopicReports, "hedera_topic_status": s.HederaTopicStatus} {
		f.check(value != "" && !entityForm.MatchString(value), "%s: %q is not 0.0.N", name, value)
	}
	f.check((s.HederaAccount == "") != (s.HederaTopicReports == ""), "hedera_account, hedera_topic_reports: give both or none")
	f.check(s.HederaNetwork == "local" && len(s.HederaNodes) == 0 && s.HederaAccount != "", "hedera_nodes: a local network has no public nodes; name them")
}

func (s settings) checkKeys(f *settingFaults) {
	// Each HTTP function has the public key of each generation. CloudFormation reads at most 60 such values for a stack.
	f.check(len(s.TokenKeys) > 3, "token_keys: at most three generations at a time")
	for _, keys := range []struct {
		name   string
		values []string
	}{{"token_keys", s.TokenKeys}, {"seal_keys", s.SealKeys}, {"log_keys", s.LogKeys}, {"receipts_keys", s.ReceiptsKeys}} {
		f.check(len(keys.values) == 0, "%s: at least one generation", keys.name)
		for i, k := range keys.values {
			f.check(!keyForm.MatchString(k) || slices.Contains(keys.values[:i], k), "%s: %q is malformed or repeated", keys.name, k)
			f.check(arnEnding.MatchString("-"+k), "%s: %q has six characters after the last hyphen, as the ending that Secrets Manager adds to a name; choose another", keys.name, k)
		}
	}
}

// checkModels checks the names of the models.
func (s settings) checkModels(f *settingFaults) {
	for name, id := range map[string]string{"ai_model": s.AIModel, "embedding_model": s.EmbeddingModel} {
		_, err := parseModel(id)
		f.check(err != nil, "%s: %v", name, err)
	}
}

// checkOperation checks alarms, logs, limits and memory.
func (s settings) checkOperation(f *settingFaults) {
	for name, value := range map[string]string{"alarm_email": s.AlarmEmail, "mail_reply_to": s.MailReplyTo} {
		_, err := mail.ParseAddress(value)
		f.check(value != "" && err != nil, "%s: it is not an address", name)
	}
	f.check(s.MailSecret != "" && s.MailFrom == "", "mail_from: name the sender of mails; mail servers refuse one that is not yours")
	f.check(s.MailSecret != "" && s.PublicBaseURL == "", "public_base_url: mails have links; name the domain, or the output URL of the first deploy")
	f.check(!slices.Contains(logDays, s.LogDays), "log_days: it must be one of %v", logDays)
	f.check(s.ThrottleRate < 1 || s.ThrottleBurst < 1, "throttle_rate, throttle_burst: at least 1")
	f.check(s.BudgetUSD < 0 || s.BudgetUSD > 0 && s.AlarmEmail == "", "budget_usd: needs an alarm_email")
	for name, mib := range s.Memory {
		f.check(mib < 128 || mib > 10240, "memory: %s: it must be 128 to 10240 MiB", name)
	}
}

// half reports whether v is a multiple of 0.5, as the capacities of Aurora are.
func half(v float64) bool { return v*2 == float64(int(v*2)) }
