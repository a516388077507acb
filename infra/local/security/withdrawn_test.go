package security

import (
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Somebody kept the address of a picture. After the reporter, or an administrator, took the picture or the report away,
// the address leads nowhere.
func TestPicturesGoWithTheirReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	worker, err := relay.Open(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	for name, take := range map[string]func(maria, admin *testenv.Client, report, image string){
		"withdrawn": func(maria, _ *testenv.Client, report, _ string) {
			maria.Delete("/reports/" + report).Want(http.StatusOK)
		},
		"taken off": func(maria, _ *testenv.Client, report, image string) {
			maria.Delete("/reports/" + report + "/images/" + image).Want(http.StatusOK)
		},
		"removed": func(_, admin *testenv.Client, report, _ string) {
			admin.Delete("/reports/" + report + "?reason_code=offensive").Want(http.StatusOK)
		},
		"taken off by admins": func(_, admin *testenv.Client, report, image string) {
			admin.Delete("/reports/" + report + "/images/" + image).Want(http.StatusOK)
		},
	} {
		t.Run(name, func(t *testing.T) {
			maria, admin := w.Citizen(), w.Staff(identity.Admin)
			upload := uploaded(maria, w, 1)
			w.ProcessUpload(upload)
			report := maria.Post("/reports", draft(object{"images": []object{{"upload_id": upload}}})).Want(http.StatusCreated).Object().Text("id")
			image := w.Text(`SELECT id::text FROM report_images WHERE report_id = $1`, uuid.MustParse(report))
			kept := redirect(t, maria, "/reports/"+report+"/images/"+image+"/display")
			if status := fetch(t, kept); status != http.StatusOK {
				t.Fatalf("the picture is not there: %d", status)
			}
			take(maria, admin, report, image)
			if err := worker.Run(t.Context(), events.EventBridgeEvent{}); err != nil {
				t.Fatal(err)
			}
			if status := fetch(t, kept); status != http.StatusNotFound {
				t.Errorf("the kept address answers %d, want 404", status)
			}
		})
	}
}

// redirect is where a path leads.
func redirect(t *testing.T, c *testenv.Client, path string) string {
	t.Helper()
	got := c.Get(path)
	if got.Status != http.StatusFound {
		t.Fatalf("%s: %d %s", path, got.Status, got.Body)
	}
	return got.Header.Get("Location")
}

func fetch(t *testing.T, address string) int {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}
