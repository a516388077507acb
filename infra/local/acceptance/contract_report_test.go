package acceptance

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// reports creates reports and uses every operation on them. It returns the id of a report that is not withdrawn.
func (v *visitor) reports(c, admin, official *visitor, agency string) string {
	v.Helper()
	up := c.do("POST", "/reports/pre-upload-image", picture(photograph(v.T, 10)), 201).Object().Text("upload_id")
	c.do("POST", "/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": 1000}, 201)
	request := object{"issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603, "municipality": "Dili",
		"client_id": uuid.NewString(), "images": []object{{"upload_id": up}}, "captured_at": time.Now().UTC().Format(time.RFC3339)}
	id := c.do("POST", "/reports", request, 201).Object().Text("id")
	c.do("POST", "/reports", request, 200)
	c.do("POST", "/reports", object{"issue_type": "pothole", "latitude": 200, "longitude": 0}, 422)
	c.until("AI and ledger", func() bool {
		r := c.get("/reports/" + id).Object().Values
		return r["ai"].(object)["status"] != "queued" && r["blockchain"].(object)["status"] == "confirmed"
	})
	batch := c.do("POST", "/reports/batch", object{"reports": []any{
		object{"client_id": uuid.NewString(), "issue_type": "light", "latitude": -8.55, "longitude": 125.57}, object{"client_id": "x"}}}, 200)
	if results := batch.Object().Values["results"].([]any); results[0].(object)["status"] != "created" || results[1].(object)["status"] != "error" {
		v.Errorf("batch: %s", batch.Body)
	}
	for _, path := range []string{"", "?status=pending,verified&sort=severity&q=Hole", "/my-reports", "/changes", "/changes?mine=true&limit=5", "/nearby?lat=-8.55&lon=125.56&radius=10",
		"/similar?report_id=" + id, "/similar?lat=-8.55&lon=125.56"} {
		c.get("/reports" + path)
	}
	image := first(c.get("/reports/"+id), "images", "id")
	c.do("GET", "/reports/"+id+"/images/"+image+"/thumbnail", nil, 302)

	fresh := func() string {
		return c.do("POST", "/reports", object{"issue_type": "debris", "latitude": -8.4, "longitude": 125.6, "client_id": uuid.NewString()}, 201).Object().Text("id")
	}
	plain := fresh()
	c.do("PATCH", "/reports/"+plain, object{"title": "A tree"}, 200)
	c.do("DELETE", "/reports/"+plain, nil, 200)
	c.do("GET", "/reports/"+plain, nil, 200) // its reporter sees that it was withdrawn
	official.do("GET", "/reports/"+plain, nil, 200)
	v.do("GET", "/public/reports/"+plain, nil, 410)
	pictured := fresh()
	added := c.do("POST", "/reports/"+pictured+"/images", picture(photograph(v.T, 90)), 201).Object().Text("id")
	// From here on the AI may verify the report at any moment. Its reporter can then no longer change it.
	admin.do("DELETE", "/reports/"+pictured+"/images/"+added, nil, 200)

	rejected := fresh()
	admin.do("POST", "/reports/"+rejected+"/ai-analysis/override", object{"is_relevant": false, "note": "No tree."}, 200)
	c.do("POST", "/reports/"+rejected+"/appeal", object{"reason": "Behind the house."}, 200)
	for _, kind := range []string{"new", "needs_review", "flagged", "assigned", "mine", "overdue"} {
		official.get("/staff/queue?kind=" + kind)
	}
	official.get("/staff/counts")
	official.do("GET", "/staff/export.csv?kind=assigned", nil, 200)
	template := official.do("POST", "/staff/templates", object{"title": "Planned", "body": object{"tet": "Ekipa sei ba."}}, 201).Object().Text("id")
	official.do("PATCH", "/staff/templates/"+template, object{"status": "in_progress"}, 200)
	official.get("/staff/templates?status=in_progress")
	official.do("DELETE", "/staff/templates/"+template, nil, 200)
	c.do("GET", "/staff/queue", nil, 403)
	duplicate := fresh()
	admin.do("POST", "/staff/reports/bulk-status", object{"items": []object{
		{"report_id": duplicate, "status": "duplicate", "duplicate_of": id}, {"report_id": duplicate, "status": "fixed"}}}, 200)
	admin.do("POST", "/reports/"+id+"/notes", object{"content": "Ask the contractor."}, 201)
	admin.get("/reports/" + id + "/notes")
	admin.do("POST", "/reports/"+id+"/assign", object{"agency_id": agency, "due_at": "2030-01-01T00:00:00Z"}, 200)
	if c.get("/reports/"+id).Object().Text("status") == "pending" {
		admin.do("POST", "/reports/"+id+"/status", object{"status": "verified"}, 200)
	}
	official.do("POST", "/reports/"+id+"/status", object{"status": "in_progress"}, 200)
	official.do("POST", "/reports/"+id+"/status", object{"status": "rejected", "note": "x"}, 403)
	official.do("POST", "/reports/"+id+"/hand-back", object{"note": "Not ours."}, 200)
	admin.get("/staff/agencies")
	admin.do("POST", "/staff/reports/bulk-assign", object{"items": []object{{"report_id": id, "agency_id": agency}, {"report_id": duplicate}}}, 200)
	official.do("POST", "/reports/"+id+"/status", object{"status": "in_progress"}, 200)
	return id
}

func (v *visitor) community(c, admin *visitor, id string) {
	v.Helper()
	said := object{"content": "Still there.", "client_id": uuid.NewString()}
	comment := c.do("POST", "/reports/"+id+"/comments", said, 201).Object().Text("id")
	c.do("POST", "/reports/"+id+"/comments", said, 200)
	c.get("/reports/" + id + "/comments")
	admin.do("DELETE", "/reports/"+id+"/comments/"+comment, nil, 200)
	c.get("/reports/" + id + "/ai-analysis")
	c.get("/reports/" + id + "/ai-analysis/latest")
	admin.get("/reports/" + id + "/riders-affected")
}

func (v *visitor) monitoring(c *visitor, id string) {
	v.Helper()
	for _, path := range []string{"summary", "by-type", "by-municipality", "by-district?municipality=D%C3%ADli", "by-agency", "trends?period=week&days=60"} {
		c.get("/reports/stats/" + path)
	}
	if all := c.get("/reports/stats/by-municipality").List(); len(all) != 14 {
		v.Errorf("%d municipalities", len(all))
	}
	c.until("every event to be confirmed", func() bool {
		entries := c.get("/blockchain/report/" + id + "/history").Object().Items("entries")
		return len(entries) > 0 && !slices.ContainsFunc(entries, func(e apiclient.Object) bool { return e.Text("status") != "confirmed" })
	})
	if got := c.get("/blockchain/report/" + id + "/verify").Object(); got.Values["verified"] != true {
		v.Errorf("the record does not verify: %v", got.Values)
	}
}
