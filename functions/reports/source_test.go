package reports_test

import (
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// A report from a page of a browser has the source web; every other one comes by the app.
func TestSource(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open)
	c := w.Citizen()
	for want, from := range map[string]*testenv.Client{"app": c, "web": c.With("X-LafaekStreet", "1")} {
		created := from.Post("/reports", newBody(object{"title": "Hole by " + want})).Want(http.StatusCreated).Object()
		read := c.Get("/reports/" + created.Text("id")).Want(http.StatusOK).Object()
		batch := from.Post("/reports/batch", object{"reports": []any{newBody(object{"title": "Another by " + want})}}).Want(http.StatusOK).Object()
		if got := batch.Items("results")[0].Text("report.source"); created.Text("source") != want || read.Text("source") != want || got != want {
			t.Errorf("created %s, read %s, of a batch %s, want %s", created.Text("source"), read.Text("source"), got, want)
		}
	}
}
