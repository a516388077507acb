package webhooks

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// Words that a moderator hides, or that go with their author's account, are in no later try of a call. Neither are those of a report that
// was taken down, nor its exact place.
func TestLaterTriesLeaveOutWhatIsHiddenSince(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string]func(b *bundle, id string){
		"hidden words": func(b *bundle, id string) {
			b.moderator().Post("/reports/"+id+"/hide", object{"reason_code": "personal_data"}).Want(http.StatusOK)
		},
		"taken down": func(b *bundle, id string) {
			b.moderator().Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "personal_data"}).Want(http.StatusOK)
		},
		"erased author": func(b *bundle, id string) { b.Tamper(`DELETE FROM report_salts WHERE report_id = '` + id + `'`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.hook(b.receiver.URL, webhook.ReportVerified)
			b.receiver.status(http.StatusInternalServerError)
			id := b.file(b.Citizen(), "Blue house")
			b.moderator().Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
			b.work()
			hide(b, id)
			b.pass(time.Hour)
			b.work()
			calls := b.receiver.take()
			if len(calls) != 2 || calls[0].data().Text("report.title") != "Blue house" || calls[0].data().Number("report.latitude") != -8.5534567 {
				t.Fatalf("first try: %s", calls[0].raw)
			}
			got := calls[1].data()
			if strings.Contains(string(calls[1].raw), "Blue") || strings.Contains(string(calls[1].raw), "Motorbikes") || got.At("report.content_hidden") != true || got.Number("report.latitude") != -8.553 {
				t.Errorf("second try: %s", calls[1].raw)
			}
			if calls[0].header.Get("Webhook-Id") != calls[1].header.Get("Webhook-Id") {
				t.Error("another id")
			}
		})
	}
}

// Whoever reports while a webhook is deleted gets the report.
func TestAReportIsCreatedWhileAWebhookIsDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.hook(b.receiver.URL)
	tx, err := b.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `DELETE FROM webhooks WHERE id = $1`, id); err != nil {
		t.Fatal(err)
	}
	citizen, made := b.Citizen(), make(chan apiclient.TestResponse, 1)
	go func() {
		made <- citizen.Post("/reports", object{"issue_type": "pothole", "latitude": -8.5534567, "longitude": 125.5601234})
	}()
	b.WaitUntil(`SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database())`)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	(<-made).Want(http.StatusCreated)
	if n := b.Int(`SELECT count(*) FROM webhook_deliveries`); n != 0 {
		t.Errorf("%d deliveries to a webhook that is gone", n)
	}
}

// A 410 of an address that was replaced during the call says nothing about the new one.
func TestA410OfAFormerAddressSwitchesNothingOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL)
	next := newReceiver(t)
	b.file(b.Citizen(), "Kuak")
	b.receiver.answers(func(w http.ResponseWriter, _ call) {
		b.Exec(`UPDATE webhooks SET url = $1`, next.URL)
		w.WriteHeader(http.StatusGone)
	})
	b.work()
	b.pass(2 * time.Minute)
	b.work()
	if n := len(next.take()); n != 1 || b.state("delivered") != 1 {
		t.Errorf("%d calls of the new address, %d delivered", n, b.state("delivered"))
	}
}

// A delivery that was stored before a migration added a column has the column's present value.
func TestADeliveryFromBeforeAColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL, webhook.ReportCreated)
	id := b.file(b.Citizen(), "Kuak")
	b.Exec(`UPDATE webhook_deliveries SET snapshot = snapshot - '{version,confirmations_count}'::text[]`)
	b.moderator().Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	b.work()
	calls := b.receiver.take()
	if len(calls) != 1 || calls[0].data().Number("report.version") != 2 || calls[0].data().Text("report.status") != "pending" || calls[0].data().Text("report.client_id") != "" {
		t.Errorf("got %d calls", len(calls))
	}
}

// Words that a moderator changed are in no later call, also where the event was before: what the reporter wrote is for staff alone.
func TestLaterCallsHaveTheWordsOfAModerator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	late := newReceiver(t)
	tried, _ := b.hook(b.receiver.URL, webhook.ReportVerified)
	notTried, _ := b.hook(late.URL, webhook.ReportVerified)
	b.receiver.status(http.StatusInternalServerError)
	id, moderator := b.file(b.Citizen(), "Blue house of Ana"), b.moderator()
	moderator.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	b.work(tried)
	for _, title := range []string{"House of Ana", "A house"} {
		moderator.Patch("/reports/"+id, object{"title": title}).Want(http.StatusOK)
		b.pass(time.Hour)
		b.work(tried)
	}
	b.pass(time.Hour)
	b.work(tried, notTried)
	calls := append(b.receiver.take(), late.take()...)
	if len(calls) != 5 {
		t.Fatalf("got %v", types(calls))
	}
	for i, title := range []string{"Blue house of Ana", "House of Ana", "A house", "A house", "A house"} {
		got := calls[i].data()
		if got.Text("report.title") != title || (got.At("report.content_edited") == true) != (i > 0) || got.Number("report.latitude") != -8.5534567 || got.Text("report.status") != "verified" {
			t.Errorf("call %d: %s", i, calls[i].raw)
		}
	}
	if string(calls[2].raw) != string(calls[3].raw) {
		t.Error("a try before which nothing changed has another body")
	}
}

// A comment that is hidden or removed before its call keeps its place in the order and loses its words.
func TestAHiddenCommentHasNoWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL, webhook.CommentAdded)
	id := b.file(b.Citizen(), "Kuak")
	moderator, author := b.moderator(), b.Citizen()
	moderator.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	comments := "/reports/" + id + "/comments"
	hidden := author.Post(comments, object{"content": "He lives in number 5."}).Want(http.StatusCreated).Object().Text("id")
	removed := author.Post(comments, object{"content": "She lives in number 6."}).Want(http.StatusCreated).Object().Text("id")
	moderator.Post(comments+"/"+hidden+"/hide", object{"reason_code": "personal_data"}).Want(http.StatusOK)
	author.Delete(comments + "/" + removed).Want(http.StatusOK)
	b.work()
	calls := b.receiver.take()
	if len(calls) != 2 {
		t.Fatalf("got %v", types(calls))
	}
	for i, comment := range []string{hidden, removed} {
		got := calls[i].data()
		if got.Text("comment.content") != "" || got.At("comment.content_hidden") != true || got.Text("comment.id") != comment {
			t.Errorf("got %s", calls[i].raw)
		}
	}
}

// A worker that is killed after a call and before it noted the answer makes the call again: a minute later, with the same id and body.
func TestAKilledWorkerLosesNoDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.hook(b.receiver.URL)
	report := b.file(b.Citizen(), "Kuak")
	b.moderator().Post("/reports/"+report+"/status", object{"status": "verified"}).Want(http.StatusOK)
	worker := b.worker
	ctx, kill := context.WithCancel(t.Context())
	b.receiver.answers(func(http.ResponseWriter, call) {
		b.Exec(`ALTER TABLE webhook_deliveries RENAME TO unreachable`) // the answer cannot be noted
		kill()
	})
	if _, err := worker.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: `{"webhook_id": "` + id.String() + `"}`}}}); err != nil {
		t.Fatal(err)
	}
	b.Exec(`ALTER TABLE unreachable RENAME TO webhook_deliveries`)
	b.receiver.status(http.StatusOK)
	b.work()
	if n := len(b.receiver.take()); n != 1 || b.state("waiting") != 2 {
		t.Fatalf("%d calls, %d wait: the claim holds for a minute, and the next event waits for it", n, b.state("waiting"))
	}
	b.pass(2 * time.Minute)
	b.work()
	calls := b.receiver.take()
	if got := types(calls); !slices.Equal(got, []string{"report.created", "report.verified"}) || b.state("delivered") != 2 {
		t.Errorf("got %v", got)
	}
}

// A receiver that does not answer has two calls at a time, and after five failures one at a time with pauses. Others get theirs meanwhile.
func TestASlowReceiverHoldsNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	slow := newReceiver(t)
	hanging, _ := b.hook(slow.URL)
	good, _ := b.hook(b.receiver.URL)
	for range 8 {
		b.file(b.Citizen(), "Kuak")
	}
	release, begun := make(chan struct{}), make(chan struct{}, 100)
	slow.answers(func(w http.ResponseWriter, _ call) {
		begun <- struct{}{}
		<-release
		w.WriteHeader(http.StatusGatewayTimeout)
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.work(hanging, hanging, hanging, hanging)
	}()
	<-begun
	<-begun
	b.work(good)
	if n := len(b.receiver.take()); n != 8 {
		t.Errorf("%d calls of the good receiver while the other hangs, want 8", n)
	}
	if n := len(begun); n != 0 {
		t.Errorf("%d more calls of the slow receiver at the same time", n)
	}
	close(release)
	<-done
	if n := len(slow.take()); n < failing || n > failing+1 { // the two last ones were begun together
		t.Errorf("%d calls of the slow receiver before it rests, want about %d", n, failing)
	}
	b.work(hanging)
	if n := len(slow.take()); n != 0 {
		t.Errorf("%d calls of a receiver that rests", n)
	}
	b.pass(time.Minute)
	b.work(hanging)
	if n := len(slow.take()); n != 1 {
		t.Errorf("%d calls after the rest, want one", n)
	}
	slow.status(http.StatusOK)
	b.pass(2 * time.Hour)
	b.work(hanging)
	if n := b.Int(`SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'delivered'`, hanging); n != 8 {
		t.Errorf("%d are delivered after it works again", n)
	}
}

// What a receiver that fails did not take within its day is parked without a call for each.
func TestABacklogIsParkedAfterADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.hook(b.receiver.URL)
	for range 12 {
		b.file(b.Citizen(), "Kuak")
	}
	b.receiver.status(http.StatusInternalServerError)
	b.work()
	b.pass(25 * time.Hour)
	b.work()
	if n := len(b.receiver.take()); n > 8 || b.state("parked") != 12 {
		t.Errorf("%d calls, %d of 12 are parked", n, b.state("parked"))
	}
	if b.Int(`SELECT failures FROM webhooks WHERE id = $1`, id) == 0 {
		t.Error("the webhook counts no failure")
	}
}

// The worker ends in time: what is left when its invocation ends goes on with another message.
func TestWorkGoesOnWithAnotherMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.hook(b.receiver.URL)
	b.file(b.Citizen(), "Kuak")
	b.Exec(`DELETE FROM outbox`)
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	out, err := b.worker.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: `{"webhook_id": "` + id.String() + `"}`}}})
	if err != nil || len(out.BatchItemFailures) != 0 || len(b.receiver.take()) != 0 {
		t.Errorf("%v, %v, %d calls", out, err, len(b.receiver.take()))
	}
	if n := b.Int(`SELECT count(*) FROM outbox WHERE queue = 'webhooks' AND body ->> 'webhook_id' = $1::text`, id.String()); n != 1 {
		t.Errorf("%d messages", n)
	}
	for _, body := range []string{`{}`, `x`, `{"webhook_id": "` + uuid.Nil.String() + `"}`} {
		w := &Worker{}
		if err := w.handle(t.Context(), events.SQSMessage{Body: body}); err == nil {
			t.Errorf("%s names no webhook", body)
		}
	}
}
