package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/queue"
)

// means are the parts functions work with, and so what they may be granted.
type means struct {
	*plan
	keys    *keys
	queues  *queues
	storage *storage
	network *network
	data    *data
}

// of gives a function its configuration and the permissions that go with it. One
// place decides both, so that neither can outgrow the other.
func (m *means) of(stack awscdk.Stack, j job) (environment, []statement) {
	g := &grant{means: m, stack: stack, env: environment{}}
	g.set("LOG_LEVEL", "INFO")
	if j.database() {
		g.database(j)
	}
	if j.of(binary.HTTP) {
		g.set("TOKEN_PUBLIC_KEYS", m.keys.public)
		g.set("CORS_ORIGINS", strings.Join(m.CORSOrigins, ","))
		if m.Edge {
			g.secret("EDGE_KEY", m.keys.edge)
		}
	}
	g.send(j)
	g.bucket(j.media)
	if j.of(binary.Queue) {
		g.allow("Consume", []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, m.queues.live[queue.Name(j.name)].QueueArn())
		g.set("QUEUE_MAX_RECEIVES", fmt.Sprint(receives))
	}
	if j.seal {
		g.seal()
	}
	if j.signing {
		g.secret("TOKEN_SIGNING_KEY", m.keys.signing[0])
		g.set("WEB_BASE_URL", m.WebBaseURL)
	}
	if j.setup {
		g.secret("ADMIN_SETUP_TOKEN", m.keys.setup)
	}
	if j.google {
		g.set("GOOGLE_CLIENT_IDS", strings.Join(m.GoogleClientIDs, ","))
	}
	if j.ledger {
		g.ledger(j.signer)
	}
	if j.ai {
		g.models()
	}
	if j.mail {
		g.mail()
	}
	if j.place {
		g.set("NOMINATIM_URL", m.NominatimURL)
	}
	return g.env, g.finish()
}

// grant collects what one function gets.
type grant struct {
	*means
	stack   awscdk.Stack
	env     environment
	policy  []statement
	secrets []*string
	sealed  bool // works with what the data key encrypts
}

// set configures a variable; an empty value leaves the function's own default.
func (g *grant) set(name, value string) {
	if value != "" {
		g.env[name] = jsii.String(value)
	}
}

func (g *grant) allow(sid string, actions []string, resources ...*string) {
	g.policy = append(g.policy, statement{sid, actions, resources, nil})
}

// secret has the variable read from Secrets Manager when the function starts.
func (g *grant) secret(variable string, s secret) {
	g.env[variable+"_SECRET_ARN"] = s.arn
	g.secrets = append(g.secrets, s.grant)
}

func (g *grant) database(j job) {
	for name, value := range g.data.database {
		g.env[name] = value
	}
	for _, s := range g.data.databaseSecrets {
		g.secrets = append(g.secrets, s.grant)
	}
	if j.of(binary.Resource) {
		return // the schema is the owner's
	}
	g.set("DATABASE_ROLE", appRole)
	g.set("DATABASE_EXEC_MODE", g.DatabaseMode)
	for name, value := range g.data.cache {
		g.env[name] = value
	}
	for _, s := range g.data.cacheSecrets {
		g.secrets = append(g.secrets, s.grant)
	}
}

// send names the queues of a function: those it sends to, those it only asks
// about, and for a worker its own dead letters, where it puts what cannot heal.
func (g *grant) send(j job) {
	named := make(map[string]awssqs.Queue)
	var sendable []*string
	for _, name := range j.sends {
		named[string(name)] = g.queues.live[name]
	}
	if j.of(binary.Queue) {
		own := queue.Name(j.name)
		named[string(queue.Dead(own))] = g.queues.dead[own]
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		sendable = append(sendable, named[name].QueueArn())
	}
	if len(sendable) > 0 {
		g.allow("Send", []string{"sqs:SendMessage"}, sendable...)
	}
	if j.watches {
		var watched []*string
		for _, name := range queue.Names() {
			named[string(name)] = g.queues.live[name]
			watched = append(watched, g.queues.live[name].QueueArn())
		}
		g.allow("Watch", []string{"sqs:GetQueueAttributes"}, watched...)
	}
	var urls []string
	for _, name := range slices.Sorted(maps.Keys(named)) {
		urls = append(urls, name+"="+*named[name].QueueUrl())
	}
	g.set("QUEUE_URLS", strings.Join(urls, ","))
}

func (g *grant) bucket(access []media) {
	if len(access) == 0 {
		return
	}
	g.env["MEDIA_BUCKET"] = g.storage.bucket.BucketName()
	g.sealed = true
	for _, a := range access {
		sid := "Media" + strings.ToUpper(a.prefix[:1]) + strings.TrimSuffix(a.prefix[1:], "/")
		objects := slices.DeleteFunc(slices.Clone(a.actions), func(action string) bool { return action == "s3:ListBucket" })
		g.allow(sid, objects, g.storage.bucket.ArnForObjects(jsii.String(a.prefix+"*")))
		if len(objects) < len(a.actions) {
			g.policy = append(g.policy, statement{sid + "List", []string{"s3:ListBucket"}, []*string{g.storage.bucket.BucketArn()},
				// A question about one object names no prefix.
				map[string]any{"StringLikeIfExists": map[string]any{"s3:prefix": a.prefix + "*"}}})
		}
	}
}

func (g *grant) seal() {
	quotes := make([]string, len(g.keys.seal))
	for i, s := range g.keys.seal {
		variable := fmt.Sprintf("SEAL_KEY_%d", i+1)
		g.secret(variable, s)
		quotes[i] = "${" + variable + "}"
	}
	g.set("SEAL_KEYS", strings.Join(quotes, ","))
}

func (g *grant) ledger(signer bool) {
	g.set("HEDERA_NETWORK", g.HederaNetwork)
	g.set("HEDERA_ACCOUNT_ID", g.HederaAccount)
	g.set("HEDERA_TOPIC_REPORTS", g.HederaTopicReports)
	g.set("HEDERA_TOPIC_STATUS", g.HederaTopicStatus)
	mirror := g.HederaMirror
	if mirror == "" && g.HederaNetwork != "local" {
		mirror = mirrors[g.HederaNetwork]
	}
	g.set("HEDERA_MIRROR_URL", mirror)
	if !signer {
		return
	}
	nodes := g.HederaNodes
	if len(nodes) == 0 {
		nodes = consensusNodes[g.HederaNetwork]
	}
	var pairs []string
	for address, account := range nodes {
		pairs = append(pairs, address+"="+account)
	}
	slices.Sort(pairs)
	g.set("HEDERA_NODES", strings.Join(pairs, ","))
	g.env["AWS_KMS_KEY_ID"] = g.keys.ledger.KeyArn()
	g.allow("SignLedgerMessages", []string{"kms:Sign", "kms:GetPublicKey"}, g.keys.ledger.KeyArn())
}

// models may be called in every region an inference profile of the United States
// may send a call to.
func (g *grant) models() {
	g.set("BEDROCK_REGION", g.BedrockRegion)
	g.set("AI_MODEL", g.AIModel)
	g.set("AI_EMBEDDING_MODEL", g.EmbeddingModel)
	base, profile := strings.CutPrefix(g.AIModel, "us.")
	resources := []*string{g.model(g.BedrockRegion, g.EmbeddingModel)}
	if profile {
		resources = append(resources, g.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("bedrock"),
			Region: jsii.String(g.BedrockRegion), Resource: jsii.String("inference-profile"), ResourceName: jsii.String(g.AIModel)}))
		for _, region := range []string{"us-east-1", "us-east-2", "us-west-2"} {
			resources = append(resources, g.model(region, base))
		}
	} else {
		resources = append(resources, g.model(g.BedrockRegion, g.AIModel))
	}
	g.allow("CallModels", []string{"bedrock:InvokeModel"}, resources...)
}

func (g *grant) model(region, id string) *string {
	return jsii.String("arn:" + *g.stack.Partition() + ":bedrock:" + region + "::foundation-model/" + id)
}

func (g *grant) mail() {
	g.set("MAIL_FROM", g.MailFrom)
	if g.MailSecret != "" {
		g.secret("SMTP_URL", named(g.stack, g.MailSecret))
	}
	if g.PushSecret != "" {
		g.secret("FCM_SERVICE_ACCOUNT", named(g.stack, g.PushSecret))
	}
}

func (g *grant) finish() []statement {
	if len(g.secrets) > 0 {
		var unique []*string
		for _, s := range g.secrets {
			if !slices.ContainsFunc(unique, func(u *string) bool { return *u == *s }) {
				unique = append(unique, s)
			}
		}
		g.allow("ReadSecrets", []string{"secretsmanager:GetSecretValue"}, unique...)
		g.sealed = true
	}
	if g.sealed && g.keys.data != nil {
		g.allow("UseDataKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}, g.keys.data.KeyArn())
	}
	return g.policy
}

// mirrors and consensusNodes are the public ones of Hedera's networks, from its
// documentation ("Mirror nodes", "Testnet nodes", "Mainnet consensus nodes").
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
