package notify

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/queue"
)

// kill makes the at-th database statement of a process fail, and every later one.
type kill struct {
	mu     sync.Mutex
	at     int
	struck bool
}

// TraceQueryStart implements pgx.QueryTracer.
func (d *kill) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at--; d.at > 0 {
		return ctx
	}
	d.struck = true
	dead, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("killed"))
	return dead
}

// TraceQueryEnd implements pgx.QueryTracer.
func (d *kill) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// traced is another process of the worker, whose statements d sees.
func (b *bundle) traced(d pgx.QueryTracer) queue.Handler {
	b.t.Helper()
	c, err := pgxpool.ParseConfig(b.db.Config().ConnString())
	if err != nil {
		b.t.Fatal(err)
	}
	c.ConnConfig.Tracer = d
	pool, err := pgxpool.NewWithConfig(b.t.Context(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(pool.Close)
	w := *b.w
	w.db = &database.DB{Pool: pool}
	return b.kit.Queue(queue.Notify, 2, w.handleMessage)
}

// endLease makes every delivery older than a lease.
func (b *bundle) endLease() {
	b.t.Helper()
	b.exec(`UPDATE notification_deliveries SET updated_at = updated_at - interval '61 seconds'`)
}

// Wherever the worker dies, each channel
// delivers the notification exactly once.
func TestARunKilledAtAnyStatementIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deaths := 0
	for at := 1; ; at++ {
		mails, pushes := len(b.mails.Mails(address)), len(b.pushes.Pushes("token-1"))
		body := b.notify(notification.ReportFixed, nil)
		d := &kill{at: at}
		if back := b.deliverTo(b.traced(d), body); back != d.struck {
			t.Errorf("kill at statement %d: came back %v", at, back)
		}
		if !d.struck {
			break
		}
		deaths++
		b.deliver(body, 2) // while the dead run's lease lasts
		b.endLease()
		if b.deliver(body, 3) || b.deliver(body, 4) {
			t.Errorf("kill at statement %d: the message still comes back: %s", at, b.deliveries())
		}
		if m, p := len(b.mails.Mails(address))-mails, len(b.pushes.Pushes("token-1"))-pushes; m != 1 || p != 1 {
			t.Errorf("kill at statement %d: %d mails, %d pushes: %s", at, m, p, b.deliveries())
		}
	}
	if deaths < 8 {
		t.Errorf("only %d deaths: the worker was not killed everywhere", deaths)
	}
}

// A run whose lease has ended sends nothing.
func TestARunWithoutItsLeaseDoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := b.notify(notification.ReportFixed, nil)
	b.exec(`DELETE FROM devices`)
	slow := *b.w
	slow.mailer = pausedMailer{Mailer: b.w.mailer, during: func() {
		if !b.deliver(body, 2) {
			t.Error("within the lease another run takes the message as done")
		}
		b.endLease()
		if b.deliver(body, 3) {
			t.Error("after the lease the message returns to the queue")
		}
	}}
	if !b.deliverTo(b.kit.Queue(queue.Notify, 2, slow.handleMessage), body) {
		t.Error("the run that lost its lease says it is done")
	}
	if got := b.arrived(); got != "1 mails 0 pushes" {
		t.Errorf("%s", got)
	}
	if got := b.deliveries(); got != "mail sent" {
		t.Errorf("%s", got)
	}
}

// pausedMailer calls during just before it sends.
type pausedMailer struct {
	Mailer
	during func()
}

// Send implements Mailer.
func (f pausedMailer) Send(ctx context.Context, m Mail, ready handOver) error {
	return f.Mailer.Send(ctx, m, func(ctx context.Context) error {
		f.during()
		return ready(ctx)
	})
}
