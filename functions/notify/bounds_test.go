package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Firebase refuses a payload of more than 4096 bytes.
func TestAPushFitsInAPayload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.w.pusher.Push(t.Context(), Push{Token: "token-1", Title: strings.Repeat("é", 1000), Body: strings.Repeat("é", 4000)}, ignoreHandOver)
	if err != nil {
		t.Fatal(err)
	}
	p := b.pushes.Pushes("token-1")[0]
	if len(p.Title) > 300 || len(p.Body) > 2500 || len(p.Title) < 290 || len(p.Body) < 2490 {
		t.Errorf("title of %d bytes and body of %d bytes, want at most 300 and 2500", len(p.Title), len(p.Body))
	}
}

func TestTwentyDevicesOfAPersonAreToldAtMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token) SELECT $1, 'd' || n, 'android', 'token-1-' || n FROM generate_series(1, 25) n`, b.person)
	if b.deliver(b.notify(notification.ReportFixed, nil), 1) {
		t.Error("came back")
	}
	if n := strings.Count(b.deliveries(), "push sent"); n != 20 {
		t.Errorf("%d pushes, want 20", n)
	}
}

// The app registers a new token while a push to the old one is under way.
func TestANewTokenOfADeviceStaysWhenTheOldOneIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.w.pusher = gonePusher(func() { b.exec(`UPDATE devices SET fcm_token = 'token-2'`) })
	b.deliver(b.notify(notification.ReportFixed, nil), 1)
	if got := b.text(`SELECT coalesce(fcm_token, '') FROM devices`); got != "token-2" {
		t.Errorf("the device has the token %q, want token-2", got)
	}
}

// gonePusher calls itself and answers that the device is gone.
type gonePusher func()

// Push implements Pusher.
func (p gonePusher) Push(context.Context, Push, handOver) error {
	p()
	return &Failure{Kind: Gone}
}

// It neither sends nor records an outcome.
func TestARunWhoseDeliveryAnotherRunHasClaimedLeavesItAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`DELETE FROM devices`)
	body := b.notify(notification.ReportFixed, nil)
	slow := *b.w
	slow.mailer = pausedMailer{Mailer: b.w.mailer, during: func() {
		b.exec(`UPDATE notification_deliveries SET attempts = attempts + 1`) // as claim does after the lease
	}}
	b.deliverTo(b.kit.Queue(queue.Notify, 2, slow.handleMessage), body)
	if got := fmt.Sprint(b.arrived(), "; ", b.deliveries()); got != "0 mails 0 pushes; mail claimed" {
		t.Errorf("%s", got)
	}
}

// A mail that was sent and not recorded would become "unknown".
func TestAnOutcomeIsRecordedDespiteABrokenConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`DELETE FROM devices`)
	if b.deliverTo(b.traced(&breakOnce{statement: "SET state = $5, error = $6"}), b.notify(notification.ReportFixed, nil)) {
		t.Error("came back")
	}
	if got := fmt.Sprint(b.arrived(), "; ", b.deliveries()); got != "1 mails 0 pushes; mail sent" {
		t.Errorf("%s", got)
	}
}

// breakOnce breaks the connection at the first statement with this text.
type breakOnce struct {
	statement string
	broken    atomic.Bool
}

// TraceQueryStart implements pgx.QueryTracer.
func (d *breakOnce) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if !strings.Contains(q.SQL, d.statement) || !d.broken.CompareAndSwap(false, true) {
		return ctx
	}
	dead, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("broken"))
	return dead
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*breakOnce) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
