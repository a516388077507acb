package open311_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// now is the time of the servers of these tests.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const key = "right-key"

// object is an element with members, in order. A member is a string, a bool, a number, nil, a list or an object.
type object []field

type field struct {
	name  string
	value any
}

// list is an element that holds items with a name.
type list struct {
	item  string
	items []any
}

// server is a minimal server of GeoReport v2 that does everything right but for its faults.
type server struct {
	faults   map[string]bool
	url      string
	requests []*request
	updates  []update
	format   string // of the request that is answered
}

type request struct {
	id, status, code, description string
	requested                     time.Time
	lat, long                     float64
}

type update struct{ id, of string }

func newServer(t *testing.T, faults ...string) *server {
	t.Helper()
	s := &server{faults: map[string]bool{}}
	for _, f := range faults {
		s.faults[f] = true
	}
	for i := range 8 {
		s.requests = append(s.requests, &request{"00" + strconv.Itoa(i), []string{"open", "closed"}[i%2], []string{"001", "002"}[i/2%2], "Hole " + strconv.Itoa(i), now.Add(-time.Duration(i+1) * 48 * time.Hour), -8.55, 125.57})
	}
	s.requests = append(s.requests, &request{"old", "closed", "001", "Old", now.AddDate(0, 0, -120), -8.55, 125.57})
	for i := range 1001 {
		if s.faults["1,001 requests"] {
			s.requests = append(s.requests, &request{"many" + strconv.Itoa(i), "open", "001", "Many", now.Add(-time.Duration(i+24*20) * time.Hour), -8.55, 125.57})
		}
	}
	s.updates = []update{{"u1", "000"}, {"u2", "001"}}
	hs := httptest.NewServer(s.rewritten(faults))
	t.Cleanup(hs.Close)
	s.url = hs.URL + "/v2"
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		http.NotFound(w, r)
		return
	}
	path, s.format = path[:dot], path[dot+1:]
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		_ = r.ParseForm()
	}
	parts := strings.Split(path, "/")
	switch {
	case r.Method == http.MethodPost && path == "requests" && !s.faults["no POST"]:
		s.create(w, r)
	case r.Method == http.MethodPost && path == "servicerequestupdates":
		s.createUpdate(w, r)
	case r.Method == http.MethodPost:
		s.refuse(w, 404)
	case r.Form.Get("jurisdiction_id") != "" && r.Form.Get("jurisdiction_id") != "city.example":
		s.refuse(w, 404)
	case path == "discovery":
		s.answer(w, 200, "discovery", s.discovery())
	case path == "services":
		s.answer(w, 200, "services", s.services())
	case parts[0] == "services" && len(parts) == 2:
		s.definition(w, parts[1])
	case path == "requests":
		s.list(w, r)
	case parts[0] == "requests" && len(parts) == 2:
		s.one(w, parts[1], false)
	case parts[0] == "tokens" && len(parts) == 2 && !s.faults["no tokens"]:
		s.one(w, parts[1], true)
	case path == "servicerequestupdates" && !s.faults["no updates"]:
		s.listUpdates(w, r)
	default:
		s.refuse(w, 404)
	}
}

func (s *server) discovery() object {
	o := object{{"changeset", "2026-01-01T00:00:00Z"}, {"contact", "api@city.example"}}
	if !s.faults["no key_service"] {
		o = append(o, field{"key_service", "Write to api@city.example"})
	}
	endpoint := object{{"specification", "http://wiki.open311.org/GeoReport_v2"}, {"url", s.url}, {"changeset", "2026-01-01T00:00:00Z"}, {"type", "test"},
		{"formats", list{"format", []any{"text/xml", "application/json"}}}}
	return append(o, field{"endpoints", list{"endpoint", []any{endpoint}}})
}

func (s *server) services() list {
	out := list{item: "service"}
	for _, code := range []string{"001", "002"} {
		out.items = append(out.items, object{{"service_code", code}, {"service_name", "Service " + code}, {"description", "What it is"}, {"metadata", !s.faults["no definitions"]},
			{"type", "realtime"}, {"keywords", "road, hole"}, {"group", nil}})
	}
	return out
}

func (s *server) definition(w http.ResponseWriter, code string) {
	if code != "001" && code != "002" || s.faults["no definitions"] {
		s.refuse(w, 404)
		return
	}
	if s.faults["definition is a service"] {
		s.answer(w, 200, "services", list{"service", []any{s.services().items[0]}})
		return
	}
	value := func(k string) any { return object{{"key", k}, {"name", "Name of " + k}} }
	attribute := func(order int, code, datatype string, values ...any) any {
		return object{{"variable", true}, {"code", code}, {"datatype", datatype}, {"required", order == 1}, {"datatype_description", nil}, {"order", order},
			{"description", "What?"}, {"values", list{"value", values}}}
	}
	s.answer(w, 200, "service_definition", object{{"service_code", code}, {"attributes", list{"attribute", []any{
		attribute(1, "SIZE", "singlevaluelist", value("1"), value("2")), attribute(2, "COLOURS", "multivaluelist", value("r"), value("g")), attribute(3, "DEPTH", "number"),
	}}}})
}

func split(v string) []string {
	if v == "" {
		return nil
	}
	return strings.Split(v, ",")
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	q := r.Form
	from, to := now.AddDate(0, 0, -90), now.Add(time.Hour)
	for name, at := range map[string]*time.Time{"start_date": &from, "end_date": &to} {
		if given := q.Get(name); given != "" {
			t, err := time.Parse(time.RFC3339, given)
			if err != nil {
				s.refuse(w, 400)
				return
			}
			*at = t
		}
	}
	if to.Sub(from) > 91*24*time.Hour && !s.faults["no span"] {
		s.refuse(w, 400)
		return
	}
	if s.faults["no window"] && q.Get("start_date") == "" {
		from = time.Time{}
	}
	var found []*request
	for _, x := range s.requests {
		if s.selected(q, x, from, to) {
			found = append(found, x)
		}
	}
	if s.faults["oldest first"] {
		slices.Reverse(found)
	}
	s.answer(w, 200, "service_requests", s.items(s.pageOf(q, found), q.Get("extensions") == "true"))
}

func (s *server) selected(q url.Values, x *request, from, to time.Time) bool {
	if wanted := split(q.Get("service_request_id")); wanted != nil && !s.faults["ids are ignored"] && (!s.faults["ids do not come first"] || q.Get("status") == "") {
		if s.faults["no lists of ids"] {
			wanted = []string{q.Get("service_request_id")}
		}
		return slices.Contains(wanted, x.id)
	}
	statuses := split(q.Get("status"))
	switch {
	case s.faults["no lists of statuses"] && statuses != nil:
		statuses = []string{q.Get("status")}
	case s.faults["status is ignored"]:
		statuses = nil
	case s.faults["open by default"] && statuses == nil:
		statuses = []string{"open"}
	}
	codes := split(q.Get("service_code"))
	switch {
	case s.faults["services are ignored"]:
		codes = nil
	case s.faults["no lists of services"] && codes != nil:
		codes = []string{q.Get("service_code")}
	}
	after, err := time.Parse(time.RFC3339, q.Get("updated_after"))
	box := split(q.Get("bbox"))
	if s.faults["empty is a value"] && q.Has("service_code") && codes == nil {
		return false
	}
	return (statuses == nil || slices.Contains(statuses, x.status)) && (codes == nil || slices.Contains(codes, x.code)) && (!x.requested.Before(from) || s.faults["start_date is ignored"] && x.id != "old") &&
		(!x.requested.After(to) || s.faults["end_date is ignored"]) &&
		(!s.faults["end_date is exclusive"] || x.requested.Before(to)) && (err != nil || x.requested.After(after) || s.faults["updated_after is ignored"]) && (box == nil || inside(box, x) || s.faults["bbox is ignored"])
}

func inside(box []string, x *request) bool {
	var n [4]float64
	for i := range n {
		n[i], _ = strconv.ParseFloat(box[i], 64)
	}
	return x.long >= n[0] && x.lat >= n[1] && x.long <= n[2] && x.lat <= n[3]
}

func (s *server) pageOf(q url.Values, found []*request) []*request {
	size, _ := strconv.Atoi(q.Get("page_size"))
	if size == 0 {
		size = 2000
	}
	if s.faults["no paging"] {
		return found
	}
	if s.faults["default limit"] {
		size = min(size, 10)
	}
	number, _ := strconv.Atoi(q.Get("page"))
	begin := max(number-1, 0) * size
	if s.faults["pages count from 0"] {
		begin = number * size
	}
	if begin >= len(found) {
		if s.faults["last page again"] && len(found) > 0 {
			return found[max(len(found)-size, 0):]
		}
		return nil
	}
	return found[begin:min(begin+size, len(found))]
}

func (s *server) items(found []*request, extended bool) list {
	out := list{item: "request"}
	for _, x := range found {
		o := object{{"service_request_id", x.id}, {"status", x.status}, {"service_name", "Service " + x.code}, {"service_code", x.code}, {"description", x.description},
			{"requested_datetime", x.requested.Format(time.RFC3339)}, {"updated_datetime", x.requested.Format(time.RFC3339)}, {"address", "Rua 1"}, {"address_id", nil},
			{"zipcode", nil}, {"lat", x.lat}, {"long", x.long}, {"media_url", nil}}
		if extended && !s.faults["no extensions"] {
			o = append(o, field{"extended_attributes", object{{"channel", "web"}}})
		}
		out.items = append(out.items, o)
	}
	return out
}

func (s *server) one(w http.ResponseWriter, id string, token bool) {
	asked := id
	if token {
		id = strings.TrimPrefix(id, "t-")
	}
	i := slices.IndexFunc(s.requests, func(x *request) bool { return x.id == id })
	switch {
	case i < 0:
		s.refuse(w, 404)
	case token:
		s.answer(w, 200, "service_requests", list{"request", []any{object{{"service_request_id", id}, {"token", asked}}}})
	default:
		s.answer(w, 200, "service_requests", s.items(s.requests[i:i+1], false))
	}
}

func (s *server) create(w http.ResponseWriter, r *http.Request) {
	f := r.PostForm
	lat, errLat := strconv.ParseFloat(f.Get("lat"), 64)
	long, errLong := strconv.ParseFloat(f.Get("long"), 64)
	size := f.Get("attribute[SIZE]")
	switch {
	case f.Get("api_key") != key:
		s.refuse(w, 403)
		return
	case s.faults["unknown service is 400"] && !slices.Contains([]string{"001", "002"}, f.Get("service_code")):
		s.refuse(w, 400)
		return
	case f.Get("service_code") != "" && f.Get("service_code") != "001" && f.Get("service_code") != "002":
		s.refuse(w, 404)
		return
	case f.Get("service_code") == "", (errLat != nil || errLong != nil) && f.Get("address_string") == "" && f.Get("address_id") == "",
		!s.faults["no definitions"] && !s.faults["definition is a service"] && size != "1" && size != "2", len([]rune(f.Get("description"))) > 4000,
		s.faults["email is required"] && f.Get("email") == "":
		s.refuse(w, 400)
		return
	}
	if r.MultipartForm != nil && len(r.MultipartForm.File["media"]) > 0 && !s.faults["broken pictures are dropped"] {
		file, err := r.MultipartForm.File["media"][0].Open()
		if start := make([]byte, 2); err == nil {
			_, _ = file.Read(start)
			if !bytes.Equal(start, []byte{0xff, 0xd8}) {
				s.refuse(w, 400)
				return
			}
		}
	}
	x := &request{"new" + strconv.Itoa(len(s.requests)), "open", f.Get("service_code"), f.Get("description"), now, lat, long}
	s.requests = append([]*request{x}, s.requests...)
	status := 200
	if s.faults["created is 201"] {
		status = 201
	}
	if s.faults["gives tokens"] {
		s.answer(w, status, "service_requests", list{"request", []any{object{{"token", "t-" + x.id}}}})
		return
	}
	s.answer(w, status, "service_requests", list{"request", []any{object{{"service_request_id", x.id}, {"service_notice", nil}, {"account_id", nil}}}})
}

func (s *server) createUpdate(w http.ResponseWriter, r *http.Request) {
	f := r.PostForm
	if f.Get("api_key") != key {
		s.refuse(w, 403)
		return
	}
	if !slices.ContainsFunc(s.updates, func(u update) bool { return u.id == f.Get("update_id") }) {
		s.updates = append(s.updates, update{f.Get("update_id"), f.Get("service_request_id")})
	}
	s.answer(w, 200, "service_request_updates", list{"request_update", []any{object{{"update_id", f.Get("update_id")}}}})
}

func (s *server) listUpdates(w http.ResponseWriter, r *http.Request) {
	from, errFrom := time.Parse(time.RFC3339, r.Form.Get("start_date"))
	to, errTo := time.Parse(time.RFC3339, r.Form.Get("end_date"))
	out := list{item: "request_update"}
	for _, u := range s.updates {
		at := now.Add(-48 * time.Hour)
		if u.id == "u2" {
			at = at.Add(-48 * time.Hour)
		}
		if !s.faults["dates of updates are left"] && (errFrom == nil && at.Before(from) || errTo == nil && at.After(to)) {
			continue
		}
		out.items = append(out.items, object{{"update_id", u.id}, {"service_request_id", u.of}, {"status", "IN_PROGRESS"}, {"description", nil}, {"updated_datetime", at.Format(time.RFC3339)}})
	}
	s.answer(w, 200, "service_request_updates", out)
}
