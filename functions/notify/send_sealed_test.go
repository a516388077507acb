package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (b *bundle) seal(m mail.Message) string {
	b.t.Helper()
	sealed, err := mail.Seal(b.w.sealer, m)
	if err != nil {
		b.t.Fatal(err)
	}
	raw, _ := json.Marshal(queue.NotifyMessage{Mail: sealed})
	return string(raw)
}

func TestSealedMails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	params := map[string]string{"code": "123456", "minutes": "10", "name": "Ana <b>\r\nBcc: all@example.tl", "link": "https://www.lafaekstreet.com/verify?token=a&b=c",
		"role": "moderator", "days": "7", "agency": "Public Works", "agency_tet": "Obras Públikas"}
	first, second := b.report("LS-2026-000001"), b.report("LS-2026-000002")
	for _, template := range mail.Templates() {
		for _, l := range locale.Languages() {
			to := string(template) + "." + string(l) + "@example.tl"
			message := mail.Message{To: to, Language: l, Template: template, Params: params}
			if template.ListsReports() {
				message.Sections = []mail.Section{{Title: "new", Total: 3, Reports: []uuid.UUID{first, second}}}
			}
			body := b.seal(message)
			for range 2 {
				if b.deliver(body, 1) {
					t.Fatalf("%s %s came back", template, l)
				}
			}
			got := b.mails.Mails(to)
			if len(got) != 1 {
				t.Fatalf("%s %s: %d mails", template, l, len(got))
			}
			m := got[0]
			if strings.ContainsAny(m.Subject+m.Text, "{}") || m.Headers["Bcc"] != nil || strings.Contains(m.HTML, "<b>") || len(m.To) != 1 {
				t.Errorf("%s %s: %q %v\n%s\n%s", template, l, m.Subject, m.Headers, m.Text, m.HTML)
			}
			if strings.Contains(m.Text, "123456") && !strings.Contains(m.HTML, ">123456</strong>") {
				t.Errorf("%s %s: the code is not set off: %s", template, l, m.HTML)
			}
			if strings.Contains(m.Text, params["link"]) && !strings.Contains(m.HTML, `href="https://www.lafaekstreet.com/verify?token=a&amp;b=c"`) {
				t.Errorf("%s %s: no link: %s", template, l, m.HTML)
			}
		}
	}
}

func TestSealedMailIsSentUntilItArrives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code := mail.Message{To: address, Language: locale.English, Template: mail.RegistrationCode, Params: map[string]string{"code": "1", "minutes": "10"}}
	if err := b.faults.Add(faults.Fault{Service: "smtp", Mode: faults.Error, Count: 1}); err != nil {
		t.Fatal(err)
	}
	body := b.seal(code)
	if !b.deliver(body, 1) || b.deliver(body, 2) || len(b.mails.Mails(address)) != 1 {
		t.Errorf("%d mails", len(b.mails.Mails(address)))
	}
	if b.deliverIn(t.Context(), b.seal(code), 1, time.Now().Add(-20*time.Minute)) || len(b.mails.Mails(address)) != 1 {
		t.Error("a mail with an expired code was sent")
	}
	code.To = "bounce@example.tl"
	if b.deliver(b.seal(code), 1) {
		t.Error("a mailbox that does not exist is tried again")
	}
	for _, bad := range []string{`{"mail":"bm90IHNlYWxlZA=="}`, `nonsense`, `{}`} {
		if !b.deliver(bad, 1) {
			t.Errorf("%s was taken", bad)
		}
	}
}

// waits remembers for how long messages that failed are hidden.
type waits []time.Duration

func (w *waits) Postpone(_ context.Context, _ queue.Name, all []queue.Wait) error {
	for _, one := range all {
		*w = append(*w, one.For)
	}
	return nil
}

// waitOf delivers a message for the n-th time and returns how long it is hidden then; false if it is done.
func (b *bundle) waitOf(body string, n int) (time.Duration, bool) {
	b.t.Helper()
	var got waits
	h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), b.w.handleMessage, queue.WithPostponer(&got))
	if _, err := h.Handle(b.t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", ReceiptHandle: "r", Body: body,
		Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(n)}}}}); err != nil {
		b.t.Fatal(err)
	}
	if len(got) == 0 {
		return 0, false
	}
	return got[0], true
}

// Somebody waits for a code or link: it is tried again at once and then each minute, until it ends. Then it is given up, and
// counted for an alarm.
func TestCodesAreTriedEachMinuteWhileTheyLive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var metrics bytes.Buffer
	clock := timestamp.NewManual(time.Now())
	b.w.clock, b.w.metrics = clock, telemetry.NewMetrics(&metrics, "test", "notify", clock)
	if err := b.faults.Add(faults.Fault{Service: "smtp", Mode: faults.Error, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	for _, template := range []mail.Template{mail.RegistrationCode, mail.PasswordResetCode, mail.SignInCode, mail.VerifyLink, mail.ResetLink} {
		metrics.Reset()
		body := b.seal(mail.Message{To: address, Language: locale.English, Template: template, Params: map[string]string{"code": "1", "link": "https://x.example", "minutes": "10"},
			Expires: clock.Now().Add(10 * time.Minute)})
		for n := 1; n <= 10; n++ {
			want := time.Minute
			if n == 1 {
				want = 0
			}
			if got, back := b.waitOf(body, n); !back || got != want {
				t.Errorf("%s: after delivery %d it waits %v (%v), want %v", template, n, got, back, want)
			}
			clock.Advance(want)
		}
		if strings.Contains(metrics.String(), "mail_stale") {
			t.Errorf("%s: given up before its time: %s", template, metrics.String())
		}
		clock.Advance(time.Minute)
		if _, back := b.waitOf(body, 11); back || !strings.Contains(metrics.String(), "mail_stale") {
			t.Errorf("%s: after its end: comes back %v, metrics %s", template, back, metrics.String())
		}
	}
	invitation := b.seal(mail.Message{To: address, Language: locale.English, Template: mail.Invitation, Expires: clock.Now().Add(7 * 24 * time.Hour),
		Params: map[string]string{"link": "https://x.example", "role": "moderator", "days": "7"}})
	if got, _ := b.waitOf(invitation, 10); got < 7*time.Minute {
		t.Errorf("an invitation, which is good for days, is tried again after %v", got)
	}
}

// A server that refuses our mails is heard of; a mailbox that does not exist is not an alarm.
func TestRefusedMailsAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var metrics bytes.Buffer
	b.w.metrics = telemetry.NewMetrics(&metrics, "test", "notify", b.w.clock)
	code := mail.Message{To: "bounce@example.tl", Language: locale.English, Template: mail.RegistrationCode, Params: map[string]string{"code": "1", "minutes": "10"}}
	if b.deliver(b.seal(code), 1) || strings.Contains(metrics.String(), "mail_refused") {
		t.Errorf("a mailbox that does not exist: %s", metrics.String())
	}
	b.w.mailer = refusing{}
	code.To = address
	if b.deliver(b.seal(code), 1) || !strings.Contains(metrics.String(), "mail_refused") {
		t.Errorf("a server that refuses the sender: %s", metrics.String())
	}
}

// refusing is a mail server that takes nothing from us.
type refusing struct{}

func (refusing) Send(context.Context, Mail, handOver) error {
	return &Failure{Kind: Refused, Code: "smtp 554"}
}

// A dead letter that is sent back to the queue is new there. The mail itself says when its code ends.
func TestAMailWithAnExpiredCodeIsNotSentHoweverNewTheMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, template := range []mail.Template{mail.RegistrationCode, mail.PasswordResetCode, mail.SignInCode, mail.VerifyLink, mail.ResetLink} {
		for name, c := range map[string]struct {
			expires, sent time.Duration // from now
			mails         int
		}{
			"expired":                {-time.Second, 0, 0},
			"valid, long on its way": {time.Hour, -time.Hour, 1},
		} {
			to := string(template) + strings.ReplaceAll(name[:5], " ", "") + "@example.tl"
			m := mail.Message{To: to, Language: locale.English, Template: template, Params: map[string]string{"code": "1", "link": "https://x.example", "minutes": "10"},
				Expires: time.Now().Add(c.expires)}
			if b.deliverIn(t.Context(), b.seal(m), 1, time.Now().Add(c.sent)) || len(b.mails.Mails(to)) != c.mails {
				t.Errorf("%s, %s: %d mails, want %d", template, name, len(b.mails.Mails(to)), c.mails)
			}
			if got := b.mails.Mails(to); len(got) > 0 && strings.Contains(got[0].Text, "{name}") {
				t.Errorf("%s of a version that gave no name: %s", template, got[0].Text)
			}
		}
	}
}
