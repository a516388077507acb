package export_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/export"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

// After something went out of public sight, nobody is given the file that has it. The next run writes the files anew, and no
// run does so for nothing.
func TestTheFilesAreRenewedWhenSomethingIsTakenDown(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Serve(reports.Open, public.Open)
	worker, err := export.Open(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	citizen, mod := w.Citizen(), w.Staff(identity.Moderator)
	place := func(lat float64) string {
		id := citizen.Post("/reports", object{"issue_type": "pothole", "latitude": lat, "longitude": 125.56, "title": "Gruesome", "client_id": uuid.NewString()}).
			Want(http.StatusCreated).Object().Text("id")
		mod.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
		return id
	}
	file := func() (bool, string) { // whether the whole file is given, and what it has
		got := w.Anonymous().Get("/public/export.csv")
		if got.Status == http.StatusFound {
			return true, fetch(t, got.Header.Get("Location"))
		}
		return false, string(got.Want(http.StatusOK).Body)
	}
	run := func() {
		if err := worker.Run(t.Context(), events.EventBridgeEvent{}); err != nil {
			t.Fatal(err)
		}
	}
	hide := func(id string) {
		mod.Post("/reports/"+id+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	}
	reject := func(id string) {
		mod.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
	}
	remove := func(id string) {
		w.Staff(identity.Admin).Do(http.MethodDelete, "/reports/"+id+"?reason_code=offensive", nil).Want(http.StatusOK)
	}
	amend := func(id string) { mod.Patch("/reports/"+id, object{"title": "Hole"}).Want(http.StatusOK) }
	sweep, err := relay.Open(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	link := func() string {
		return w.Anonymous().Get("/public/export.csv").Want(http.StatusFound).Header.Get("Location")
	}
	for i, take := range []func(string){hide, reject, remove, amend} {
		id := place(-8.5 - float64(i)/100)
		w.Exec(`DELETE FROM export_requests`)
		run()
		if whole, has := file(); !whole || !strings.Contains(has, "Gruesome") {
			t.Fatalf("%d: before, the whole file: %v, %q", i, whole, has)
		}
		before := link()
		take(id)
		if whole, has := file(); whole || strings.Contains(has, "Gruesome") {
			t.Errorf("%d: after, the whole file: %v, %q", i, whole, has)
		}
		if err := sweep.Run(t.Context(), events.EventBridgeEvent{}); err != nil {
			t.Fatal(err)
		}
		if status := head(t, before); status != http.StatusNotFound {
			t.Errorf("%d: a link from before answers %d after relay ran", i, status)
		}
		run()
		if whole, has := file(); !whole || strings.Contains(has, "Gruesome") {
			t.Errorf("%d: renewed, the whole file: %v, %q", i, whole, has)
		}
		w.Exec(`UPDATE reports SET severity = 'low' WHERE status = 'verified'`)
		_, renewed := file()
		run()
		if _, again := file(); again != renewed {
			t.Errorf("%d: the files were written again within the hour", i)
		}
		w.Exec(`UPDATE reports SET severity = 'medium'`)
	}
	w.Exec(`UPDATE export_requests SET created_at = created_at - interval '1 hour'`)
	place(-8.4)
	run()
	if _, has := file(); !strings.Contains(has, "Gruesome") {
		t.Errorf("after an hour: %q", has)
	}
}

// The end of a report that the public never read makes no request: the files have no words of it.
func TestPendingReportsMakeNoRequest(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open)
	citizen, mod := w.Citizen(), w.Staff(identity.Moderator)
	draft := func() string {
		return citizen.Post("/reports", object{"issue_type": "pothole", "latitude": -8.5, "longitude": 125.56, "title": "Hole", "client_id": uuid.NewString()}).
			Want(http.StatusCreated).Object().Text("id")
	}
	for published, want := range map[bool]int{false: 0, true: 2} {
		w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', jsonb_build_object('publish_before_verdict', $1::boolean)) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, published)
		w.Exec(`DELETE FROM export_requests`) // the end of the setting asks too
		mod.Post("/reports/"+draft()+"/status", object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
		citizen.Do(http.MethodDelete, "/reports/"+draft(), nil).Want(http.StatusOK)
		if got := w.Int(`SELECT count(*) FROM export_requests`); got != want {
			t.Errorf("with publish_before_verdict %v: %d requests, want %d", published, got, want)
		}
	}
}

// head is the status of the answer to an address.
func head(t *testing.T, address string) int {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// A name of a place that is changed, and the end of publish_before_verdict, make a request.
func TestChangedPlacesAndTheSettingMakeARequest(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open)
	citizen, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := citizen.Post("/reports", object{"issue_type": "pothole", "latitude": -8.5, "longitude": 125.56, "street": "Rua 1", "suco": "S", "district": "D", "municipality": "M",
		"client_id": uuid.NewString()}).Want(http.StatusCreated).Object().Text("id")
	mod.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	asked := func(what string, want int) {
		t.Helper()
		if got := w.Int(`SELECT count(*) FROM export_requests`); got != want {
			t.Errorf("%s: %d requests, want %d", what, got, want)
		}
		w.Exec(`DELETE FROM export_requests`)
	}
	asked("verified", 0)
	for _, part := range []string{"street", "suco", "district"} {
		mod.Patch("/reports/"+id, object{part: "Other"}).Want(http.StatusOK)
		asked(part, 1)
	}
	w.Exec(`UPDATE reports SET municipality = 'A'`)
	w.Exec(`DELETE FROM export_requests`)
	w.Exec(`UPDATE reports SET municipality = 'B'`)
	asked("municipality", 1)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"publish_before_verdict": true}')`)
	asked("on", 0)
	w.Exec(`UPDATE app_settings SET value = '{"publish_before_verdict": false}'`)
	asked("off", 1)
	w.Exec(`UPDATE app_settings SET value = '{"publish_before_verdict": false, "auto_assign": false}'`)
	asked("still off", 0)
}

// fetch is the text of a stored file. The client undoes its compression.
func fetch(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(body)
}
