package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

type bundle struct {
	t      *testing.T
	relay  *Relay
	db     *pgxpool.Pool
	sqs    *sqs.Client
	s3     *s3.Client
	urls   map[string]string
	faults *faults.Set
	out    *bytes.Buffer
	clock  *timestamp.Manual
	person uuid.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, faults: faults.NewSet(), out: &bytes.Buffer{}, clock: timestamp.NewManual(time.Now()), person: database.NewID(), urls: map[string]string{}}
	cloud, err := aws.Start(aws.Options{Faults: b.faults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	b.sqs = sqs.NewFromConfig(cloud.Config())
	b.s3 = s3.NewFromConfig(cloud.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := b.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("media")}); err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, name := range []queue.Name{queue.Images, queue.Validate, queue.Notify, queue.Geocode} { // anchor is unknown here
		made, err := b.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String(string(name))})
		if err != nil {
			t.Fatal(err)
		}
		b.urls[string(name)] = *made.QueueUrl
		urls = append(urls, string(name)+"="+*made.QueueUrl)
	}
	address := testdb.URL(t)
	env := config.Env{"DATABASE_URL": testdb.AppURL(address), "MEDIA_BUCKET": "media", "S3_PATH_STYLE": "true", "QUEUE_URLS": strings.Join(urls, ",")}
	for k, v := range cloud.Env() {
		env[k] = v
	}
	kit, err := service.Open(t.Context(), "relay", env, service.WithOutput(b.out), service.WithClock(b.clock))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	if b.relay, err = newRelay(kit); err != nil {
		t.Fatal(err)
	}
	if b.db, err = pgxpool.New(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.db.Close)
	b.exec(`INSERT INTO users (id, email) VALUES ($1, 'ana@example.tl')`, b.person)
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

func (b *bundle) count(sql string, args ...any) int {
	b.t.Helper()
	var n int
	if err := b.db.QueryRow(b.t.Context(), sql, args...).Scan(&n); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (b *bundle) run() error {
	b.t.Helper()
	return b.relay.Run(b.t.Context(), events.EventBridgeEvent{})
}

// received takes all messages off a queue.
func (b *bundle) received(name queue.Name) []string {
	b.t.Helper()
	var out []string
	for {
		got, err := b.sqs.ReceiveMessage(b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: awssdk.String(b.urls[string(name)]), MaxNumberOfMessages: 10})
		if err != nil {
			b.t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			out = append(out, *m.Body)
		}
	}
}

func (b *bundle) outbox(name queue.Name, n int, age string) {
	b.t.Helper()
	for i := range n {
		b.exec(`INSERT INTO outbox (id, queue, body, created_at, not_before) VALUES ($1, $2, $3, now() - $4::interval, now() - $4::interval)`,
			database.NewID(), string(name), fmt.Sprintf(`{"n":%d}`, i), age)
	}
}

func TestSweepSendsMessagesLeftByACrash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.outbox(queue.Notify, 250, "1 minute")
	b.outbox(queue.Validate, 3, "1 minute")
	b.outbox(queue.Notify, 1, "5 seconds") // its function is still at it
	b.outbox(queue.Anchor, 2, "1 minute")  // whose address nobody told us
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if n, v := len(b.received(queue.Notify)), len(b.received(queue.Validate)); n != 250 || v != 3 {
		t.Errorf("%d and %d messages, want 250 and 3", n, v)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 3 {
		t.Errorf("%d messages left, want the young one and two without an address", n)
	}
	for _, metric := range []string{"outbox_age", "outbox_swept", "validate_lag", "log_lag"} {
		if !strings.Contains(b.out.String(), `"`+metric+`":`) {
			t.Errorf("no metric %s", metric)
		}
	}
}

// Each run wakes anchor. While its queue takes no messages, one waits.
func TestAnchorIsWokenEachMinute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE queue = 'anchor' AND body = '{}'`); n != 1 {
		t.Errorf("%d messages wait, want one", n)
	}
	b.exec(`DELETE FROM outbox`)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM outbox WHERE queue = 'anchor'`); n != 1 {
		t.Errorf("%d messages after the first was sent, want one", n)
	}
}

func TestSweepContinuesAfterFaults(t *testing.T) {
	t.Parallel()
	for _, mode := range []faults.Mode{faults.Error, faults.Throttle, faults.DropReply, faults.Malformed} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.outbox(queue.Notify, 5, "1 minute")
			if err := b.faults.Add(faults.Fault{Service: "sqs", Operation: "SendMessageBatch", Mode: mode, Count: faults.Forever}); err != nil {
				t.Fatal(err)
			}
			if err := b.run(); err != nil {
				t.Errorf("a queue that is down is no failure of relay: %v", err)
			}
			if n := b.count(`SELECT count(*) FROM outbox WHERE attempts = 1 AND not_before > now()`); n != 5 {
				t.Errorf("%d messages wait for later, want 5", n)
			}
			b.faults.Clear()
			b.exec(`UPDATE outbox SET not_before = now() - interval '1 minute'`)
			if err := b.run(); err != nil {
				t.Fatal(err)
			}
			distinct := map[string]bool{}
			for _, m := range b.received(queue.Notify) {
				distinct[m] = true
			}
			if len(distinct) != 5 || b.count(`SELECT count(*) FROM outbox WHERE queue <> 'anchor'`) != 0 {
				t.Errorf("%d of 5 messages arrived", len(distinct))
			}
		})
	}
}

func TestTwoSweepsAtOnceSendNothingTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.outbox(queue.Notify, 200, "1 minute")
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- b.relay.sweep(t.Context()) }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.received(queue.Notify)); n != 200 {
		t.Errorf("%d messages, want 200", n)
	}
}

func (b *bundle) report(aiStatus, age string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, ai_status, created_at)
		VALUES ($1, $2, $3, '', 'pothole', -8.55, 125.57, $4, now() - $5::interval)`, id, "LS-"+id.String(), b.person, aiStatus, age)
	return id
}

func (b *bundle) upload(state, attached, expires string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, attached_at, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', 1, $4, now() - nullif($5, '')::interval, now() + $6::interval)`, id, b.person, "originals/"+id.String(), state, attached, expires)
	for _, key := range []string{"originals/" + id.String(), "renditions/" + id.String() + "/display.jpg", "renditions/" + id.String() + "/thumbnail.jpg"} {
		if _, err := b.s3.PutObject(b.t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key), Body: strings.NewReader("x")}); err != nil {
			b.t.Fatal(err)
		}
	}
	return id
}

func TestStuckWorkIsSentAgainOncePerPeriod(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stuck, processing := b.report("queued", "2116 minutes"), b.report("processing", "2 days")
	b.report("queued", "2114 minutes")
	b.report("failed", "1 day") // staff and the dead letters have it
	b.report("needs_review", "1 day")
	b.exec(`UPDATE reports SET geocoded_at = now() WHERE id <> $1`, stuck)
	b.exec(`INSERT INTO outbox (id, queue, body, not_before) SELECT $1, 'geocode', jsonb_build_object('report_id', id), now() + interval '1 day'
		FROM reports WHERE id = $2`, database.NewID(), b.report("failed", "2 days")) // the geocode worker sends this message again
	b.report("failed", "9 days") // nobody knows the place
	picture := b.upload("stored", "2116 minutes", "7 days")
	b.upload("processed", "2116 minutes", "7 days")
	b.upload("issued", "", "7 days")
	b.upload("issued", "84 hours", "7 days") // its bytes never came
	for range 2 {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		b.exec(`UPDATE outbox SET not_before = now() - interval '1 minute' WHERE not_before < now() + interval '10 minutes'`)
	}
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	woken := strings.Join(b.received(queue.Validate), " ")
	if strings.Count(woken, "report_id") != 2 || !strings.Contains(woken, stuck.String()) || !strings.Contains(woken, processing.String()) {
		t.Errorf("woken %s", woken)
	}
	if places := b.received(queue.Geocode); len(places) != 1 || !strings.Contains(places[0], stuck.String()) {
		t.Errorf("places woken: %v", places)
	}
	pictures := b.received(queue.Images)
	var event struct {
		Records []struct {
			S3 struct{ Object struct{ Key string } }
		}
	}
	if len(pictures) != 1 || json.Unmarshal([]byte(pictures[0]), &event) != nil || event.Records[0].S3.Object.Key != "originals/"+picture.String() {
		t.Errorf("pictures woken: %v", pictures)
	}
	b.clock.Advance(2116 * time.Minute)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM processed_messages WHERE consumer = 'relay-validate'`); n < 4 {
		t.Errorf("not woken again after the time was up: %d", n)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// An upload that has just expired may still be attached by a request that checked it a moment ago.
	old, kept, attached := b.upload("processed", "", "-61 minutes"), b.upload("stored", "", "-59 minutes"), b.upload("processed", "1 day", "-1 day")
	b.exec(`INSERT INTO idempotency_keys (owner, key, request_hash, locked_until, created_at) VALUES ('a', 'old', '', now(), now() - interval '49 hours'), ('a', 'new', '', now(), now())`)
	b.exec(`INSERT INTO processed_messages VALUES ('c', 'old', now() - interval '36 days'), ('c', 'new', now() - interval '34 days')`)
	b.exec(`INSERT INTO one_time_codes (id, address_hmac, purpose, code_hmac, expires_at) VALUES ($1, '', 'registration', '', now() - interval '8 days'), ($2, '', 'registration', '', now())`, database.NewID(), database.NewID())
	b.exec(`INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $3, now() - interval '31 days'), ($2, $3, now() - interval '1 day')`, database.NewID(), database.NewID(), b.person)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"idempotency_keys": 1, "processed_messages WHERE consumer = 'c'": 1, "one_time_codes": 1, "sessions": 1, "uploads": 2} {
		if n := b.count(`SELECT count(*) FROM ` + table); n != want {
			t.Errorf("%s: %d rows left, want %d", table, n, want)
		}
	}
	objects, err := b.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String("media")})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects.Contents {
		if strings.Contains(*o.Key, old.String()) {
			t.Errorf("left %s", *o.Key)
		}
	}
	if len(objects.Contents) != 6 {
		t.Errorf("%d objects, want those of %s and %s", len(objects.Contents), kept, attached)
	}
}

// Pictures that were taken away lose their files within one run, also the thumbnail that links may lead to. Of a deleted
// account the originals go.
func TestPicturesThatWereTakenAwayLoseTheirFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all, original, undecided, other := b.upload("processed", "1 day", "-1 day"), b.upload("processed", "1 day", "-1 day"),
		b.upload("stored", "1 minute", "1 day"), b.upload("processed", "1 day", "1 day")
	b.exec(`UPDATE uploads SET deletion = 'all' WHERE id = $1`, all)
	b.exec(`UPDATE uploads SET deletion = 'original' WHERE id IN ($1, $2)`, original, undecided)
	b.relay.objects = withVersions{b.relay.objects, t}
	for range 2 {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
	}
	files := []string{"original", "display", "thumbnail"} // in the order of keysOf
	for id, want := range map[uuid.UUID]string{all: "", original: "display thumbnail", undecided: "original display thumbnail", other: "original display thumbnail"} {
		var left []string
		for i, key := range keysOf(id, 0)[:3] {
			if _, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key)}); err == nil {
				left = append(left, files[i])
			}
		}
		if got := strings.Join(left, " "); got != want {
			t.Errorf("left are %q, want %q", got, want)
		}
	}
	if n := b.count(`SELECT count(*) FROM uploads WHERE id = $1 AND deletion = 'gone'`, all) + b.count(`SELECT count(*) FROM uploads WHERE id = $1 AND deletion IS NULL`, original); n != 2 {
		t.Error("the pictures are still to be deleted")
	}
}

// A picture that was made anew before it was taken away loses its files of every generation.
func TestPicturesThatWereMadeAnewLoseAllTheirFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload("processed", "1 day", "-1 day")
	b.exec(`UPDATE uploads SET generation = 2, deletion = 'all' WHERE id = $1`, id)
	keys := upload.RenditionKeys(id, 0, 3)
	for _, key := range keys {
		if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	for _, key := range append(keys, upload.OriginalKey(id)) {
		if _, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key)}); err == nil {
			t.Errorf("%s is left", key)
		}
	}
}

// withVersions fails the test where an object is deleted without its earlier versions.
type withVersions struct {
	Objects
	t *testing.T
}

// Delete implements Objects.
func (v withVersions) Delete(_ context.Context, key string) error {
	v.t.Errorf("the earlier versions of %s stay", key)
	return nil
}

func TestAFailingTaskDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upload("processed", "", "-2 hours")
	b.outbox(queue.Notify, 1, "1 minute")
	if err := b.faults.Add(faults.Fault{Service: "s3", Operation: "DeleteObject", Mode: faults.Error, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	err := b.run()
	if err == nil || !strings.Contains(err.Error(), "expire uploads") {
		t.Errorf("error %v", err)
	}
	if len(b.received(queue.Notify)) != 1 || b.count(`SELECT count(*) FROM uploads`) != 1 || !strings.Contains(b.out.String(), "outbox_age") {
		t.Error("the other tasks did not run")
	}
}
