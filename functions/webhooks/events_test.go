package webhooks

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// The life of a report, as a receiver is told of it: one call for each move, in order, each with the state that the move left.
func TestAReceiverIsToldOfTheLifeOfAReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL)
	author, moderator := b.Citizen(), b.moderator()
	id := b.file(author, "Kuak")
	path, agency := "/reports/"+id, b.Agency("MOP")
	official := b.Staff(identity.Official, agency)
	moderator.Post(path+"/status", object{"status": "verified"}).Want(http.StatusOK)
	moderator.Post(path+"/assign", object{"agency_id": agency}).Want(http.StatusOK)
	official.Post(path+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	b.Citizen().Post(path+"/comments", object{"content": "Still there."}).Want(http.StatusCreated)
	official.Post(path+"/status", object{"status": "fixed", "note": "Filled"}).Want(http.StatusOK)
	author.Post(path+"/dispute", object{"note": "It is not."}).Want(http.StatusOK)
	b.work()
	moderator.Post(path+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
	b.work()
	calls := b.receiver.take()
	want := []string{"report.created", "report.verified", "report.assigned", "report.status_changed", "comment.added", "report.status_changed",
		"comment.added", "report.disputed", "report.removed"}
	if got := types(calls); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	statuses := []string{}
	for _, c := range calls[:8] {
		statuses = append(statuses, c.data().Text("report.status"))
		if c.data().Text("report.id") != id || c.data().Text("report_id") != id || c.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %s", c.Type, c.raw)
		}
	}
	if got := strings.Join(statuses, " "); got != "pending verified verified in_progress in_progress fixed in_progress in_progress" {
		t.Errorf("statuses: %s", got)
	}
	if got := calls[4].data(); got.Text("comment.content") != "Still there." {
		t.Errorf("comment: %v", got)
	}
	removed := calls[8].data()
	if removed.Text("tombstone.status") != "rejected" || removed.Text("tombstone.reason_code") != "irrelevant" || removed.At("report") != nil {
		t.Errorf("removal: %v", removed)
	}
	if b.state("delivered") != 9 || b.Int(`SELECT count(*) FROM webhook_deliveries WHERE body IS NOT NULL OR snapshot IS NOT NULL`) != 0 {
		t.Errorf("%d are delivered, and what was delivered is kept", b.state("delivered"))
	}
}

// What a receiver reads of a report is what everybody reads: nothing of one without a verdict, and never who reported it.
func TestAReceiverReadsWhatEverybodyReads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL)
	author := b.Citizen()
	id := b.file(author, "My house is the blue one")
	author.Post("/reports/"+id+"/comments", object{"content": "I live there."}).Want(http.StatusCreated)
	b.work()
	calls := b.receiver.take()
	if got := types(calls); !slices.Equal(got, []string{"report.created"}) {
		t.Fatalf("comments before the verdict are not public: got %v", got)
	}
	for _, private := range []string{"blue", "Motorbikes", "-8.5534", "125.5601", "I live there"} {
		if strings.Contains(string(calls[0].raw), private) {
			t.Errorf("the body says %q: %s", private, calls[0].raw)
		}
	}
	got := calls[0].data()
	if got.Number("report.latitude") != -8.553 || got.At("report.content_pending") != true {
		t.Errorf("got %v", got)
	}
	b.moderator().Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	b.work()
	calls = b.receiver.take()
	if len(calls) != 1 || !strings.Contains(string(calls[0].raw), "blue") || calls[0].data().At("report.reporter") != nil {
		t.Errorf("got %s", calls[0].raw)
	}
}

// Each webhook gets one call for a move, under the most special name that it takes; and none while it is off.
func TestAMoveIsSentOnceUnderTheMostSpecialName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes []webhook.Event
		want  []string
	}{
		"all":          {webhook.Events(), []string{"report.created", "report.verified", "report.removed"}},
		"general":      {[]webhook.Event{webhook.ReportStatusChanged}, []string{"report.status_changed", "report.status_changed"}},
		"special":      {[]webhook.Event{webhook.ReportVerified}, []string{"report.verified"}},
		"both":         {[]webhook.Event{webhook.ReportStatusChanged, webhook.ReportVerified}, []string{"report.verified", "report.status_changed"}},
		"removed only": {[]webhook.Event{webhook.ReportRemoved}, []string{"report.removed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.hook(b.receiver.URL, c.takes...)
			off, _ := b.hook(b.receiver.URL)
			b.Exec(`UPDATE webhooks SET enabled = false, off_reason = 'admin' WHERE id = $1`, off)
			id := b.file(b.Citizen(), "Kuak")
			moderator := b.moderator()
			moderator.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
			moderator.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
			b.work()
			if got := types(b.receiver.take()); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// A withdrawal and a removal are told with the tombstone that everybody reads.
func TestRemovalsCarryTheTombstone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hook(b.receiver.URL, webhook.ReportRemoved)
	author := b.Citizen()
	withdrawn, removed := b.file(author, "Kuak A"), b.file(b.Citizen(), "Kuak B")
	author.Delete("/reports/" + withdrawn).Want(http.StatusOK)
	b.Staff(identity.Admin).Do(http.MethodDelete, "/reports/"+removed, object{"reason_code": "personal_data"}).Want(http.StatusOK)
	b.work()
	calls := b.receiver.take()
	if len(calls) != 2 || calls[0].data().Text("tombstone.status") != "withdrawn" || calls[1].data().Text("tombstone.status") != "removed" {
		t.Fatalf("got %d calls: %v", len(calls), calls)
	}
}

// Without a webhook an event stores nothing and sends no message.
func TestWithoutAWebhookNothingIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.file(b.Citizen(), "Kuak")
	if b.Int(`SELECT count(*) FROM webhook_deliveries`) != 0 || b.Int(`SELECT count(*) FROM outbox WHERE queue = 'webhooks'`) != 0 {
		t.Error("a delivery or a message is stored")
	}
	b.hook(b.receiver.URL)
	b.file(b.Citizen(), "Kuak")
	if b.Int(`SELECT count(*) FROM webhook_deliveries`) != 1 || b.Int(`SELECT count(*) FROM outbox WHERE queue = 'webhooks'`) != 1 {
		t.Error("the delivery or its message is not stored")
	}
}
