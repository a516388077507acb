package webhooks

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// verifies fails the test unless the library of Standard Webhooks accepts the call under the secret.
func verifies(t *testing.T, c call, s webhook.Secret) bool {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(s.Text())
	if err != nil {
		t.Fatal(err)
	}
	return hook.Verify(c.raw, c.header) == nil
}

// The example of the libraries of Standard Webhooks.
func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	secret := webhook.Secret(key)
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := secret.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := secret.Text(); got != "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" {
		t.Errorf("the receiver gets %s", got)
	}
	if n := len(webhook.NewSecret()); n < 24 || n > 64 {
		t.Errorf("a secret has %d bytes, want 24 to 64", n)
	}
}

// After a rotation both secrets verify for a day, then the new one alone. The id and the body of a call stay at each try.
func TestBothSecretsSignForADayAfterARotation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, old := b.hook(b.receiver.URL)
	fresh, other := webhook.NewSecret(), webhook.NewSecret()
	b.Exec(`UPDATE webhooks SET previous_secret = secret, previous_until = now() + interval '24 hours', secret = $2 WHERE id = $1`, id, b.sealed(fresh))
	b.receiver.status(http.StatusInternalServerError)
	b.file(b.Citizen(), "Kuak")
	b.work()
	b.pass(23 * time.Hour)
	b.receiver.status(http.StatusAccepted)
	b.work()
	b.file(b.Citizen(), "Kuak")
	b.pass(2 * time.Hour)
	b.work()
	calls := b.receiver.take()
	if len(calls) != 3 {
		t.Fatalf("got %d calls", len(calls))
	}
	for i, want := range []struct{ fresh, old bool }{{true, true}, {true, true}, {true, false}} {
		if verifies(t, calls[i], fresh) != want.fresh || verifies(t, calls[i], old) != want.old || verifies(t, calls[i], other) {
			t.Errorf("call %d: new %v, old %v, another %v", i, verifies(t, calls[i], fresh), verifies(t, calls[i], old), verifies(t, calls[i], other))
		}
	}
	if calls[0].header.Get("Webhook-Id") != calls[1].header.Get("Webhook-Id") || string(calls[0].raw) != string(calls[1].raw) || calls[1].header.Get("Webhook-Id") == calls[2].header.Get("Webhook-Id") {
		t.Error("id and body do not stay")
	}
	if agent := calls[0].header.Get("User-Agent"); !strings.HasPrefix(agent, "LafaekStreet-Webhooks/") {
		t.Errorf("User-Agent %q", agent)
	}
}

// A receiver that is down for hours gets everything afterwards, in the order of each report.
func TestAReceiverThatWasDownGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL)
	b.receiver.status(http.StatusServiceUnavailable)
	moderator := b.moderator()
	for range 3 {
		id := b.file(b.Citizen(), "Kuak")
		moderator.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
		b.work()
	}
	for range 12 { // half a day
		b.pass(time.Hour)
		b.work()
	}
	tried := b.receiver.take()
	if len(tried) < 12 || len(tried) > 40 || slices.Contains(types(tried), "report.verified") {
		t.Errorf("got %d calls of %v", len(tried), types(tried))
	}
	b.receiver.status(http.StatusOK)
	b.pass(time.Hour)
	b.work()
	b.pass(time.Hour)
	b.work()
	seen := map[string][]string{}
	for _, c := range b.receiver.take() {
		seen[c.data().Text("report_id")] = append(seen[c.data().Text("report_id")], c.Type)
	}
	if len(seen) != 3 || b.state("delivered") != 6 {
		t.Fatalf("%d are delivered: %v", b.state("delivered"), seen)
	}
	for id, got := range seen {
		if !slices.Equal(got, []string{"report.created", "report.verified"}) {
			t.Errorf("report %s: %v", id, got)
		}
	}
}

// The waits grow from 5 seconds to an hour; after a day the delivery is parked, and the next one of the report goes out.
func TestADeliveryIsParkedAfterADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL)
	poison := b.file(b.Citizen(), "Kuak")
	b.receiver.answers(func(w http.ResponseWriter, c call) {
		if c.Type == "report.created" && c.data().Text("report_id") == poison {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	b.moderator().Post("/reports/"+poison+"/status", object{"status": "verified"}).Want(http.StatusOK)
	growing := []int{5, 30, 120, 600, 1800, 3600, 3600}
	calls, total := 0, time.Duration(0)
	for b.state("parked") == 0 && calls < 100 {
		b.work()
		if calls < len(growing) && !b.waits(growing[calls]) {
			t.Errorf("the wait after call %d is not %d s", calls+1, growing[calls])
		}
		calls++
		seconds := b.Int(`SELECT ceil(greatest(extract(epoch FROM min(next_at) - now()), 0))::int FROM webhook_deliveries WHERE state = 'waiting' AND attempts > 0`)
		total += time.Duration(seconds) * time.Second
		b.file(b.Citizen(), "Healthy") // other reports are delivered meanwhile, so the webhook does not rest
		b.work()
		b.pass(time.Duration(seconds) * time.Second)
	}
	if total < 23*time.Hour || total > 24*time.Hour+time.Minute {
		t.Errorf("given up after %v", total)
	}
	if n := b.Int(`SELECT count(*) FROM webhook_deliveries WHERE state = 'parked' AND last_status = 500 AND failure_reason = 'status' AND attempts = $1 AND body IS NOT NULL`, calls); n != 1 {
		t.Errorf("%d are parked as expected", n)
	}
	b.work()
	if last := b.receiver.take(); !slices.ContainsFunc(last, func(c call) bool { return c.Type == "report.verified" }) {
		t.Error("the next event of the report is not sent after the first was parked")
	}
	if b.state("waiting") != 0 {
		t.Errorf("%d wait", b.state("waiting"))
	}
}

// What a receiver answers, and what becomes of the delivery.
func TestAnswersOfReceivers(t *testing.T) {
	t.Parallel()
	target := newReceiver(t)
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		state  string
		wait   int // seconds
	}{
		"200":                    {func(w http.ResponseWriter) {}, "delivered", 0},
		"204":                    {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }, "delivered", 0},
		"redirect":               {func(w http.ResponseWriter) { w.Header().Set("Location", target.URL); w.WriteHeader(307) }, "waiting", 5},
		"404":                    {func(w http.ResponseWriter) { w.WriteHeader(404) }, "waiting", 5},
		"429 with seconds":       {func(w http.ResponseWriter) { w.Header().Set("Retry-After", "90"); w.WriteHeader(429) }, "waiting", 90},
		"503 with less than 5 s": {func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); w.WriteHeader(503) }, "waiting", 5},
		"503 with years":         {func(w http.ResponseWriter) { w.Header().Set("Retry-After", strconv.Itoa(1<<31)); w.WriteHeader(503) }, "waiting", 6 * 3600},
		"503 with ages": {func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", strings.Repeat("9", 30))
			w.WriteHeader(503)
		}, "waiting", 6 * 3600},
		"Retry-After of words": {func(w http.ResponseWriter) { w.Header().Set("Retry-After", "soon"); w.WriteHeader(503) }, "waiting", 5},
		"cut connection":       {func(w http.ResponseWriter) { panic(http.ErrAbortHandler) }, "waiting", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.hook(b.receiver.URL)
			b.receiver.answers(func(w http.ResponseWriter, _ call) { c.answer(w) })
			b.file(b.Citizen(), "Kuak")
			b.work()
			if b.state(c.state) != 1 || c.state == "waiting" && !b.waits(c.wait) {
				t.Errorf("want it %s for %d s, got %s", c.state, c.wait, b.Text(`SELECT concat(state, ', next call in ', next_at - now()) FROM webhook_deliveries`))
			}
			if soon := c.state == "waiting" && c.wait <= 900; soon != (b.Int(`SELECT count(*) FROM outbox WHERE queue = 'webhooks' AND not_before > now()`) == 1) {
				t.Error("a message for the next try is missing, or there is one for a time beyond the delay of a queue")
			}
		})
	}
	if n := len(target.take()); n != 0 {
		t.Errorf("redirects were followed %d times", n)
	}
}

// A receiver that says 410 is called no more. What waits for it is parked, and the administrators are told.
func TestAReceiverThatIsGoneIsSwitchedOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.Staff(identity.Admin)
	id, _ := b.hook(b.receiver.URL)
	b.receiver.status(http.StatusGone)
	report := b.file(b.Citizen(), "Kuak")
	b.moderator().Post("/reports/"+report+"/status", object{"status": "verified"}).Want(http.StatusOK)
	b.work()
	b.work()
	if n := len(b.receiver.take()); n != 1 {
		t.Errorf("%d calls, want one", n)
	}
	if got := b.Text(`SELECT concat(enabled, ' ', off_reason) FROM webhooks WHERE id = $1`, id); got != "f gone" {
		t.Errorf("the webhook is %s", got)
	}
	if got := b.Text(`SELECT string_agg(state || ' ' || failure_reason, ', ' ORDER BY seq) FROM webhook_deliveries`); got != "parked status, parked switched_off" {
		t.Errorf("deliveries: %s", got)
	}
	if n := b.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND params ->> 'announcement' = 'webhook_off' AND params ->> 'host' LIKE '127.0.0.1%' AND params::text NOT LIKE '%hidden%'`, admin.ID); n != 1 {
		t.Errorf("%d notifications of the administrator", n)
	}
	b.file(b.Citizen(), "Kuak")
	if n := b.Int(`SELECT count(*) FROM webhook_deliveries`); n != 2 {
		t.Errorf("%d deliveries: one was added for a webhook that is off", n)
	}
}

// Private addresses are not called, whether the URL or the name says them, and http is not.
func TestPrivateAddressesAreNotCalled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Env["WEBHOOK_PRIVATE_ADDRESSES"] = "false"
	b.open()
	_, port, _ := strings.Cut(strings.TrimPrefix(b.receiver.URL, "http://"), ":")
	var ids []uuid.UUID
	for _, url := range []string{"https://127.0.0.1:" + port, "https://localhost:" + port, "https://169.254.169.254/", b.receiver.URL} {
		id, _ := b.hook(url)
		ids = append(ids, id)
	}
	b.file(b.Citizen(), "Kuak")
	b.work(ids...)
	for i, want := range []string{"not_public", "not_public", "not_public", "url"} {
		if got := b.Text(`SELECT concat(state, ' ', failure_reason) FROM webhook_deliveries WHERE webhook_id = $1`, ids[i]); got != "waiting "+want {
			t.Errorf("%d: got %s, want waiting %s", i, got, want)
		}
	}
	if n := len(b.receiver.take()); n != 0 {
		t.Errorf("%d calls", n)
	}
}
