package open311_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

type object = map[string]any

// groups are this one and those that change reports.
func groups() []testenv.OpenFunc {
	return []testenv.OpenFunc{reports.Open, open311.Open}
}

func setup(t *testing.T) *testenv.System {
	t.Helper()
	return testenv.New(t, groups()...)
}

// path is an address below the endpoint.
func path(p string) string { return "//open311/v2/" + p }

// items reads a bare JSON array of objects.
func items(t *testing.T, r apiclient.TestResponse) []object {
	t.Helper()
	var out []object
	if err := json.Unmarshal(r.Body, &out); err != nil {
		t.Fatalf("%s: no bare array of objects: %v: %.300s", r.Request, err, r.Body)
	}
	return out
}

// node is an XML element with its text or its children.
type node struct {
	name     string
	text     string
	children []node
}

// parse reads an answer as XML. It fails for an attribute, a namespace and a missing declaration.
func parse(t *testing.T, r apiclient.TestResponse) node {
	t.Helper()
	if !strings.HasPrefix(string(r.Body), `<?xml version="1.0" encoding="UTF-8"?>`) {
		t.Errorf("%s: no declaration: %.80s", r.Request, r.Body)
	}
	decoder := xml.NewDecoder(strings.NewReader(string(r.Body)))
	open := []node{{}}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v: %.300s", r.Request, err, r.Body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(token.Attr) > 0 || token.Name.Space != "" {
				t.Errorf("%s: %v has attributes or a namespace", r.Request, token)
			}
			open = append(open, node{name: token.Name.Local})
		case xml.CharData:
			open[len(open)-1].text += string(token)
		case xml.EndElement:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			parent := &open[len(open)-1]
			parent.children = append(parent.children, last)
		}
	}
	if len(open[0].children) != 1 {
		t.Fatalf("%s: %d elements at the top", r.Request, len(open[0].children))
	}
	return open[0].children[0]
}

// child is the first child with a name; an empty node for none.
func (n node) child(name string) node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return node{}
}

// names are the names of the children, in order.
func (n node) names() string {
	var out []string
	for _, c := range n.children {
		out = append(out, c.name)
	}
	return strings.Join(out, " ")
}

// Each format has its media type with the encoding, and XML is plain: see parse.
func TestFormats(t *testing.T) {
	t.Parallel()
	nobody := setup(t).Anonymous()
	for _, p := range []string{"discovery", "services", "services/pothole"} {
		asXML, asJSON := nobody.Get(path(p+".xml")).Want(http.StatusOK), nobody.Get(path(p+".json")).Want(http.StatusOK)
		parse(t, asXML)
		if got := asXML.Header.Get("Content-Type"); got != "text/xml; charset=utf-8" {
			t.Errorf("%s.xml is %s", p, got)
		}
		if got := asJSON.Header.Get("Content-Type"); got != "application/json; charset=utf-8" || !json.Valid(asJSON.Body) {
			t.Errorf("%s.json is %s: %s", p, got, asJSON.Body)
		}
		if tag := asXML.Header.Get("ETag"); tag == "" || nobody.With("If-None-Match", tag).Get(path(p+".xml")).Status != http.StatusNotModified {
			t.Errorf("%s.xml with the tag %q is sent again", p, tag)
		}
		if head := nobody.Send(t.Context(), apiclient.Request{Method: http.MethodHead, Path: path(p + ".xml")}); head.Status != http.StatusOK || len(head.Body) > 0 {
			t.Errorf("HEAD %s.xml: %d %s", p, head.Status, head.Body)
		}
		if control, origin := asXML.Header.Get("Cache-Control"), asXML.Header.Get("Access-Control-Allow-Origin"); control != "public, max-age=60" || origin != "*" {
			t.Errorf("%s.xml: Cache-Control %q, Access-Control-Allow-Origin %q", p, control, origin)
		}
	}
}

// The errors of the specification, in the format of the path, whatever the reason.
func TestErrors(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"open311_jurisdiction": "dili.tl"}')`)
	nobody := w.Anonymous()
	for _, c := range []struct {
		method, path string
		status       int
		words        string
	}{
		{http.MethodGet, "services.xml?jurisdiction_id=elsewhere", 404, "jurisdiction_id: there is no such jurisdiction"},
		{http.MethodGet, "services.json?jurisdiction_id=elsewhere", 404, "jurisdiction_id"},
		{http.MethodGet, "services/nothing.xml", 404, "service_code: there is no such service"},
		{http.MethodGet, "services/nothing.json", 404, "service_code"},
		{http.MethodGet, "services/pothole.html", 404, ""}, {http.MethodGet, "services/pothole", 404, ""},
		{http.MethodGet, "services", 404, ""}, {http.MethodGet, "nowhere.json", 404, ""}, {http.MethodGet, "", 404, ""},
		{http.MethodDelete, "services.xml", 405, ""}, {http.MethodPut, "services.json", 405, ""},
	} {
		got := nobody.Send(t.Context(), apiclient.Request{Method: c.method, Path: path(c.path)})
		checkErrors(t, got, c.status, c.words)
	}
	for _, id := range []string{"", "dili.tl", "DILI.TL", "%20dili.tl%20"} {
		nobody.Get(path("services.xml?jurisdiction_id=" + id)).Want(http.StatusOK)
	}
	if got := nobody.With("Accept-Language", "tet").Get(path("services/nothing.json")); !strings.Contains(string(got.Body), "servisu ne'e la iha") {
		t.Errorf("in Tetum: %s", got.Body)
	}
}

// checkErrors compares an answer with the form of errors.
func checkErrors(t *testing.T, got apiclient.TestResponse, status int, words string) {
	t.Helper()
	asJSON := strings.Contains(got.Request, ".json")
	if got.Status != status || !strings.Contains(string(got.Body), words) {
		t.Errorf("%s: %d %s, want %d %q", got.Request, got.Status, got.Body, status, words)
	}
	if strings.HasPrefix(got.Request, http.MethodHead) {
		return
	}
	if !asJSON {
		found := parse(t, got)
		if found.name != "errors" || found.names() != "error" || found.children[0].names() != "code description" || found.child("error").child("description").text == "" {
			t.Errorf("%s: %s", got.Request, got.Body)
		}
		if got.Header.Get("Content-Type") != "text/xml; charset=utf-8" {
			t.Errorf("%s is %s", got.Request, got.Header.Get("Content-Type"))
		}
		return
	}
	for _, each := range items(t, got) {
		code, number := each["code"].(float64)
		if description, _ := each["description"].(string); !number || int(code) != status || description == "" || len(each) != 2 {
			t.Errorf("%s: %v", got.Request, each)
		}
	}
	if got.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%s is %s", got.Request, got.Header.Get("Content-Type"))
	}
}

// Too many requests, a database that is down and a fault have the same form.
func TestErrorsOfTheServer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["RATE_LIMIT_VIEW_PER_MINUTE"] = "2"
	w.Serve(open311.Open)
	nobody := w.Anonymous()
	for range 2 {
		nobody.Get(path("services.json")).Want(http.StatusOK)
	}
	for _, f := range []string{"json", "xml"} {
		got := nobody.Get(path("services." + f))
		checkErrors(t, got, http.StatusTooManyRequests, "")
		if got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", f)
		}
	}
	w.Env["RATE_LIMIT_VIEW_PER_MINUTE"] = "100"
	w.Env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
	w.Serve(open311.Open)
	for _, f := range []string{"json", "xml"} {
		got := nobody.Get(path("services." + f + "?jurisdiction_id=dili.tl"))
		checkErrors(t, got, http.StatusServiceUnavailable, "")
		if got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", f)
		}
	}
}

// setupAgain serves the function anew, with the present environment, as another process does.
func setupAgain(w *testenv.System) *testenv.System {
	w.Serve(reports.Open, open311.Open)
	return w
}
