package security

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/identity"
)

// words are what a report and its comment say, in the report of hidden.
var words = []string{"Gruesome title", "Gruesome words", "Gruesome lane", "Gruesome street", "zebra", "Gruesome analysis"}

const commentWords = "Gruesome comment"

// reads requests every GET of the catalogue that can be about the report, as somebody.
func (u unjudged) reads(c *testenv.Client) map[string]string {
	fill := strings.NewReplacer("{id}", u.id, "{number}", u.number, "{img_id}", u.image, "{rendition}", "display", "{z}", "16", "{x}", "55625", "{y}", "34331.mvt")
	out := map[string]string{}
	for _, r := range catalog.Routes() {
		if !slices.Contains(r.Methods, http.MethodGet) || !strings.HasPrefix(r.Path, "/api/v1/reports") && !strings.HasPrefix(r.Path, "/api/v1/public") &&
			!strings.HasPrefix(r.Path, "/api/v1/blockchain") && r.Path != "/r/{number}" {
			continue
		}
		path := fill.Replace(r.Path)
		if strings.Contains(path, "{") {
			continue
		}
		switch r.Path {
		case "/api/v1/reports/nearby", "/api/v1/reports/similar":
			path += "?latitude=-8.5569&longitude=125.5603"
		case "/api/v1/public/map":
			path += "?bbox=125.5,-8.6,125.6,-8.5&zoom=16"
		}
		if short, ok := strings.CutPrefix(path, "/api/v1"); ok {
			path = short
		} else {
			path = "/" + path
		}
		out[path] = string(c.Get(path).Body)
	}
	out["/notifications"] = string(c.Get("/notifications").Body)
	return out
}

// others are those from whom something is hidden.
func (u unjudged) others(w *testenv.System) map[string]*testenv.Client {
	return map[string]*testenv.Client{"another citizen": w.Citizen(), "the public": w.Anonymous()}
}

// tells lists what of needles is in an answer to somebody.
func (u unjudged) tells(c *testenv.Client, needles ...string) []string {
	var out []string
	for path, body := range u.reads(c) {
		for _, needle := range needles {
			if strings.Contains(body, needle) {
				out = append(out, needle+" in "+path)
			}
		}
	}
	slices.Sort(out)
	return out
}

// After the words of a report or a comment are hidden, no route tells them to others, and none finds the report by them. Its
// reporter and staff read them everywhere. Shown again, everybody reads them.
func TestNothingThatIsHiddenIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u, mod := hidden(w), w.Staff(identity.Moderator)
	path := "/reports/" + u.id
	mod.Post(path+"/status", object{"status": "verified", "expected_version": 3}).Want(http.StatusOK)
	comment := mod.Get(path + "/comments").Want(http.StatusOK).Object().Items("items")[0].Text("id")
	before := map[string][]string{}
	for who, c := range u.others(w) {
		before[who] = u.tells(c, append(words, commentWords)...)
		if len(before[who]) < 6 {
			t.Fatalf("%s reads only %q before", who, before[who])
		}
	}
	known := func(c *testenv.Client) string { // pages and routes of the public are the same for everybody
		return fmt.Sprint(slices.DeleteFunc(u.tells(c, words...), func(s string) bool { return strings.Contains(s, " /public/") || strings.Contains(s, " //r/") }))
	}
	staff, own := known(mod), known(u.author)

	mod.Post(path+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	mod.Post(path+"/comments/"+comment+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	for who, c := range u.others(w) {
		for _, told := range u.tells(c, append(words, commentWords)...) {
			t.Errorf("%s reads %s", who, told)
		}
		for query, want := range map[string]int{"q=Gruesome": 0, "q=gruesome+lane": 0, "q=" + u.number: 1, "municipality=Dili": 1} {
			list := "/reports?"
			if c.ID == w.Anonymous().ID {
				list = "/public/reports?"
			}
			if got := len(c.Get(list + query).Want(http.StatusOK).Object().Items("items")); got != want {
				t.Errorf("%s finds %d reports by %s, want %d", who, got, query, want)
			}
			if got := strings.Count(string(w.Anonymous().Get("/public/export.csv?"+query).Want(http.StatusOK).Body), u.number); got != want {
				t.Errorf("the export has %d reports by %s, want %d", got, query, want)
			}
		}
	}
	for i, want := range []string{staff, own} {
		c := []*testenv.Client{mod, u.author}[i]
		if got := known(c); got != want {
			t.Errorf("reader %d read %q before, now %q", i, want, got)
		}
		if got := c.Get("/reports?q=Gruesome").Want(http.StatusOK).Object().Items("items"); len(got) != 1 {
			t.Errorf("reader %d finds %d reports", i, len(got))
		}
		if got := c.Get(path + "/comments").Want(http.StatusOK).Object().Items("items")[0]; got.Text("content") != commentWords || got.At("content_hidden") != true {
			t.Errorf("reader %d reads the comment as %v", i, got.Values)
		}
	}

	mod.Post(path+"/unhide", object{}).Want(http.StatusOK)
	mod.Post(path+"/comments/"+comment+"/unhide", object{}).Want(http.StatusOK)
	for who, c := range u.others(w) {
		if got := u.tells(c, append(words, commentWords)...); fmt.Sprint(got) != fmt.Sprint(before[who]) {
			t.Errorf("shown again: %s reads %q, before %q", who, got, before[who])
		}
	}
}
