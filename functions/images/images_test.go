package images

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/ledgertest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/upload"
)

type bundle struct {
	t       *testing.T
	w       *Worker
	handler queue.Handler
	db      *pgxpool.Pool
	s3      *s3.Client
	faults  *faults.Set
	person  uuid.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	set := faults.NewSet()
	cloud, err := aws.Start(aws.Options{Faults: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	address := testdb.URL(t)
	env := config.Env{"DATABASE_URL": testdb.AppURL(address), "MEDIA_BUCKET": "media", "S3_PATH_STYLE": "true"}
	for k, v := range cloud.Env() {
		env[k] = v
	}
	kit, err := service.Open(t.Context(), "images", env, service.WithOutput(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	worker, err := newWorker(kit)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &bundle{t: t, w: worker, handler: queue.Each(queue.Images, 1, kit.Log, worker.handleMessage), db: pool, faults: set, person: database.NewID(),
		s3: s3.NewFromConfig(cloud.Config(), func(o *s3.Options) { o.UsePathStyle, o.DisableLogOutputChecksumValidationSkipped = true, true })}
	if _, err := b.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("media")}); err != nil {
		t.Fatal(err)
	}
	b.exec(`INSERT INTO users (id, email) VALUES ($1, 'ana@example.tl')`, b.person)
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func one[T any](b *bundle, sql string, args ...any) T {
	b.t.Helper()
	var v T
	if err := b.db.QueryRow(b.t.Context(), sql, args...).Scan(&v); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// upload stores file as an upload of the person; declared is its stated size, 0 for the true one.
func (b *bundle) upload(file []byte, declared int) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	if declared == 0 {
		declared = len(file)
	}
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', $4, 'issued', now() + interval '7 days')`, id, b.person, key(id), declared)
	if _, err := b.s3.PutObject(b.t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key(id)),
		Body: strings.NewReader(string(file))}); err != nil {
		b.t.Fatal(err)
	}
	return id
}

// attach makes the upload the evidence of a new report.
func (b *bundle) attach(upload uuid.UUID) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude)
		VALUES ($1, $2, $3, '', 'pothole', -8.5569, 125.5603)`, id, "LS-"+id.String(), b.person)
	b.exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $3)`, database.NewID(), id, upload)
	ledgertest.Submit(b.t, b.db, id)
	b.exec(`UPDATE uploads SET attached_at = now() WHERE id = $1`, upload)
	return id
}

func key(id uuid.UUID) string { return "originals/" + id.String() }

func event(key string, receives int) events.SQSMessage {
	body, _ := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"eventName": "ObjectCreated:Put", "s3": map[string]any{"object": map[string]any{"key": url.QueryEscape(key)}}}}})
	return message(string(body), receives)
}

func message(body string, receives int) events.SQSMessage {
	return events.SQSMessage{MessageId: uuid.NewString(), Body: body,
		Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(receives)}}
}

// deliver returns which of the messages failed.
func (b *bundle) deliver(m ...events.SQSMessage) []int {
	b.t.Helper()
	out, err := b.handler.Handle(b.t.Context(), events.SQSEvent{Records: m})
	if err != nil {
		b.t.Fatal(err)
	}
	var failed []int
	for _, f := range out.BatchItemFailures {
		failed = append(failed, slices.IndexFunc(m, func(m events.SQSMessage) bool { return m.MessageId == f.ItemIdentifier }))
	}
	return failed
}

func (b *bundle) keys() []string {
	b.t.Helper()
	out, err := b.s3.ListObjectsV2(b.t.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String("media"), Prefix: awssdk.String("renditions/")})
	if err != nil {
		b.t.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

func TestPictureOfAReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := testPicture(t)
	id := b.upload(file, 0)
	report := b.attach(id)
	if failed := b.deliver(event(key(id), 1), event(key(id), 1)); failed != nil {
		t.Fatalf("failed %v", failed)
	}
	b.deliver(event(key(id), 2)) // late redelivery
	if got := one[string](b, `SELECT state || ' ' || content_type || ' ' || width || ' ' || height FROM uploads WHERE id = $1`, id); got != "processed image/jpeg 200 120" {
		t.Errorf("upload is %s", got)
	}
	sum := sha256.Sum256(file)
	if got := one[[]byte](b, `SELECT original_sha256 FROM uploads WHERE id = $1`, id); string(got) != string(sum[:]) {
		t.Errorf("original hash %x", got)
	}
	if got := b.keys(); !slices.Equal(got, []string{"renditions/" + id.String() + "/display.jpg", "renditions/" + id.String() + "/thumbnail.jpg"}) {
		t.Errorf("renditions %v", got)
	}
	if n := one[int](b, `SELECT count(*) FROM outbox WHERE queue = 'validate' AND body->>'report_id' = $1`, report.String()); n != 1 {
		t.Errorf("%d requests for validation, want 1", n)
	}
	if got := one[float64](b, `SELECT camera_distance_meters FROM report_image_signals WHERE report_id = $1`, report); got < 500 || got > 1500 {
		t.Errorf("camera was %v m away, want about 1 km", got)
	}
}

func TestAPictureWithoutAReportIsNotJudged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(testPicture(t), 0)
	b.deliver(event(key(id), 1))
	if n := one[int](b, `SELECT count(*) FROM outbox`); n != 0 || one[string](b, `SELECT state FROM uploads`) != "processed" {
		t.Errorf("%d messages", n)
	}
}

// A picture of another system has no person who is told. Its report goes on without it, or with it.
func TestPictureOfAnotherSystem(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"no picture at all": "refused", string(testPicture(t)): "processed"} {
		b := setup(t)
		id, key311 := b.upload([]byte(file), 0), database.NewID()
		b.exec(`INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES ($1, 'FixMyStreet', 'ops@example.org', 60, sha256('x'))`, key311)
		b.attach(id)
		b.exec(`UPDATE reports SET user_id = NULL, api_key_id = $1`, key311)
		b.exec(`UPDATE uploads SET user_id = NULL, api_key_id = $1`, key311)
		if failed := b.deliver(event(key(id), 1)); failed != nil {
			t.Fatalf("it came back: %v", failed)
		}
		if got := one[string](b, `SELECT state FROM uploads`); got != want {
			t.Errorf("upload is %s, want %s", got, want)
		}
		if n := one[int](b, `SELECT (SELECT count(*) FROM notifications) * 10 + (SELECT count(*) FROM outbox WHERE queue = 'validate')`); n != 1 {
			t.Errorf("%s: %d notifications, %d requests for validation", want, n/10, n%10)
		}
	}
}

func TestRefusedPicture(t *testing.T) {
	t.Parallel()
	good := testPicture(t)
	cases := []struct {
		name     string
		file     []byte
		declared int
		sha      []byte
		code     upload.RefusalCode
	}{
		{"no picture", []byte("\x00\x00\x00\x18ftypheic and more"), 0, nil, upload.NotAPicture},
		{"cut off", good[:len(good)-40], 0, nil, upload.Broken},
		{"another size than declared", good, 10, nil, upload.NotAsDeclared},
		{"another hash than declared", good, 0, make([]byte, 32), upload.NotAsDeclared},
		{"too large", make([]byte, upload.MaxStored+1), upload.MaxStored, nil, upload.TooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.upload(c.file, c.declared)
			b.exec(`UPDATE uploads SET sha256 = $1`, c.sha)
			report := b.attach(id)
			if failed := b.deliver(event(key(id), 1), event(key(id), 1)); failed != nil {
				t.Fatalf("a refusal came back: %v", failed)
			}
			if got := one[string](b, `SELECT state || ' ' || refusal FROM uploads`); got != "refused "+string(c.code) {
				t.Errorf("upload is %s", got)
			}
			if keys := b.keys(); keys != nil {
				t.Errorf("objects of a refused picture exist: %v", keys)
			}
			if n := one[int](b, `SELECT count(*) FROM notifications WHERE user_id = $1 AND report_id = $2 AND params->>'reason' = $3`, b.person, report, c.code); n != 1 {
				t.Errorf("the owner was notified %d times", n)
			}
			if n := one[int](b, `SELECT count(*) FROM outbox WHERE queue = 'validate'`); n != 1 {
				t.Errorf("%d requests for validation, want 1", n)
			}
		})
	}
}

func TestSamePictureIsFlaggedNotRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	scene := photo(600, 400, 3)
	file := asJPEG(t, scene, 90)
	first := b.upload(file, 0)
	b.attach(first)
	second, near := b.upload(file, 0), b.upload(asJPEG(t, scene, 60), 0)
	b.attach(second)
	b.attach(near)
	b.deliver(event(key(first), 1))
	b.deliver(event(key(second), 1), event(key(near), 1))
	if n := one[int](b, `SELECT count(*) FROM uploads WHERE state = 'processed'`); n != 3 {
		t.Fatalf("%d processed, want all 3", n)
	}
	if !one[bool](b, `SELECT same_file FROM picture_matches WHERE upload_id = $1 AND earlier_id = $2`, second, first) {
		t.Error("the same file is not recognised")
	}
	if one[bool](b, `SELECT same_file FROM picture_matches WHERE upload_id = $1 AND earlier_id = $2`, near, first) {
		t.Error("a re-encoded picture is taken for the same file")
	}
}

// Of two uploads of the same file, each is processed while the other waits.
func TestTwoUploadsOfTheSameFileAreBothProcessed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := asJPEG(t, photo(600, 400, 3), 90)
	sum := sha256.Sum256(file)
	first, second := b.upload(file, 0), b.upload(file, 0)
	b.attach(first)
	b.attach(second)
	b.exec(`UPDATE uploads SET state = 'stored', original_sha256 = $1`, sum[:]) // as an upload through the API leaves it
	if failed := b.deliver(event(key(second), 1)); failed != nil {
		t.Errorf("the second upload failed: %v", failed)
	}
	if failed := b.deliver(event(key(first), 1)); failed != nil {
		t.Errorf("the first upload failed: %v", failed)
	}
	if n := one[int](b, `SELECT count(*) FROM uploads WHERE state = 'processed' AND perceptual_hash IS NOT NULL`); n != 2 {
		t.Errorf("%d processed, want 2", n)
	}
	if n := one[int](b, `SELECT count(*) FROM picture_matches WHERE upload_id = $1 AND earlier_id = $2 AND same_file AND distance = 0`, second, first); n != 1 {
		t.Error("the same file is not recognised")
	}
}

// The row of a picture that is sent through the API is committed after its bytes arrived. The worker must not give up before.
func TestARowOfALongRequestIsWaitedFor(t *testing.T) {
	t.Parallel()
	least := time.Duration(0)
	for n := 1; n < unknownKeyReceives; n++ {
		least += catalog.FirstBackoff << (n - 1) / 2
	}
	if least < catalog.GatewayTimeout {
		t.Errorf("an unknown key is ignored after %v; a request may take %v", least, catalog.GatewayTimeout)
	}
}

func TestEventsOfOtherObjectsAreIgnored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	unknown := key(database.NewID())
	failed := b.deliver(
		message(`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"media"}`, 1),
		event("renditions/x/display.jpg", 1), event("exports/all.csv", 1),
		event(unknown, unknownKeyReceives-1), // its row may yet be committed
		event(unknown, unknownKeyReceives),
		message(`{"Records":[{"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"originals/x"}}}]}`, 1),
		message(`nonsense`, 1),
	)
	if !slices.Equal(failed, []int{3, 6}) {
		t.Errorf("failed %v, want the new unknown key and the malformed message", failed)
	}
	gone := b.upload([]byte("x"), 0)
	if _, err := b.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key(gone))}); err != nil {
		t.Fatal(err)
	}
	if failed := b.deliver(event(key(gone), 1)); failed != nil {
		t.Error("the message of a missing object is retried")
	}
}

// After any fault the message is delivered again, and the result is the
// same as without the fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		fault faults.Fault
	}{
		{"original cannot be read", faults.Fault{Service: "s3", Operation: "GetObject", Mode: faults.Error}},
		{"reading is throttled", faults.Fault{Service: "s3", Operation: "GetObject", Mode: faults.Throttle}},
		{"the original never arrives", faults.Fault{Service: "s3", Operation: "GetObject", Mode: faults.Timeout}},
		{"display cannot be written", faults.Fault{Service: "s3", Operation: "PutObject", Mode: faults.Error}},
		{"display is written, the answer lost", faults.Fault{Service: "s3", Operation: "PutObject", Mode: faults.DropReply}},
		{"thumbnail is written, the answer lost", faults.Fault{Service: "s3", Operation: "PutObject", Mode: faults.DropReply, Skip: 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.upload(testPicture(t), 0)
			b.attach(id)
			c.fault.Count = faults.Forever
			if err := b.faults.Add(c.fault); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			m := event(key(id), 1)
			out, err := b.handler.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{m}})
			if err != nil || len(out.BatchItemFailures) != 1 {
				t.Errorf("under the fault: %v, %v; want the message to be retried", out, err)
			}
			if len(b.faults.Taken()) == 0 {
				t.Error("the fault did not happen")
			}
			if n := one[int](b, `SELECT count(*) FROM uploads WHERE state = 'processed' OR state = 'refused'`); n != 0 {
				t.Error("the upload counts as done")
			}
			b.faults.Clear()
			if failed := b.deliver(event(key(id), 2)); failed != nil {
				t.Fatalf("afterwards: failed %v", failed)
			}
			if got := one[string](b, `SELECT state FROM uploads`); got != "processed" || len(b.keys()) != 2 {
				t.Errorf("ended %s with %v", got, b.keys())
			}
			if n := one[int](b, `SELECT count(*) FROM outbox WHERE queue = 'validate'`); n != 1 {
				t.Errorf("%d requests for validation, want 1", n)
			}
		})
	}
}

func testPicture(t testing.TB) []byte {
	t.Helper()
	return withEXIF(asJPEG(t, arrow(200, 120), 90), tiff(1))
}
