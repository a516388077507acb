package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/translog"
)

// resources are what the functions work with.
type resources struct {
	*plan
	keys    *keys
	queues  *queues
	storage *bucketStack
	network *network
	data    *data
}

// networkOf is the network that a function runs in; nil is outside of any VPC.
func (r *resources) networkOf(s spec) *network {
	if s.grants.withoutDatabase {
		return nil
	}
	return r.network
}

// configure returns the environment of a function and its permissions. Both are made together, so that they agree: a
// function has a permission for each service that its environment names, and for no other.
func (r *resources) configure(stack awscdk.Stack, s spec) (environment, []statement) {
	c := &configuration{resources: r, stack: stack, env: environment{}}
	c.set("LOG_LEVEL", "INFO")
	c.set("STAGE", r.Stage)
	if !s.grants.withoutDatabase {
		c.database(s)
		c.set("PUBLIC_BASE_URL", r.PublicBaseURL)
	}
	if s.Kind == catalog.HTTP {
		c.set("TOKEN_PUBLIC_KEYS", r.keys.public)
		c.set("CORS_ORIGINS", strings.Join(r.CORSOrigins, ","))
		if r.Edge {
			c.secret("EDGE_KEY", r.keys.edge)
		}
	}
	c.queueAccess(s)
	c.bucket(s.grants.bucket)
	if s.Kind == catalog.Queue {
		own := r.queues.live[s.queue.Name]
		c.env["QUEUE_URL"] = own.QueueUrl()
		c.allow("Consume", []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}, own.QueueArn())
	}
	c.special(s.grants)
	return c.env, c.finish()
}

// configuration collects the environment and the permissions of one function.
type configuration struct {
	*resources
	stack   awscdk.Stack
	env     environment
	policy  []statement
	secrets []*string // that it may read
	dataKey bool      // reads or writes what is encrypted under the data key
}

// special adds what single functions have.
func (c *configuration) special(g grants) {
	if g.sealKeys {
		c.sealKeys()
	}
	if g.signingKey {
		c.secret("TOKEN_SIGNING_KEY", c.keys.signing[0])
		c.set("WEB_BASE_URL", c.WebBaseURL)
	}
	if g.setupToken {
		c.secret("ADMIN_SETUP_TOKEN", c.keys.setup)
	}
	if g.google {
		c.set("GOOGLE_CLIENT_IDS", strings.Join(c.GoogleClientIDs, ","))
	}
	if g.ledger {
		c.ledger(g.ledgerKey)
	}
	c.log(g)
	if g.models {
		c.models()
	}
	if g.mail {
		c.mail()
	}
	if g.geocoder {
		c.set("NOMINATIM_URL", c.NominatimURL)
	}
	if g.baseMap {
		c.set("BASE_MAP_URL", c.BaseMap)
		c.set("BASE_MAP_ATTRIBUTION", c.BaseMapAttribution)
		c.set("BASE_MAP_SOURCES", strings.Join(c.BaseMapSources, ","))
	}
}

// set configures a variable. An empty value leaves the default of the function.
func (c *configuration) set(name, value string) {
	if value != "" {
		c.env[name] = jsii.String(value)
	}
}

func (c *configuration) allow(sid string, actions []string, resources ...*string) {
	c.policy = append(c.policy, statement{sid, actions, resources, nil})
}

// secret has the variable read from Secrets Manager when the function starts.
func (c *configuration) secret(variable string, s secret) {
	c.env[variable+"_SECRET_ARN"] = s.arn
	c.secrets = append(c.secrets, s.grant)
}

// wakeTime is how long connecting to a database may take that has to wake up: 15 s is usual for Aurora.
const wakeTime = 25 * time.Second

// database lets the function reach the database and the cache. A function of a deploy works as the owner of the schema. Others
// work as appRole: with a login of their own in the managed profile, and with that of database_secret in the external one.
func (c *configuration) database(s spec) {
	c.set("DATABASE_EXEC_MODE", c.DatabaseMode)
	if pause := c.relayPause(); pause > 0 { // the database may be asleep
		c.set("DATABASE_CONNECT_TIMEOUT", wakeTime.String())
		if s.Name == "relay" {
			c.set("RELAY_PAUSE", pause.String())
		}
	}
	if s.Kind == catalog.Deploy || !c.managed() {
		maps.Copy(c.env, c.data.database)
		c.secrets = append(c.secrets, grantsOfSecrets(c.data.databaseSecrets)...)
	}
	if s.Kind == catalog.Deploy {
		c.makesLogins()
		return
	}
	switch {
	case c.managed():
		env, right := c.data.signIn(c.stack, s)
		maps.Copy(c.env, env)
		c.policy = append(c.policy, right)
	case c.MigrationSecret == "": // else migrate gives role and limit to the login
		c.set("DATABASE_ROLE", c.DatabaseRole)
		c.set("DATABASE_STATEMENT_TIMEOUT", c.DatabaseStatementTimeout)
	}
	c.secret("LIMITS_KEY", c.keys.limits)
	maps.Copy(c.env, c.data.cache)
	c.secrets = append(c.secrets, grantsOfSecrets(c.data.cacheSecrets)...)
}

// grantsOfSecrets are the resources of a policy about secrets.
func grantsOfSecrets(all []secret) []*string {
	out := make([]*string, len(all))
	for i, s := range all {
		out[i] = s.grant
	}
	return out
}

// makesLogins tells migrate what the logins of functions are.
func (c *configuration) makesLogins() {
	if !c.managed() && c.MigrationSecret == "" {
		return
	}
	c.set("DATABASE_STATEMENT_TIMEOUT", c.DatabaseStatementTimeout)
	if !c.managed() {
		c.secret("DATABASE_OWNER_URL", named(c.stack, c.MigrationSecret))
		return
	}
	var logins []string
	for _, other := range c.specs {
		if other.Kind != catalog.Deploy && !other.grants.withoutDatabase {
			logins = append(logins, loginOf(other))
		}
	}
	c.set("DATABASE_LOGINS", strings.Join(logins, ","))
}

// queueAccess adds the addresses of two kinds of queues: those that the function may send to, and those whose length it may
// only read. A worker may also send to its own dead letters: it sends messages there that no later delivery can handle.
func (c *configuration) queueAccess(s spec) {
	known := make(map[catalog.QueueName]awssqs.Queue)
	var sendable, watched []*string
	for _, name := range s.grants.sends {
		known[name] = c.queues.live[name]
	}
	if s.Kind == catalog.Queue {
		known[s.queue.Name.Dead()] = c.queues.dead[s.queue.Name]
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		sendable = append(sendable, known[name].QueueArn())
	}
	if len(sendable) > 0 {
		c.allow("Send", []string{"sqs:SendMessage"}, sendable...)
	}
	if s.grants.watchQueues {
		for _, name := range catalog.QueueNames() {
			known[name] = c.queues.live[name]
			watched = append(watched, c.queues.live[name].QueueArn())
		}
		c.allow("Watch", []string{"sqs:GetQueueAttributes"}, watched...)
	}
	var urls []string
	for _, name := range slices.Sorted(maps.Keys(known)) {
		urls = append(urls, string(name)+"="+*known[name].QueueUrl())
	}
	c.set("QUEUE_URLS", strings.Join(urls, ","))
}

// bucket lets the function work with some prefixes of the bucket.
func (c *configuration) bucket(access []bucketAccess) {
	if len(access) == 0 {
		return
	}
	c.env["MEDIA_BUCKET"] = c.storage.bucket.BucketName()
	c.dataKey = true
	for _, a := range access {
		sid := "Media" + strings.ToUpper(a.prefix[:1]) + strings.ReplaceAll(a.prefix[1:], "/", "")
		objects := slices.DeleteFunc(slices.Clone(a.actions), func(action string) bool { return strings.HasPrefix(action, "s3:ListBucket") })
		c.allow(sid, objects, c.storage.bucket.ArnForObjects(jsii.String(a.prefix+"*")))
		if lists := slices.DeleteFunc(slices.Clone(a.actions), func(action string) bool { return !strings.HasPrefix(action, "s3:ListBucket") }); len(lists) > 0 {
			c.policy = append(c.policy, statement{sid + "List", lists, []*string{c.storage.bucket.BucketArn()},
				// S3 asks for this permission without a prefix when a single object is missing.
				map[string]any{"StringLikeIfExists": map[string]any{"s3:prefix": a.prefix + "*"}}})
		}
	}
}

func (c *configuration) sealKeys() {
	references := make([]string, len(c.keys.seal))
	for i, s := range c.keys.seal {
		variable := fmt.Sprintf("SEAL_KEY_%d", i+1)
		c.secret(variable, s)
		references[i] = "${" + variable + "}"
	}
	c.set("SEAL_KEYS", strings.Join(references, ","))
}

// ledger adds the network, the topic and the mirror node of the ledger. A signer may also sign with the ledger key.
func (c *configuration) ledger(signer bool) {
	c.set("HEDERA_NETWORK", c.HederaNetwork)
	c.set("HEDERA_ACCOUNT_ID", c.HederaAccount)
	c.set("HEDERA_TOPIC_REPORTS", c.HederaTopicReports)
	mirror := c.HederaMirror
	if mirror == "" && c.HederaNetwork != "local" {
		mirror = mirrors[c.HederaNetwork]
	}
	c.set("HEDERA_MIRROR_URL", mirror)
	if !signer {
		return
	}
	nodes := c.HederaNodes
	if len(nodes) == 0 {
		nodes = consensusNodes[c.HederaNetwork]
	}
	var pairs []string
	for address, account := range nodes {
		pairs = append(pairs, address+"="+account)
	}
	slices.Sort(pairs)
	c.set("HEDERA_NODES", strings.Join(pairs, ","))
	c.env["AWS_KMS_KEY_ID"] = c.keys.ledger.KeyArn()
	c.allow("SignLedgerMessages", []string{"kms:Sign", "kms:GetPublicKey"}, c.keys.ledger.KeyArn())
}

// log adds the public log: its name, the key of receipts, its files, and the key of its checkpoints.
func (c *configuration) log(g grants) {
	if g.receipts || g.logFiles != noLog {
		c.set("LOG_ORIGIN", c.LogOrigin)
	}
	if g.receipts {
		c.secret("RECEIPTS_KEY", c.keys.receipts)
	}
	if g.logFiles != noLog {
		c.logFiles(g.logFiles)
	}
	if g.logKey {
		c.env["LOG_KMS_KEY_ID"] = c.keys.log.KeyArn()
		c.allow("SignCheckpoints", []string{"kms:Sign", "kms:GetPublicKey"}, c.keys.log.KeyArn())
	}
}

func (c *configuration) logFiles(access logAccess) {
	c.env["LOG_BUCKET"] = c.storage.log.BucketName()
	c.dataKey = true
	c.set("LOG_WITNESSES", strings.Join(c.Witnesses, ","))
	checkpoint, tiles := c.storage.log.ArnForObjects(jsii.String(translog.CheckpointKey)), c.storage.log.ArnForObjects(jsii.String(tilePrefix+"*"))
	files := []string{"s3:GetObject"}
	if access == writeLog {
		files = append(files, "s3:PutObject")
		c.allow("LogClear", []string{"s3:DeleteObject"}, tiles)
		if mode := storage.LockMode(c.LogLockMode); mode != storage.LockNone {
			c.set("LOG_LOCK_MODE", c.LogLockMode)
			c.set("LOG_LOCK_DAYS", strconv.Itoa(int(c.LogLockDays)))
			c.allow("LogLock", []string{"s3:PutObjectRetention"}, tiles)
		}
	}
	c.allow("LogFiles", files, checkpoint, tiles)
	// S3 asks for this permission without a prefix when a single object is missing.
	c.policy = append(c.policy, statement{"LogList", []string{"s3:ListBucket"}, []*string{c.storage.log.BucketArn()},
		map[string]any{"StringLikeIfExists": map[string]any{"s3:prefix": tilePrefix + "*"}}})
}

// tilePrefix begins the keys of all files of the log but the checkpoint.
const tilePrefix = "tile/"

// mail lets the function send mail and push, as far as the operator has set them up.
func (c *configuration) mail() {
	c.set("MAIL_FROM", c.MailFrom)
	c.set("MAIL_REPLY_TO", c.MailReplyTo)
	if c.MailSecret != "" {
		c.secret("SMTP_URL", named(c.stack, c.MailSecret))
	}
	if c.PushSecret != "" {
		c.secret("FCM_SERVICE_ACCOUNT", named(c.stack, c.PushSecret))
	}
}

// finish adds the permissions that follow from the others, and returns all of them.
func (c *configuration) finish() []statement {
	if len(c.secrets) > 0 {
		var unique []*string
		for _, s := range c.secrets {
			if !slices.ContainsFunc(unique, func(u *string) bool { return *u == *s }) {
				unique = append(unique, s)
			}
		}
		c.allow("ReadSecrets", []string{"secretsmanager:GetSecretValue"}, unique...)
		c.dataKey = true
	}
	if c.dataKey && c.keys.data != nil {
		c.allow("UseDataKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}, c.keys.data.KeyArn())
	}
	return c.policy
}

// mirrors and consensusNodes are the public nodes of Hedera's networks, from its documentation ("Mirror nodes", "Testnet
// nodes", "Mainnet consensus nodes").
var (
	mirrors = map[string]string{
		"mainnet": "https://mainnet.mirrornode.hedera.com", "testnet": "https://testnet.mirrornode.hedera.com",
		"previewnet": "https://previewnet.mirrornode.hedera.com",
	}
	consensusNodes = map[string]map[string]string{
		"mainnet": {"35.237.200.180:50211": "0.0.3", "35.186.191.247:50211": "0.0.4", "35.192.2.25:50211": "0.0.5"},
		"testnet": {"0.testnet.hedera.com:50211": "0.0.3", "1.testnet.hedera.com:50211": "0.0.4",
			"2.testnet.hedera.com:50211": "0.0.5", "3.testnet.hedera.com:50211": "0.0.6"},
		"previewnet": {"0.previewnet.hedera.com:50211": "0.0.3", "1.previewnet.hedera.com:50211": "0.0.4"},
	}
)
