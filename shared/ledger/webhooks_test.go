package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// Each type of event, and as what receivers outside are told of it: the most special name first.
func TestWebhookEventsOfEachType(t *testing.T) {
	t.Parallel()
	want := map[Type]string{
		Submitted: "[report.created]", StatusMoved: "[report.status_changed]", Withdrawn: "[report.removed]", Assigned: "[report.assigned]",
		Disputed: "[report.disputed report.status_changed]", Commented: "[comment.added]",
		AIValidated: "[]", Amended: "[]", Hidden: "[]", Erased: "[]", Uncommented: "[]", KeyChanged: "[]", Incident: "[]",
	}
	told := map[webhook.Event]bool{}
	for _, typ := range Types() {
		e := Event{Type: typ}
		got := e.webhookEvents(report.InProgress)
		if text, there := want[typ]; !there || fmt.Sprint(got) != text {
			t.Errorf("%s: got %v, want %s", typ, got, text)
		}
		for _, name := range got {
			told[name] = true
		}
	}
	moved := Event{Type: StatusMoved}
	for status, first := range map[report.Status]webhook.Event{report.Verified: webhook.ReportVerified, report.Rejected: webhook.ReportRemoved} {
		if got := moved.webhookEvents(status); !slices.Equal(got, []webhook.Event{first, webhook.ReportStatusChanged}) {
			t.Errorf("a move to %s: %v", status, got)
		}
		told[first] = true
	}
	for _, e := range webhook.Events() {
		if !told[e] {
			t.Errorf("nothing is told as %s", e)
		}
	}
}
