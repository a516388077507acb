package journeys_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"
)

// report adds an open report and gives its id.
func (b *bundle) report(status string, lon, lat float64) string {
	b.t.Helper()
	id := uuid.NewString()
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, status, latitude, longitude) VALUES ($1, $2, '\x00', 'pothole', $3, $4, $5)`,
		id, "LS-2026-"+id[:6], status, lat, lon)
	return id
}

func TestReportsAlongTheRouteInRidingOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	maria.marker(id, past("start", "2026-01-01", along(0), 0))
	maria.marker(id, plan("middle", "2030-01-02", along(20), 0))
	maria.marker(id, plan("end", "2030-01-03", along(20), 30/111.195))
	ahead := b.report("verified", along(20)+0.002, 10/111.195)
	b.report("verified", along(50), 0)
	near := b.report("pending", along(5), 0.001)
	middle := b.report("in_progress", along(12), -0.002)
	for _, closed := range []string{"fixed", "rejected"} {
		b.report(closed, along(6), 0)
	}
	b.exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, b.report("pending", along(7), 0))

	got := maria.call("GET", "/journeys/"+id+"/reports", nil).want(200).object()
	items := got["items"].([]any)
	var order []string
	for _, i := range items {
		order = append(order, i.(object)["id"].(string))
	}
	equal(t, "order", order, near, middle, ahead)
	for i, want := range []struct{ along, distance float64 }{{5000, 111}, {12000, 222}, {30000, 222}} {
		o := items[i].(object)
		if d, a := o["distance_meters"].(float64), o["along_meters"].(float64); math.Abs(d-want.distance) > 2 || math.Abs(a-want.along) > 250 {
			t.Errorf("report %d is %.1f m away at %.1f m, want %v", i, d, a, want)
		}
	}
	if o := items[0].(object); o["report_number"] == "" || o["status"] != "pending" || o["issue_type"] != "pothole" {
		t.Errorf("the summary is %v", o)
	}
	if narrow := maria.call("GET", "/journeys/"+id+"/reports?within_m=150", nil).want(200).object(); narrow["total"] != 1.0 {
		t.Errorf("within 150 m there is %v", narrow)
	}
	if first := maria.call("GET", "/journeys/"+id+"/reports?limit=1", nil).want(200).object(); first["total"] != 3.0 || len(first["items"].([]any)) != 1 {
		t.Errorf("the first is %v", first)
	}
	if none := maria.call("GET", "/journeys/"+maria.journey(nil)+"/reports", nil).want(200).object(); fmt.Sprint(none["items"]) != "[]" {
		t.Errorf("without a route there is %v", none)
	}
}

func TestOthersFindReportsAlongTheShownRoute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	id := maria.route(plan, "2030-01-01", "2030-01-02", 125.57, -8.55, 125.685, -8.535)
	b.report("verified", 125.685, -8.535)
	if own := maria.call("GET", "/journeys/"+id+"/reports?within_m=50", nil).want(200).object(); own["total"] != 1.0 {
		t.Errorf("the rider sees %v", own)
	}
	maria.call("PATCH", "/journeys/"+id, object{"plan_precision_m": 20000}).want(200)
	if other := joao.call("GET", "/journeys/"+id+"/reports?within_m=50", nil).want(200).object(); other["total"] != 0.0 {
		t.Errorf("others learn where the plan is: %v", other)
	}
	if own := maria.call("GET", "/journeys/"+id+"/reports?within_m=50", nil).want(200).object(); own["total"] != 1.0 {
		t.Errorf("blurred for others, the rider sees %v", own)
	}
}

func TestRidersAffectedIsACountForStaff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao, ana, staff := b.rider(), b.rider(), b.rider(), b.staff()
	report := b.report("verified", along(5), 0)
	maria.route(plan, "2030-01-01", "2030-01-02", along(0), 0, along(10), 0)
	maria.route(plan, "2030-02-01", "2030-02-02", along(0), 0, along(10), 0) // the same person
	joao.route(past, "2026-01-01", "2026-01-02", along(0), 0, along(10), 0)
	joao.route(plan, "2020-01-01", "2020-01-02", along(0), 0, along(10), 0) // passed already
	done := ana.route(plan, "2030-01-01", "2030-01-02", along(0), 0, along(10), 0)
	affected := func() any {
		return staff.call("GET", "/reports/"+report+"/riders-affected", nil).want(200).object()["riders_affected"]
	}
	if n := affected(); n != 2.0 {
		t.Errorf("%v riders, want Maria and Ana", n)
	}
	ana.call("PATCH", "/journeys/"+done, object{"visibility": "private"}).want(200)
	if n := affected(); n != 1.0 {
		t.Errorf("%v riders, want Maria alone", n)
	}
	joao.imported(object{"plan_precision_m": 0}, straight("2026-01-01", along(0), 0, along(10), 0)) // a recorded track
	if n := affected(); n != 1.0 {
		t.Errorf("%v riders, want Maria alone", n)
	}
	planned := joao.imported(nil, straight("", along(0), 0, along(10), 0))
	if n := affected(); n != 2.0 {
		t.Errorf("%v riders, want Maria and João, whose planned track has no days", n)
	}
	joao.call("PATCH", "/journeys/"+planned, nil).want(204)
	if n := affected(); n != 1.0 {
		t.Errorf("%v riders, want Maria alone: João has completed his", n)
	}
	joao.imported(object{"plan_precision_m": 50_000}, straight("", along(0), 0, along(10), 0))
	if n := affected(); n != 1.0 {
		t.Errorf("%v riders, want Maria alone: others see João's plan 25 km farther north", n)
	}
	maria.call("GET", "/reports/"+report+"/riders-affected", nil).want(403)
	staff.call("GET", "/reports/"+unknownID+"/riders-affected", nil).wantCode(404, "report_not_found")
	staff.call("GET", "/reports/x/riders-affected", nil).want(422)
}
