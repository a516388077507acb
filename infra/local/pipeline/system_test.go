package pipeline_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/functions/fetch"
	"github.com/lafaekstreet/backend/functions/geocode"
	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/start"
)

const bucket = "media"

// opener makes a worker.
type opener func(context.Context, config.Env) (queue.Handler, error)

// workers are all consumers, by their queues.
func workers() map[queue.Name]opener {
	return map[queue.Name]opener{queue.Images: images.Open, queue.Validate: validate.Open, queue.Anchor: anchor.Open,
		queue.Notify: notify.Open, queue.Geocode: geocode.Open, queue.Fetch: fetch.Open}
}

// system is the whole pipeline: every worker on a database of its own, with stand-ins for all services.
type system struct {
	testing.TB
	rand     *rand.Rand
	faults   *faults.Set
	clock    *shiftedClock // of the queues
	cloud    *aws.Server
	net      *hedera.Server
	mails    *smtp.Server
	pushes   *fcm.Server
	sqs      *sqs.Client
	s3       *s3.Client
	urls     map[queue.Name]string
	env      config.Env
	owner    *pgxpool.Pool
	handlers map[queue.Name]queue.Handler
	relay    start.Scheduled
	api      apiclient.Client // of person
	signer   *identitytest.Signer
	person   identitytest.Person
	limit    time.Duration // of a call that reads or writes pictures while a fault lasts; 0 is none
	spacing  float64       // degrees of latitude between one report and the next
	town     string        // municipality that reports name; empty for none
	posted   atomic.Int64
}

// shiftedClock is the system's clock, moved forward by the time that a test skips.
type shiftedClock struct{ by atomic.Int64 }

// Now implements aws.Clock.
func (a *shiftedClock) Now() time.Time { return time.Now().Add(time.Duration(a.by.Load())) }

// setup starts a system on a database of the shared server.
func setup(t testing.TB, change ...func(config.Env)) *system {
	t.Helper()
	address := testdb.URL(t)
	if _, measured := t.(*testing.B); !measured { // the triggers cost more than what they check
		testenv.RequireLedgerEvents(t, address)
	}
	return setupOn(t, address, testdb.AppURL(address), change...)
}

// setupOn is setup on a given database: address connects as its owner, app as the functions.
func setupOn(t testing.TB, address, app string, change ...func(config.Env)) *system {
	t.Helper()
	s := &system{TB: t, rand: rand.New(rand.NewPCG(20261121, 0)), faults: faults.NewSet(), clock: &shiftedClock{},
		urls: map[queue.Name]string{}, handlers: map[queue.Name]queue.Handler{}}
	s.must(s.standIns())
	s.sqs = sqs.NewFromConfig(s.cloud.Config())
	s.s3 = s3.NewFromConfig(s.cloud.Config(), func(o *s3.Options) { o.UsePathStyle, o.DisableLogOutputChecksumValidationSkipped = true, true })
	s.createQueues()
	s.createBucket()
	s.createLedger()
	var err error
	s.owner, err = pgxpool.New(t.Context(), address)
	s.must(err)
	t.Cleanup(s.owner.Close)
	s.signer = identitytest.New(t)
	s.env["DATABASE_URL"], s.env["TOKEN_PUBLIC_KEYS"] = app, s.signer.PublicKeys()
	for _, f := range change {
		f(s.env)
	}
	s.nameReceiptsKey()
	for name, open := range workers() {
		s.handlers[name], err = open(t.Context(), s.env)
		s.must(err)
	}
	s.relay, err = relay.Open(t.Context(), s.env)
	s.must(err)
	front, err := reports.Open(t.Context(), s.env)
	s.must(err)
	router, err := gateway.New(slog.New(slog.DiscardHandler), s.watched(front))
	s.must(err)
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	s.person = s.signer.SignIn(s.owner, "")
	s.api = apiclient.Client{URL: server.URL, Token: s.person.Token}
	_, err = s.owner.Exec(t.Context(), `INSERT INTO devices (user_id, device_id, platform, fcm_token) VALUES ($1, 'phone', 'android', 'token-1')`, s.person.ID)
	s.must(err)
	return s
}

// watched is a function whose answers are compared with the document, except in a benchmark.
func (s *system) watched(service *httpapi.Service) gateway.Function {
	if _, measured := s.TB.(*testing.B); measured {
		return service
	}
	return answers.Checked(s, service)
}

// nameReceiptsKey makes RECEIPTS_KEY the key that signs receipts, as migrate does before any function serves.
func (s *system) nameReceiptsKey() {
	s.Helper()
	c, err := config.Parse[ledger.ReceiptsConfig](s.env)
	s.must(err)
	receipts, err := ledger.NewReceipts(c)
	s.must(err)
	dbConfig, err := config.Parse[database.Config](s.env)
	s.must(err)
	db, err := database.Open(s.Context(), dbConfig)
	s.must(err)
	defer db.Close()
	keys := ledger.Keys{Origin: c.Origin, Receipts: receipts.VKey()}
	s.must(ledger.RegisterKeys(s.Context(), outbox.New(db, nil, slog.New(slog.DiscardHandler)), keys, time.Now()))
}

func (s *system) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *system) standIns() error {
	var err error
	if s.cloud, err = aws.Start(aws.Options{Faults: s.faults, Clock: s.clock}); err != nil {
		return err
	}
	s.Cleanup(func() { _ = s.cloud.Close() })
	if s.net, err = hedera.Start(hedera.Options{Faults: s.faults}); err != nil {
		return err
	}
	s.Cleanup(func() { _ = s.net.Close() })
	if s.mails, err = smtp.Start(smtp.Options{Faults: s.faults}); err != nil {
		return err
	}
	s.Cleanup(func() { _ = s.mails.Close() })
	if s.pushes, err = fcm.Start(fcm.Options{Faults: s.faults}); err != nil {
		return err
	}
	s.Cleanup(func() { _ = s.pushes.Close() })
	places, err := nominatim.Start(nominatim.Options{Faults: s.faults, Interval: -1})
	if err != nil {
		return err
	}
	s.Cleanup(func() { _ = places.Close() })
	var nodes []string
	for address, id := range s.net.Nodes() {
		nodes = append(nodes, address+"="+id)
	}
	s.env = config.Env{"MEDIA_BUCKET": bucket, "S3_PATH_STYLE": "true", "DATABASE_MAX_CONNS": "6",
		"SEAL_KEYS":   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"RELAY_GRACE": "0s", "RATE_LIMIT_CREATE_PER_HOUR": "100000", "RATE_LIMIT_COMMENT_PER_HOUR": "100000", "LOG_LEVEL": "ERROR+4",
		"SMTP_URL": s.mails.URL(), "FCM_ENDPOINT": s.pushes.URL(), "FCM_SERVICE_ACCOUNT": string(s.pushes.ServiceAccount()),
		"NOMINATIM_URL": places.URL(), "HEDERA_NETWORK": hedera.Network, "HEDERA_NODES": strings.Join(nodes, ","), "HEDERA_MIRROR_URL": s.net.MirrorURL(),
		// Longer than any call takes on a busy machine. Tests of timeouts shorten them.
		"AI_TIMEOUT": "1m", "HEDERA_NODE_TIMEOUT": "1m", "HEDERA_MIRROR_TIMEOUT": "1m", "KMS_TIMEOUT": "1m", "SMTP_TIMEOUT": "1m", "FCM_TIMEOUT": "1m"}
	maps.Copy(s.env, s.cloud.Env())
	maps.Copy(s.env, testenv.LogEnv())
	return nil
}

func (s *system) createQueues() {
	s.Helper()
	var all []string
	for _, q := range catalog.Queues() {
		name := q.Name
		dead, _ := s.createQueue(name.Dead(), nil)
		redrive, err := json.Marshal(map[string]any{"deadLetterTargetArn": dead, "maxReceiveCount": catalog.MaxReceives})
		s.must(err)
		_, url := s.createQueue(name, map[string]string{"VisibilityTimeout": strconv.Itoa(int(q.Visibility().Seconds())), "RedrivePolicy": string(redrive)})
		s.urls[name] = url
		all = append(all, string(name)+"="+url)
	}
	s.env["QUEUE_URLS"] = strings.Join(all, ",")
}

// createQueue returns the new queue's ARN and URL.
func (s *system) createQueue(name queue.Name, attributes map[string]string) (string, string) {
	s.Helper()
	made, err := s.sqs.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String(string(name)), Attributes: attributes})
	s.must(err)
	about, err := s.sqs.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	s.must(err)
	return about.Attributes["QueueArn"], *made.QueueUrl
}

// createBucket makes the bucket. It notifies the images queue of originals, as in AWS.
func (s *system) createBucket() {
	s.Helper()
	for _, name := range []string{bucket, testenv.LogBucket} {
		_, err := s.s3.CreateBucket(s.Context(), &s3.CreateBucketInput{Bucket: awssdk.String(name)})
		s.must(err)
	}
	about, err := s.sqs.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: awssdk.String(s.urls[queue.Images]),
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	s.must(err)
	_, err = s.s3.PutBucketNotificationConfiguration(s.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: awssdk.String(bucket),
		NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: []s3types.QueueConfiguration{{
			QueueArn: awssdk.String(about.Attributes["QueueArn"]), Events: []s3types.Event{s3types.EventS3ObjectCreated},
			Filter: &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: []s3types.FilterRule{{Name: s3types.FilterRuleNamePrefix, Value: awssdk.String("originals/")}}}},
		}}}})
	s.must(err)
}

// createLedger makes the signing keys of ledger and log, the account that pays, and the topic.
func (s *system) createLedger() {
	s.Helper()
	keys := kms.NewFromConfig(s.cloud.Config())
	made, err := keys.CreateKey(s.Context(), &kms.CreateKeyInput{KeySpec: "ECC_SECG_P256K1", KeyUsage: "SIGN_VERIFY"})
	s.must(err)
	public, err := keys.GetPublicKey(s.Context(), &kms.GetPublicKeyInput{KeyId: made.KeyMetadata.KeyId})
	s.must(err)
	const account = "0.0.1001"
	s.must(s.net.SetAccount(account, public.PublicKey, 1000*hedera.TinybarsPerHbar))
	s.env["AWS_KMS_KEY_ID"], s.env["HEDERA_ACCOUNT_ID"] = *made.KeyMetadata.KeyId, account
	s.env["HEDERA_TOPIC_REPORTS"], err = s.net.EnsureTopic("reports", public.PublicKey)
	s.must(err)
	made, err = keys.CreateKey(s.Context(), &kms.CreateKeyInput{KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY"})
	s.must(err)
	s.env["LOG_KMS_KEY_ID"] = *made.KeyMetadata.KeyId
}

func (s *system) ledgerConfig() ledger.Config {
	s.Helper()
	c, err := config.Parse[ledger.Config](s.env)
	s.must(err)
	return c
}
