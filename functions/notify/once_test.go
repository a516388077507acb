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

// death is where a process ends: at its n-th statement, and with every one after it.
type death struct {
	mu     sync.Mutex
	at     int
	struck bool
}

// TraceQueryStart implements pgx.QueryTracer.
func (d *death) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at--; d.at > 0 {
		return ctx
	}
	d.struck = true
	dead, kill := context.WithCancelCause(ctx)
	kill(errors.New("killed"))
	return dead
}

// TraceQueryEnd implements pgx.QueryTracer.
func (d *death) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// doomed is another process of the worker, which dies.
func (b *bundle) doomed(d *death) queue.Handler {
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
	return b.kit.Queue(queue.Notify, 2, w.message)
}

// later lets the time of a run pass.
func (b *bundle) later() {
	b.t.Helper()
	b.exec(`UPDATE notification_deliveries SET updated_at = updated_at - interval '61 seconds'`)
}

// TestARunKilledAtAnyStatementIsTakenUpAgain: wherever the worker dies, each channel
// delivers the notification exactly once.
func TestARunKilledAtAnyStatementIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deaths := 0
	for at := 1; ; at++ {
		mails, pushes := len(b.mails.Mails(address)), len(b.pushes.Pushes("token-1"))
		body := b.notify(notification.ReportFixed, nil)
		d := &death{at: at}
		if back := b.deliverTo(b.doomed(d), body); back != d.struck {
			t.Errorf("death at statement %d: came back %v", at, back)
		}
		if !d.struck {
			break
		}
		deaths++
		b.deliver(body, 2) // while the dead run's lease lasts
		b.later()
		if b.deliver(body, 3) || b.deliver(body, 4) {
			t.Errorf("death at statement %d: the message still comes back: %s", at, b.deliveries())
		}
		if m, p := len(b.mails.Mails(address))-mails, len(b.pushes.Pushes("token-1"))-pushes; m != 1 || p != 1 {
			t.Errorf("death at statement %d: %d mails, %d pushes: %s", at, m, p, b.deliveries())
		}
	}
	if deaths < 8 {
		t.Errorf("only %d deaths: the worker was not killed everywhere", deaths)
	}
}

// TestARunWithoutItsLeaseDoesNothing: a run whose lease has ended sends nothing.
func TestARunWithoutItsLeaseDoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := b.notify(notification.ReportFixed, nil)
	b.exec(`DELETE FROM devices`)
	slow := *b.w
	slow.mailer = frozen{Mailer: b.w.mailer, during: func() {
		if !b.deliver(body, 2) {
			t.Error("within the lease another run takes the message for done")
		}
		b.later()
		if b.deliver(body, 3) {
			t.Error("after the lease the message comes back")
		}
	}}
	if !b.deliverTo(b.kit.Queue(queue.Notify, 2, slow.message), body) {
		t.Error("the run that lost its lease says it is done")
	}
	if got := b.arrived(); got != "1 mails 0 pushes" {
		t.Errorf("%s", got)
	}
	if got := b.deliveries(); got != "mail sent" {
		t.Errorf("%s", got)
	}
}

// frozen stops just before it would send.
type frozen struct {
	Mailer
	during func()
}

// Send implements Mailer.
func (f frozen) Send(ctx context.Context, m Mail, ready handOver) error {
	return f.Mailer.Send(ctx, m, func(ctx context.Context) error {
		f.during()
		return ready(ctx)
	})
}
