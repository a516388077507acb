package acceptance

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/openapi"
)

// TestHostileInput sends invalid values to every parameter and member of every operation. No answer may be a 5xx or contain
// an error of the database, every error must be a problem document, and no handler may panic.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	log := &panics{}
	s := startSystem(t, log)
	v := newVisitor(t, s.URL())
	h := &hostile{visitor: v, ids: map[string]string{}}
	h.people()
	for _, o := range h.operations() {
		for _, p := range o.Parameters {
			h.parameter(o, p)
		}
		if content, ok := o.RequestBody.Content["application/json"]; ok {
			h.body(o, content.Schema)
			h.optional(o, content.Schema)
		}
	}
	if h.kept < 1000 {
		t.Errorf("only %d requests with an invalid optional member", h.kept)
	}
	if log.seen.Len() > 0 {
		t.Errorf("panics: %.4000s", log.seen.String())
	}
	if h.sent < 3000 {
		t.Errorf("only %d requests: are there no parameters in the document?", h.sent)
	}
}

// hostileTexts are sent in parameters, and as strings in members.
var hostileTexts = []string{"", " ", "\x00", "a\x00b", "\xff\xfe", "NaN", "Infinity", "-1", "0", "1e400", "99999999999999999999", "true", "null",
	"' OR 1=1 --", "%", "\\", "../../etc/passwd", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
	"1970-01-01T00:00:12Z", "2026:11:20 08:00:00", "2026-11-20 08:00+0900", "-8,5569", "\u22128.5", "1763593200000", "TRUE", "\u202e\U0001F40A", "{}", "[1,2", "a,b,,c", strings.Repeat("x", 5000), uuid.Nil.String()}

// hostileValues are JSON texts that are sent as the values of members.
var hostileValues = []string{"null", "true", "-1", "0", "1", "17", "5.5", "1763593200", "1e308", "1e999", "99999999999999999999", `[]`, `{}`, `[null]`, `[{}]`, `[[[[]]]]`, `["\u0000"]`, `{"a":"\u0000"}`,
	`[{"\u0000":1}]`, `[{"client_id":"\u0000","report_id":"\u0000","status":"\u0000","note":"\u0000","title":"\u0000","upload_id":"\u0000"}]`, `"\u0000"`, `"\ud800"`,
	`{"type":"Point"}`, `{"type":"Point","coordinates":[1e308,-1e308]}`, `{"type":"Point","coordinates":[null,"x"]}`}

// hostileBodies are sent as a whole body where an object is expected.
var hostileBodies = []string{"", "null", "true", "1", `""`, "[]", "[{}]", "{}", "\xef\xbb\xbf{}", "{}\x00\x00", "\x1f\x8b\x08", "{", `{"a":`, "\x00", "\xff", `{"a":1}{"b":2}`,
	strings.Repeat("[", 20000), strings.Repeat(`{"a":`, 20000), `{"` + strings.Repeat("k", 70000) + `":1}`}

// panics keeps the log lines of handlers that panicked.
type panics struct {
	mu   sync.Mutex
	seen bytes.Buffer
}

func (p *panics) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.Contains(line, []byte("panic")) {
		p.seen.Write(line)
	}
	return len(line), nil
}

type hostile struct {
	*visitor
	admin *visitor
	ids   map[string]string // by the name of a path's parameter, and by its first segment for plain "id"
	sent  int
	kept  int
}

// people makes a person who has one object of each kind, so that requests are not refused only because the object does not
// exist.
func (h *hostile) people() {
	h.Helper()
	h.admin = h.administrators(setupToken)
	settings := h.admin.get("/admin/settings").Object().Values
	settings["citizen_events_per_day"], settings["citizen_events_per_report"] = 10000, 10000 // limits are not tested here
	h.admin.do("PUT", "/admin/settings", settings, 200)
	citizen, _ := h.join("maria@example.tl", "rua-Aimutin-42")
	h.Token = citizen.Token
	h.ids["reports"] = h.do("POST", "/reports", object{"issue_type": "pothole", "latitude": -8.5569, "longitude": 125.5603, "client_id": uuid.NewString()}, 201).Object().Text("id")
	h.ids["journey_id"] = h.do("POST", "/journeys/", object{"name": "Tour", "active": true}, 201).Object().Text("_id")
	h.ids["marker_id"] = h.do("POST", "/journeys/"+h.ids["journey_id"]+"/markers", object{"name": "Stop", "marker_type": "plan", "estimated_time": "2027-05-01",
		"coordinates": object{"type": "Point", "coordinates": []float64{125.5, -8.5}}}, 201).Object().Text("_id")
	h.ids["agencies"] = h.admin.do("POST", "/admin/agencies", object{"code": "ROADS", "name": "Roads", "agency_type": "municipal"}, 201).Object().Text("id")
	h.ids["users"] = h.get("/users/me").Object().Text("id")
	h.ids["user_id"] = h.ids["users"]
}

// target is an operation with its parameters and its body.
type target struct {
	Method, Template string
	Parameters       []parameter `json:"parameters"`
	RequestBody      struct {
		Content map[string]struct {
			Schema schemaRef `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type parameter struct{ Name, In string }

type schemaRef struct {
	Ref        string               `json:"$ref"`
	Properties map[string]schemaRef `json:"properties"`
}

// ends matches the operations that would delete the account of the test or end its session. They are not called.
var ends = regexp.MustCompile(`^POST .*/auth/logout$|^DELETE .*/users/me$|^POST .*/auth/totp/disable$`)

// harms reports whether an operation could delete an object that other requests need, or suspend the person. Such an
// operation is called with ids that do not exist.
func harms(o target) bool {
	return o.Method == http.MethodDelete || strings.Contains(o.Template, "/admin/users")
}

func (h *hostile) operations() []target {
	h.Helper()
	var doc struct {
		Paths      map[string]map[string]target `json:"paths"`
		Components struct {
			Schemas map[string]schemaRef `json:"schemas"`
		} `json:"components"`
	}
	whole, err := openapi.Whole()
	if err != nil {
		h.Fatal(err)
	}
	if err := json.Unmarshal(whole, &doc); err != nil {
		h.Fatal(err)
	}
	var all []target
	for template, methods := range doc.Paths {
		for method, o := range methods {
			o.Method, o.Template = strings.ToUpper(method), template
			if ends.MatchString(o.Method + " " + template) {
				continue
			}
			if content, ok := o.RequestBody.Content["application/json"]; ok {
				if name, found := strings.CutPrefix(content.Schema.Ref, "#/components/schemas/"); found {
					content.Schema = doc.Components.Schemas[name]
					o.RequestBody.Content["application/json"] = content
				}
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(a.Template+a.Method, b.Template+b.Method) })
	return all
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// path returns the path of an operation with existing ids, and with value for the parameter called name.
func (h *hostile) path(o target, name, value string) string {
	group := strings.Split(strings.TrimPrefix(o.Template, "/api/v1/"), "/")
	return placeholder.ReplaceAllStringFunc(o.Template, func(found string) string {
		is := strings.Trim(found, "{}")
		if is == name {
			return url.PathEscape(value)
		}
		for _, key := range append([]string{is}, group...) {
			if id, ok := h.ids[key]; ok && !harms(o) {
				return id
			}
		}
		return uuid.NewString()
	})
}

func (h *hostile) parameter(o target, p parameter) {
	h.Helper()
	for _, value := range hostileTexts {
		switch p.In {
		case "path":
			if value != "" && !strings.ContainsAny(value, "/") {
				h.attack(o, h.path(o, p.Name, value), "", nil)
			}
		case "query":
			h.attack(o, h.path(o, "", "")+"?"+p.Name+"="+url.QueryEscape(value), "", nil)
		case "header":
			if !strings.ContainsAny(value, "\x00") {
				h.attack(o, h.path(o, "", ""), "{}", http.Header{p.Name: {value}})
			}
		}
	}
	if p.In == "query" {
		h.attack(o, h.path(o, "", "")+"?"+p.Name+"=1&"+p.Name+"=2&"+p.Name+"%zz", "", nil)
	}
}

func (h *hostile) body(o target, schema schemaRef) {
	h.Helper()
	path := h.path(o, "", "")
	for _, raw := range hostileBodies {
		h.attack(o, path, raw, nil)
	}
	values := slices.Clone(hostileValues)
	for _, text := range hostileTexts {
		raw, err := json.Marshal(text)
		if err != nil {
			h.Fatal(err)
		}
		values = append(values, string(raw))
	}
	for name := range schema.Properties {
		for _, value := range values {
			h.attack(o, path, `{"`+name+`":`+value+`}`, nil)
		}
	}
	// The same value in all members at once: a check of one member may hide a fault in another.
	for _, value := range values {
		var all []string
		for name := range schema.Properties {
			all = append(all, `"`+name+`":`+value)
		}
		slices.Sort(all)
		h.attack(o, path, "{"+strings.Join(all, ",")+"}", nil)
	}
}

// needed are the operations that leave out what they cannot read, each with a body that has only what it needs.
var needed = map[string]string{
	"POST /api/v1/reports":                       `"latitude":-8.5,"longitude":125.5`,
	"POST /api/v1/reports/{id}/comments":         `"content":"Still there."`,
	"POST /api/v1/journeys/":                     `"name":"Tour"`,
	"POST /api/v1/journeys/{journey_id}/markers": `"name":"Stop","marker_type":"past","coordinates":{"type":"Point","coordinates":[125.5,-8.5]}`,
	"PATCH /api/v1/journeys/{journey_id}":        ``,
}

// optional sends the invalid values in each member that the operation does not need. The request must succeed.
func (h *hostile) optional(o target, schema schemaRef) {
	h.Helper()
	base, lenient := needed[o.Method+" "+o.Template]
	if !lenient {
		return
	}
	values := slices.Clone(hostileValues)
	for _, text := range hostileTexts {
		raw, err := json.Marshal(text)
		if err != nil {
			h.Fatal(err)
		}
		values = append(values, string(raw))
	}
	var names []string
	for name := range schema.Properties {
		if !strings.Contains(base, `"`+name+`"`) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, value := range values {
		all := base
		for _, name := range names {
			member := `"` + name + `":` + value
			another := (name == "user_id" || name == "journey_id") && strings.Contains(value, uuid.Nil.String()) // it names somebody else
			if another {
				continue
			}
			h.keep(o, strings.TrimPrefix(base+","+member, ","))
			all += "," + member
		}
		h.keep(o, strings.TrimPrefix(all, ","))
	}
}

func (h *hostile) keep(o target, members string) {
	h.Helper()
	res, err := h.Client.Do(h.Context(), apiclient.Request{Method: o.Method, Path: "/" + h.path(o, "", ""),
		Body: apiclient.Raw{ContentType: "application/json", Body: []byte("{" + members + "}")}})
	if err != nil {
		h.Fatal(err)
	}
	h.kept++
	if res.Status != http.StatusOK && res.Status != http.StatusCreated {
		h.Errorf("%s %s with %.300s: %d %.300s", o.Method, o.Template, members, res.Status, res.Body)
	}
}

func (h *hostile) attack(o target, path, body string, header http.Header) {
	h.Helper()
	as := h.Client
	if strings.Contains(o.Template, "/admin/") || strings.Contains(o.Template, "/staff/") {
		as = h.admin.Client
	}
	res, err := as.Do(h.Context(), apiclient.Request{Method: o.Method, Path: "/" + path, Header: header,
		Body: apiclient.Raw{ContentType: "application/json", Body: []byte(body)}})
	var address *url.Error
	if errors.As(err, &address) && address.Op == "parse" || err != nil && strings.Contains(err.Error(), "invalid header") {
		return // no client can send it
	}
	if err != nil {
		h.Fatalf("%s %.200s: %v", o.Method, path, err)
	}
	raw := res.Body
	h.sent++
	if res.Status == http.StatusTooManyRequests && !strings.Contains(o.Template, "/auth/") {
		h.Fatalf("%s %.200s was refused by a rate limit", o.Method, path)
	}
	if res.Status >= 500 || bytes.Contains(raw, []byte("SQLSTATE")) {
		h.Errorf("%s %.200s with %.200q: %d %.300s", o.Method, path, body, res.Status, raw)
		return
	}
	// Errors of these are HTML pages, or have the form of Open311.
	own := slices.ContainsFunc([]string{"/r/", "/unsubscribe/", "/open311/"}, func(prefix string) bool { return strings.HasPrefix(o.Template, prefix) })
	if res.Status >= 400 && !own && len(raw) > 0 && !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		h.Errorf("%s %.200s: %d as %s", o.Method, path, res.Status, res.Header.Get("Content-Type"))
	}
	if res.Status == http.StatusUnauthorized && strings.Contains(string(raw), "token_") && !strings.Contains(o.Template, "/auth/") {
		h.Fatalf("%s %.200s with %.200q ended the session: %s", o.Method, path, body, raw)
	}
}
