package geocoding_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
)

// geocoder answers every question the same way and counts them.
type geocoder struct {
	*httptest.Server
	asked  atomic.Int32
	status atomic.Int32
	answer atomic.Value
	agent  atomic.Value
}

func newGeocoder(t *testing.T) *geocoder {
	g := &geocoder{}
	g.status.Store(http.StatusOK)
	g.answer.Store(`{"display_name":"Rua de Motael, Dili, Timor-Leste","address":{"road":"Rua de Motael","suburb":"Motael",
		"county":"Vera Cruz","state":"Díli","country":"Timor-Leste","country_code":"tl"}}`)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.asked.Add(1)
		g.agent.Store(r.UserAgent())
		w.WriteHeader(int(g.status.Load()))
		_, _ = w.Write([]byte(g.answer.Load().(string))) // the client may have given up
	}))
	t.Cleanup(g.Close)
	return g
}

func setup(t *testing.T) (*geocoding.Resolver, *geocoder, *database.DB) {
	g := newGeocoder(t)
	db := &database.DB{Pool: testdb.Pool(t)}
	n := geocoding.NewNominatim(geocoding.Config{URL: g.URL, UserAgent: "LafaekStreet-test"})
	return geocoding.NewResolver(db, n, slog.New(slog.DiscardHandler), nil), g, db
}

func value(s *string) string {
	if s == nil {
		return "∅"
	}
	return *s
}

func exec(t *testing.T, db *database.DB, sql string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

const square = `INSERT INTO boundaries (id, level, name, parent, code, area) VALUES
	(gen_random_uuid(), 'municipality', 'Dili', NULL, 'TL-DI', ST_Multi(ST_MakeEnvelope(125.4, -8.7, 125.8, -8.4, 4326))),
	(gen_random_uuid(), 'district', 'Cristo Rei', 'Dili', NULL, ST_Multi(ST_MakeEnvelope(125.5, -8.6, 125.7, -8.5, 4326)))`

func TestTheGeocoderIsAskedOnceForACell(t *testing.T) {
	t.Parallel()
	r, g, _ := setup(t)
	for i, want := range []bool{false, true, true} {
		a, err := r.Reverse(t.Context(), -8.5567+float64(i)*0.0002, 125.5603, time.Second)
		if err != nil || value(a.Street) != "Rua de Motael" || value(a.MunicipalityCode) != "TL-DI" || a.Source != "nominatim" || a.Cached != want {
			t.Errorf("%d: got %+v, %v", i, a, err)
		}
	}
	if g.asked.Load() != 1 || g.agent.Load() != "LafaekStreet-test" {
		t.Errorf("asked %d times as %v", g.asked.Load(), g.agent.Load())
	}
}

func TestAnswersOfTheGeocoderAreKeptForThirtyDays(t *testing.T) {
	t.Parallel()
	r, g, db := setup(t)
	for i, c := range []struct {
		age   string
		asked int32
	}{{"0 days", 1}, {"29 days", 1}, {"31 days", 2}} {
		exec(t, db, `UPDATE geocode_cache SET fetched_at = now() - interval '`+c.age+`'`)
		exec(t, db, `UPDATE geocoder_turn SET next_at = now()`)
		if _, err := r.Reverse(t.Context(), -8.5567, 125.5603, time.Second); err != nil || g.asked.Load() != c.asked {
			t.Errorf("%d: with an answer %s old the geocoder was asked %d times (error %v), want %d", i, c.age, g.asked.Load(), err, c.asked)
		}
	}
}

func TestAnAnswerOfOverAMegabyteIsRefused(t *testing.T) {
	t.Parallel()
	r, g, _ := setup(t)
	g.answer.Store(strings.Repeat(" ", 1<<20) + g.answer.Load().(string))
	if a, err := r.Reverse(t.Context(), -8.5567, 125.5603, time.Second); !errors.Is(err, geocoding.ErrNoAnswer) {
		t.Errorf("got %+v, %v, want %v", a, err, geocoding.ErrNoAnswer)
	}
}

func TestOneTurnASecondForTheWholeSystem(t *testing.T) {
	t.Parallel()
	r, g, _ := setup(t)
	for i := range 5 {
		_, err := r.Reverse(t.Context(), -8.5-float64(i)*0.01, 125.5, 0)
		if (i == 0) != (err == nil) || err != nil && (!errors.Is(err, geocoding.ErrNoAnswer) || !errors.Is(err, geocoding.ErrNoTurn)) {
			t.Errorf("%d: got %v", i, err)
		}
	}
	if g.asked.Load() != 1 {
		t.Errorf("asked %d times within a second", g.asked.Load())
	}
}

func TestBoundariesAreExactAndTheGeocoderAddsTheStreet(t *testing.T) {
	t.Parallel()
	r, g, db := setup(t)
	exec(t, db, square)
	a, err := r.Reverse(t.Context(), -8.55, 125.6, time.Second)
	if err != nil || value(a.District) != "Cristo Rei" || value(a.Municipality) != "Dili" || value(a.Street) != "Rua de Motael" || a.Source != "boundaries" {
		t.Errorf("got %+v, %v", a, err)
	}
	g.status.Store(http.StatusInternalServerError)
	a, err = r.Reverse(t.Context(), -8.65, 125.45, 5*time.Second)
	if !errors.Is(err, geocoding.ErrNoAnswer) || value(a.Municipality) != "Dili" || value(a.District) != "∅" || a.Source != "boundaries" {
		t.Errorf("with the geocoder down: got %+v, %v", a, err)
	}
}

func TestAPlaceNobodyKnowsIsNoError(t *testing.T) {
	t.Parallel()
	r, g, _ := setup(t)
	g.answer.Store(`{"error":"Unable to geocode"}`)
	a, err := r.Reverse(t.Context(), 0, 0, time.Second)
	if err != nil || a.Source != "none" || a.DisplayName != nil {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAFailingGeocoderIsLeftAlone(t *testing.T) {
	t.Parallel()
	r, g, db := setup(t)
	g.status.Store(http.StatusServiceUnavailable)
	for i := range 8 {
		exec(t, db, `UPDATE geocoder_turn SET next_at = now()`) // a second has passed
		if _, err := r.Reverse(t.Context(), -8.5-float64(i)*0.01, 125.5, 0); !errors.Is(err, geocoding.ErrNoAnswer) || errors.Is(err, geocoding.ErrNoTurn) {
			t.Fatalf("%d: got %v", i, err)
		}
	}
	if g.asked.Load() != 5 {
		t.Errorf("asked %d times, want 5 and then rest", g.asked.Load())
	}
	var rests bool
	const rest = `SELECT open_until BETWEEN now() + interval '4 minutes' AND now() + interval '5 minutes' FROM geocoder_turn`
	if err := db.QueryRow(t.Context(), rest).Scan(&rests); err != nil || !rests {
		t.Errorf("the geocoder is not left alone for five minutes (error %v)", err)
	}
	g.status.Store(http.StatusOK)
	exec(t, db, `UPDATE geocoder_turn SET next_at = now(), open_until = now() - interval '1 second'`)
	if _, err := r.Reverse(t.Context(), -9, 125.5, time.Second); err != nil {
		t.Errorf("after the rest: %v", err)
	}
	var failures int
	if err := db.QueryRow(t.Context(), `SELECT failures FROM geocoder_turn`).Scan(&failures); err != nil || failures != 0 {
		t.Errorf("a success clears the count: %d, %v", failures, err)
	}
}

func TestSearchFindsOursFirst(t *testing.T) {
	t.Parallel()
	r, g, db := setup(t)
	exec(t, db, square)
	g.answer.Store(`[{"display_name":"Baucau Airport","lat":"-8.48","lon":"126.39","type":"aerodrome","address":{"state":"Baucau"}},{"lat":"x"}]`)
	found, err := r.Search(t.Context(), "baukau", 5, time.Second)
	if err != nil || len(found) != 2 || found[0].DisplayName != "Baucau" || found[0].Type != "municipality" || found[1].Type != "aerodrome" {
		t.Errorf("got %+v, %v", found, err)
	}
	for _, nothing := range []string{"%", "-", "帝力", "dima"} {
		if found, err := r.Search(t.Context(), nothing, 5, 0); err != nil || len(found) != 0 {
			t.Errorf("%q finds %+v, %v", nothing, found, err)
		}
	}
	found, err = r.Search(t.Context(), "cristo", 5, 0)
	if err != nil || len(found) != 1 || found[0].Type != "district" || value(found[0].Municipality) != "Dili" {
		t.Errorf("without a turn: got %+v, %v", found, err)
	}
}
