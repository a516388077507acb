package notify

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
)

type bundle struct {
	t       *testing.T
	w       *Worker
	kit     *service.Kit
	handler queue.Handler
	db      *pgxpool.Pool
	mails   *smtp.Server
	pushes  *fcm.Server
	faults  *faults.Set
	person  uuid.UUID
}

const (
	address = "ana@example.tl"
	base    = "https://ls.example"
)

// setup starts a worker. The default timeout is longer than any call takes on a busy machine; a test of timeouts gives a
// shorter one.
func setup(t *testing.T, timeout ...string) *bundle {
	t.Helper()
	timeout = append(timeout, "1m")
	set := faults.NewSet()
	mails, err := smtp.Start(smtp.Options{Faults: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Close() })
	pushes, err := fcm.Start(fcm.Options{Faults: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pushes.Close() })
	owned := testdb.URL(t)
	databaseURL := testdb.AppURL(owned)
	kit, err := service.Open(t.Context(), "notify", config.Env{"DATABASE_URL": databaseURL, "AWS_REGION": "us-east-1",
		"SMTP_URL": mails.URL(), "SMTP_TIMEOUT": timeout[0], "FCM_ENDPOINT": pushes.URL(), "FCM_SERVICE_ACCOUNT": string(pushes.ServiceAccount()),
		"FCM_TIMEOUT": timeout[0], "SEAL_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "PUBLIC_BASE_URL": base}, service.WithOutput(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	worker, _, err := newWorker(kit)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), owned)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &bundle{t: t, w: worker, kit: kit, handler: kit.Queue(queue.Notify, 2, worker.handleMessage), db: pool, mails: mails, pushes: pushes, faults: set, person: database.NewID()}
	b.exec(`INSERT INTO users (id, email, email_verified_at, preferred_language) VALUES ($1, $2, now(), 'tet')`, b.person, address)
	b.exec(`INSERT INTO sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + interval '1 day')`, b.person)
	b.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token, session_id) SELECT $1, 'phone', 'android', 'token-1', id FROM sessions WHERE user_id = $1`, b.person)
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) text(sql string) string {
	b.t.Helper()
	var s string
	if err := b.db.QueryRow(b.t.Context(), sql).Scan(&s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// notify adds a notification and returns its message.
func (b *bundle) notify(t notification.Type, params map[string]string) string {
	b.t.Helper()
	err := b.kit.Outbox.Do(b.t.Context(), func(tx *outbox.Tx) error {
		return notification.Add(b.t.Context(), tx, notification.New{UserID: b.person, Type: t, EventKey: uuid.NewString(), Params: params})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.text(`SELECT body::text FROM outbox WHERE queue = 'notify' ORDER BY created_at DESC, id DESC LIMIT 1`)
}

func (b *bundle) deliver(body string, receives int) bool {
	b.t.Helper()
	return b.deliverIn(b.t.Context(), body, receives, time.Now())
}

// deliverTo delivers for the first time, to another process of the worker.
func (b *bundle) deliverTo(handler queue.Handler, body string) bool {
	b.t.Helper()
	other := *b
	other.handler = handler
	return other.deliver(body, 1)
}

func (b *bundle) deliverIn(ctx context.Context, body string, receives int, sent time.Time) bool {
	b.t.Helper()
	out, err := b.handler.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: body, Attributes: map[string]string{
		"ApproximateReceiveCount": fmt.Sprint(receives), "SentTimestamp": fmt.Sprint(sent.UnixMilli())}}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return len(out.BatchItemFailures) > 0
}

func (b *bundle) arrived() string {
	return fmt.Sprintf("%d mails %d pushes", len(b.mails.Mails(address)), len(b.pushes.Pushes("token-1")))
}

func (b *bundle) deliveries() string {
	b.t.Helper()
	return b.text(`SELECT coalesce(string_agg(channel || ' ' || state, ', ' ORDER BY channel, recipient), '') FROM notification_deliveries`)
}

func TestEachChannelDeliversOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := b.notify(notification.ReportFixed, map[string]string{"report_number": "LS-2026-000007", "status": "fixed"})
	for receives := range 3 {
		if b.deliver(body, receives+1) {
			t.Fatal("came back")
		}
	}
	if got := b.arrived(); got != "1 mails 1 pushes" {
		t.Errorf("%s", got)
	}
	m, p := b.mails.Mails(address)[0], b.pushes.Pushes("token-1")[0]
	if m.Subject != "Hadi'a tiha ona!" || !strings.Contains(m.Text, "LS-2026-000007") || !strings.Contains(m.HTML, "LS-2026-000007") || !strings.Contains(m.HTML, `lang="tet"`) {
		t.Errorf("mail %q: %s", m.Subject, m.Text)
	}
	if p.Title != m.Subject || p.Data["report_number"] != "LS-2026-000007" || p.Data["status"] != "fixed" || p.Data["type"] != "report_fixed" || p.Data["link"] != base+"/r/LS-2026-000007" {
		t.Errorf("push %+v", p)
	}
}

func TestPreferencesAndAddresses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, change, arrived, deliveries string
	}{
		{"no mail wanted", `UPDATE users SET notification_prefs = '{"email": false}'`, "0 mails 1 pushes", "mail skipped, push sent"},
		{"no push wanted", `UPDATE users SET notification_prefs = '{"push": false}'`, "1 mails 0 pushes", "mail sent, push skipped"},
		{"type muted", `UPDATE users SET notification_prefs = '{"muted": ["report_fixed"]}'`, "0 mails 0 pushes", "mail skipped, push skipped"},
		{"address not confirmed", `UPDATE users SET email_verified_at = NULL`, "0 mails 1 pushes", "push sent"},
		{"no device", `DELETE FROM devices`, "1 mails 0 pushes", "mail sent"},
		{"erased", `UPDATE users SET email = NULL, deleted_at = now()`, "0 mails 0 pushes", ""},
		{"suspended", `UPDATE users SET suspended_at = now()`, "0 mails 0 pushes", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			body := b.notify(notification.ReportFixed, nil)
			b.exec(c.change)
			if b.deliver(body, 1) || b.deliver(body, 2) {
				t.Error("came back")
			}
			if got := b.arrived(); got != c.arrived {
				t.Errorf("%s, want %s", got, c.arrived)
			}
			if got := b.deliveries(); got != c.deliveries {
				t.Errorf("%s, want %s", got, c.deliveries)
			}
		})
	}
}

func TestTokensOfDeadDevicesAreRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token) VALUES ($1, 'old', 'android', 'dead-1'), ($1, 'odd', 'ios', 'invalid-1'), ($1, 'other', 'ios', 'mismatch-1')`, b.person)
	if b.deliver(b.notify(notification.ReportFixed, nil), 1) {
		t.Error("came back")
	}
	if got := b.text(`SELECT string_agg(device_id, ' ' ORDER BY device_id) FROM devices WHERE fcm_token IS NOT NULL`); got != "other phone" {
		t.Errorf("devices left: %s; a foreign sender's token is our mistake, not the device's", got)
	}
	if got := b.arrived(); got != "1 mails 1 pushes" {
		t.Errorf("%s", got)
	}
}

// A fault of one channel does not affect the other, and nothing is sent twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name         string
		fault        faults.Fault
		back         bool   // the message came back
		under, after string // what has arrived
	}{
		{"mail server errs", faults.Fault{Service: "smtp", Mode: faults.Error}, true, "0 mails 1 pushes", "1 mails 1 pushes"},
		{"mail server throttles", faults.Fault{Service: "smtp", Mode: faults.Throttle}, true, "0 mails 1 pushes", "1 mails 1 pushes"},
		{"mail server never answers", faults.Fault{Service: "smtp", Mode: faults.Timeout}, false, "0 mails 1 pushes", "0 mails 1 pushes"},
		{"mail server answers nonsense", faults.Fault{Service: "smtp", Mode: faults.Malformed}, false, "0 mails 1 pushes", "0 mails 1 pushes"},
		{"mail arrives, reply is lost", faults.Fault{Service: "smtp", Mode: faults.DropReply}, false, "1 mails 1 pushes", "1 mails 1 pushes"},
		{"push service errs", faults.Fault{Service: "fcm", Operation: "Send", Mode: faults.Error}, true, "1 mails 0 pushes", "1 mails 1 pushes"},
		{"push service throttles", faults.Fault{Service: "fcm", Operation: "Send", Mode: faults.Throttle}, true, "1 mails 0 pushes", "1 mails 1 pushes"},
		{"push service never answers", faults.Fault{Service: "fcm", Operation: "Send", Mode: faults.Timeout}, false, "1 mails 0 pushes", "1 mails 0 pushes"},
		{"push service answers nonsense", faults.Fault{Service: "fcm", Operation: "Send", Mode: faults.Malformed}, false, "1 mails 0 pushes", "1 mails 0 pushes"},
		{"push arrives, reply is lost", faults.Fault{Service: "fcm", Operation: "Send", Mode: faults.DropReply}, false, "1 mails 1 pushes", "1 mails 1 pushes"},
		{"access token throttles", faults.Fault{Service: "fcm", Operation: "Token", Mode: faults.Throttle}, true, "1 mails 0 pushes", "1 mails 1 pushes"},
		{"access token never comes", faults.Fault{Service: "fcm", Operation: "Token", Mode: faults.Timeout}, true, "1 mails 0 pushes", "1 mails 1 pushes"},
		{"access token is nonsense", faults.Fault{Service: "fcm", Operation: "Token", Mode: faults.Malformed}, true, "1 mails 0 pushes", "1 mails 1 pushes"},
		{"no access token", faults.Fault{Service: "fcm", Operation: "Token", Mode: faults.Error}, true, "1 mails 0 pushes", "1 mails 1 pushes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var timeout []string
			if c.fault.Mode == faults.Timeout {
				timeout = []string{"3s"}
			}
			b := setup(t, timeout...)
			body := b.notify(notification.ReportFixed, nil)
			c.fault.Count = faults.Forever
			if err := b.faults.Add(c.fault); err != nil {
				t.Fatal(err)
			}
			if back := b.deliver(body, 1); back != c.back {
				t.Errorf("came back: %v, want %v (%s)", back, c.back, b.deliveries())
			}
			if len(b.faults.Taken()) == 0 {
				t.Error("the fault never struck")
			}
			if got := b.arrived(); got != c.under {
				t.Errorf("under the fault: %s, want %s", got, c.under)
			}
			b.faults.Clear()
			if b.deliver(body, 2) || b.deliver(body, 3) {
				t.Error("afterwards it still comes back")
			}
			if got := b.arrived(); got != c.after {
				t.Errorf("afterwards: %s, want %s (%s)", got, c.after, b.deliveries())
			}
		})
	}
}

func TestRevokedAccessTokenIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deliver(b.notify(notification.ReportFixed, nil), 1)
	b.pushes.RevokeTokens()
	if b.deliver(b.notify(notification.ReportFixed, nil), 1) {
		t.Error("came back")
	}
	if got := b.arrived(); got != "2 mails 2 pushes" {
		t.Errorf("%s", got)
	}
}

func TestEncryptionRules(t *testing.T) {
	t.Parallel()
	tls, err := smtp.Start(smtp.Options{TLS: true, Username: "mailer", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tls.Close() }()
	_, port, _ := strings.Cut(tls.Addr(), ":")
	// A name is never taken for loopback, so STARTTLS is demanded; the certificate is unknown, so it fails.
	s, err := NewSMTP(MailConfig{URL: "smtp://mailer:secret@localhost:" + port, From: "x@example.tl", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), Mail{To: address, Subject: "s", Text: "t"}, ignoreHandOver); err == nil || len(tls.Mails("")) != 0 {
		t.Errorf("mail went to a server with an unknown certificate: %v", err)
	}
	plain, err := smtp.Start(smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	_, port, _ = strings.Cut(plain.Addr(), ":")
	if s, err = NewSMTP(MailConfig{URL: "smtp://localhost:" + port, From: "x@example.tl", Timeout: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), Mail{To: address, Subject: "s", Text: "t"}, ignoreHandOver); err == nil || len(plain.Mails("")) != 0 {
		t.Errorf("mail went in the clear to a named host: %v", err)
	}
	for _, bad := range []string{"", "http://x", "smtp://", "smtp://host:port", "localhost:25"} {
		if _, err := NewSMTP(MailConfig{URL: bad, From: "x@example.tl"}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
