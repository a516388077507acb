package open311_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// file makes a report and returns its id and number.
func file(w *testenv.System, c *testenv.Client, changes object) (string, string) {
	body := object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "description": "Deep & <wide>.", "latitude": -8.5569, "longitude": 125.5603}
	for k, v := range changes {
		body[k] = v
	}
	r := c.Post("/reports", body).Want(http.StatusCreated).Object()
	return r.Text("id"), r.Text("report_number")
}

// ids are the service_request_ids of a list, in order.
func ids(t *testing.T, nobody *testenv.Client, query string) []string {
	t.Helper()
	out := []string{}
	for _, item := range items(t, nobody.Get(path("requests.json?"+query)).Want(http.StatusOK)) {
		out = append(out, item["service_request_id"].(string))
	}
	return out
}

// same compares lists without regard to order.
func same(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

const requestMembers = "service_request_id status status_notes service_name service_code description agency_responsible service_notice requested_datetime " +
	"updated_datetime expected_datetime address address_id zipcode lat long media_url"

var w3 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// One report from its creation to its repair, in both formats.
func TestRequestThroughItsLife(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["PUBLIC_BASE_URL"] = "https://street.example.tl"
	w.Serve(groups()...)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(3)).Want(http.StatusCreated).Object().Text("upload_id")
	id, number := file(w, c, object{"latitude": -8.55694, "longitude": 125.56034, "suco": "Secret Suco", "street": "Rua Um", "images": []object{{"upload_id": picture}}})
	w.ProcessUpload(picture)
	agency := w.Agency("WORKS")

	read := func() object {
		t.Helper()
		one := items(t, nobody.Get(path("requests/"+number+".json")).Want(http.StatusOK))
		if len(one) != 1 {
			t.Fatalf("%v", one)
		}
		for _, name := range []string{"requested_datetime", "updated_datetime"} {
			if at, _ := one[0][name].(string); !w3.MatchString(at) {
				t.Errorf("%s is %q", name, at)
			}
		}
		list := items(t, nobody.Get(path("requests.json")).Want(http.StatusOK))
		if fmt.Sprint(list) != fmt.Sprint(one) {
			t.Errorf("the list has %v, the report is %v", list, one)
		}
		return one[0]
	}
	check := func(when string, got object, want object) {
		t.Helper()
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %v, want %v", when, name, got[name], value)
			}
		}
	}
	check("pending", read(), object{"service_request_id": number, "status": "open", "status_notes": "Pending", "service_name": "Pothole", "service_code": "pothole",
		"description": nil, "agency_responsible": nil, "expected_datetime": nil, "address": nil, "address_id": nil, "zipcode": nil, "lat": -8.557, "long": 125.56,
		"media_url": nil, "service_notice": "The report is checked before an agency gets it."})

	admin.Post("/reports/"+id+"/status", object{"status": "verified", "note": "Looks bad"}).Want(http.StatusOK)
	w.Exec(`UPDATE report_images SET verdict = 'relevant' WHERE report_id = $1`, id)
	image := w.Text(`SELECT id::text FROM report_images WHERE report_id = $1`, id)
	check("verified", read(), object{"status": "open", "status_notes": "Verified: Looks bad", "description": "Hole\n\nDeep & <wide>.", "lat": -8.55694, "long": 125.56034,
		"address": "Rua Um, Secret Suco", "media_url": "https://street.example.tl/api/v1/public/reports/" + number + "/images/" + image + "/display", "service_notice": nil})

	admin.Post("/reports/"+id+"/assign", object{"agency_id": agency.String(), "due_at": "2026-12-24T08:00:00Z"}).Want(http.StatusOK)
	admin.Post("/reports/"+id+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	check("in progress", read(), object{"status": "open", "status_notes": "In progress", "agency_responsible": "WORKS", "expected_datetime": "2026-12-24T08:00:00Z",
		"service_notice": "WORKS should repair this by 24 December 2026."})
	admin.Post("/reports/"+id+"/status", object{"status": "fixed", "note": "Filled with asphalt"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET resolved_at = '2026-11-01T00:00:00.9Z' WHERE id = $1`, id)
	check("fixed", read(), object{"status": "closed", "status_notes": "Fixed: Filled with asphalt", "updated_datetime": "2026-11-01T00:00:00Z", "service_notice": nil})

	asXML := parse(t, nobody.Get(path("requests/"+number+".xml")).Want(http.StatusOK))
	one := asXML.child("request")
	if asXML.name != "service_requests" || asXML.names() != "request" || one.names() != requestMembers || one.child("description").text != "Hole\n\nDeep & <wide>." ||
		one.child("zipcode").text != "" || one.child("long").text != "125.56034" {
		t.Errorf("%+v", asXML)
	}
	for _, ref := range []string{id, number, strings.ToLower(number)} {
		got := items(t, nobody.Get(path("tokens/"+ref+".json")).Want(http.StatusOK))
		if len(got) != 1 || got[0]["service_request_id"] != number || got[0]["token"] != ref || len(got[0]) != 2 {
			t.Errorf("token %s: %v", ref, got)
		}
		if got := items(t, nobody.Get(path("requests/"+ref+".json")).Want(http.StatusOK)); got[0]["service_request_id"] != number {
			t.Errorf("%s: %v", ref, got)
		}
	}
	for _, p := range []string{"requests/LS-2020-000001", "requests/nothing", "requests/" + uuid.NewString(), "tokens/nothing"} {
		checkErrors(t, nobody.Get(path(p+".xml")), http.StatusNotFound, "there is no such")
		checkErrors(t, nobody.Get(path(p+".json")), http.StatusNotFound, "there is no such")
	}
}

// What a search finds.
func TestSearch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody := w.Citizen(), w.Anonymous()
	make := func(kind, status, created, updated string, latitude float64) string {
		id, number := file(w, c, object{"issue_type": kind, "title": "Report of " + kind, "latitude": latitude})
		w.Exec(`UPDATE reports r SET status = $2, created_at = now() - $3::interval, updated_at = now() - $4::interval,
			duplicate_of = CASE WHEN $2 = 'duplicate' THEN (SELECT o.id FROM reports o WHERE o.id <> $1 ORDER BY o.id LIMIT 1) END WHERE id = $1`, id, status, created, updated)
		return number
	}
	pending := make("pothole", "pending", "1 day", "1 day", -8.55)
	verified := make("bridge", "verified", "2 days", "2 days", -8.56)
	working := make("waste", "in_progress", "3 days", "3 hours", -8.60)
	fixed := make("pothole", "fixed", "4 days", "4 days", -8.70)
	same2 := make("pothole", "duplicate", "5 days", "5 days", -8.55)
	rejected := make("pothole", "rejected", "1 day", "1 day", -8.55)
	old := make("pothole", "fixed", "100 days", "1 hour", -8.55)
	withdrawn := make("pothole", "verified", "1 day", "1 day", -8.55)
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE report_number = $1`, withdrawn)
	// days is n days ago, plus half a day: between the times above.
	days := func(n int) string {
		return url.QueryEscape(time.Now().Add(-time.Duration(n)*24*time.Hour + 12*time.Hour).UTC().Format(time.RFC3339))
	}

	for query, want := range map[string][]string{
		"": {pending, verified, working, fixed, same2},
		"status=&service_code=&start_date=&end_date=&service_request_id=&q=&bbox=&page=&page_size=&lat=&long=&radius=&updated_after=&jurisdiction_id=": {pending, verified, working, fixed, same2},
		"service_request_id=" + pending + "," + fixed + "&status=open&start_date=nonsense&page_size=0":                                                 {pending, fixed},
		"service_request_id=" + pending + "&service_request_id=" + strings.ToLower(old):                                                                {pending, old},
		"service_request_id=" + rejected + "," + withdrawn + ",nothing,%20" + verified:                                                                 {verified},
		"service_request_id=" + rejected:                       {},
		"service_request_id=,":                                 {pending, verified, working, fixed, same2},
		"service_code=bridge":                                  {verified},
		"service_code=bridge,waste":                            {verified, working},
		"service_code=bridge&service_code=Waste":               {verified, working},
		"status=open":                                          {pending, verified, working},
		"status=closed":                                        {fixed, same2},
		"status=open,closed":                                   {pending, verified, working, fixed, same2},
		"status=CLOSED&service_code=pothole":                   {fixed, same2},
		"start_date=" + days(3) + "&end_date=" + days(2):       {verified},
		"start_date=" + days(180):                              {old},
		"end_date=" + days(4):                                  {same2, fixed},
		"start_date=" + days(110) + "&end_date=" + days(30):    {old},
		"updated_after=" + days(1):                             {working, old},
		"updated_after=" + days(1) + "&start_date=" + days(50): {working},
		"updated_after=" + days(3) + "&updated_before=" + days(2) + "&q=bridge": {verified},
		"q=bridge":                               {verified},
		"q=pothole":                              {fixed, same2}, // not what has no verdict
		"q=" + pending:                           {pending},
		"bbox=125,-8.57,126,-8.55":               {pending, verified, same2},
		"bbox=125,-8.57,126,-8.55&status=closed": {same2},
		"lat=-8.56&long=125.5603&radius=500":     {verified},
		"lat=-8.56&long=125.5603&radius=1200":    {pending, verified, same2},
		"lat=-8.56&long=125.5603&radius=1200&bbox=125,-8.57,126,-8.555": {verified},
		"page=2":                         {},
		"page=9999999999999999999999999": {},
		"page_size=2&page=2":             {working, fixed},
	} {
		if got := ids(t, nobody, query); !same(got, want) {
			t.Errorf("%q finds %v, want %v", query, got, want)
		}
	}
	if got := ids(t, nobody, ""); !slices.Equal(got, []string{pending, verified, working, fixed, same2}) {
		t.Errorf("order %v", got)
	}
	if got := ids(t, nobody, "updated_after="+days(3)); !slices.Equal(got, []string{old, working, pending, verified}) {
		t.Errorf("order of changes %v", got)
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	nobody := setup(t).Anonymous()
	for query, words := range map[string]string{
		"status=fixed": "status: ", "status=open,broken": "status: ", "service_code=graffiti": "service_code: ", "service_code=pothole,graffiti": "service_code: ",
		"start_date=yesterday": "start_date: ", "start_date=2026-11-01T08:00:00": "start_date: ", "end_date=2026-13-01T00:00:00Z": "end_date: ",
		"start_date=2026-01-01T00:00:00Z&end_date=2026-04-01T00:00:01Z": "end_date: ", "start_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z": "end_date: ",
		"updated_after=x": "updated_after: ", "updated_before=x": "updated_before: ",
		"page=0": "page: ", "page=-1": "page: ", "page=x": "page: ", "page_size=0": "page_size: ", "page_size=1001": "page_size: ", "page_size=1.5": "page_size: ",
		"bbox=1,2,3": "bbox: ", "bbox=a,b,c,d": "bbox: ", "q=ab": "q: ", "lat=1": "radius: ", "lat=1&long=2": "radius: ", "radius=5": "radius: ",
		"lat=91&long=2&radius=5": "lat: ", "lat=NaN&long=2&radius=5": "lat: ", "lat=1&long=2&radius=0": "radius: ", "lat=1&long=2&radius=NaN": "radius: ", "lat=1&long=2&radius=50001": "radius: ",
		"service_request_id=" + strings.Repeat("x,", 1001): "service_request_id: ", "q=%00abc": "", "q=%ff%fe%fd": "",
	} {
		checkErrors(t, nobody.Get(path("requests.xml?"+query)), http.StatusBadRequest, words)
		checkErrors(t, nobody.Get(path("requests.json?"+query)), http.StatusBadRequest, words)
	}
	if got := nobody.Get(path("requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-04-01T00:00:00Z")); got.Status != http.StatusOK {
		t.Errorf("90 days: %d %s", got.Status, got.Body)
	}
}

// A date alone is a day in Timor-Leste, and both ends are included to the second.
func TestDates(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody := w.Citizen(), w.Anonymous()
	id, number := file(w, c, nil)
	w.Exec(`UPDATE reports SET created_at = '2026-11-10T15:30:20.654321Z' WHERE id = $1`, id)
	for query, found := range map[string]bool{
		"start_date=2026-11-10T15:30:20Z": true, "start_date=2026-11-10T15:30:21Z": false, "start_date=2026-11-11T00:30:20%2B09:00": true, "start_date=2026-11-11T00:30:20+09:00": true,
		"end_date=2026-11-10T15:30:20Z": true, "end_date=2026-11-10T15:30:19Z": false, "end_date=2026-11-10T15:30:20.1Z": true, "start_date=2026-11-10T15:30:20.9Z": true, "end_date=2026-11-10t15:30z": false, "end_date=2026-11-10T15:31Z": true,
		"start_date=2026-11-11": true, "start_date=2026-11-11&end_date=2026-11-11": true, "end_date=2026-11-10": false, "start_date=2026-11-12": false,
		"start_date=2026-11-10T15:30:20Z&end_date=2026-11-10T15:30:20Z": true,
	} {
		if got := ids(t, nobody, query); found != slices.Contains(got, number) {
			t.Errorf("%q finds %v", query, got)
		}
	}
}

// Link leads through all pages, and nowhere else.
func TestLinksLeadThroughAllPages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["PUBLIC_BASE_URL"] = w.URL
	w.Serve(groups()...)
	c, nobody := w.Citizen(), w.Anonymous()
	var want []string
	for i := range 5 {
		id, number := file(w, c, object{"title": fmt.Sprintf("Report %d", i)})
		w.Exec(`UPDATE reports SET created_at = now() - $2 * interval '1 hour' WHERE id = $1`, id, i)
		want = append(want, number)
	}
	next := regexp.MustCompile(`<([^>]+)>; rel="next"`)
	var got []string
	at := path("requests.json?page_size=2&status=open")
	for range 9 {
		r := nobody.Get(at).Want(http.StatusOK)
		for _, item := range items(t, r) {
			got = append(got, item["service_request_id"].(string))
		}
		link := next.FindStringSubmatch(r.Header.Get("Link"))
		if link == nil {
			if !strings.Contains(r.Header.Get("Link"), `rel="prev"`) {
				t.Errorf("the last page has the links %q", r.Header.Get("Link"))
			}
			break
		}
		at = "/" + strings.TrimPrefix(link[1], w.URL)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	w.Serve(reports.Open, open311.OpenBounded(1<<20, 1<<20, 10, 4)) // so far a number leads, and Link at any depth
	if got := ids(t, nobody, "page_size=2&page=3"); !slices.Equal(got, want[4:]) {
		t.Errorf("page 3: %v", got)
	}
	for _, p := range []string{"requests.xml?page_size=1&page=6", "requests.csv?page_size=1&page=6"} {
		checkErrors(t, nobody.Get(path(p)), http.StatusBadRequest, "page: ")
	}
	for _, query := range []string{"page_size=1&page=6&status=closed", "page_size=1&page=6&q=nothing"} {
		if got := ids(t, nobody, query); len(got) != 0 {
			t.Errorf("%q: %v", query, got)
		}
	}
	w.Serve(reports.Open, open311.OpenBounded(1<<20, 1<<20, 10, 2))
	walked := ""
	at = path("requests.json?page_size=1")
	for range 9 {
		r := nobody.Get(at).Want(http.StatusOK)
		walked += " " + items(t, r)[0]["service_request_id"].(string)
		link := next.FindStringSubmatch(r.Header.Get("Link"))
		if link == nil {
			break
		}
		at = "/" + strings.TrimPrefix(link[1], w.URL)
	}
	if walked != " "+strings.Join(want, " ") {
		t.Errorf("walked%s, want %v", walked, want)
	}
	checkErrors(t, nobody.Get(path("requests.json?cursor=x")), http.StatusBadRequest, "cursor: ")
	if link := nobody.Get(path("requests.xml")).Want(http.StatusOK).Header.Get("Link"); link != "" {
		t.Errorf("a list on one page has the links %q", link)
	}
}
