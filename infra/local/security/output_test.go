package security

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

// No spreadsheet and no page executes what citizens write.
func TestTextsOfCitizensAreNeverExecuted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, moderator := w.Citizen(), w.Staff(identity.Moderator)
	formulas := []string{`=HYPERLINK("http://evil.example","x")`, "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "  =1+1", "\ufeff=2+3", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", " \u200b\uff1d1+1"}
	for _, title := range formulas {
		r := maria.Post("/reports", draft(object{"title": title, "description": title, "suco": title, "street": title, "latitude": -8.5})).Want(http.StatusCreated).Object().Text("id")
		moderator.Post("/reports/"+r+"/status", object{"status": "verified"}).Want(http.StatusOK)
	}
	file := w.Anonymous().Get("/public/export.csv?status=verified").Want(http.StatusOK)
	plain, marked := strings.CutPrefix(string(file.Body), "\ufeff")
	if !marked {
		t.Errorf("no byte order mark: %.20q", plain)
	}
	lines, err := csv.NewReader(strings.NewReader(plain)).ReadAll()
	if err != nil || len(lines) != len(formulas)+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for _, line := range lines[1:] {
		for i, cell := range line {
			number := lines[0][i] == "latitude" || lines[0][i] == "longitude"
			// A spreadsheet drops white space and a byte order mark before a formula, and reads full-width characters.
			begin := strings.TrimLeft(cell, " \t\r\n\ufeff\u200b\u00a0")
			if begin != "" && strings.ContainsAny(string([]rune(begin)[0]), "=+-@\uff1d\uff0b\uff0d\uff20") && !number {
				t.Errorf("column %s holds %q", lines[0][i], cell)
			}
		}
	}

	const script = `</script><script>alert(1)</script><img src=x onerror=alert(2)>`
	r := maria.Post("/reports", draft(object{"title": script, "description": script, "address": script})).Want(http.StatusCreated).Object()
	moderator.Post("/reports/"+r.Text("id")+"/status", object{"status": "verified", "note": script}).Want(http.StatusOK)
	for _, path := range []string{"//r/" + r.Text("report_number"), "//map", "//r/" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E"} {
		page := w.Anonymous().Get(path)
		policy := page.Header.Get("Content-Security-Policy")
		if contains(page.Body, "<script>alert") || contains(page.Body, "<img src=x") {
			t.Errorf("%s contains the script without escaping", path)
		}
		if page.Status == http.StatusOK && (policy == "" || strings.Contains(policy, "'unsafe-eval'") || unsafeScripts(policy)) {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	for _, path := range []string{"/reports/" + r.Text("id"), "/public/reports/" + r.Text("id"), "/public/export.geojson?status=verified"} {
		got := maria.Get(path).Want(http.StatusOK)
		if !strings.Contains(got.Header.Get("Content-Type"), "json") || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s", path, got.Header.Get("Content-Type"))
		}
	}
}

// unsafeScripts reports whether a policy lets a page run scripts written into it.
func unsafeScripts(policy string) bool {
	for directive := range strings.SplitSeq(policy, ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		if (name == "script-src" || name == "default-src") && strings.Contains(sources, "'unsafe-inline'") {
			return true
		}
	}
	return false
}
