package security

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Every route under /staff and /admin refuses a query parameter that it does not have, also HEAD. The check comes after those of
// the caller: a citizen is told no more than that the route is not for them.
func TestStaffRoutesRefuseUnknownParameters(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss, citizen := w.Staff(identity.Admin), w.Citizen()
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
	seen := 0
	for path, item := range doc.Paths {
		rest, api := strings.CutPrefix(path, "/api/v1")
		if !api || !strings.HasPrefix(rest, "/staff/") && !strings.HasPrefix(rest, "/admin/") {
			continue
		}
		rest = regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(rest, uuid.NewString())
		for method := range item {
			seen++
			method = strings.ToUpper(method)
			got := boss.Do(method, rest+"?limits=3", object{}).Want(http.StatusUnprocessableEntity).Object()
			if faults := got.Items("errors"); got.Text("code") != "unknown_parameter" || len(faults) != 1 || faults[0].Text("field") != "limits" {
				t.Errorf("%s %s: %v", method, path, got.Values)
			}
			if method == http.MethodGet {
				boss.Do(http.MethodHead, rest+"?limits=3", nil).Want(http.StatusUnprocessableEntity)
			}
			if rest != "/admin/setup" {
				citizen.Do(method, rest+"?limits=3", object{}).Want(http.StatusForbidden)
			}
		}
	}
	if seen < 12 {
		t.Errorf("only %d routes of staff", seen)
	}
}
