package anchor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (b *bundle) sweep() int {
	b.t.Helper()
	n, err := ledger.Sweep(b.t.Context(), outbox.New(b.db, b.queue, slog.New(slog.DiscardHandler)), b.clock.Now(), 2*time.Minute)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// TestFaults: whatever fails, and however, each event ends confirmed in exactly one message.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, target := range []struct{ service, operation string }{
		{"kms", "Sign"}, {"kms", "GetPublicKey"},
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
					b.move(id, "pending", "verified")
					b.settle()
					if n := len(b.faults.Taken()); n != count {
						t.Errorf("fault struck %d times, want %d", n, count)
					}
					b.checkAnchored()
					if v := b.verify(id); !v.Verified {
						t.Errorf("verify: got %+v", v)
					}
				})
			}
		}
	}
}

// TestOutageBeyondExpiry: a new transaction is made only when the old one had no effect.
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
			id := b.report()
			for end := b.clock.Now().Add(20 * time.Minute); b.clock.Now().Before(end); b.clock.Advance(15 * time.Second) {
				due, _ := b.queue.take()
				b.deliver(b.worker, due)
				if b.faults.Pending() != nil && b.clock.Now().After(end.Add(-15*time.Minute)) {
					b.faults.Clear()
				}
			}
			b.settle()
			b.checkAnchored()
			n := scan[int](b, `SELECT count(*) FROM ledger_transactions`)
			if n < tc.transactions || tc.transactions == 1 && n > 1 {
				t.Errorf("got %d transactions, want %d", n, tc.transactions)
			}
			if up := scan[int](b, `SELECT count(*) FROM ledger_transactions WHERE outcome IS NOT NULL`); up != n-1 {
				t.Errorf("got %d of %d transactions given up, want all but one", up, n)
			}
			if v := b.verify(id); !v.Verified {
				t.Errorf("verify: got %+v", v)
			}
		})
	}
}

// TestANewTransactionWaitsForALateMirror: a mirror node that does not know a
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
	if n := scan[int](b, `SELECT count(*) FROM ledger_transactions`); n != 1 || len(b.net.Messages()) != 1 {
		t.Errorf("got %d transactions, %d messages, want one each", n, len(b.net.Messages()))
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

// TestANewTransactionWaitsForEveryMirror: one mirror node is several machines, and some are
// behind the others.
func TestANewTransactionWaitsForEveryMirror(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.faults.Add(faults.Fault{Service: "hedera", Operation: "GetTransactionReceipts", Mode: faults.Error, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	b.worker.Mirror = manyMirrors{b.worker.Mirror, b.clock, b.clock.Now().Add(135 * time.Second)} // a transaction lives for 120
	b.report()
	for end := b.clock.Now().Add(10 * time.Minute); b.clock.Now().Before(end); b.clock.Advance(time.Second) {
		if due, _ := b.queue.take(); len(due) > 0 {
			b.deliver(b.worker, due)
		}
	}
	b.checkAnchored()
	if n := scan[int](b, `SELECT count(*) FROM ledger_transactions`); n != 1 || len(b.net.Messages()) != 1 {
		t.Errorf("got %d transactions, %d messages, want one each", n, len(b.net.Messages()))
	}
}

// TestAFaultForTheOperatorHaltsAllSubmissions: while it lasts few transactions are sent, and nothing is lost.
func TestAFaultForTheOperatorHaltsAllSubmissions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		break_, ok func(*bundle)
	}{
		{"wrong key", func(b *bundle) { _ = b.net.SetAccount(account, b.newKey("alias/other"), 100*hedera.TinybarsPerHbar) },
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
			b.settle()
			if n := b.net.Calls("SubmitMessage"); n > b.config.Concurrency {
				t.Errorf("got %d submits of 10 events at the wall, want those at most that were under way together", n)
			}
			if got := scan[int](b, `SELECT count(*) FROM ledger_circuit WHERE reason IS NOT NULL`); got != 1 {
				t.Error("the circuit is closed")
			}
			if !strings.Contains(b.metrics.String(), "ledger_halted") {
				t.Error("no alarm metric")
			}
			for range 60 { // an hour of relay's sweeps
				b.clock.Advance(time.Minute)
				b.sweep()
				b.settle()
			}
			if n := b.net.Calls("SubmitMessage"); n > 12 {
				t.Errorf("got %d submits in an hour, want a probe now and then", n)
			}
			tc.ok(b)
			for range 60 {
				b.clock.Advance(time.Minute)
				b.sweep()
				b.settle()
			}
			b.checkAnchored()
			if got := scan[int](b, `SELECT count(*) FROM ledger_circuit WHERE reason IS NULL`); got != 1 {
				t.Error("the circuit is still open")
			}
		})
	}
}

// TestARunKilledAtAnyStatementIsTakenUpAgain cuts a run off before each of its database statements in
// turn, as a killed process would be, and lets another take over.
func TestARunKilledAtAnyStatementIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cuts := 0
	for at := 1; ; at++ {
		id := b.report()
		ctx, kill := context.WithCancel(t.Context())
		tracer := &killer{at: at, kill: kill}
		db := b.open("lafaek_app", func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer })
		due, _ := b.queue.take()
		for i := range due {
			if err := b.newWorker(db).Work(ctx, due[i].event, false); err != nil {
				due[i].receives = 1
				due[i].due = b.clock.Now().Add(10 * time.Second) // well within the dead run's lease
				b.queue.put(due[i])
			}
		}
		kill()
		db.Close()
		b.settle()
		// A run killed right after a commit has not sent its message: the sweep does.
		b.clock.Advance(5 * time.Minute)
		b.sweep()
		b.settle()
		if v := b.verify(id); !v.Verified {
			t.Fatalf("cut at statement %d: %+v\n%s", at, v, b.tail())
		}
		if !tracer.struck {
			break
		}
		cuts++
	}
	b.checkAnchored()
	if cuts < 20 {
		t.Errorf("only %d cuts: the run was not cut everywhere", cuts)
	}
	t.Logf("%d cuts", cuts)
}

// killer ends a context at the n-th statement.
type killer struct {
	at     int
	kill   context.CancelFunc
	struck bool
}

func (k *killer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if k.at--; k.at == 0 {
		k.struck = true
		k.kill()
	}
	return ctx
}

func (k *killer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestDatabaseConnectionsCut: what a restart of PostgreSQL does to runs under way.
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
		due, _ := b.queue.take()
		failed += b.deliver(b.worker, due)
		b.clock.Advance(time.Minute)
	}
	close(done)
	cut.Wait()
	for range 3 {
		b.settle()
		b.clock.Advance(5 * time.Minute)
		b.sweep()
	}
	b.settle()
	b.checkAnchored()
	t.Logf("%d deliveries failed", failed)
}

// slowKMS does something else before it answers its first signature.
type slowKMS struct {
	anchor.KMS
	once sync.Once
	do   func()
}

func (s *slowKMS) Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error) {
	s.once.Do(s.do)
	return s.KMS.Sign(ctx, in, opts...)
}

// TestARunWithoutItsLeaseDoesNothing: a run frozen in the middle, as Lambda freezes
// them, wakes up when another has long finished its work, and does nothing more.
func TestARunWithoutItsLeaseDoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *hedera.Options, c *anchor.Config) { c.KMSTimeout = 10 * time.Second })
	b.report()
	due, _ := b.queue.take()
	frozen := b.newWorkerWith(b.db, &slowKMS{KMS: b.kms(), do: func() {
		b.clock.Advance(time.Minute)
		if err := b.worker.Work(t.Context(), due[0].event, true); err != nil {
			t.Error(err)
		}
		b.checkAnchored()
	}})
	if err := frozen.Work(t.Context(), due[0].event, false); err != nil {
		t.Error(err)
	}
	b.settle()
	b.checkAnchored()
	if n := scan[int](b, `SELECT count(*) FROM ledger_transactions`); n != 1 || len(b.net.Messages()) != 1 {
		t.Errorf("got %d transactions, %d messages, want one each", n, len(b.net.Messages()))
	}
}

// TestLaterEventsWaitForTheFirst: an event that is held up holds up those after it, on either topic.
func TestLaterEventsWaitForTheFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.faults.Add(faults.Fault{Service: "hedera", Operation: "SubmitMessage", Mode: faults.Error, Count: 5}); err != nil {
		t.Fatal(err)
	}
	id := b.report()
	b.move(id, "pending", "verified")
	b.append(id, ledger.Event{Type: ledger.Amended})
	b.settle()
	b.checkAnchored()
	var got []string
	for _, m := range b.net.Messages() {
		var p struct{ Event string }
		if err := json.Unmarshal(m.Contents, &p); err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Event)
	}
	if fmt.Sprint(got) != "[REPORT_SUBMITTED STATUS_CHANGED CONTENT_AMENDED]" {
		t.Errorf("got %v", got)
	}
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

// TestFailedTransactionsAreReplacedMoreAndMoreSlowly: while each transaction of a submission fails (here by a
// clock so far behind that all have expired), the next one waits longer each time. Once the cause is mended, one succeeds.
func TestFailedTransactionsAreReplacedMoreAndMoreSlowly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	counted := &countedKMS{KMS: b.kms()}
	b.worker = b.newWorkerWith(b.db, counted)
	b.worker.Clock = late{b.clock, 10 * time.Minute}
	b.report()
	due, _ := b.queue.take()
	b.deliver(b.worker, due)
	if n := counted.signatures.Load(); n > int32(2*b.config.NodesPerTransaction) {
		t.Errorf("got %d signatures in one run", n)
	}
	for end := b.clock.Now().Add(time.Hour); b.clock.Now().Before(end); b.clock.Advance(time.Second) {
		if due, _ := b.queue.take(); len(due) > 0 {
			b.deliver(b.worker, due)
		}
	}
	if n := counted.signatures.Load(); n > int32(30*b.config.NodesPerTransaction) {
		t.Errorf("got %d signatures in an hour", n)
	}
	b.worker.Clock = b.clock
	b.settle()
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 1 {
		t.Errorf("got %d messages, want one", n)
	}
}
