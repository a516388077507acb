package journeys_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys"
)

// Each benchmark times the whole request over HTTP beside its bare SQL on one
// connection, at 5,000 journeys, 100,000 markers and 20,000 reports:
//
//	go test ./functions/journeys -run '^$' -bench . -benchtime 100x
//
// p50-http-ms and p50-sql-ms are medians; x-sql is the one over the other.
// "dense" is a journey in Timor-Leste among 1,000 others and 20,000 markers
// within the radius, "sparse" one elsewhere with a few neighbours.

func BenchmarkNearbyMarkersDense(b *testing.B) { benchNearby(b, loadID(5), "markers") }

func BenchmarkNearbyMarkersSparse(b *testing.B) { benchNearby(b, loadID(6), "markers") }

func BenchmarkNearbyRouteDense(b *testing.B) { benchNearby(b, loadID(5), "route") }

func BenchmarkNearbyRouteSparse(b *testing.B) { benchNearby(b, loadID(6), "route") }

func benchNearby(b *testing.B, id, mode string) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+id+"/journeys/nearby?mode="+mode,
		journeys.NearbyIDsSQL(mode), id, r.ID, 100000.0, nil, nil, 50)
}

func BenchmarkNearbyWithDistances(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/nearby", journeys.NearbyJourneysSQL("markers"), loadID(5), r.ID, 100000.0, nil, nil, 50)
}

func BenchmarkReportsAlong(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/reports", journeys.ReportsAlongSQL, loadID(5), 500, true, 200)
}

func BenchmarkRoute(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/route", journeys.MarkersSQL, r.ID, loadID(5))
}

func BenchmarkMarkers(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/markers", journeys.MarkersSQL, r.ID, loadID(5))
}

// loaded fills a database of the benchmark's own.
func loaded(b *testing.B) (*bundle, *rider) {
	b.Helper()
	w := setup(b)
	r := w.rider()
	w.load(r)
	return w, r
}

func compare(b *testing.B, w *bundle, r *rider, path, sql string, args ...any) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), w.db.Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}

	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	bare := func() {
		rows, err := conn.Query(b.Context(), sql, args...)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			if _, err := rows.Values(); err != nil {
				b.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
	}
	request := func() { r.call("GET", path, nil).want(200) }
	for range 10 { // both prepared, both in memory
		bare()
		request()
	}
	var http, direct []time.Duration
	for b.Loop() {
		http = append(http, timed(request))
		direct = append(direct, timed(bare))
	}
	h, d := median(http), median(direct)
	b.ReportMetric(float64(h.Microseconds())/1000, "p50-http-ms")
	b.ReportMetric(float64(d.Microseconds())/1000, "p50-sql-ms")
	b.ReportMetric(float64(h)/float64(d), "x-sql")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
