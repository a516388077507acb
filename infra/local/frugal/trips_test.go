package frugal_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/tap"
	"github.com/lafaekstreet/backend/infra/local/world"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

// operation is a request and how many round trips to the database it may take, without the one that asks whether the
// session stands (none where there is a cache).
type operation struct {
	who          *world.Client
	method, path string
	body         any
	status       int
	most         int
}

// TestRoundTrips holds every operation to its number of round trips: one for what is read, and for what is written no more
// than it takes to look, to write, and to commit.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	wire, err := tap.Start(t.Context(), w.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	w.Env["DATABASE_URL"] = wire.URL()
	w.Env["SEAL_KEYS"], w.Env["TOKEN_SIGNING_KEY"] = base64.StdEncoding.EncodeToString(make([]byte, 32)), w.Signer.SigningKey()
	w.Env["RATE_LIMIT_CREATE_PER_HOUR"], w.Env["RATE_LIMIT_ADDRESS_PER_MINUTE"] = "1000", "1000"
	w.Serve(reports.Open, community.Open, monitoring.Open, notifications.Open, locations.Open, users.Open, journeys.Open, staff.Open,
		public.Open, admin.Open, auth.Open, meta.Open)
	for _, o := range operations(w) {
		o.who.Do(o.method, o.path, o.body) // whatever is remembered after the first time
		if o.method != http.MethodGet {
			o.body = renewed(o.body)
		}
		wire.Take()
		got := o.who.Do(o.method, o.path, o.body)
		flights := slices.DeleteFunc(wire.Take(), func(f tap.Flight) bool {
			return strings.Contains(f[0].SQL, "FROM sessions s JOIN users u") && len(f) == 1
		})
		if got.Status != o.status {
			t.Errorf("%s %s: got %d, want %d: %s", o.method, o.path, got.Status, o.status, got.Body)
		}
		t.Logf("%2d of %2d  %s %s", len(flights), o.most, o.method, o.path)
		if len(flights) > o.most {
			t.Errorf("%s %s takes %d round trips, at most %d", o.method, o.path, len(flights), o.most)
			for _, f := range flights {
				for _, s := range f {
					t.Logf("      %s", strings.Join(strings.Fields(s.SQL), " "))
				}
				t.Log("    --")
			}
		}
	}
}

// renewed is a body that is no repeat.
func renewed(body any) any {
	b, ok := body.(object)
	if !ok {
		return body
	}
	if b["client_id"] != nil {
		b["client_id"] = uuid.NewString()
	}
	if all, ok := b["reports"].([]any); ok {
		for _, item := range all {
			renewed(item)
		}
	}
	return b
}

func draft() object {
	return object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.55, "longitude": 125.56, "municipality": "Dili"}
}

func operations(w *world.World) []operation {
	c, moderator, boss := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Admin)
	agency := w.Agency("A1")
	official := w.Staff(identity.Official, agency)
	picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(1)).Want(201).Object().Text("upload_id")
	w.Process(picture)
	body := draft()
	body["images"] = []any{object{"upload_id": picture}}
	r := c.Post("/reports", body).Want(201).Object()
	id, number, image := r.Text("id"), r.Text("report_number"), r.Items("images")[0].Text("id")
	journey := c.Post("/journeys/", object{"name": "Dili to Baucau", "description": ""}).Want(201).Object().Text("id")
	notice := c.Get("/notifications").Object().Items("items")[0].Text("id")
	nobody := w.Nobody()
	var out []operation
	read := func(who *world.Client, most int, paths ...string) {
		for _, path := range paths {
			out = append(out, operation{who, http.MethodGet, path, nil, http.StatusOK, most})
		}
	}
	read(c, 1, "/reports", "/reports?q=hole", "/reports/my-reports", "/reports/nearby?latitude=-8.55&longitude=125.56", "/reports/"+id, "/reports/"+number,
		"/reports/similar?latitude=-8.55&longitude=125.56", "/reports/"+number+"/comments", "/reports/"+number+"/ai-analysis",
		"/reports/stats/summary", "/reports/stats/by-type", "/reports/stats/by-municipality", "/reports/stats/by-district?municipality=Dili", "/reports/stats/trends",
		"/blockchain/report/"+id+"/history", "/locations/municipalities", "/notifications", "/notifications/unread-count", "/users/me",
		"/users/"+c.ID.String(), "/users/me/sessions", "/journeys/"+journey, "/users/"+c.ID.String()+"/journeys", "/meta")
	// What is like a report or a picture needs to know that first.
	read(c, 2, "/reports/similar?report_id="+id, "/journeys/"+journey+"/markers", "/blockchain/report/"+number+"/history")
	read(moderator, 1, "/staff/queue?kind=new", "/staff/queue?kind=needs_review", "/reports/"+id+"/notes")
	read(official, 1, "/staff/queue?kind=assigned", "/staff/queue?kind=overdue")
	read(boss, 1, "/admin/users", "/admin/agencies", "/admin/audit", "/admin/settings")
	read(nobody, 1, "/public/reports", "/public/reports/"+number, "/public/stats/summary", "/public/stats/by-municipality",
		"/public/blockchain/report/"+id+"/history", "/public/map?bbox=125,-9,126,-8&zoom=15")
	read(nobody, 0, "//health", "/")
	out = append(out, operation{c, http.MethodGet, "/reports/" + id + "/images/" + image + "/thumbnail", nil, http.StatusFound, 1})
	write := func(who *world.Client, method, path string, body any, status, most int) {
		out = append(out, operation{who, method, path, body, status, most})
	}
	three := []any{draft(), draft(), draft()}
	write(c, "POST", "/reports", draft(), 201, 2)
	write(c.With("Idempotency-Key", "k"), "POST", "/notifications/read-all", nil, 200, 1)
	write(c, "POST", "/reports/batch", object{"reports": three}, 200, 2*len(three))
	write(c, "POST", "/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": 1000}, 201, 1)
	write(c, "POST", "/reports/"+id+"/comments", object{"client_id": uuid.NewString(), "content": "Still there."}, 201, 6)
	write(c, "PATCH", "/reports/"+id, object{"title": "A deep hole"}, 200, 5)
	write(c, "POST", "/notifications/"+notice+"/read", nil, 200, 1)
	write(moderator, "POST", "/reports/"+id+"/notes", object{"content": "Called the agency."}, 201, 5)
	write(boss, "POST", "/reports/"+id+"/assign", object{"agency_id": agency}, 200, 8)
	return out
}
