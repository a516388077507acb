package simulation

import (
	"encoding/json"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/digest"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/webhooks"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/queue"
)

// played is a system on which users wrote, with the two workers that the checks of this test need.
type played struct {
	*testenv.System
	t       *testing.T
	users   *Simulation
	workers map[queue.Name]queue.Handler
}

func play(t *testing.T) *played {
	t.Helper()
	mails, err := smtp.Start(smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Close() })
	p := &played{System: testenv.New(t), t: t, workers: map[queue.Name]queue.Handler{}}
	p.Env["WEBHOOK_PRIVATE_ADDRESSES"], p.Env["SMTP_URL"], p.Env["SMTP_TIMEOUT"] = "true", mails.URL(), "1m"
	p.Serve(reports.Open, community.Open, journeys.Open, notifications.Open, admin.Open)
	daily, err := digest.Open(t.Context(), p.Env)
	if err != nil {
		t.Fatal(err)
	}
	if p.workers[queue.Notify], err = notify.Open(t.Context(), p.Env); err != nil {
		t.Fatal(err)
	}
	if p.workers[queue.Webhooks], err = webhooks.Open(t.Context(), p.Env); err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // users abort some requests
	mux.Handle("/", proxy)
	mux.HandleFunc("/_local/mail", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(mails.Mails(r.FormValue("to")))
	})
	mux.HandleFunc("/_local/schedules/digest", func(_ http.ResponseWriter, r *http.Request) {
		if err := daily.Run(r.Context(), events.EventBridgeEvent{}); err != nil {
			t.Error(err)
		}
	})
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	p.users = New(front.URL, p.person(identity.Admin), []Person{p.person(identity.Citizen), p.person(identity.Citizen), p.person(identity.Citizen)}, 1)
	for i, u := range p.users.citizens {
		u.email = string(rune('a'+i)) + "@simulation.example"
		p.Exec(`UPDATE users SET email = $2, email_verified_at = now(), preferred_language = 'tet' WHERE id = $1`, u.id, u.email)
	}
	p.write()
	return p
}

func (p *played) person(role identity.Role) Person {
	c := p.Staff(role)
	return Person{ID: c.ID.String(), Token: c.Token}
}

// write has the users write, and the workers work.
func (p *played) write() {
	p.t.Helper()
	ctx, s := p.Context(), p.users
	receiver, err := s.AddWebhook(ctx, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(receiver.Close)
	receiver.Calm()
	if err := s.AddAlerts(ctx); err != nil {
		p.t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(20261130, 0))
	for i := range 150 {
		act := []action{s.changeStatus, s.changeStatus, s.comment, s.ride, s.changeStatus}[i%5]
		if i < 8 {
			act = s.createBatch
		}
		act(ctx, s.citizens[i%len(s.citizens)], random)
		if i%5 == 4 {
			p.work()
		}
	}
	if err := s.SendDailyMails(ctx); err != nil {
		p.t.Fatal(err)
	}
	p.work()
}

// work hands the messages in the outbox to the workers until there are none.
func (p *played) work() {
	p.t.Helper()
	for {
		rows, err := p.DB.Query(p.Context(), `DELETE FROM outbox WHERE queue IN ('notify', 'webhooks') RETURNING queue, body::text`)
		if err != nil {
			p.t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Queue, Body string }])
		if err != nil {
			p.t.Fatal(err)
		}
		if len(found) == 0 {
			return
		}
		for _, m := range found {
			out, err := p.workers[queue.Name(m.Queue)].Handle(p.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: m.Body}}})
			if err != nil || len(out.BatchItemFailures) > 0 {
				p.t.Fatalf("%s: %v, %v", m.Queue, out, err)
			}
		}
	}
}

// differences are those that webhooks, tracks, alerts and daily mails have now.
func (p *played) differences() []string {
	p.t.Helper()
	a := &Reconciliation{simulation: p.users, out: io.Discard, db: p.DB}
	for _, u := range p.users.citizens {
		a.users = append(a.users, u.id)
	}
	for _, part := range []func() error{
		func() error { return a.webhooks(p.Context()) }, func() error { return a.tracks(p.Context()) },
		func() error { return a.alerts(p.Context()) }, func() error { return a.digests(p.Context()) },
	} {
		if err := part(); err != nil {
			p.t.Fatal(err)
		}
	}
	return a.differences
}

// TestReconciliationSeesWhatIsLostTwiceOrWrong breaks one thing after another. Each is a difference that was not there before.
func TestReconciliationSeesWhatIsLostTwiceOrWrong(t *testing.T) {
	t.Parallel()
	p := play(t)
	s, receiver := p.users, p.users.receiver
	before := append(p.differences(), s.accepted.refusals...)
	if len(before) > 0 {
		t.Fatalf("nothing is broken yet: %q", before)
	}
	if n := p.Int(`SELECT count(*) FROM webhook_deliveries`); n < 60 || len(s.accepted.journeys) == 0 || p.Int(`SELECT count(*) FROM daily_mails`) == 0 {
		t.Fatalf("%d calls, %d journeys, %d daily mails: too few", n, len(s.accepted.journeys), p.Int(`SELECT count(*) FROM daily_mails`))
	}
	sql := func(statement string) func() { return func() { p.Tamper(statement) } }
	for _, broken := range []struct {
		name   string
		breaks func()
		want   string
	}{
		{"an event without its call", func() {
			s.createBatch(t.Context(), s.citizens[0], rand.New(rand.NewPCG(1, 1)))
			p.Exec(`DELETE FROM webhook_deliveries WHERE id = (SELECT id FROM webhook_deliveries WHERE state = 'waiting' LIMIT 1)`)
			p.work()
		}, `[], want ["report.created pending"]`},
		{"a call that is given up", sql(`UPDATE webhook_deliveries SET state = 'parked' WHERE id = (SELECT id FROM webhook_deliveries ORDER BY seq LIMIT 1)`), "is parked"},
		{"calls in another order", func() { slices.Reverse(receiver.calls) }, `"report.created pending"], want [`},
		{"a comment told twice", func() {
			i := slices.IndexFunc(receiver.calls, func(c call) bool { return c.comment != "" })
			receiver.calls = append(receiver.calls, receiver.calls[i])
		}, "was told of comment"},
		{"a call of long ago", func() {
			receiver.accept(http.Header{"Webhook-Id": {"old"}, "Webhook-Timestamp": {"1700000000"}}, []byte(`{"type": "report.removed", "data": {"tombstone": {}}}`))
		}, "call old report.removed: its time is 1700000000"},
		{"a call that somebody else signed", func() {
			header := http.Header{"Webhook-Id": {"forged"}, "Webhook-Timestamp": {strconv.FormatInt(time.Now().Unix(), 10)}, "Webhook-Signature": {"v1,AAAA"}}
			receiver.accept(header, []byte(`{"type": "report.removed", "data": {"tombstone": {}}}`))
		}, "call forged report.removed: its signature is wrong"},
		{"a call again with another body", func() {
			receiver.accept(http.Header{"Webhook-Id": {receiver.calls[0].id}}, []byte(`{"type": "report.removed", "data": {"tombstone": {}}}`))
		}, "its repeat has another body"},
		{"a report that was never accepted", func() {
			receiver.calls = append(receiver.calls, call{event: "report.created", report: "00000000-0000-4000-8000-000000000001"})
		}, "000000000001, which was never accepted"},
		{"a point that is gone", sql(`UPDATE track_points SET lons = lons[2:], lats = lats[2:], times = times[2:]
			WHERE track_id = (SELECT id FROM tracks ORDER BY id LIMIT 1) AND seq = 0`), "points, and counts"},
		{"a point that differs", sql(`UPDATE track_points SET lons[1] = lons[1] + 1 WHERE track_id = (SELECT id FROM tracks ORDER BY id DESC LIMIT 1) AND seq = 0`), "as they were ridden"},
		{"a track twice", sql(`INSERT INTO tracks (id, journey_id, kind, as_route, content_hash, points, length_m, legs, stretches)
			SELECT gen_random_uuid(), journey_id, kind, as_route, sha256('again'), points, length_m, legs, stretches FROM tracks ORDER BY id LIMIT 1`), "0 points, and counts"},
		{"a leg that is gone", sql(`DELETE FROM track_legs WHERE track_id = (SELECT id FROM tracks ORDER BY id OFFSET 1 LIMIT 1)`), "0 legs"},
		{"a marker that is gone", sql(`DELETE FROM markers WHERE id = (SELECT id FROM markers LIMIT 1)`), "has the markers"},
		{"an alert that told nobody", sql(`DELETE FROM notifications WHERE id = (SELECT id FROM notifications WHERE type = 'alert' AND params ->> 'status' <> 'fixed' LIMIT 1)`), "was not told of report"},
		{"an alert twice", sql(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
			SELECT gen_random_uuid(), user_id, type, 'again', report_id, params FROM notifications WHERE type = 'alert' ORDER BY id LIMIT 1`), "was told 2 times"},
		{"an alert that is gone", sql(`DELETE FROM alerts WHERE id = (SELECT id FROM alerts LIMIT 1)`), "3 exist"},
		{"a daily mail that was not sent", sql(`DELETE FROM daily_mails`), "1 daily mails, 0 are recorded"},
		{"a daily mail twice", func() {
			if err := s.SendDailyMails(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.work()
		}, "2 daily mails, 1 are recorded"},
	} {
		broken.breaks()
		after := p.differences()
		added := slices.DeleteFunc(slices.Clone(after), func(d string) bool { return slices.Contains(before, d) })
		if !slices.ContainsFunc(added, func(d string) bool { return strings.Contains(d, broken.want) }) {
			t.Errorf("%s: no new difference says %q: %q", broken.name, broken.want, added)
		}
		before = after
	}
}
