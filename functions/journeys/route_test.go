package journeys_test

import (
	"fmt"
	"math"
	"testing"
)

// The route runs through past markers by date, then planned ones, those without a date at the end of their kind, ties as
// they were made; a plan that is overdue still comes after the past.
func TestRouteOrder(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	maria.marker(id, plan("overdue", "2020-01-01", along(30), 0))
	maria.marker(id, past("second", "2026-01-02", along(10), 0))
	maria.marker(id, past("third", "2026-01-02", along(20), 0))
	maria.marker(id, past("first", "2026-01-01", along(0), 0))
	maria.marker(id, plan("last", "2030-01-01", along(40), 0))
	maria.marker(id, plan("undated", "", along(50), 0))

	route := maria.call("GET", "/journeys/"+id+"/route", nil).want(200).object()
	features := route["features"].([]any)
	line := features[0].(object)["geometry"].(object)["coordinates"].([]any)
	want := []float64{along(0), along(10), along(20), along(30), along(40), along(50)}
	if len(line) != len(want) || len(features) != 7 {
		t.Fatalf("%d points on the line, %d features", len(line), len(features))
	}
	for i, at := range line {
		if at.([]any)[0] != want[i] {
			t.Errorf("point %d is %v, want %v", i, at, want[i])
		}
	}
	// The stored legs keep the same order: any other would be longer.
	if m := route["length_meters"].(float64); math.Abs(m-50000) > 200 {
		t.Errorf("the route is %.0f m long, want 50 km", m)
	}
}

func TestRouteFollowsEveryChangeOfItsMarkers(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	length := func() float64 {
		return math.Round(maria.call("GET", "/journeys/"+id+"/route", nil).want(200).object()["length_meters"].(float64) / 1000)
	}
	var ids []string
	for i := range 4 {
		ids = append(ids, maria.marker(id, past("x", fmt.Sprintf("2026-01-0%d", i+1), along(float64(i)*10), 0)))
	}
	if got := length(); got != 30 {
		t.Errorf("%v km, want 30", got)
	}
	maria.call("PUT", "/journeys/"+id+"/markers/"+ids[3], past("x", "2026-01-04", along(50), 0)).want(200)
	if got := length(); got != 50 {
		t.Errorf("after a move %v km, want 50", got)
	}
	maria.call("DELETE", "/journeys/"+id+"/markers/"+ids[3], nil).want(204)
	if got := length(); got != 20 {
		t.Errorf("after a deletion %v km, want 20", got)
	}
	maria.call("PUT", "/journeys/"+id+"/markers/"+ids[0], past("x", "", along(0), 0)).want(200)
	if got := length(); got != 30 { // 10, 20, and back to 0
		t.Errorf("after a date was cleared %v km, want 30", got)
	}
}
