package validate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/service"
)

type bundle struct {
	t       *testing.T
	w       *Worker
	handler queue.Handler
	kit     *service.Kit
	db      *pgxpool.Pool
	cloud   *aws.Server
	s3      *s3.Client
	faults  *faults.Set
	owner   string // URL of the database for the owner of the tables
	person  uuid.UUID
	numbers int
}

// setup starts a worker. The default timeout of AI calls is longer than any call takes on a busy machine; a test of
// timeouts gives a shorter one.
func setup(t *testing.T, aiTimeout ...string) *bundle {
	t.Helper()
	aiTimeout = append(aiTimeout, "1m")
	set := faults.NewSet()
	cloud, err := aws.Start(aws.Options{Faults: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	owner := testdb.URL(t)
	address := testdb.AppURL(owner)
	env := config.Env{"DATABASE_URL": address, "MEDIA_BUCKET": "media", "S3_PATH_STYLE": "true", "AI_TIMEOUT": aiTimeout[0]}
	for k, v := range cloud.Env() {
		env[k] = v
	}
	kit, err := service.Open(t.Context(), "validate", env, service.WithOutput(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	worker, err := newWorker(kit)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &bundle{t: t, w: worker, handler: kit.Queue(queue.Validate, 2, worker.handleMessage, queue.WhenParked(worker.parked)), kit: kit, db: pool,
		cloud: cloud, faults: set, owner: owner, person: database.NewID(), s3: s3.NewFromConfig(cloud.Config(), func(o *s3.Options) { o.UsePathStyle = true })}
	if _, err := b.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("media")}); err != nil {
		t.Fatal(err)
	}
	b.exec(`INSERT INTO users (id, email, preferred_language) VALUES ($1, 'ana@example.tl', 'pt')`, b.person)
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

// meanwhile makes the database apply a change to every report at the moment its AI status becomes processing.
func (b *bundle) meanwhile(change string) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.owner)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close(b.t.Context()) }()
	_, err = conn.Exec(b.t.Context(), `
		CREATE FUNCTION decide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE reports SET `+change+`; RETURN NULL; END $$;
		CREATE TRIGGER decided AFTER UPDATE OF ai_status ON reports FOR EACH ROW
			WHEN (OLD.ai_status = 'queued' AND NEW.ai_status = 'processing') EXECUTE FUNCTION decide()`)
	if err != nil {
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

// report makes a pending report at a place, with its first ledger event, as POST /reports does.
func (b *bundle) report(latitude, longitude float64) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.numbers++
	err := b.kit.Outbox.Do(b.t.Context(), func(tx *outbox.Tx) error {
		if _, err := tx.Exec(b.t.Context(), `INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude)
			VALUES ($1, $2, $3, '', 'pothole', $4, $5)`, id, fmt.Sprintf("LS-2026-%06d", b.numbers), b.person, latitude, longitude); err != nil {
			return err
		}
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(b.t.Context()); err != nil {
			return err
		}
		at := time.Now()
		if _, err := chain.Get().Append(b.t.Context(), tx, ledger.Event{Type: ledger.Submitted, Actor: ledger.Actor{Kind: "citizen"}, At: at}); err != nil {
			return err
		}
		_, err := tx.Exec(b.t.Context(), `INSERT INTO report_status_history (id, report_id, new_status, actor_kind, created_at, seq)
			VALUES ($1, $2, 'pending', 'citizen', $3, 1)`, database.NewID(), id, at)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// attach gives the report a picture in the given state of processing.
func (b *bundle) attach(report uuid.UUID, state string, seed int) uuid.UUID {
	b.t.Helper()
	upload, img := database.NewID(), database.NewID()
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, attached_at, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', 1000, $4, now(), now() + interval '7 days')`, upload, b.person, "originals/"+upload.String(), state)
	b.exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $3)`, img, report, upload)
	if state == "processed" {
		b.put(upload, seed)
	}
	return img
}

func (b *bundle) put(upload uuid.UUID, seed int) {
	b.t.Helper()
	if _, err := b.s3.PutObject(b.t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"),
		Key: awssdk.String("renditions/" + upload.String() + "/display.jpg"), Body: bytes.NewReader(scene(b.t, seed))}); err != nil {
		b.t.Fatal(err)
	}
}

// scene is a picture; the same seed gives the same one, others look different.
func scene(t *testing.T, seed int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.SetRGBA(x, y, color.RGBA{R: uint8(x * y * (seed + 1)), G: uint8((x/(seed+3) + y) * 40), B: uint8(seed * 60), A: 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// answers scripts the next answers of the model.
func (b *bundle) answers(all ...string) {
	b.t.Helper()
	var raw []json.RawMessage
	for _, a := range all {
		raw = append(raw, json.RawMessage(a))
	}
	if err := b.cloud.Bedrock.Script(raw); err != nil {
		b.t.Fatal(err)
	}
}

// deliver gives the worker the report's message and reports whether it returned to the queue.
func (b *bundle) deliver(report uuid.UUID, receives int) bool {
	b.t.Helper()
	out, err := b.handler.Handle(b.t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m",
		Body: `{"report_id":"` + report.String() + `"}`, Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(receives)}}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return len(out.BatchItemFailures) > 0
}

// state is the report in short: status, AI status, severity, ledger events,
// notifications and the number of embeddings.
func (b *bundle) state(report uuid.UUID) string {
	b.t.Helper()
	return one[string](b, `SELECT concat_ws(' ', status, ai_status, severity,
		(SELECT string_agg(event_type, '+' ORDER BY seq) FROM ledger_events WHERE report_id = r.id),
		(SELECT string_agg(type, '+') FROM notifications WHERE report_id = r.id),
		(SELECT count(*) FROM report_embeddings WHERE report_id = r.id)) FROM reports r WHERE id = $1`, report)
}

// requireLedger fails the test if the report differs from its newest ledger event.
func (b *bundle) requireLedger(report uuid.UUID) {
	b.t.Helper()
	v, err := ledger.VerifyRecords(b.t.Context(), b.db, ledger.Config{}, report)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range v.Checks {
		if !c.OK && c.Name != "anchored" {
			b.t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
}

func (b *bundle) calls(stage string) int {
	b.t.Helper()
	return one[int](b, `SELECT count(*) FROM ai_analyses WHERE stage = $1`, stage)
}

func contains(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: %q lacks %q", what, text, w)
		}
	}
}
