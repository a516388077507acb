package anchor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// Each call of each service fails in each way. In the end every event is published and confirmed, and each message was sent once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, target := range []struct{ service, operation string }{
		{"kms", "Sign"}, {"kms", "GetPublicKey"},
		{"s3", "GetObject"}, {"s3", "PutObject"},
		{"hedera", "SubmitMessage"}, {"hedera", "GetTransactionReceipts"},
		{"mirror", "topic_message"},
	} {
		for _, mode := range faults.Modes() {
			for _, count := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/%s/%s/%d", target.service, target.operation, mode, count), func(t *testing.T) {
					t.Parallel()
					var change []func(*hedera.Options, *anchor.Config)
					if mode == faults.Timeout {
						change = append(change, impatient)
					}
					b := setup(t, change...)
					if err := b.faults.Add(faults.Fault{Service: target.service, Operation: target.operation, Mode: mode, Count: count}); err != nil {
						t.Fatal(err)
					}
					id := b.report()
					b.pass(time.Minute)
					b.move(id, "pending", "verified")
					b.pass(time.Minute)
					b.settle()
					if n := len(b.faults.Taken()); n != count {
						t.Errorf("fault struck %d times, want %d", n, count)
					}
					b.checkAnchored()
				})
			}
		}
	}
}

// A new transaction is made only when the old one had no effect.
func TestOutageBeyondExpiry(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		fault        faults.Fault
		transactions int // at least
	}{
		{"nothing was sent", faults.Fault{Service: "hedera", Operation: "SubmitMessage", Mode: faults.Error, Count: faults.Forever}, 2},
		{"sent, all answers lost", faults.Fault{Service: "hedera", Operation: "SubmitMessage", Mode: faults.DropReply, Count: faults.Forever}, 1},
		{"sent, no receipts", faults.Fault{Service: "hedera", Operation: "GetTransactionReceipts", Mode: faults.Error, Count: faults.Forever}, 1},
		{"sent, mirror silent", faults.Fault{Service: "mirror", Mode: faults.Error, Count: faults.Forever}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if err := b.faults.Add(tc.fault); err != nil {
				t.Fatal(err)
			}
			b.report()
			for end := b.clock.Now().Add(20 * time.Minute); b.clock.Now().Before(end); b.clock.Advance(15 * time.Second) {
				b.queue.put(letter{due: b.clock.Now()})
				due, _ := b.queue.take()
				b.deliver(b.worker, due)
				if b.faults.Pending() != nil && b.clock.Now().After(end.Add(-15*time.Minute)) {
					b.faults.Clear()
				}
			}
			b.settle()
			b.checkAnchored()
			if n := strings.Count(b.logs.String(), "had no effect"); n+1 < tc.transactions || tc.transactions == 1 && n > 0 {
				t.Errorf("%d transactions were given up, want %d", n, tc.transactions-1)
			}
		})
	}
}

// A mirror node that does not know a
// transaction proves nothing before it has passed the transaction's expiry.
func TestANewTransactionWaitsForALateMirror(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options, _ *anchor.Config) { o.MirrorLag = 10 * time.Minute })
	if err := b.faults.Add(faults.Fault{Service: "hedera", Operation: "GetTransactionReceipts", Mode: faults.Error, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	b.report()
	b.settle()
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 1 || strings.Contains(b.logs.String(), "had no effect") {
		t.Errorf("got %d messages, want one of one transaction", n)
	}
}

// manyMirrors answers about the horizon from a machine that is up to date, and about transactions from one that is behind.
type manyMirrors struct {
	anchor.MirrorNode
	clock  timestamp.Clock
	behind time.Time // from then on all machines are up to date
}

func (m manyMirrors) Transaction(ctx context.Context, id string) (*ledger.MirrorTransaction, error) {
	if m.clock.Now().Before(m.behind) {
		return nil, ledger.ErrNotOnMirror
	}
	return m.MirrorNode.Transaction(ctx, id)
}

// One mirror node is several machines, and some are
// behind the others.
func TestANewTransactionWaitsForEveryMirror(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.faults.Add(faults.Fault{Service: "hedera", Operation: "GetTransactionReceipts", Mode: faults.Error, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	b.worker.Mirror = manyMirrors{b.worker.Mirror, b.clock, b.clock.Now().Add(135 * time.Second)} // a transaction lives for 120
	b.report()
	b.pass(10 * time.Minute)
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 1 || strings.Contains(b.logs.String(), "had no effect") {
		t.Errorf("got %d messages, want one of one transaction", n)
	}
}

// While it lasts few transactions are sent, and nothing is lost.
func TestAFaultForTheOperatorHaltsAllSubmissions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		break_, ok func(*bundle)
	}{
		{"wrong key", func(b *bundle) {
			_ = b.net.SetAccount(account, b.newKey("alias/other", types.KeySpecEccSecgP256k1), 100*hedera.TinybarsPerHbar)
		},
			func(b *bundle) { _ = b.net.SetAccount(account, b.key(), 100*hedera.TinybarsPerHbar) }},
		{"no funds", func(b *bundle) { _ = b.net.SetAccount(account, b.key(), 7) },
			func(b *bundle) { _ = b.net.SetAccount(account, b.key(), 100*hedera.TinybarsPerHbar) }},
		{"key disabled", func(b *bundle) { b.setKey(false) }, func(b *bundle) { b.setKey(true) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			tc.break_(b)
			for range 10 {
				b.report()
			}
			b.pass(10 * time.Second)
			if n := b.net.Calls("SubmitMessage"); n > 1 {
				t.Errorf("got %d submits of 10 events at the wall, want one", n)
			}
			if got := scan[int](b, `SELECT count(*) FROM ledger_circuit WHERE reason IS NOT NULL`); got != 1 {
				t.Error("the circuit is closed")
			}
			if !strings.Contains(b.metrics.String(), "ledger_halted") {
				t.Error("no alarm metric")
			}
			b.pass(time.Hour)
			if n := b.net.Calls("SubmitMessage"); n > 12 {
				t.Errorf("got %d submits in an hour, want a probe now and then", n)
			}
			b.published()
			tc.ok(b)
			b.pass(time.Hour)
			b.checkAnchored()
			if got := scan[int](b, `SELECT count(*) FROM ledger_circuit WHERE reason IS NULL`); got != 1 {
				t.Error("the circuit is still open")
			}
		})
	}
}

// TestARoundKilledAnywhereIsTakenUpAgain cuts a round off before each of its database statements and each of its calls of
// the bucket in turn, as a killed process would be, and lets another go on.
func TestARoundKilledAnywhereIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	cuts := map[string]int{"statement": 30, "bucket": 5} // at least
	for name, cutter := range map[string]func(*bundle, *killer) *anchor.Worker{
		"statement": func(b *bundle, k *killer) *anchor.Worker {
			return b.newWorker(b.open("lafaek_app", func(c *pgxpool.Config) { c.ConnConfig.Tracer = k }))
		},
		"bucket": func(b *bundle, k *killer) *anchor.Worker {
			return b.newWorkerWith(b.db, b.kms(), func(d *anchor.Deps) { d.Store = cutStore{d.Store, k} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for at := 1; ; at++ {
				b.report()
				ctx, kill := context.WithCancel(t.Context())
				k := &killer{at: at, kill: kill}
				_ = cutter(b, k).Round(ctx)
				kill()
				b.clock.Advance(2 * time.Minute) // the dead round's lease ends
				b.pass(time.Minute)
				b.checkAnchored()
				if t.Failed() {
					t.Fatalf("cut before call %d", at)
				}
				if !k.struck {
					t.Logf("%d cuts", at-1)
					if at <= cuts[name] {
						t.Error("the round was not cut everywhere")
					}
					break
				}
			}
		})
	}
}

// cutStore ends a context at the n-th call.
type cutStore struct {
	translog.Store
	k *killer
}

func (c cutStore) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	c.k.count()
	return c.Store.Get(ctx, key, limit)
}

func (c cutStore) Put(ctx context.Context, f translog.File) error {
	c.k.count()
	return c.Store.Put(ctx, f)
}

// killer ends a context at the n-th statement.
type killer struct {
	mu     sync.Mutex
	at     int
	kill   context.CancelFunc
	struck bool
}

func (k *killer) count() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at--; k.at == 0 {
		k.struck = true
		k.kill()
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (k *killer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	k.count()
	return ctx
}

// TraceBatchStart implements pgx.BatchTracer.
func (k *killer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	k.count()
	return ctx
}

func (k *killer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (k *killer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func (k *killer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// What a restart of PostgreSQL does to runs under way.
func TestDatabaseConnectionsCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 8 {
		b.report()
	}
	var cut sync.WaitGroup
	done := make(chan struct{})
	cut.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				const all = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
				_, _ = b.owner.Exec(context.WithoutCancel(t.Context()), all)
			}
		}
	})
	failed := 0
	for range 6 {
		b.queue.put(letter{due: b.clock.Now()})
		due, _ := b.queue.take()
		failed += b.deliver(b.worker, due)
		b.clock.Advance(time.Minute)
	}
	close(done)
	cut.Wait()
	b.pass(5 * time.Minute)
	b.checkAnchored()
	t.Logf("%d deliveries failed", failed)
}

// frozen runs do before a call of the bucket, of KMS or of a node, once, as a process that Lambda freezes in the middle of a
// round and thaws later.
type frozen struct {
	once sync.Once
	do   func()
}

type frozenKMS struct {
	anchor.KMS
	*frozen
	alias string
}

func (f frozenKMS) Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error) {
	if *in.KeyId == f.alias {
		f.once.Do(f.do)
	}
	return f.KMS.Sign(ctx, in, opts...)
}

type frozenStore struct {
	translog.Store
	*frozen
	prefix string
}

func (f frozenStore) Put(ctx context.Context, file translog.File) error {
	if strings.HasPrefix(file.Key, f.prefix) {
		f.once.Do(f.do)
	}
	return f.Store.Put(ctx, file)
}

type frozenMirror struct {
	anchor.MirrorNode
	*frozen
}

func (f frozenMirror) Message(ctx context.Context, topicID string, sequence uint64) (*ledger.TopicMessage, error) {
	f.once.Do(f.do)
	return f.MirrorNode.Message(ctx, topicID, sequence)
}

// A round that was frozen anywhere wakes up when another has long gone on with more
// events. The bucket keeps the newer checkpoint, and each message is on the ledger once.
func TestARoundWithoutItsLeaseDoesNoHarm(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*anchor.Deps, *frozen){
		"before a tile":              func(d *anchor.Deps, f *frozen) { d.Store = frozenStore{d.Store, f, "tile/"} },
		"before the log's signature": func(d *anchor.Deps, f *frozen) {},
		"before the checkpoint":      func(d *anchor.Deps, f *frozen) { d.Store = frozenStore{d.Store, f, "checkpoint"} },
		"before a transaction":       func(d *anchor.Deps, f *frozen) {},
		"before the confirmation":    func(d *anchor.Deps, f *frozen) { d.Mirror = frozenMirror{d.Mirror, f} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.report()
			b.pass(time.Minute)
			b.report()
			struck := false
			f := &frozen{do: func() {
				struck = true
				b.clock.Advance(2 * time.Minute)
				b.report()
				b.pass(2 * time.Minute)
				b.checkAnchored()
			}}
			k := frozenKMS{b.kms(), f, map[string]string{"before the log's signature": "alias/log", "before a transaction": "alias/ledger"}[name]}
			w := b.newWorkerWith(b.db, k, func(d *anchor.Deps) { change(d, f) })
			if err := w.Round(t.Context()); err != nil {
				t.Error(err)
			}
			if !struck {
				t.Fatal("the round was not frozen")
			}
			b.checkAnchored()
			b.pass(2 * time.Minute)
			b.checkAnchored()
		})
	}
}

// The lease is ignored, and both publish what they can at the same time.
func TestTwoPublishersAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 10 {
		for range 20 {
			b.bare()
		}
		var both sync.WaitGroup
		for range 2 {
			w := b.newWorkerWith(b.db, b.kms(), func(d *anchor.Deps) { d.Store = leaseless{d.Store, b} })
			both.Go(func() { _ = w.Round(t.Context()) })
		}
		both.Wait()
		b.clock.Advance(2 * time.Minute)
	}
	b.pass(2 * time.Minute)
	b.checkAnchored()
}

// leaseless gives the lease away before each file, so that another round begins.
type leaseless struct {
	translog.Store
	b *bundle
}

func (l leaseless) Put(ctx context.Context, f translog.File) error {
	_, _ = l.b.owner.Exec(ctx, `UPDATE log_head SET leased_until = NULL`)
	return l.Store.Put(ctx, f)
}

// late is a clock that is behind.
type late struct {
	timestamp.Clock
	behind time.Duration
}

func (l late) Now() time.Time { return l.Clock.Now().Add(-l.behind) }

// countedKMS counts the signatures: each costs money, as does each transaction that fails.
type countedKMS struct {
	anchor.KMS
	signatures atomic.Int32
}

func (c *countedKMS) Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error) {
	if c.signatures.Add(1) > 500 {
		return nil, errors.New("so many that it would never end")
	}
	return c.KMS.Sign(ctx, in, opts...)
}

// While each transaction of a submission fails (here by a
// clock so far behind that all have expired), the next one waits longer each time. Once the cause is mended, one succeeds.
func TestFailedTransactionsAreReplacedMoreAndMoreSlowly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	counted := &countedKMS{KMS: b.kms()}
	b.worker = b.newWorkerWith(b.db, counted)
	b.worker.Clock = late{b.clock, 10 * time.Minute}
	b.report()
	b.deliver(b.worker, []letter{{}})
	if n := counted.signatures.Load(); n > int32(2*b.config.NodesPerTransaction)+1 {
		t.Errorf("got %d signatures in one run", n)
	}
	b.pass(time.Hour)
	if n := counted.signatures.Load(); n > int32(30*b.config.NodesPerTransaction) {
		t.Errorf("got %d signatures in an hour", n)
	}
	b.worker.Clock = b.clock
	b.pass(20 * time.Minute)
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 1 {
		t.Errorf("got %d messages, want one", n)
	}
}
