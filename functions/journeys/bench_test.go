package journeys_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Each part times the whole request, as the Lambda's handler sees it, beside
// the same statements sent straight over one connection, at 5,000 journeys,
// 100,000 markers and 20,000 reports:
//
//	go test ./functions/journeys -run '^$' -bench . -benchtime 100x
//
// p50-ms and p50-sql-ms are medians; x-sql is the one over the other. "Dense" is
// a journey in Timor-Leste among 1,000 others, "sparse" one elsewhere with a few
// neighbours.

func BenchmarkJourneys(b *testing.B) {
	w := setup(b)
	r := w.rider()
	w.load(r)
	dense, sparse := loadID(5), loadID(6)
	standing := r.standing()
	nearby := func(id, mode string) (string, []statement) {
		return "/journeys/" + id + "/journeys/nearby?mode=" + mode, []statement{standing, ask(journeys.JourneySQL, id),
			ask(journeys.OwnShapesSQL(mode), id, r.ID, 5000), ask(journeys.NearShapesSQL(mode), id, [][]byte{track.AreaAround(track.Position{126, -8.7}, 25_000)}, nil, nil, 3000, nil)}
	}
	run := func(name, path string, statements []statement) {
		b.Run(name, func(b *testing.B) { compare(b, w, r, path, statements) })
	}
	for _, mode := range []string{"markers", "route"} {
		path, statements := nearby(dense, mode)
		run("nearby by "+mode+", dense", path, statements)
		path, statements = nearby(sparse, mode)
		run("nearby by "+mode+", sparse", path, statements)
	}
	_, statements := nearby(dense, "markers")
	run("nearby with distances, dense", "/journeys/"+dense+"/nearby", statements)
	run("reports along the route", "/journeys/"+dense+"/reports?within_m=2000", []statement{standing, ask(journeys.JourneySQL, dense),
		ask(journeys.RouteLegsSQL, dense, r.ID), summaries(identity.Caller{UserID: r.ID, Role: r.Role}, w.along(r, dense))})
	run("route", "/journeys/"+dense+"/route", []statement{standing, ask(journeys.JourneySQL, dense), ask(journeys.MarkersSQL, r.ID, dense),
		ask(journeys.LengthSQL, r.ID, dense), ask(journeys.TracksSQL, r.ID, dense), ask(journeys.LegsSQL, r.ID, dense)})
	run("markers", "/journeys/"+dense+"/markers", []statement{standing, ask(journeys.JourneySQL, dense), ask(journeys.MarkersSQL, r.ID, dense)})
}

// statement is one of those a request needs.
type statement func(ctx context.Context, conn *pgx.Conn) error

func ask(sql string, args ...any) statement {
	return func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
		return err
	}
}

// summaries reads the reports with the given ids.
func summaries(caller identity.Caller, ids []uuid.UUID) statement {
	return func(ctx context.Context, conn *pgx.Conn) error {
		_, err := reportread.NewReader(conn, nil, nil, ledger.Config{}).Summaries(ctx, reportread.ViewerOf(caller), ids)
		return err
	}
}

// standing is the question whether the session stands, which every request asks first.
func (r *rider) standing() statement {
	return ask(`SELECT u.id, u.role FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.suspended_at IS NULL AND u.deleted_at IS NULL`, r.SessionID)
}

func compare(b *testing.B, w *bundle, r *rider, path string, statements []statement) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), w.db.Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	bare := func() {
		for _, s := range statements {
			if err := s(b.Context(), conn); err != nil {
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

// along are the ids of the reports along a route.
func (b *bundle) along(r *rider, journey string) []uuid.UUID {
	b.t.Helper()
	var page struct {
		Items []struct{ ID uuid.UUID }
	}
	r.call("GET", "/journeys/"+journey+"/reports?within_m=2000", nil).want(200).into(&page)
	var ids []uuid.UUID
	for _, i := range page.Items {
		ids = append(ids, i.ID)
	}
	return ids
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
