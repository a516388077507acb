package security

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// An administrator whose session did not pass the second factor gets nothing that only an administrator gets: no operation
// under /admin, and no part of an operation that others use too.
func TestWhatOnlyAdministratorsMayNeedsTheSecondFactor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, admin := w.Citizen(), w.As(identitytest.Person{Role: identity.Admin})
	passed := w.Staff(identity.Admin)
	r := maria.Post("/reports", draft(object{"images": []object{{"upload_id": uploaded(maria, w, 1)}}})).Want(http.StatusCreated).Object()
	image := w.Text(`SELECT id::text FROM report_images WHERE report_id = $1`, r.Text("id"))
	attempts := []attempt{
		{"DELETE", "/reports/" + r.Text("id") + "?reason_code=other&note=x", nil},
		{"DELETE", "/reports/" + r.Text("id") + "/images/" + image, nil},
	}
	for _, operation := range operationsUnder(t, "/api/v1/admin/") {
		if operation.path != "/api/v1/admin/setup" {
			path := regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(operation.path, uuid.NewString())
			attempts = append(attempts, attempt{operation.method, strings.TrimPrefix(path, "/api/v1"), object{}})
		}
	}
	if len(attempts) < 11 {
		t.Fatalf("only %d attempts: the document has no operations of administrators", len(attempts))
	}
	for _, a := range attempts {
		if a.method == http.MethodGet {
			a.body = nil
		}
		admin.Do(a.method, a.path, a.body).WantProblem(http.StatusForbidden, "second_factor_required")
	}
	// What a citizen sees, an administrator without it sees too, and no more.
	if seen := admin.Get("/users/" + maria.ID.String()).Want(http.StatusOK).Object(); seen.Text("full_name") == "" || seen.At("email") != nil {
		t.Errorf("the profile without the second factor: %v", seen)
	}
	if seen := passed.Get("/users/" + maria.ID.String()).Want(http.StatusOK).Object(); seen.Text("email") == "" {
		t.Errorf("the profile with the second factor: %v", seen)
	}
	passed.Do(http.MethodDelete, attempts[1].path, nil).Want(http.StatusOK)
	passed.Do(http.MethodDelete, attempts[0].path, nil).Want(http.StatusOK)

	// Work on a report is for the agency's officials and administrators. What a moderator may too needs no second factor.
	work := maria.Post("/reports", draft(object{"latitude": -8.57})).Want(http.StatusCreated).Object().Text("id")
	admin.Post("/reports/"+work+"/status", object{"status": "verified"}).Want(http.StatusOK)
	for _, status := range []string{"in_progress", "verified", "in_progress", "fixed", "in_progress"} {
		change := object{"status": status, "note": "x"}
		admin.Post("/reports/"+work+"/status", change).WantProblem(http.StatusForbidden, "second_factor_required")
		admin.Patch("/reports/"+work, change).WantProblem(http.StatusForbidden, "second_factor_required")
		passed.Post("/reports/"+work+"/status", change).Want(http.StatusOK)
	}

	// What everybody may with their own stays.
	own := admin.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
	admin.Delete("/reports/" + own).Want(http.StatusOK)
	admin.Get("/users/" + admin.ID.String()).Want(http.StatusOK)
}

type documented struct{ method, path string }

// operationsUnder lists the operations of the document whose path begins with prefix.
func operationsUnder(t *testing.T, prefix string) []documented {
	t.Helper()
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
	var out []documented
	for path, item := range doc.Paths {
		for method := range item {
			if strings.HasPrefix(path, prefix) {
				out = append(out, documented{strings.ToUpper(method), path})
			}
		}
	}
	return out
}

// compared are the places that may compare a role with that of administrators, and why. All others ask Caller.IsAdmin,
// which knows the second factor.
var compared = map[string]string{
	"functions/admin/change_user.go":        "the role that a person had and gets",
	"functions/admin/users.go":              "a filter",
	"functions/community/remove_comment.go": "moderators may remove comments too",
	"functions/reports/amend_report.go":     "moderators may change words too",
	"functions/users/erase.go":              "the last administrator stays",
}

func TestRolesOfAdministratorsAreComparedWithTheSecondFactor(t *testing.T) {
	t.Parallel()
	comparison := regexp.MustCompile(`(==|!=) identity\.Admin\b|case .*identity\.Admin\b`)
	err := filepath.WalkDir(filepath.Join(root, "functions"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if found := comparison.Find(text); found != nil && compared[filepath.ToSlash(name)] == "" {
			t.Errorf("%s has %q: ask Caller.IsAdmin, or say in compared why not", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
