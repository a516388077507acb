package journeys_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys"
)

// Each benchmark times the whole request, as the Lambda's handler sees it, beside
// the same statements sent straight over one connection, at 5,000 journeys,
// 100,000 markers and 20,000 reports:
//
//	go test ./functions/journeys -run '^$' -bench . -benchtime 100x
//
// p50-ms and p50-sql-ms are medians; x-sql is the one over the other. "Dense" is
// a journey in Timor-Leste among 1,000 others, "sparse" one elsewhere with a few
// neighbours.

func BenchmarkNearbyMarkersDense(b *testing.B) { benchNearby(b, loadID(5), "markers") }

func BenchmarkNearbyMarkersSparse(b *testing.B) { benchNearby(b, loadID(6), "markers") }

func BenchmarkNearbyRouteDense(b *testing.B) { benchNearby(b, loadID(5), "route") }

func BenchmarkNearbyRouteSparse(b *testing.B) { benchNearby(b, loadID(6), "route") }

func benchNearby(b *testing.B, id, mode string) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+id+"/journeys/nearby?mode="+mode,
		r.standing(), ask(journeys.JourneySQL, id), ask(journeys.NearbyIDsSQL(mode), id, r.ID, 100000.0, nil, nil, 50))
}

func BenchmarkNearbyWithDistances(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/nearby", r.standing(), ask(journeys.JourneySQL, loadID(5)),
		ask(journeys.NearbyJourneysSQL("markers"), loadID(5), r.ID, 100000.0, nil, nil, 50))
}

func BenchmarkReportsAlong(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/reports?within_m=2000", r.standing(), ask(journeys.JourneySQL, loadID(5)),
		ask(journeys.ReportsAlongSQL, loadID(5), r.ID, 2000, 200))
}

func BenchmarkRoute(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/route", r.standing(), ask(journeys.JourneySQL, loadID(5)), ask(journeys.RouteSQL, r.ID, loadID(5)))
}

func BenchmarkMarkers(b *testing.B) {
	w, r := loaded(b)
	compare(b, w, r, "/journeys/"+loadID(5)+"/markers", r.standing(), ask(journeys.JourneySQL, loadID(5)), ask(journeys.MarkersSQL, r.ID, loadID(5)))
}

// loaded fills a database of the benchmark's own.
func loaded(b *testing.B) (*bundle, *rider) {
	b.Helper()
	w := setup(b)
	r := w.rider()
	w.load(r)
	return w, r
}

// statement is one of those a request needs.
type statement struct {
	sql  string
	args []any
}

func ask(sql string, args ...any) statement { return statement{sql, args} }

// standing is the question whether the session stands, which every request asks first.
func (r *rider) standing() statement {
	return ask(`SELECT u.id, u.role FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.suspended_at IS NULL AND u.deleted_at IS NULL`, r.SessionID)
}

func compare(b *testing.B, w *bundle, r *rider, path string, statements ...statement) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), w.db.Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	bare := func() {
		for _, s := range statements {
			rows, err := conn.Query(b.Context(), s.sql, s.args...)
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
	}
	request := func() {
		req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/v1"+path, nil)
		req.Header.Set("Authorization", "Bearer "+r.Token)
		res := httptest.NewRecorder()
		w.served.ServeHTTP(res, req)
		if res.Code != http.StatusOK {
			b.Fatalf("%d: %s", res.Code, res.Body)
		}
	}
	for range 10 { // both prepared, both in memory
		bare()
		request()
	}
	var whole, direct []time.Duration
	for b.Loop() {
		whole = append(whole, timed(request))
		direct = append(direct, timed(bare))
	}
	h, d := median(whole), median(direct)
	b.ReportMetric(float64(h.Microseconds())/1000, "p50-ms")
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
