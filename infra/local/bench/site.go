package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	standin "github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/start"
)

const (
	bucket    = "media"
	logBucket = "log"
)

// Site is every HTTP function behind the gateway on one database. No worker runs, so only requests are measured: messages
// for workers stay in their queues.
type Site struct {
	URL string
	Env config.Env

	server *httptest.Server
	aws    *standin.Server
	client apiclient.Client
}

// NewSite opens the functions on the database at address, in the role of the functions, with changed settings. The garbage
// collector is set as in Lambda.
func NewSite(ctx context.Context, address string, change ...func(config.Env)) (*Site, error) {
	debug.SetGCPercent(start.GCPercent)
	// Responses are compressed as for a phone. The client does not decompress them, because that would cost time.
	s := &Site{client: apiclient.Client{Header: http.Header{"Accept-Encoding": {"gzip"}}, HTTP: &http.Client{
		Timeout: time.Minute, CheckRedirect: apiclient.NoRedirect, Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}}}
	var err error
	if s.aws, err = standin.Start(standin.Options{}); err != nil {
		return nil, err
	}
	if s.Env, err = settings(ctx, s.aws, address); err != nil {
		s.Close()
		return nil, err
	}
	for _, f := range change {
		f(s.Env)
	}
	if err := takeReceiptsKey(ctx, s.Env, address); err != nil {
		s.Close()
		return nil, err
	}
	var functions []gateway.Function
	for _, open := range []func(context.Context, config.Env) (*httpapi.Service, error){
		auth.Open, community.Open, journeys.Open, locations.Open, meta.Open, monitoring.Open, notifications.Open, public.Open, web.Open, open311.Open, ogc.Open,
		reports.Open, staff.Open, users.Open,
	} {
		function, err := open(ctx, s.Env)
		if err != nil {
			s.Close()
			return nil, err
		}
		functions = append(functions, function)
	}
	router, err := gateway.New(slog.New(slog.DiscardHandler), functions...)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.server = httptest.NewServer(router)
	s.URL, s.client.URL = s.server.URL, s.server.URL
	return s, nil
}

// takeReceiptsKey makes the key of env the one that signs receipts, so that the signatures are measured too.
func takeReceiptsKey(ctx context.Context, env config.Env, address string) error {
	receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: env["LOG_ORIGIN"], Key: env["RECEIPTS_KEY"]})
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `UPDATE log_counter SET receipts_vkey = $1`, receipts.VKey()); err != nil {
		return fmt.Errorf("take the receipts key: %w", err)
	}
	return nil
}

// Close stops the site.
func (s *Site) Close() {
	if s.server != nil {
		s.server.Close()
	}
	_ = s.aws.Close() // its state is in memory only
}

// settings is the configuration of every function: rate limits that are never reached, 16 connections for 16 clients.
func settings(ctx context.Context, server *standin.Server, address string) (config.Env, error) {
	env := config.Env{"DATABASE_URL": withQuery(address, "role", "lafaek_app"), "DATABASE_MAX_CONNS": "16", "MEDIA_BUCKET": bucket,
		"LOG_ORIGIN": "lafaekstreet-bench/log", "LOG_BUCKET": logBucket, "S3_PATH_STYLE": "true", "HEDERA_NETWORK": "local", "HEDERA_ACCOUNT_ID": generate.Account, "HEDERA_TOPIC_REPORTS": generate.TopicReports,
		"LOG_LEVEL": "ERROR", "PASSWORD_CONCURRENCY": "16"}
	for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "ADDRESS_PER_MINUTE", "VIEW_PER_MINUTE", "AUTH_PER_MINUTE",
		"CREATE_PER_HOUR", "SYNC_PER_HOUR", "UPLOAD_PER_HOUR", "COMMENT_PER_HOUR", "FLAG_PER_HOUR", "IMPORT_PER_HOUR", "VERIFY_PER_MINUTE"} {
		env["RATE_LIMIT_"+limit] = "100000000"
	}
	for name, value := range server.Env() {
		env[name] = value
	}
	if err := keys(env); err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	for _, name := range []string{bucket, logBucket} {
		if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
			return nil, fmt.Errorf("create bucket: %w", err)
		}
	}
	queues := sqs.NewFromConfig(server.Config())
	for _, name := range catalog.QueueNames() {
		made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(string(name))})
		if err != nil {
			return nil, fmt.Errorf("create queue %s: %w", name, err)
		}
		if env["QUEUE_URLS"] != "" {
			env["QUEUE_URLS"] += ","
		}
		env["QUEUE_URLS"] += string(name) + "=" + aws.ToString(made.QueueUrl)
	}
	return env, nil
}
