package acceptance

// neighbours does with a report in progress what people do who did not report it. Its reporter disputes its repair.
func (v *visitor) neighbours(n, reporter, official *visitor, id string) {
	v.Helper()
	path := "/reports/" + id
	n.do("POST", path+"/follow", nil, 200)
	n.do("DELETE", path+"/follow", nil, 200)
	n.do("POST", path+"/confirm", object{"note": "It is deeper since the rain."}, 200)
	n.do("POST", path+"/confirm", nil, 200)
	reporter.do("POST", path+"/confirm", nil, 409)
	reporter.do("POST", path+"/dispute", object{"note": "Not yet."}, 409)
	official.do("POST", path+"/status", object{"status": "fixed"}, 422)
	official.do("POST", path+"/status", object{"status": "fixed", "note": "Filled with gravel."}, 200)
	reporter.do("POST", path+"/dispute", object{}, 422)
	reporter.do("POST", path+"/dispute", object{"note": "It is still open."}, 200)
}

// moderation flags, hides and shows the words of a report and of a comment.
func (v *visitor) moderation(n, c, admin *visitor, id string) {
	v.Helper()
	comment := c.do("POST", "/reports/"+id+"/comments", object{"content": "Ask Alda."}, 201).Object().Text("id")
	for _, path := range []string{"/reports/" + id, "/reports/" + id + "/comments/" + comment} {
		n.do("POST", path+"/flag", object{"reason": "offensive"}, 202)
		n.do("POST", path+"/flag", object{}, 422)
		n.do("POST", path+"/hide", object{"reason_code": "offensive"}, 403)
		admin.do("POST", path+"/hide", object{"reason_code": "other"}, 422)
		admin.do("POST", path+"/hide", object{"reason_code": "offensive"}, 200)
		admin.do("POST", path+"/unhide", nil, 200)
		admin.do("POST", path+"/flags/dismiss", object{"note": "Not an insult."}, 200)
	}
}

// pictures hides, shows and blackens a picture, and reads it as the public does.
func (v *visitor) pictures(c, admin *visitor, id string) {
	v.Helper()
	image := "/reports/" + id + "/images/" + first(c.get("/reports/"+id), "images", "id")
	public := "/public" + image + "/display"
	shown := func() bool { return v.status("GET", public) == 200 }
	reason := object{"reason_code": "personal_data"}
	v.until("the picture", shown)
	admin.do("POST", image+"/hide", object{}, 422)
	admin.do("POST", image+"/hide", reason, 200)
	v.do("GET", public, nil, 404)
	admin.do("POST", image+"/unhide", nil, 200)
	v.until("the shown picture", shown)
	reason["boxes"] = []object{{"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}}
	c.do("POST", image+"/redact", reason, 403)
	admin.do("POST", image+"/redact", reason, 200)
	v.until("the redacted picture", shown)
}

// casework reads what staff read about a report, and files one for somebody.
func (v *visitor) casework(admin, official *visitor, id string) {
	v.Helper()
	for _, path := range []string{"/log", "/reporter"} {
		official.get("/reports/" + id + path)
		v.do("GET", "/reports/"+id+path, nil, 401)
	}
	official.do("POST", "/reports", object{"issue_type": "pothole", "latitude": -8.5560, "longitude": 125.5700,
		"on_behalf_of": object{"full_name": "Alda", "email": "alda@example.tl"}}, 201)
}

// people invites somebody, lists the reports of a person, and announces something to everybody.
func (v *visitor) people(admin *visitor) {
	v.Helper()
	invited := object{"email": "moderator@example.tl", "full_name": "Zita", "role": "moderator", "preferred_language": "tet"}
	id := admin.do("POST", "/admin/users/invite", invited, 201).Object().Text("id")
	admin.do("POST", "/admin/users/invite", invited, 201)
	v.mailed("moderator@example.tl", linkToken, "")
	admin.get("/admin/users/" + id + "/reports")
	words := func(s string) object { return object{"tet": s, "pt": s, "en": s} }
	admin.do("POST", "/admin/announcements", object{"title": words("Roads"), "body": words("The bridge is closed.")}, 201)
}
