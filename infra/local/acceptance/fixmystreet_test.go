package acceptance

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// fixMyStreet calls a server as FixMyStreet does: XML alone, read by Perl's XML::Simple. What it does is written here anew, from
// perllib/Open311.pm and perllib/Open311/ of github.com/mysociety/fixmystreet.
type fixMyStreet struct {
	*testing.T
	endpoint, key, jurisdiction string
	// failure is what the errors of the last answer said.
	failure string
}

// forced are the elements that it always reads as a list.
var forced = []string{"service", "attribute", "value", "request", "error", "request_update", "group"}

// groups are the lists whose name it leaves out, and their items.
var groups = map[string]string{"services": "service", "attributes": "attribute", "values": "value", "service_requests": "request", "errors": "error", "service_request_updates": "request_update", "groups": "group"}

// simple reads XML as XML::Simple does with these settings: an object for an element with children, a text, or nil for an empty element.
// One of several children with a name is in a list; so is one that is forced.
func simple(body []byte) (any, error) {
	type element struct {
		name    string
		text    string
		members object
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	open := []*element{{members: object{}}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			for _, root := range open[0].members {
				return root, nil
			}
			return nil, errors.New("there is nothing")
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			open = append(open, &element{name: t.Name.Local, members: object{}})
		case xml.CharData:
			top.text += string(t)
		case xml.EndElement:
			open = open[:len(open)-1]
			var v any
			switch {
			case len(top.members) > 0:
				v = top.members
				if item, ok := groups[top.name]; ok && len(open) > 1 && top.members[item] != nil {
					v = top.members[item]
				}
			case top.text != "":
				v = top.text
			}
			parent := open[len(open)-1].members
			before, there := parent[top.name]
			list, isList := before.([]any)
			switch {
			case isList:
				parent[top.name] = append(list, v)
			case there:
				parent[top.name] = []any{before, v}
			case slices.Contains(forced, top.name):
				parent[top.name] = []any{v}
			default:
				parent[top.name] = v
			}
		}
	}
}

// call sends a request. It returns the root of the answer, or nil for a refusal.
func (f *fixMyStreet) call(method, path string, params url.Values) object {
	f.Helper()
	if f.jurisdiction != "" {
		params.Set("jurisdiction_id", f.jurisdiction)
	}
	address, body := f.endpoint+path, io.Reader(nil)
	if method == http.MethodPost {
		params.Set("api_key", f.key)
		body = strings.NewReader(params.Encode())
	} else if len(params) > 0 {
		address += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(f.Context(), method, address, body)
	if err != nil {
		f.Fatal(err)
	}
	req.Header.Set("User-Agent", "libwww-perl/6.67")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		f.Fatal(err)
	}
	root, err := simple(read)
	if err != nil {
		f.Fatalf("%s %s: %v: %s", method, path, err, read)
	}
	found, _ := root.(object)
	if f.failure = ""; resp.StatusCode >= 300 {
		for _, e := range listOf(found["error"]) {
			f.failure += text(e["code"]) + ": " + text(e["description"]) + "\n"
		}
		return nil
	}
	return found
}

func listOf(v any) []object {
	var out []object
	list, _ := v.([]any)
	for _, item := range list {
		o, _ := item.(object)
		out = append(out, o)
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// populate reads the services with their attributes, as its command does each night. It keeps those that it can use.
func (f *fixMyStreet) populate() map[string][]object {
	f.Helper()
	out := map[string][]object{}
	for _, s := range listOf(f.call("GET", "services.xml", url.Values{})["service"]) {
		for _, word := range strings.Split(text(s["keywords"]), ",") {
			if slices.Contains([]string{"private", "inactive", "staff", "waste_only"}, word) {
				f.Errorf("the keyword %q means something else to FixMyStreet", word)
			}
		}
		if group, _ := s["group"].([]any); len(group) != 1 || text(group[0]) == "" || text(s["service_name"]) == "" {
			f.Errorf("the service %v", s)
		}
		if strings.ToLower(text(s["metadata"])) == "true" {
			out[text(s["service_code"])] = listOf(f.call("GET", "services/"+text(s["service_code"])+".xml", url.Values{})["attributes"])
		}
	}
	return out
}

// send sends a problem and returns the id that it keeps as external_id; "" for a refusal.
func (f *fixMyStreet) send(service string, changes url.Values) string {
	f.Helper()
	params := url.Values{"service_code": {service}, "first_name": {"Maria"}, "last_name": {"da Costa"}, "email": {"maria@example.org"}, "lat": {"-8.556900"}, "long": {"125.560300"},
		"description": {"Buraku boot – Comoro\n\nKuak iha estrada, motór monu.\n\nhttps://fms.example/report/7\n"}, "attribute[fixmystreet_id]": {"7"}, "deviceid": {"web"}}
	for name, values := range changes {
		params[name] = values
	}
	if found := listOf(f.call("POST", "requests.xml", params)["request"]); len(found) == 1 {
		return text(found[0]["service_request_id"])
	}
	return ""
}

// updates polls the updates of a time. It returns those that it would take, and fails the test for one that it would skip.
func (f *fixMyStreet) updates(from, to time.Time) []object {
	f.Helper()
	start, end := from.UTC().Format("2006-01-02T15:04:05Z"), to.UTC().Format("2006-01-02T15:04:05Z")
	all := listOf(f.call("GET", "servicerequestupdates.xml", url.Values{"api_key": {f.key}, "start_date": {start}, "end_date": {end}})["request_update"])
	seen := map[string]bool{}
	for _, u := range all {
		at, err := time.Parse(time.RFC3339, text(u["updated_datetime"]))
		if written := at.UTC().Format("2006-01-02T15:04:05Z"); err != nil || written < start || written > end || text(u["update_id"]) == "" || seen[text(u["update_id"])] || text(u["service_request_id"]) == "" {
			f.Errorf("an update that it skips: %v", u)
		}
		seen[text(u["update_id"])] = true
	}
	return all
}

// state is what it makes of the status of an update.
func state(status string, extended bool) string {
	known := map[string]string{"fixed": "fixed - council", "not councils responsibility": "not responsible", "no further action": "unable to fix", "open": "confirmed", "closed": "fixed - council"}
	if extended {
		known["closed"] = "closed"
	}
	status = strings.ReplaceAll(strings.ToLower(status), "_", " ")
	if s, ok := known[status]; ok {
		return s
	}
	return status
}

// A problem goes to this server, its states come back, a comment goes out and does not come back as another.
func TestFixMyStreet(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, open311.Open)
	_, key := w.APIKey("FixMyStreet Dili")
	f := &fixMyStreet{T: t, endpoint: w.URL + "/open311/v2/", key: key, jurisdiction: "dili.tl"}
	services := f.populate()
	if len(services["pothole"]) == 0 {
		t.Fatalf("services: %v", services)
	}
	for _, a := range services["pothole"] {
		if text(a["code"]) == "" || text(a["description"]) == "" || text(a["required"]) == "" || text(a["variable"]) != "true" || a["values"] != nil && len(listOf(a["values"])) == 0 && text(a["datatype"]) == "singlevaluelist" {
			t.Errorf("attribute %v", a)
		}
	}
	began := time.Now().Add(-time.Hour)
	number := f.send("pothole", url.Values{"attribute[severity]": {"high"}})
	if number == "" {
		t.Fatal(f.failure)
	}
	if again := f.send("pothole", url.Values{"attribute[severity]": {"high"}}); again != number {
		t.Errorf("a problem that is sent again is %q, not %q", again, number)
	}
	for fault, params := range map[string]url.Values{"403: ": {"service_code": {"pothole"}}, "400: ": {"lat": {"51.5"}, "long": {"-0.1"}}} {
		sender := *f
		if fault == "403: " {
			sender.key = "wrong"
		}
		if id := sender.send("pothole", params); id != "" || !strings.HasPrefix(sender.failure, fault) || len(sender.failure) < 10 {
			t.Errorf("got %q, and the error %q", id, sender.failure)
		}
	}
	admin, id := w.Staff(identity.Admin), w.Text(`SELECT id::text FROM reports WHERE report_number = $1`, number)
	agency := w.Agency("WORKS")
	admin.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	admin.Post("/reports/"+id+"/assign", object{"agency_id": agency.String()}).Want(http.StatusOK)
	admin.Post("/reports/"+id+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	admin.Post("/reports/"+id+"/status", object{"status": "fixed", "note": "Tau ona alkatraun & rai."}).Want(http.StatusOK)
	f.checkStates(began, number, "confirmed", "in progress", "fixed - council")
	last := f.updates(began, time.Now().Add(time.Hour))
	if len(last) == 0 {
		t.Fatal("no updates")
	}
	if got := last[len(last)-1]; text(got["description"]) != "Tau ona alkatraun & rai." {
		t.Errorf("the note of the repair: %v", got)
	}
	admin.Post("/reports/"+id+"/status", object{"status": "in_progress", "note": "The hole is there again."}).Want(http.StatusOK)
	f.checkStates(began, number, "confirmed", "in progress", "fixed - council", "in progress")
	if early := f.updates(began.Add(-time.Hour), began); len(early) != 0 {
		t.Errorf("before: %v", early)
	}
	f.checkFetched(began, number)
	f.checkComment(number)
}

// checkFetched fetches problems, as it does with "problem fetching": those of a time, and one by its id. It skips one without id, place or time.
func (f *fixMyStreet) checkFetched(from time.Time, number string) {
	f.Helper()
	for _, params := range []url.Values{{"start_date": {from.UTC().Format("2006-01-02T15:04:05Z")}, "end_date": {time.Now().Add(time.Minute).UTC().Format("2006-01-02T15:04:05Z")}}, {"service_request_id": {number}}} {
		all := listOf(f.call("GET", "requests.xml", params)["request"])
		if len(all) != 1 {
			f.Fatalf("%v: %d problems", params, len(all))
		}
		p := all[0]
		updated, err := time.Parse(time.RFC3339, text(p["updated_datetime"]))
		requested, errRequested := time.Parse(time.RFC3339, text(p["requested_datetime"]))
		if text(p["service_request_id"]) != number || text(p["lat"]) == "" || text(p["long"]) == "" || text(p["service_code"]) != "pothole" || err != nil || errRequested != nil || updated.Before(requested) {
			f.Errorf("a problem that it skips: %v", p)
		}
	}
}

// checkStates fails unless the updates of a report have these states, in order of time. Several updates may have one.
func (f *fixMyStreet) checkStates(from time.Time, number string, want ...string) {
	f.Helper()
	all := f.updates(from, time.Now().Add(time.Hour))
	slices.SortStableFunc(all, func(a, b object) int {
		return strings.Compare(text(a["updated_datetime"]), text(b["updated_datetime"]))
	})
	var got []string
	for _, u := range all {
		if text(u["service_request_id"]) == number {
			s := state(text(u["status"]), true)
			if !slices.Contains([]string{"confirmed", "investigating", "in progress", "action scheduled", "fixed - council", "duplicate", "not responsible", "unable to fix", "internal referral", "closed"}, s) {
				f.Errorf("the status %v is no state there: it changes nothing", u["status"])
			}
			got = append(got, s)
		}
	}
	if got = slices.Compact(got); !slices.Equal(got, want) {
		f.Errorf("states %q, want %q", got, want)
	}
}

// checkComment posts a comment twice. It is one update, and either is not among the updates or has the id that POST gave.
func (f *fixMyStreet) checkComment(number string) {
	f.Helper()
	comment := url.Values{"updated_datetime": {time.Now().UTC().Format(time.RFC3339)}, "service_request_id": {number}, "status": {"OPEN"}, "description": {"Sei iha kuak – haree foto."},
		"first_name": {"Maria"}, "last_name": {"-"}, "email": {"maria@example.org"}, "update_id": {"4711"}}
	var ids []string
	for range 2 {
		answered := listOf(f.call("POST", "servicerequestupdates.xml", comment)["request_update"])
		if len(answered) != 1 || text(answered[0]["update_id"]) == "" {
			f.Fatalf("POST of an update: %v %s", answered, f.failure)
		}
		ids = append(ids, text(answered[0]["update_id"]))
	}
	if ids[0] != ids[1] {
		f.Errorf("the same comment has the ids %q", ids)
	}
	for _, u := range f.updates(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)) {
		if strings.Contains(text(u["description"]), "Sei iha kuak") && text(u["update_id"]) != ids[0] {
			f.Errorf("its own comment comes back as another: %v", u)
		}
	}
}
