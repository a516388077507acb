package security

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// removedBodies are bodies that each operation on a report accepts.
var removedBodies = map[string]object{
	"POST /status": {"status": "verified"}, "PATCH ": {"title": "x"}, "POST /notes": {"content": "x"}, "POST /comments": {"content": "x"},
	"POST /ai-analysis/override": {"is_relevant": true, "note": "x"}, "POST /appeal": {"reason": "x"}, "POST /hand-back": {"note": "x"},
	"POST /dispute": {"note": "x"}, "POST /flag": {"reason": "unsafe"}, "POST /hide": {"reason_code": "unsafe"}, "POST /unhide": {"reason_code": "unsafe"},
	"POST /comments/{c_id}/hide": {"reason_code": "unsafe"}, "POST /comments/{c_id}/unhide": {"reason_code": "unsafe"}, "POST /comments/{c_id}/flag": {"reason": "unsafe"},
	"POST /images/{img_id}/hide": {"reason_code": "unsafe"}, "POST /images/{img_id}/unhide": {"reason_code": "unsafe"},
	"POST /images/{img_id}/redact": {"reason_code": "unsafe", "boxes": []object{{"x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1}}},
}

// What was withdrawn or removed takes no writes. Its reporter and staff read it on, others get the tombstone. It holds for each
// operation of the document, so also for those that come later.
func TestWhatWasTakenDownTakesNoWrites(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, joao, admin := w.Citizen(), w.Citizen(), w.Staff(identity.Admin)
	take := map[string]func(id string){
		"withdrawn": func(id string) { maria.Delete("/reports/" + id).Want(http.StatusOK) },
		"removed":   func(id string) { admin.Delete("/reports/" + id + "?reason_code=unsafe").Want(http.StatusOK) },
		"rejected": func(id string) {
			admin.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "unsafe"}).Want(http.StatusOK)
		},
	}
	raw, err := openapi.Whole()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for how, down := range take {
		id := maria.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
		comment := maria.Post("/reports/"+id+"/comments", object{"content": "Mine."}).Want(http.StatusCreated).Object().Text("id")
		picture := uploaded(maria, w, 7)
		image := maria.Post("/reports/"+id+"/images", object{"upload_id": picture}).Want(http.StatusCreated).Object().Text("id")
		down(id)
		tried := 0
		for path, item := range doc.Paths {
			after, ok := strings.CutPrefix(path, "/api/v1/reports/{id}")
			if !ok {
				continue
			}
			for method := range item {
				method = strings.ToUpper(method)
				if method == http.MethodGet || method+after == "DELETE/follow" { // whoever follows it may end that
					continue
				}
				tried++
				body := removedBodies[method+" "+after]
				if body == nil {
					body = object{"note": "x"}
				}
				if after == "/images" {
					body = object{"upload_id": uploaded(joao, w, 9)}
				}
				target := "/reports/" + id + strings.NewReplacer("{c_id}", comment, "{img_id}", image).Replace(after)
				people := map[string]*testenv.Client{"a stranger": joao}
				if how != "rejected" {
					people["an administrator"], people["the reporter"] = admin, maria
				}
				for who, c := range people {
					got := c.Do(method, target, body)
					if got.Status == http.StatusForbidden && c.Role == identity.Citizen { // for staff alone
						continue
					}
					if got.Status != http.StatusGone || got.Code() != "report_removed" || got.Object().Text("tombstone.status") != how {
						t.Errorf("%s: %s %s by %s: %d %s", how, method, after, who, got.Status, got.Body)
					}
				}
			}
		}
		if tried < 10 {
			t.Errorf("only %d operations were tried", tried)
		}
		for _, path := range []string{"", "/comments", "/ai-analysis"} {
			joao.Get("/reports/" + id + path).Want(http.StatusGone)
			maria.Get("/reports/" + id + path).Want(http.StatusOK)
			admin.Get("/reports/" + id + path).Want(http.StatusOK)
		}
		if got := maria.Get("/reports/" + id).Object(); got.Text("removed.status") != how {
			t.Errorf("%s: its reporter reads %v", how, got.At("removed"))
		}
		for _, list := range []string{"/reports", "/public/reports"} {
			if strings.Contains(string(joao.Get(list).Want(http.StatusOK).Body), id) {
				t.Errorf("%s: it is in %s", how, list)
			}
		}
		joao.Get("/reports/" + uuid.NewString()).Want(http.StatusNotFound)
	}
}
