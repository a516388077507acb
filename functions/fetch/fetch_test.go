package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
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
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

type bundle struct {
	*testing.T
	w       *Worker
	handler queue.Handler
	db      *pgxpool.Pool
	s3      *s3.Client
	faults  *faults.Set
	key     uuid.UUID
}

// setup starts the worker. private is the setting for one machine: the servers of the tests are on loopback.
func setup(t *testing.T, private string, opts ...outbound.Option) *bundle {
	t.Helper()
	set := faults.NewSet()
	cloud, err := aws.Start(aws.Options{Faults: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	address := testdb.URL(t)
	env := config.Env{"DATABASE_URL": testdb.AppURL(address), "MEDIA_BUCKET": "media", "S3_PATH_STYLE": "true", "WEBHOOK_PRIVATE_ADDRESSES": private}
	for k, v := range cloud.Env() {
		env[k] = v
	}
	kit, err := service.Open(t.Context(), "fetch", env, service.WithOutput(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	w, err := newWorker(kit, opts...)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &bundle{T: t, w: w, handler: queue.Each(queue.Fetch, 1, kit.Log, w.handle), db: pool, faults: set, key: database.NewID(),
		s3: s3.NewFromConfig(cloud.Config(), func(o *s3.Options) { o.UsePathStyle, o.DisableLogOutputChecksumValidationSkipped = true, true })}
	if _, err := b.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("media")}); err != nil {
		t.Fatal(err)
	}
	b.exec(`INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES ($1, 'FixMyStreet', 'ops@example.tl', 60, sha256('x'))`, b.key)
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.Helper()
	if _, err := b.db.Exec(b.Context(), sql, args...); err != nil {
		b.Fatal(err)
	}
}

// upload makes an upload whose picture is to be fetched, with a report that waits for it.
func (b *bundle) upload() uuid.UUID {
	b.Helper()
	id, report := b.uploadAlone(), database.NewID()
	b.exec(`UPDATE uploads SET attached_at = now() WHERE id = $1`, id)
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude) VALUES ($1, 'LS-2026-000001', '', 'pothole', -8.55, 125.56)`, report)
	b.exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $1)`, id, report)
	ledgertest.Submit(b.T, b.db, report)
	return id
}

// deliver hands the worker a message, and reports whether it comes back.
func (b *bundle) deliver(id uuid.UUID, address string) bool {
	b.Helper()
	body := `{"upload_id":"` + id.String() + `","url":"` + address + `"}`
	out, err := b.handler.Handle(b.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: body}}})
	if err != nil {
		b.Fatal(err)
	}
	return len(out.BatchItemFailures) > 0
}

// state is what became of an upload: state, refusal, messages for its report.
func (b *bundle) state(id uuid.UUID) string {
	b.Helper()
	var out string
	const q = `SELECT concat_ws(' ', state, refusal, (SELECT count(*) FROM outbox WHERE queue = 'validate')) FROM uploads WHERE id = $1`
	if err := b.db.QueryRow(b.Context(), q, id).Scan(&out); err != nil {
		b.Fatal(err)
	}
	return out
}

func (b *bundle) object(id uuid.UUID) []byte {
	b.Helper()
	out, err := b.s3.GetObject(b.Context(), &s3.GetObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(storage.Originals + id.String())})
	if err != nil {
		return nil
	}
	defer func() { _ = out.Body.Close() }()
	raw, err := io.ReadAll(out.Body)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

func photo(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// serve starts a server that counts its requests.
func serve(t *testing.T, h http.HandlerFunc) (string, *atomic.Int32) {
	t.Helper()
	n := new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.Add(1); h(w, r) }))
	t.Cleanup(s.Close)
	return s.URL, n
}

// The picture becomes the original of the upload, declared as it is. A repeated message fetches nothing.
func TestAPictureIsFetchedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, "true")
	file := photo(t)
	address, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("User-Agent"), "Go-http-client") || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/html") // the bytes decide
		_, _ = w.Write(file)
	})
	id := b.upload()
	for range 2 {
		if b.deliver(id, address+"/photo?id=1") {
			t.Error("the message comes back")
		}
	}
	if got := b.state(id); got != "stored 0" || requests.Load() != 1 || !bytes.Equal(b.object(id), file) {
		t.Errorf("the upload is %s after %d requests, with %d bytes", got, requests.Load(), len(b.object(id)))
	}
	sum := sha256.Sum256(file)
	var fits bool
	const q = `SELECT sha256 = $2 AND original_sha256 = $2 AND size_bytes = $3 AND width = 40 AND height = 30 AND content_type = 'image/jpeg' FROM uploads WHERE id = $1`
	if err := b.db.QueryRow(t.Context(), q, id, sum[:], len(file)).Scan(&fits); err != nil || !fits {
		t.Errorf("the row does not fit the picture (%v)", err)
	}
}

// What another try cannot change ends at once: the upload says why, and its report goes on without it.
func TestWhatNoTryCanChangeEndsAtOnce(t *testing.T) {
	t.Parallel()
	target, followed := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(photo(t)) })
	answers := map[string]http.HandlerFunc{
		"/gone":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"/missing":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"/forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"/nothing":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) },
		"/page":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Sign in</html>")) },
		"/cut":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(photo(t)[:300]) },
		"/large": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(photo(t), make([]byte, 10_000_000)...))
		},
	}
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) })
	for path, want := range map[string]string{
		"/gone": "unreachable", "/missing": "unreachable", "/forbidden": "unreachable", "/nothing": "unreachable", "/redirect": "unreachable",
		"/page": "not_a_picture", "/cut": "broken", "/large": "too_large",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "true")
			id := b.upload()
			if b.deliver(id, address+path) {
				t.Error("the message comes back")
			}
			if got := b.state(id); got != "refused "+want+" 1" || b.object(id) != nil {
				t.Errorf("the upload is %s, want %s", got, want)
			}
		})
	}
	t.Cleanup(func() {
		if followed.Load() != 0 {
			t.Error("a redirect was followed")
		}
	})
}

// A fault of somebody else's server may go away: the message comes back, and the picture is still awaited.
func TestWhatMayChangeIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, "true")
	status, short := atomic.Int32{}, atomic.Bool{}
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if short.Load() {
			w.Header().Set("Content-Length", "5000")
		}
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write(photo(t))
	})
	id := b.upload()
	for _, s := range []int32{500, 502, 503, 504, 429, 408} {
		if status.Store(s); !b.deliver(id, address) || b.state(id) != "issued 0" {
			t.Errorf("after %d the upload is %s", s, b.state(id))
		}
	}
	status.Store(200)
	short.Store(true)
	if !b.deliver(id, address) || b.state(id) != "issued 0" {
		t.Errorf("after a picture that ended early the upload is %s", b.state(id))
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	if !b.deliver(id, closed.URL) || b.state(id) != "issued 0" {
		t.Errorf("after a server that is down the upload is %s", b.state(id))
	}
	short.Store(false)
	if b.deliver(id, address) || b.state(id) != "stored 0" {
		t.Errorf("in the end the upload is %s", b.state(id))
	}
}

// The worker ends between the bucket and the database. The next delivery finds the picture and does not ask for it again: another
// picture would no longer be what was announced.
func TestADeliveryThatDiedIsFinished(t *testing.T) {
	t.Parallel()
	b := setup(t, "true")
	n := atomic.Int32{}
	address, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(append(photo(t)[:len(photo(t))-2], 0xff, 0xfe, 0, 3, byte(n.Add(1)), 0xff, 0xd9)) // never the same bytes
	})
	id := b.upload()
	b.exec(`ALTER TABLE uploads ADD CONSTRAINT no_end CHECK (state <> 'stored')`)
	if !b.deliver(id, address) || b.object(id) == nil {
		t.Fatal("the first delivery has not stored the picture and failed")
	}
	first := b.object(id)
	b.exec(`ALTER TABLE uploads DROP CONSTRAINT no_end`)
	if b.deliver(id, address) || b.state(id) != "stored 0" || requests.Load() != 1 || !bytes.Equal(b.object(id), first) {
		t.Errorf("the upload is %s after %d requests", b.state(id), requests.Load())
	}

	// The bucket has not taken it: it is fetched again, and what is announced is the second picture.
	id = b.uploadAlone()
	if err := b.faults.Add(faults.Fault{Service: "s3", Mode: faults.Error, Count: 3}); err != nil {
		t.Fatal(err)
	}
	if !b.deliver(id, address) || b.object(id) != nil {
		t.Fatal("the bucket has taken it")
	}
	b.faults.Clear()
	if b.deliver(id, address) || b.state(id) != "stored 0" {
		t.Errorf("the upload is %s", b.state(id))
	}
	sum := sha256.Sum256(b.object(id))
	var fits bool
	if err := b.db.QueryRow(t.Context(), `SELECT sha256 = $2 FROM uploads WHERE id = $1`, id, sum[:]).Scan(&fits); err != nil || !fits {
		t.Errorf("the row announces another picture (%v)", err)
	}
}

// Two deliveries of one message at a time: what one has announced, the other does not change.
func TestTwoDeliveriesAtOnceKeepOnePicture(t *testing.T) {
	t.Parallel()
	b := setup(t, "true")
	id := b.upload()
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = b.db.Exec(context.Background(), `UPDATE uploads SET sha256 = sha256('other') WHERE id = $1 AND sha256 IS NULL`, id)
		_, _ = w.Write(photo(t))
	})
	if !b.deliver(id, address) || b.object(id) != nil {
		t.Error("the second picture was stored over the first")
	}
	if b.deliver(id, address) || b.state(id) != "stored 0" {
		t.Errorf("the upload is %s", b.state(id))
	}
}

// Nobody waits for the picture any more: its address is not called.
func TestWhatNobodyAwaitsIsNotFetched(t *testing.T) {
	t.Parallel()
	b := setup(t, "true")
	address, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(photo(t)) })
	id := b.upload()
	for _, change := range []string{`deletion = 'all'`, `deletion = NULL, state = 'processed'`, `state = 'refused', refusal = 'broken'`, `state = 'stored', refusal = NULL`} {
		b.exec(`UPDATE uploads SET ` + change)
		if b.deliver(id, address) || requests.Load() != 0 {
			t.Errorf("%s: %d requests", change, requests.Load())
		}
	}
	if b.deliver(database.NewID(), address) || requests.Load() != 0 {
		t.Error("an upload that was erased was fetched")
	}
}

// uploadAlone makes an upload without a report.
func (b *bundle) uploadAlone() uuid.UUID {
	b.Helper()
	batch := &database.Batch{}
	id := upload.Await(batch, b.key, time.Now()).ID
	if err := batch.Send(b.Context(), b.db); err != nil {
		b.Fatal(err)
	}
	return id
}

// The addresses that somebody could name to reach this system's own network. None of them is called.
func TestPicturesOfTheOwnNetworkAreNotFetched(t *testing.T) {
	t.Parallel()
	address, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(photo(t)) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	b := setup(t, "")
	for url, lookup := range map[string]bool{ // whether the fault may be that the name is not known yet
		address: false, "http://localhost:" + port + "/": false, "http://localhost/": false, "http://[::1]/": false, "http://[::ffff:127.0.0.1]/": false,
		"http://127.1/": true, "http://2130706433/": true, "http://0x7f.0.0.1/": true,
		"http://[64:ff9b::7f00:1]/": false, "http://169.254.169.254/latest/meta-data/": false, "http://169.254.170.2/v2/credentials": false, "http://10.0.0.1/a.jpg": false, "http://100.64.0.1/": false,
		"http://ana:x@example.org/": false, "http://example.org:22/": false, "file:///etc/passwd": false, "gopher://example.org/": false, "//example.org/a.jpg": false, "a.jpg": false, "": false,
	} {
		id := b.uploadAlone()
		again := b.deliver(id, url)
		if b.object(id) != nil || requests.Load() != 0 {
			t.Errorf("%s was called", url)
		}
		if got := b.state(id); got != "refused unreachable 0" && (!lookup || !again) {
			t.Errorf("%s: the upload is %s", url, got)
		}
	}
}
