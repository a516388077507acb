package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/start"
)

type world struct {
	t        *testing.T
	rand     *rand.Rand
	owner    *pgxpool.Pool // a superuser: cuts connections
	db       *database.DB
	sqs      *sqs.Client
	s3       *s3.Client
	mails    *smtp.Server
	urls     map[queue.Name]string
	handlers map[queue.Name]queue.Handler
	relay    start.Scheduled
	person   uuid.UUID
}

const reports = 6

func setup(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 0)), urls: map[queue.Name]string{}, handlers: map[queue.Name]queue.Handler{}, person: ids.New()}
	cloud, err := aws.Start(aws.Options{})
	must(t, err)
	t.Cleanup(func() { _ = cloud.Close() })
	w.mails, err = smtp.Start(smtp.Options{})
	must(t, err)
	t.Cleanup(func() { _ = w.mails.Close() })
	w.sqs = sqs.NewFromConfig(cloud.Config())
	w.s3 = s3.NewFromConfig(cloud.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	address := testdb.URL(t)
	env := config.Env{"DATABASE_URL": testdb.AppURL(address), "MEDIA_BUCKET": "media", "S3_PATH_STYLE": "true", "SMTP_URL": w.mails.URL(),
		"SEAL_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "QUEUE_URLS": w.queues(), "QUEUE_MAX_RECEIVES": "1000",
		"RELAY_GRACE": "0s", "RELAY_STUCK": "1s", "LOG_LEVEL": "ERROR"}
	for k, v := range cloud.Env() {
		env[k] = v
	}
	w.bucket()
	w.owner, err = pgxpool.New(t.Context(), address)
	must(t, err)
	t.Cleanup(w.owner.Close)
	pool, err := pgxpool.New(t.Context(), testdb.AppURL(address))
	must(t, err)
	t.Cleanup(pool.Close)
	w.db = &database.DB{Pool: pool}
	for name, open := range map[queue.Name]func(context.Context, config.Env) (queue.Handler, error){
		queue.Images: images.Open, queue.Validate: validate.Open, queue.Notify: notify.Open} {
		w.handlers[name], err = open(t.Context(), env)
		must(t, err)
	}
	w.relay, err = relay.Open(t.Context(), env)
	must(t, err)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) queues() string {
	var out []string
	for _, name := range []queue.Name{queue.Images, queue.Validate, queue.Notify, queue.Anchor} {
		made, err := w.sqs.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String(string(name)), Attributes: map[string]string{"VisibilityTimeout": "0"}})
		must(w.t, err)
		w.urls[name] = *made.QueueUrl
		out = append(out, string(name)+"="+*made.QueueUrl)
	}
	return strings.Join(out, ",")
}

// bucket tells the images queue of originals, as in AWS.
func (w *world) bucket() {
	_, err := w.s3.CreateBucket(w.t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("media")})
	must(w.t, err)
	about, err := w.sqs.GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: awssdk.String(w.urls[queue.Images]),
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	must(w.t, err)
	_, err = w.s3.PutBucketNotificationConfiguration(w.t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: awssdk.String("media"),
		NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: []s3types.QueueConfiguration{{
			QueueArn: awssdk.String(about.Attributes["QueueArn"]), Events: []s3types.Event{s3types.EventS3ObjectCreated},
			Filter: &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: []s3types.FilterRule{{Name: s3types.FilterRuleNamePrefix, Value: awssdk.String("originals/")}}}},
		}}}})
	must(w.t, err)
}

// file makes a report with a picture, as the API does. Odd ones have their
// picture's bytes before the report, even ones after.
func (w *world) file(n int) uuid.UUID {
	ctx := w.t.Context()
	upload, report := ids.New(), ids.New()
	key := "originals/" + upload.String()
	picture := shot(w.t, n)
	_, err := w.db.Exec(ctx, `INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, expires_at) VALUES ($1, $2, $3, 'image/jpeg', $4, now() + interval '7 days')`,
		upload, w.person, key, len(picture))
	must(w.t, err)
	put := func() {
		_, err := w.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key), Body: bytes.NewReader(picture)})
		must(w.t, err)
	}
	if n%2 == 1 {
		put()
	}
	// Without a sender every message is left to relay.
	must(w.t, outbox.New(w.db, nil, slog.New(slog.DiscardHandler)).Do(ctx, func(tx *outbox.Work) error {
		if _, err := tx.Exec(ctx, `INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude) VALUES ($1, $2, $3, '', 'pothole', $4, 125.57)`,
			report, fmt.Sprintf("LS-2026-%06d", n), w.person, -8.5-float64(n)/10); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $3)`, ids.New(), report, upload); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE uploads SET attached_at = now() WHERE id = $1`, upload); err != nil {
			return err
		}
		if _, err := ledger.Append(ctx, tx, ledger.Event{ReportID: report, Type: ledger.Submitted, Actor: ledger.Actor{Kind: "citizen"}, At: time.Now()}); err != nil {
			return err
		}
		return tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: report})
	}))
	if n%2 == 0 {
		put()
	}
	return report
}

func shot(t *testing.T, seed int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			img.SetRGBA(x, y, color.RGBA{R: uint8(x * (seed + 1)), G: uint8(y * (seed + 2)), B: uint8(x * y), A: 255})
		}
	}
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// round takes what is on the queues and hands it to the workers. With chaos it
// does so twice, in any order, cuts calls off, forgets to delete, and cuts the
// database's connections.
func (w *world) round(chaos bool) int {
	worked := 0
	for _, name := range []queue.Name{queue.Notify, queue.Validate, queue.Images} {
		got, err := w.sqs.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: awssdk.String(w.urls[name]), MaxNumberOfMessages: 10,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
		must(w.t, err)
		worked += len(got.Messages)
		var batch []events.SQSMessage
		for _, m := range got.Messages {
			e := events.SQSMessage{MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Attributes: m.Attributes}
			if batch = append(batch, e); chaos {
				batch = append(batch, e)
			}
		}
		w.rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		w.hand(name, batch, chaos)
	}
	return worked
}

func (w *world) hand(name queue.Name, batch []events.SQSMessage, chaos bool) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := w.t.Context(), func() {}
	if chaos && w.rand.IntN(2) == 0 { // killed half-way
		ctx, cancel = context.WithTimeout(ctx, time.Duration(w.rand.IntN(60))*time.Millisecond)
	}
	defer cancel()
	if chaos && w.rand.IntN(3) == 0 {
		time.AfterFunc(time.Duration(w.rand.IntN(20))*time.Millisecond, w.cut)
	}
	res, err := w.handlers[name].Handle(ctx, events.SQSEvent{Records: batch})
	must(w.t, err)
	failed := map[string]bool{}
	for _, f := range res.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	for _, m := range batch {
		if failed[m.MessageId] || chaos && w.rand.IntN(3) == 0 {
			continue // comes back
		}
		_, _ = w.sqs.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: awssdk.String(w.urls[name]), ReceiptHandle: awssdk.String(m.ReceiptHandle)})
	}
}

// cut ends every connection of the workers, as a restart of the database does.
func (w *world) cut() {
	_, _ = w.owner.Exec(context.WithoutCancel(w.t.Context()), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'lafaekstreet'`)
}

func (w *world) sweep() { _ = w.relay.Run(w.t.Context(), events.EventBridgeEvent{}) }

func TestTheEndIsTheSameWhateverHappensOnTheWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		chaos int // rounds of it
	}{{"in order, once each", 0}, {"twice, out of order, killed, database cut", 60}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, 20261121)
			_, err := w.db.Exec(t.Context(), `INSERT INTO users (id, email, email_verified_at) VALUES ($1, 'ana@example.tl', now())`, w.person)
			must(t, err)
			for n := range reports {
				w.file(n + 1)
			}
			for range c.chaos {
				w.sweep()
				w.round(true)
			}
			for quiet, rounds := 0, 0; quiet < 3; rounds++ {
				if rounds > 200 {
					t.Fatal("it never comes to rest")
				}
				w.sweep()
				if w.round(false) == 0 && w.waiting() == 0 {
					quiet++
					time.Sleep(1100 * time.Millisecond) // a message in flight comes back
				} else {
					quiet = 0
				}
			}
			w.check()
		})
	}
}

func (w *world) waiting() int {
	w.t.Helper()
	var n int
	must(w.t, w.owner.QueryRow(w.t.Context(), `SELECT (SELECT count(*) FROM outbox WHERE queue <> 'anchor') + (SELECT count(*) FROM reports WHERE ai_status IN ('queued', 'processing'))`).Scan(&n))
	return n
}

func (w *world) check() {
	w.t.Helper()
	const state = `
		SELECT r.report_number, concat_ws(' ', r.status, r.ai_status, 'verdicts', (SELECT count(*) FROM ai_analyses a WHERE a.report_id = r.id AND a.stage = 'verdict'),
			(SELECT string_agg(event_type, '+' ORDER BY seq) FROM ledger_events e WHERE e.report_id = r.id),
			'told', (SELECT string_agg(type, '+') FROM notifications n WHERE n.report_id = r.id),
			'embeddings', (SELECT count(*) FROM report_embeddings b WHERE b.report_id = r.id),
			(SELECT string_agg(u.state, '+') FROM report_images i JOIN uploads u ON u.id = i.upload_id WHERE i.report_id = r.id))
		FROM reports r ORDER BY 1`
	rows, err := w.owner.Query(w.t.Context(), state)
	must(w.t, err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var number, got string
		must(w.t, rows.Scan(&number, &got))
		if want := "verified completed verdicts 1 REPORT_SUBMITTED+AI_VALIDATED+STATUS_CHANGED told report_verified embeddings 1 processed"; got != want {
			w.t.Errorf("%s: %s\nwant %s", number, got, want)
		}
		n++
	}
	must(w.t, rows.Err())
	if n != reports {
		w.t.Errorf("%d reports", n)
	}
	seen := map[string]int{}
	for _, m := range w.mails.Mails("") {
		seen[fmt.Sprint(m.Headers["Message-Id"])]++
	}
	if len(seen) == 0 {
		w.t.Error("no mail at all")
	}
	for id, times := range seen {
		if times > 1 {
			w.t.Errorf("mail %s arrived %d times", id, times)
		}
	}
	objects, err := w.s3.ListObjectsV2(w.t.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String("media"), Prefix: awssdk.String("renditions/")})
	must(w.t, err)
	if len(objects.Contents) != 2*reports {
		w.t.Errorf("%d renditions, want %d", len(objects.Contents), 2*reports)
	}
}
