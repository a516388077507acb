package anchor_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

const (
	account   = "0.0.1001"
	origin    = "lafaek.example/log"
	logBucket = "log"
)

// patient is longer than any call takes on a busy machine. Tests of timeouts use impatient.
const patient = time.Minute

func impatient(_ *hedera.Options, c *anchor.Config) {
	c.Ledger.MirrorTimeout, c.NodeTimeout = 200*time.Millisecond, 200*time.Millisecond
	c.KMSTimeout, c.Log.Timeout = 400*time.Millisecond, 400*time.Millisecond
}

// bundle is the whole path of an event: PostgreSQL, KMS, consensus nodes, mirror
// node, and a queue the test delivers from by hand on a clock it moves by hand.
type bundle struct {
	t       testing.TB
	clock   *timestamp.Manual
	faults  *faults.Set
	aws     *aws.Server
	net     *hedera.Server
	db      *database.DB // as the functions' role
	owner   *database.DB
	url     string
	queue   *mailbox
	config  anchor.Config
	worker  *anchor.Worker
	metrics *record
	logs    *record
	user    uuid.UUID
	number  int
}

// mailbox is the queue: it keeps what was sent until the test delivers it.
type mailbox struct {
	mu    sync.Mutex
	clock *timestamp.Manual
	mail  []letter
	lose  bool // nothing arrives
}

type letter struct {
	due time.Time
}

func (m *mailbox) Knows(n queue.Name) bool { return n == queue.Anchor }

func (m *mailbox) Send(_ context.Context, _ queue.Name, out []queue.Outgoing) ([]uuid.UUID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sent []uuid.UUID
	for _, o := range out {
		if !m.lose {
			m.mail = append(m.mail, letter{due: m.clock.Now().Add(o.Delay)})
		}
		sent = append(sent, o.ID)
	}
	return sent, nil
}

// take removes what is due; when nothing is, it says when the next will be.
func (m *mailbox) take() ([]letter, time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	var due, rest []letter
	var next time.Time
	for _, l := range m.mail {
		if l.due.After(now) {
			rest = append(rest, l)
			if next.IsZero() || l.due.Before(next) {
				next = l.due
			}
		} else {
			due = append(due, l)
		}
	}
	m.mail = rest
	return due, next
}

func (m *mailbox) put(l letter) { m.mu.Lock(); defer m.mu.Unlock(); m.mail = append(m.mail, l) }

func setup(t testing.TB, change ...func(*hedera.Options, *anchor.Config)) *bundle {
	t.Helper()
	// The network's clock starts at the machine's time, because requests to KMS are signed with that.
	b := &bundle{t: t, clock: timestamp.NewManual(time.Now()), faults: faults.NewSet(), user: database.NewID(), metrics: &record{}, logs: &record{}}
	b.queue = &mailbox{clock: b.clock}
	netOpts := hedera.Options{Now: b.clock.Now, Faults: b.faults}
	b.config = anchor.Config{
		Ledger: ledger.Config{Network: hedera.Network, Accounts: []string{account}, MirrorTimeout: patient,
			ExplorerURL: "https://example.org/{network}/{id}"},
		Log:   anchor.LogConfig{Origin: origin, KeyID: "alias/log", Timeout: patient, ReceiptsKey: base64.StdEncoding.EncodeToString(make([]byte, 32))},
		KeyID: "alias/ledger", NodesPerTransaction: 2, NodeTimeout: patient, KMSTimeout: patient,
		MaxFee:       2 * hedera.TinybarsPerHbar,
		ReceiptDelay: 2 * time.Second, ConfirmDelay: 4 * time.Second, ProbeEvery: time.Minute,
	}
	for _, f := range change {
		f(&netOpts, &b.config)
	}
	b.start(netOpts)
	b.url = testdb.URL(t)
	b.db, b.owner = b.open("lafaek_app", nil), b.open("", nil)
	b.worker = b.newWorker(b.db)
	b.exec(`CREATE TABLE heads (id serial, size bigint, checkpoint text)`)
	b.exec(`CREATE FUNCTION note_head() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
		$$ BEGIN INSERT INTO heads (size, checkpoint) VALUES (NEW.size, NEW.checkpoint); RETURN NEW; END $$`)
	b.exec(`CREATE TRIGGER note_head AFTER UPDATE OF size, checkpoint ON log_head FOR EACH ROW EXECUTE FUNCTION note_head()`)
	b.exec(`INSERT INTO users (id, email, full_name) VALUES ($1, 'ana@example.org', 'Ana')`, b.user)
	return b
}

// start runs the stand-ins and gives the operator's account the key in KMS.
func (b *bundle) start(opts hedera.Options) {
	b.t.Helper()
	var err error
	if b.aws, err = aws.Start(aws.Options{Faults: b.faults}); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = b.aws.Close() })
	if b.net, err = hedera.Start(opts); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = b.net.Close() })
	key := b.newKey("alias/ledger", types.KeySpecEccSecgP256k1)
	b.newKey("alias/log", types.KeySpecEccNistEdwards25519)
	if _, err := b.s3().CreateBucket(b.t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String(logBucket)}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.net.SetAccount(account, key, 100*hedera.TinybarsPerHbar); err != nil {
		b.t.Fatal(err)
	}
	if b.config.Ledger.TopicReports, err = b.net.EnsureTopic("reports", key); err != nil {
		b.t.Fatal(err)
	}
	b.config.Ledger.MirrorURL, b.config.Nodes = b.net.MirrorURL(), b.net.Nodes()
}

func (b *bundle) s3() *s3.Client {
	return s3.NewFromConfig(b.aws.Config(), func(o *s3.Options) { o.UsePathStyle, o.RetryMaxAttempts = true, 1 })
}

// store is the bucket of the log.
func (b *bundle) store() *storage.Log {
	b.t.Helper()
	cfg := b.aws.Config()
	cfg.RetryMaxAttempts = 1
	store, err := storage.NewLog(cfg, storage.LogConfig{Bucket: logBucket, PathStyle: true, LockMode: storage.LockNone}, b.clock)
	if err != nil {
		b.t.Fatal(err)
	}
	return store
}

func (b *bundle) kms() *kms.Client {
	return kms.NewFromConfig(b.aws.Config(), func(o *kms.Options) { o.RetryMaxAttempts = 1 })
}

// newKey makes a signing key and returns its public key as KMS gives it.
func (b *bundle) newKey(alias string, spec types.KeySpec) []byte {
	b.t.Helper()
	out, err := b.kms().CreateKey(b.t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: "SIGN_VERIFY"})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.kms().CreateAlias(b.t.Context(), &kms.CreateAliasInput{AliasName: awssdk.String(alias), TargetKeyId: out.KeyMetadata.KeyId}); err != nil {
		b.t.Fatal(err)
	}
	pub, err := b.kms().GetPublicKey(b.t.Context(), &kms.GetPublicKeyInput{KeyId: out.KeyMetadata.KeyId})
	if err != nil {
		b.t.Fatal(err)
	}
	return pub.PublicKey
}

// open connects in a role; change may alter the pool.
func (b *bundle) open(role string, change func(*pgxpool.Config)) *database.DB {
	b.t.Helper()
	c, err := pgxpool.ParseConfig(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	c.MaxConns = 4
	if role != "" {
		c.ConnConfig.RuntimeParams["role"] = role
	}
	if change != nil {
		change(c)
	}
	pool, err := pgxpool.NewWithConfig(b.t.Context(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(pool.Close)
	return &database.DB{Pool: pool}
}

// newWorker is another process of the function.
func (b *bundle) newWorker(db *database.DB) *anchor.Worker { return b.newWorkerWith(db, b.kms()) }

// newWorkerWith is one that signs through k; change may alter what else it works with.
func (b *bundle) newWorkerWith(db *database.DB, k anchor.KMS, change ...func(*anchor.Deps)) *anchor.Worker {
	b.t.Helper()
	network, err := anchor.NewNetwork(b.config.Nodes, b.config.NodesPerTransaction, b.config.NodeTimeout)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = network.Close() })
	log := slog.New(slog.NewTextHandler(b.logs, nil))
	d := anchor.Deps{
		DB: db, Outbox: outbox.New(db, b.queue, log), Store: b.store(), LogKey: anchor.NewLogKey(k, b.config.Log.KeyID, b.config.Log.Origin, b.config.KMSTimeout),
		HTTP: http.DefaultClient, Network: network, Mirror: ledger.NewMirror(b.config.Ledger), Signer: anchor.NewSigner(k, b.config.KeyID, b.config.KMSTimeout),
		Settings: settings.NewReader(db, b.clock), Clock: b.clock, Log: log, Metrics: telemetry.NewMetrics(b.metrics, "test", "anchor", b.clock),
	}
	for _, f := range change {
		f(&d)
	}
	w, err := anchor.NewWorker(d, b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

// record is what all workers of a test wrote.
type record struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.owner.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

func scan[T any](b *bundle, sql string, args ...any) T {
	b.t.Helper()
	var v T
	if err := b.owner.QueryRow(b.t.Context(), sql, args...).Scan(&v); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// report stores a report with a photograph and its first event.
func (b *bundle) report() uuid.UUID {
	b.t.Helper()
	b.number++
	id, upload := database.NewID(), database.NewID()
	hash := sha256.Sum256([]byte("picture " + upload.String()))
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, title, description, latitude, longitude)
		VALUES ($1, $2, $3, 'x', 'pothole', 'Kuak boot', 'Iha dalan klaran', -8.556856, 125.560314)`,
		id, fmt.Sprintf("LS-2026-%06d", b.number), b.user)
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, display_sha256, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', 5, 'processed', $4, now())`, upload, b.user, "originals/"+upload.String(), hash[:])
	b.exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $3)`, database.NewID(), id, upload)
	b.append(id, ledger.Event{Type: ledger.Submitted})
	b.step(id, "", "pending", "citizen")
	return id
}

func (b *bundle) append(id uuid.UUID, e ledger.Event) uuid.UUID {
	b.t.Helper()
	e.At = b.clock.Now()
	if e.Actor.Kind == "" {
		e.Actor.Kind = "citizen"
	}
	var event uuid.UUID
	box := outbox.New(b.db, b.queue, slog.New(slog.DiscardHandler))
	err := box.Do(b.t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), e.Actor.AgencyID)
		if err := tx.Flush(b.t.Context()); err != nil {
			return err
		}
		entry, err := chain.Get().Append(b.t.Context(), tx, e)
		if err == nil {
			event = entry.ID
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return event
}

// move changes a report's status the way the functions do.
func (b *bundle) move(report uuid.UUID, from, to string) {
	b.t.Helper()
	b.exec(`UPDATE reports SET status = $2 WHERE id = $1`, report, to)
	b.append(report, ledger.Event{Type: ledger.StatusMoved, OldStatus: from, Actor: ledger.Actor{Kind: "moderator"}})
	b.exec(`UPDATE reports r SET verified_at = CASE WHEN $2 = 'verified' THEN coalesce(verified_at, e.created_at) ELSE verified_at END,
			resolved_at = CASE WHEN $2 = 'fixed' THEN e.created_at END
		FROM (SELECT created_at FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1) e WHERE r.id = $1`, report, to)
	b.step(report, from, to, "moderator")
}

// step adds the row of the status history that the newest event vouches for.
func (b *bundle) step(report uuid.UUID, from, to, kind string) {
	b.t.Helper()
	b.exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, created_at, seq)
		SELECT $1, $2, nullif($3, ''), $4, $5, created_at, seq FROM ledger_events WHERE report_id = $2 ORDER BY seq DESC LIMIT 1`, database.NewID(), report, from, to, kind)
}

func (l *letter) sqs() events.SQSMessage {
	return events.SQSMessage{MessageId: database.NewID().String(), Body: "{}"}
}

// deliver hands letters over, ten at a time, and puts those that failed back for
// the visibility timeout. It returns how many failed.
func (b *bundle) deliver(w *anchor.Worker, letters []letter) int {
	failures := 0
	for part := range slices.Chunk(letters, queue.MaxBatch) {
		var batch events.SQSEvent
		byID := map[string]letter{}
		for i := range part {
			m := part[i].sqs()
			batch.Records, byID[m.MessageId] = append(batch.Records, m), part[i]
		}
		resp, err := queue.Each(queue.Anchor, 1, w.Log, w.Message, queue.Alike()).Handle(b.t.Context(), batch)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, f := range resp.BatchItemFailures {
			l := byID[f.ItemIdentifier]
			l.due = b.clock.Now().Add(time.Minute)
			b.queue.put(l)
			failures++
		}
	}
	return failures
}

// settle delivers until the queue is empty, moving the clock to the next message
// when none is due. It gives up after an hour of the clock.
func (b *bundle) settle() {
	b.t.Helper()
	end := b.clock.Now().Add(time.Hour)
	for b.clock.Now().Before(end) {
		due, next := b.queue.take()
		if len(due) > 0 {
			b.deliver(b.worker, due)
			continue
		}
		if next.IsZero() {
			return
		}
		b.clock.Advance(next.Sub(b.clock.Now()))
	}
	b.t.Fatalf("the queue is not empty after an hour\n%s", b.tail())
}

// shuffle delivers everything due twice, in random order, to two workers at once.
func (b *bundle) shuffle(workers ...*anchor.Worker) {
	due, _ := b.queue.take()
	due = append(due, due...)
	var wg sync.WaitGroup
	for _, w := range workers {
		mine := slices.Clone(due)
		rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
		wg.Go(func() { b.deliver(w, mine) })
	}
	wg.Wait()
}

// published checks the log: it has every event of the table, and its checkpoint is the one in log_head.
func (b *bundle) published() *translog.Checkpoint {
	b.t.Helper()
	signed, err := b.store().Get(b.t.Context(), translog.CheckpointKey, 1<<16)
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.tail())
	}
	c, err := translog.OpenCheckpoint(signed, origin, scan[[]string](b, `SELECT array_agg(vkey) FROM log_keys WHERE role = 'log'`)...)
	if err != nil {
		b.t.Fatal(err)
	}
	if kept := scan[string](b, `SELECT checkpoint FROM log_head`); kept != string(signed) {
		b.t.Errorf("the bucket has the checkpoint\n%s\nlog_head has\n%s", signed, kept)
	}
	if n := scan[int64](b, `SELECT count(*) FROM ledger_events`); n != c.N {
		b.t.Errorf("%d of %d events are published\n%s", c.N, n, b.tail())
	}
	entries, err := translog.Published(b.store(), c.Tree)(b.t.Context(), 0, c.N)
	if err != nil {
		b.t.Fatal(err)
	}
	for i, payload := range scan[[][]byte](b, `SELECT array_agg(payload ORDER BY log_index) FROM ledger_events`) {
		if !bytes.Equal(payload, entries[i]) {
			b.t.Errorf("entry %d is %s, the event is %s", i, entries[i], payload)
		}
	}
	return c
}

// checkAnchored checks the end state: every event is published, a confirmed message covers it, the network has each message
// once, and the reports show it.
func (b *bundle) checkAnchored() {
	b.t.Helper()
	c := b.published()
	if n := scan[int64](b, `SELECT coalesce(max(size), 0) FROM log_messages WHERE state = 'confirmed'`); n != c.N {
		b.t.Errorf("confirmed messages cover %d of %d events\n%s", n, c.N, b.tail())
	}
	if n := scan[int](b, `SELECT count(*) FROM log_messages m WHERE shown < size OR state <> 'confirmed'
		OR first_index <> coalesce((SELECT max(size) FROM log_messages e WHERE e.id < m.id), 0)`); n != 0 {
		b.t.Errorf("%d messages are not confirmed, not shown, or do not follow the one before\n%s", n, b.tail())
	}
	if n := scan[int](b, `SELECT count(*) FROM reports WHERE blockchain_status <> 'confirmed'`); n != 0 {
		b.t.Errorf("%d reports do not show it\n%s", n, b.tail())
	}
	const roots = `SELECT count(*) FROM heads h, heads e WHERE e.id < h.id AND
		(e.size > h.size OR e.size = h.size AND split_part(e.checkpoint, chr(10), 3) <> split_part(h.checkpoint, chr(10), 3))`
	if n := scan[int](b, roots); n != 0 {
		b.t.Errorf("%d checkpoints have a size that was signed with another root, or a smaller one", n)
	}
	wanted := map[string]int{}
	for _, m := range scan[[]string](b, `SELECT coalesce(array_agg(convert_from(message, 'UTF8')), '{}') FROM log_messages`) {
		wanted[m]++
	}
	for _, m := range b.net.Messages() {
		wanted[string(m.Contents)]--
	}
	for m, n := range wanted {
		if n != 0 {
			b.t.Errorf("message %s: %+d between database and network", m, n)
		}
	}
	if n := scan[int](b, `SELECT count(*) FROM log_head WHERE leased_by IS NOT NULL`); n != 0 {
		b.t.Error("a round has not given its lease back")
	}
}

// place returns the member blockchain of a report, as the API answers it.
func (b *bundle) place(id uuid.UUID) ledger.Anchor {
	b.t.Helper()
	batch := &database.Batch{}
	a := ledger.AskAnchor(batch, b.config.Ledger, report.AboutID(id))
	if err := batch.Send(b.t.Context(), b.db); err != nil {
		b.t.Fatal(err)
	}
	return a.Get()
}

func (b *bundle) verify(report uuid.UUID) *ledger.Verification {
	b.t.Helper()
	c := b.config.Ledger
	c.MirrorTimeout = patient
	v, err := ledger.Verify(b.t.Context(), b.db, ledger.Sources{Log: b.store(), Mirror: ledger.NewMirror(c)}, c, report)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// key is the public key of the key the worker signs with.
func (b *bundle) key() []byte {
	b.t.Helper()
	pub, err := b.kms().GetPublicKey(b.t.Context(), &kms.GetPublicKeyInput{KeyId: awssdk.String("alias/ledger")})
	if err != nil {
		b.t.Fatal(err)
	}
	return pub.PublicKey
}

// setKey enables or disables the key the worker signs with.
func (b *bundle) setKey(on bool) {
	b.t.Helper()
	described, err := b.kms().DescribeKey(b.t.Context(), &kms.DescribeKeyInput{KeyId: awssdk.String("alias/ledger")})
	if err != nil {
		b.t.Fatal(err)
	}
	id := described.KeyMetadata.KeyId
	if on {
		_, err = b.kms().EnableKey(b.t.Context(), &kms.EnableKeyInput{KeyId: id})
	} else {
		_, err = b.kms().DisableKey(b.t.Context(), &kms.DisableKeyInput{KeyId: id})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// tail is the end of what the workers logged.
func (b *bundle) tail() string {
	s := b.logs.String()
	return s[max(0, len(s)-4000):]
}
