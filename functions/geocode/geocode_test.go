package geocode_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/geocode"
	"github.com/lafaekstreet/backend/infra/local/ledgertest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
)

const answer = `{"display_name":"Rua A, Dili","address":{"road":"Rua A","suburb":"Motael","county":"Vera Cruz","state":"Dili","country":"Timor-Leste"}}`

// deliver hands the worker a message about a new report, and returns the database.
func deliver(t *testing.T, status int, columns string, before ...string) (*pgxpool.Pool, uuid.UUID) {
	t.Helper()
	url := testdb.URL(t)
	db, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	nominatim := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer)) // the worker reads it or not
	}))
	t.Cleanup(nominatim.Close)
	worker, err := geocode.Open(t.Context(), config.Env{
		"DATABASE_URL": url, "DATABASE_ROLE": "lafaek_app", "NOMINATIM_URL": nominatim.URL, "AWS_REGION": "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.New()
	insert := `INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude` + columns
	if _, err := db.Exec(t.Context(), strings.Replace(insert, "VALUES (", "VALUES ($1, 'LS-2026-000001', '', 'pothole', -8.55, 125.56, ", 1), id); err != nil {
		t.Fatal(err)
	}
	ledgertest.Submit(t, db, id)
	for _, statement := range before {
		if _, err := db.Exec(t.Context(), statement, id); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // at least once: the second changes nothing
		out, err := worker.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: `{"report_id":"` + id.String() + `"}`}}})
		if err != nil || len(out.BatchItemFailures) != 0 {
			t.Fatalf("got %+v, %v", out, err)
		}
	}
	return db, id
}

func TestGeocodingKeepsTheAddressOfTheAuthor(t *testing.T) {
	t.Parallel()
	db, id := deliver(t, http.StatusOK, `, street, municipality) VALUES ('Behind the market', 'Baucau')`)
	var street, suco, municipality, code, source string
	const q = `SELECT street, suco, municipality, municipality_code, geocode_source FROM reports WHERE id = $1`
	if err := db.QueryRow(t.Context(), q, id).Scan(&street, &suco, &municipality, &code, &source); err != nil {
		t.Fatal(err)
	}
	if street != "Behind the market" || municipality != "Baucau" || suco != "Motael" || code != "TL-DI" || source != "nominatim" {
		t.Errorf("got %q %q %q %q %q", street, suco, municipality, code, source)
	}
	const events = `SELECT string_agg(convert_from(payload, 'UTF8')::jsonb ->> 'municipality', ' ' ORDER BY seq) || ' ' || count(*) FROM ledger_events WHERE report_id = $1`
	var said string
	if err := db.QueryRow(t.Context(), events, id).Scan(&said); err != nil || said != "TL-DI 2" {
		t.Errorf("events: got %q, %v, want a second one with the municipality", said, err)
	}
}

// The queue can be behind when somebody deletes the account. The report then has no address for ever, as it could name a house.
func TestAnErasedReportGetsNoAddress(t *testing.T) {
	t.Parallel()
	db, id := deliver(t, http.StatusOK, `, street) VALUES (NULL)`, `DELETE FROM report_salts WHERE report_id = $1`)
	var got string
	const q = `SELECT concat_ws(' ', address, street, suco, district, municipality, municipality_code, geocode_source) FROM reports WHERE id = $1`
	if err := db.QueryRow(t.Context(), q, id).Scan(&got); err != nil || got != "Dili TL-DI nominatim" {
		t.Errorf("got %q, %v, want the municipality alone", got, err)
	}
}

func TestAReportIsTriedAgainWhileTheGeocoderIsDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		created string
		waiting int
	}{"young": {"now()", 2}, "old": {"now() - interval '8 days'", 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, _ := deliver(t, http.StatusBadGateway, `, created_at) VALUES (`+c.created+`)`)
			var waiting int
			if err := db.QueryRow(t.Context(), `SELECT count(*) FROM outbox WHERE queue = 'geocode' AND not_before > now() + interval '10 minutes'`).Scan(&waiting); err != nil || waiting != c.waiting {
				t.Errorf("%d messages wait, want %d (%v)", waiting, c.waiting, err)
			}
		})
	}
}

// After a burst of reports each waits for its turn of a second. One that got none is tried again soon: it waits for its agency.
func TestAReportWithoutATurnIsTriedAgainSoon(t *testing.T) {
	t.Parallel()
	db, _ := deliver(t, http.StatusOK, `, street) VALUES (NULL)`, `UPDATE geocoder_turn SET next_at = now() + interval '1 hour' WHERE $1::uuid IS NOT NULL`)
	var soon int
	const q = `SELECT count(*) FROM outbox WHERE queue = 'geocode' AND not_before BETWEEN created_at + interval '25 seconds' AND created_at + interval '65 seconds'`
	if err := db.QueryRow(t.Context(), q).Scan(&soon); err != nil || soon != 2 {
		t.Errorf("%d messages wait for about a minute, want 2 (%v)", soon, err)
	}
}

// A report that was verified before its municipality was known is assigned when it is. One that was handed back, and one that
// is pending, are not.
func TestAVerifiedReportIsAssignedOnceItsPlaceIsKnown(t *testing.T) {
	t.Parallel()
	agencies := `INSERT INTO agencies (id, code, name, agency_type, municipality_codes) SELECT gen_random_uuid(), code, code, 'municipal', ARRAY[code]
		FROM unnest(ARRAY['TL-DI', 'TL-BA']) code WHERE $1::uuid IS NOT NULL`
	for name, c := range map[string]struct{ change, want string }{
		"verified":    {`UPDATE reports SET status = 'verified' WHERE id = $1`, "TL-DI 1"},
		"pending":     {`UPDATE reports SET status = 'pending' WHERE id = $1`, " 0"},
		"handed back": {`UPDATE reports SET status = 'verified', due_paused_at = now() WHERE id = $1`, " 0"},
		"withdrawn":   {`UPDATE reports SET status = 'verified', deleted_at = now() WHERE id = $1`, " 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, id := deliver(t, http.StatusOK, `, street) VALUES ('Rua B')`, agencies, c.change)
			var got string
			const q = `SELECT concat((SELECT code FROM agencies WHERE id = assigned_agency_id), ' ',
				(SELECT count(*) FROM ledger_events WHERE report_id = reports.id AND event_type = 'ASSIGNED')) FROM reports WHERE id = $1`
			if err := db.QueryRow(t.Context(), q, id).Scan(&got); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}
