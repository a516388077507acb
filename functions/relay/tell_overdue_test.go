package relay

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// agencyOf adds an agency.
func (b *bundle) agencyOf(code string) uuid.UUID {
	id := database.NewID()
	b.exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, $2, $2, 'municipal')`, id, code)
	return id
}

// dueReport adds a verified report that is due at a time.
func (b *bundle) dueReport(agency uuid.UUID, due time.Time, set string) uuid.UUID {
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, severity, assigned_agency_id, assigned_at, due_at)
		VALUES ($1, $2, '', 'pothole', -8.5, 125.5, 'verified', 'high', $3, now(), $4)`, id, "LS-2026-"+id.String()[30:], agency, due)
	if set != "" {
		b.exec(`UPDATE reports SET `+set+` WHERE id = $1`, id)
	}
	return id
}

// noticed runs the task and returns the reports of each message about an event, and empties the outbox.
func (b *bundle) noticed(event queue.StaffEvent) map[uuid.UUID]int {
	b.t.Helper()
	if err := b.relay.tellOverdue(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	out := map[uuid.UUID]int{}
	for _, body := range b.received(queue.Notify) {
		var m queue.NotifyMessage
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			b.t.Fatal(err)
		}
		if m.Staff != nil && m.Staff.Event == event {
			for _, item := range m.Staff.Items {
				out[item.ReportID]++
			}
		}
	}
	return out
}

// With a moved clock: the agency hears once when the deadline has passed, the administrators once when as many working days again
// have passed, and all of it anew after a new deadline.
func TestOverdueReportsAreToldOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agency := b.agencyOf("A")
	b.clock.Advance(time.Date(2030, 3, 4, 6, 0, 0, 0, time.UTC).Sub(b.clock.Now())) // a Monday
	now := b.clock.Now()
	late := b.dueReport(agency, now.Add(-time.Hour), "")
	person := b.person
	named := b.dueReport(agency, now.Add(-time.Hour), fmt.Sprintf("assigned_user_id = '%s'", person))
	for _, quiet := range []string{"status = 'fixed'", "status = 'rejected'", "deleted_at = now()", "due_at = NULL", "due_paused_at = now(), assigned_agency_id = NULL"} {
		b.dueReport(agency, now.Add(-time.Hour), quiet)
	}
	b.dueReport(agency, now.Add(time.Hour), "")
	if got := b.noticed(queue.ReportsOverdue); len(got) != 2 || got[late] != 1 || got[named] != 1 {
		t.Errorf("told of %v", got)
	}
	if got := b.noticed(queue.ReportsOverdue); len(got) != 0 { // the same hour
		t.Errorf("told again of %v", got)
	}
	b.clock.Advance(2 * time.Hour)
	if got := b.noticed(queue.ReportsOverdue); len(got) != 1 { // the one that was due in an hour
		t.Errorf("an hour later, told of %v", got)
	}
	// Five working days after Monday the 4th are over on Tuesday the 12th.
	for _, c := range []struct{ day, want int }{{11, 0}, {12, 3}} {
		b.clock.Advance(time.Date(2030, 3, c.day, 6, 0, 0, 0, time.UTC).Sub(b.clock.Now()))
		if got := b.noticed(queue.ReportsLate); len(got) != c.want {
			t.Errorf("on day %d administrators are told of %v", c.day, got)
		}
	}
	b.clock.Advance(24 * 30 * time.Hour)
	if got := b.noticed(queue.ReportsLate); len(got) != 0 {
		t.Errorf("told again of %v", got)
	}
	b.exec(`UPDATE reports SET overdue_told = 0, due_at = $2 WHERE id = $1`, late, b.clock.Now().Add(time.Minute)) // as a new deadline does
	b.clock.Advance(2 * time.Hour)
	if got := b.noticed(queue.ReportsOverdue); len(got) != 1 || got[late] != 1 {
		t.Errorf("after a new deadline told of %v", got)
	}
}

// An agency with many overdue reports gets one message a run, and no report is left out in the end.
func TestManyOverdueReportsAreToldInOneMessageAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.agencyOf("A"), b.agencyOf("B")
	for range 150 {
		b.dueReport(one, b.clock.Now().Add(-time.Hour), "")
	}
	b.dueReport(two, b.clock.Now().Add(-time.Hour), "")
	var told []int
	for range 3 {
		told = append(told, len(b.noticed(queue.ReportsOverdue)))
		b.clock.Advance(time.Hour)
	}
	if !slices.Equal(told, []int{101, 50, 0}) {
		t.Errorf("told of %v reports", told)
	}
}
