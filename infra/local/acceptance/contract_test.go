package acceptance

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
)

const setupToken = "a-setup-token-for-one-test"

// TestContract calls every operation of the document on the whole system. It checks
// every answer against its schema, and the document against the contract.
func TestContract(t *testing.T) {
	t.Parallel()
	base, token := elsewhere(t)
	if base == "" {
		base, token = startSystem(t, io.Discard).URL(), setupToken
	}
	v := newVisitor(t, base)
	v.doc.missing(t)

	v.meta()
	admin := v.administrators(token)
	citizen := v.accounts()
	official, agency := v.staff(admin)
	id := v.reports(citizen, admin, official, agency)
	v.community(citizen, admin, id)
	neighbour, _ := v.join("ana@example.tl", "lagoa-Tasitolu-8")
	v.neighbours(neighbour, citizen, official, id)
	v.moderation(neighbour, citizen, admin, id)
	v.pictures(citizen, admin, id)
	v.casework(admin, official, id)
	v.people(admin)
	v.monitoring(citizen, id)
	v.places(citizen)
	v.notifications(citizen)
	v.journeys(citizen, id)
	v.public(id)
	v.otherSystems(id)
	v.farewell(citizen, admin, official)
	v.doc.finish()
}

// elsewhere returns ACCEPTANCE_URL and ACCEPTANCE_SETUP_TOKEN: a running system, and
// the token for its first administrator. The system must have a console and no
// administrator yet. Both are empty if the test has to start a system.
func elsewhere(t *testing.T) (string, string) {
	t.Helper()
	base, token := os.Getenv("ACCEPTANCE_URL"), os.Getenv("ACCEPTANCE_SETUP_TOKEN")
	if (base == "") != (token == "") {
		t.Fatal("ACCEPTANCE_URL and ACCEPTANCE_SETUP_TOKEN go together")
	}
	return base, token
}

// startSystem runs a whole system for this test. Its rate limits are so high that the test does not reach them.
func startSystem(t *testing.T, log io.Writer) *system.System {
	t.Helper()
	dir := t.TempDir()
	// An account without the right to install packages uses the PostgreSQL that was unpacked once for all tests.
	if tools, err := filepath.Abs("../../../.run/pg"); err == nil {
		if err := os.Symlink(tools, filepath.Join(dir, "pg")); err != nil {
			t.Fatal(err)
		}
	}
	env := config.Env{"PORT": "0", "PATH": os.Getenv("PATH"), "ADMIN_SETUP_TOKEN": setupToken}
	for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "ADDRESS_PER_MINUTE", "VIEW_PER_MINUTE", "AUTH_PER_MINUTE",
		"CREATE_PER_HOUR", "SYNC_PER_HOUR", "UPLOAD_PER_HOUR", "COMMENT_PER_HOUR", "FLAG_PER_HOUR", "IMPORT_PER_HOUR", "VERIFY_PER_MINUTE"} {
		env["RATE_LIMIT_"+limit] = "1000000"
	}
	s, err := system.Start(t.Context(), system.Options{Dir: dir, Env: env, Out: t.Output(), Log: log, Watch: answers.Watched(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// photograph returns a JPEG with a colour gradient. Another shade gives another picture.
func photograph(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			img.Set(x, y, color.RGBA{R: shade, G: uint8(x / 3), B: uint8(y / 2), A: 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (v *visitor) meta() {
	v.Helper()
	for _, path := range []string{"//health", "//health/ready", "/", "/meta", "/mongodb", "//docs", "//docs/guides", "//docs/guides/log", "//docs/problems", "//docs/problems/stale", "//docs/swagger-ui.css", "//redoc",
		"//redoc/redoc.standalone.js", "//openapi.json", "//openapi-3.0.json", "/openapi.json"} {
		v.get(path)
	}
	v.do("GET", "/users/me", nil, http.StatusUnauthorized)
}

// administrators makes the first administrator and signs in with the second factor.
func (v *visitor) administrators(setupToken string) *visitor {
	v.Helper()
	const email, secret = "admin@example.tl", "monte-Ramelau-2963"
	setup := v.do("POST", "/admin/setup", object{"setup_token": setupToken, "email": email, "password": secret, "full_name": "Admin"}, 201)
	code, err := totp.GenerateCode(setup.Object().Text("secret"), time.Now())
	if err != nil {
		v.Fatal(err)
	}
	challenge := v.do("POST", "/auth/login", object{"email": email, "password": secret}, 200).Object().Text("challenge_id")
	token := v.do("POST", "/auth/totp/verify", object{"challenge_id": challenge, "code": code}, 200).Object().Text("access_token")
	return v.as(token)
}

var (
	sixDigits = regexp.MustCompile(`\b(\d{6})\b`)
	linkToken = regexp.MustCompile(`\?token=([^\s"<>]+)`)

	endOfMails = regexp.MustCompile(`/unsubscribe/([^\s"<>]+)`)
)

// join makes a verified account and returns it signed in.
func (v *visitor) join(email, password string) (*visitor, apiclient.TestResponse) {
	v.Helper()
	v.do("POST", "/auth/register", object{"email": email, "password": password, "full_name": "Maria dos Santos"}, 201)
	tokens := v.do("POST", "/auth/verify-otp", object{"email": email, "otp": v.mailed(email, sixDigits, "")}, 200)
	return v.as(tokens.Object().Text("access_token")), tokens
}

// accounts uses the operations of accounts: those of the app and those of the journey client.
// pageSession begins and ends a session as a page of the site does.
func (v *visitor) pageSession(email, password string) {
	v.Helper()
	page := &visitor{v.T, v.With("X-LafaekStreet", "1"), v.doc}
	token := v.do("POST", "/auth/login", object{"email": email, "password": password}, 200).Object().Text("refresh_token")
	v.do("POST", "/auth/web-session", object{"refresh_token": token}, 403)
	page.do("POST", "/auth/web-session", object{"refresh_token": token}, 200)
	page.do("POST", "/auth/web-session", object{}, 401)
	page.do("DELETE", "/auth/web-session", nil, 200)
}

func (v *visitor) accounts() *visitor {
	v.Helper()
	const email, first, second, third = "maria@example.tl", "rua-Aimutin-42", "ponte-Comoro-77", "praia-Areia-Branca-5"
	c, tokens := v.join(email, first)
	v.do("POST", "/auth/resend-otp", object{"email": "nobody@example.tl"}, 200)
	v.do("POST", "/auth/login", object{"email": email, "password": "wrong-password-1"}, 401)
	v.do("POST", "/auth/refresh", object{"refresh_token": tokens.Object().Text("refresh_token")}, 200)
	v.pageSession(email, first)
	v.do("POST", "/auth/token", url.Values{"username": {email}, "password": {first}}, 200)
	google := v.do("POST", "//_local/google", object{"email": "joao@example.tl", "name": "João"}, 200)
	v.do("POST", "/auth/google", object{"id_token": google.Object().Text("id_token")}, 200)

	v.do("POST", "/auth/email-code", object{"email": "rosa@example.tl"}, 200)
	v.do("POST", "/auth/email-code/verify", object{"email": "rosa@example.tl", "otp": v.mailed("rosa@example.tl", sixDigits, "")}, 200)

	firstCode := v.mailed(email, sixDigits, "")
	v.do("POST", "/auth/forgot-password", object{"email": email}, 200)
	v.do("POST", "/auth/reset-password", object{"email": email, "otp": v.mailed(email, sixDigits, firstCode), "new_password": second}, 200)
	c.do("GET", "/users/me", nil, http.StatusUnauthorized)
	c = v.as(v.do("POST", "/auth/login", object{"email": email, "password": second}, 200).Object().Text("access_token"))
	other := v.as(v.do("POST", "/auth/login", object{"email": email, "password": second}, 200).Object().Text("access_token"))
	other.do("POST", "/auth/logout", object{}, 200)

	const rider = "heidi@example.org"
	v.do("POST", "/users/register", object{"name": "Heidi", "email": rider, "password": first}, 201)
	link := v.mailed(rider, linkToken, "")
	v.do("POST", "/users/resend-verification", object{"email": rider}, 202)
	v.get("/users/verify-email?token=" + link)
	v.do("POST", "/users/reset-password", object{"email": rider}, 202)
	reset := v.mailed(rider, regexp.MustCompile(`reset-password\?token=([^\s"<>]+)`), "")
	plain, err := url.QueryUnescape(reset)
	if err != nil {
		v.Fatal(err)
	}
	v.do("POST", "/users/update-password", object{"token": plain, "new_password": third}, 200)

	me := c.get("/users/me").Object().Text("id")
	c.do("PATCH", "/users/me", object{"country": "TL", "share_contact": true, "preferred_language": "pt"}, 200)
	c.get("/users/me/export")
	c.get("/users/" + me)
	c.do("PUT", "/users/"+me, object{"name": "Maria", "email": email, "country": "TL"}, 200)
	c.do("PUT", "/users/me/devices/phone-1", object{"platform": "android", "fcm_token": "token-1"}, 200)
	c.do("DELETE", "/users/me/devices/phone-1", nil, 200)
	c.do("POST", "/users/me/change-password", object{"current_password": second, "new_password": first}, 200)
	v.do("POST", "/auth/login", object{"email": email, "password": first}, 200)
	sessions := c.get("/users/me/sessions")
	for _, session := range elements(sessions) {
		if session.At("is_current") != true && session.At("current") != true {
			c.do("DELETE", "/users/me/sessions/"+session.Text("id"), nil, 200)
			break
		}
	}
	return c
}

// elements returns the objects of an array, or of the member items of a page.
func elements(r apiclient.TestResponse) []apiclient.Object {
	if bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{")) {
		return r.Object().Items("items")
	}
	return r.List()
}

// staff makes an agency and an official with a second factor.
func (v *visitor) staff(admin *visitor) (*visitor, string) {
	v.Helper()
	agency := admin.do("POST", "/admin/agencies", object{"code": "DILI-ROADS", "name": "Roads of Dili", "agency_type": "municipal",
		"municipality_codes": []string{"TL-DI"}, "issue_types": []string{"pothole"}, "contact_email": "roads@example.tl"}, 201).Object().Text("id")
	admin.do("PATCH", "/admin/agencies/"+agency, object{"name": "Roads of Dili and Ataúro"}, 200)
	admin.get("/admin/agencies")
	admin.get("/admin/agencies/" + agency)
	made := admin.do("POST", "/admin/api-keys", object{"name": "FixMyStreet Dili", "contact_email": "keys@example.tl"}, 201).Object()
	for _, f := range []string{"xml", "json"} {
		admin.do("POST", "//open311/v2/requests."+f, url.Values{"api_key": {made.Text("key")}, "service_code": {"pothole"}, "lat": {"-8.5572"}, "long": {"125.5607"}, "description": {f}}, 200)
		admin.do("POST", "//open311/v2/requests."+f, url.Values{"service_code": {"pothole"}}, 403)
		sent := admin.do("POST", "//open311/v2/requests.json", url.Values{"api_key": {made.Text("key")}, "service_code": {"pothole"}, "lat": {"-8.5572"}, "long": {"125.5607"}, "description": {f}}, 200).List()[0]
		admin.do("POST", "//open311/v2/servicerequestupdates."+f, url.Values{"api_key": {made.Text("key")}, "service_request_id": {sent.Text("service_request_id")}, "update_id": {f}, "description": {"Deeper."}}, 200)
		admin.do("POST", "//open311/v2/servicerequestupdates."+f, url.Values{"api_key": {made.Text("key")}, "service_request_id": {"LS-2020-000001"}, "update_id": {f}, "description": {"Deeper."}}, 404)
	}
	key := made.Text("id")
	admin.get("/admin/api-keys")
	admin.do("DELETE", "/admin/api-keys/"+key, nil, 200)
	admin.webhooks()
	admin.get("/admin/audit")
	settings := admin.get("/admin/settings").Object().Values
	settings["evidence_images_max"] = 3
	admin.do("PUT", "/admin/settings", settings, 200)

	const email, password = "official@example.tl", "estrada-Balide-12"
	_, tokens := v.join(email, password)
	user, _ := tokens.Object().Values["user"].(object)
	admin.get("/admin/users?q=official")
	admin.do("PATCH", "/admin/users/"+user["id"].(string), object{"role": "government_official", "agency_id": agency, "reason": "New colleague"}, 200)
	o := v.as(v.do("POST", "/auth/login", object{"email": email, "password": password}, 200).Object().Text("access_token"))
	secret := o.do("POST", "/auth/totp/enroll", object{}, 200).Object().Text("secret")
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		v.Fatal(err)
	}
	o.do("POST", "/auth/totp/confirm", object{"code": code}, 200)
	return o, agency
}

func (v *visitor) places(c *visitor) {
	v.Helper()
	c.get("/locations/municipalities")
	c.get("/locations/reverse-geocode?lat=-8.5569&lon=125.5603")
	c.get("/locations/search?q=Baucau")
}

func (v *visitor) notifications(c *visitor) {
	v.Helper()
	one := first(c.get("/notifications"), "items", "id")
	c.get("/notifications/unread-count")
	c.do("POST", "/notifications/"+one+"/read", nil, 200)
	c.do("POST", "/notifications/read-all", nil, 200)
	c.do("DELETE", "/notifications/"+one, nil, 200)
	c.do("DELETE", "/notifications/"+one, nil, 404)
	alert := object{"municipality": "Baucau", "issue_types": []string{"flooding"}, "events": []string{"new"}}
	one = c.do("POST", "/alerts", alert, 201).Object().Text("id")
	c.do("POST", "/alerts", alert, 200)
	c.get("/alerts")
	c.do("DELETE", "/alerts/"+one, nil, 200)
	c.do("DELETE", "/alerts/"+one, nil, 404)
	page := "//unsubscribe/" + c.mailed("maria@example.tl", endOfMails, "")
	c.get(page)
	c.do("POST", page, url.Values{"List-Unsubscribe": {"One-Click"}}, 200)
}

func (v *visitor) journeys(c *visitor, report string) {
	v.Helper()
	me := c.get("/users/me").Object().Text("id")
	journey := c.do("POST", "/journeys/", object{"name": "Tour", "active": true}, 201).Object().Text("_id")
	spare := c.do("POST", "/journeys", object{"name": "Spare"}, 201).Object().Text("_id")
	c.get("/journeys/" + journey)
	c.get("/users/" + me + "/journeys")
	c.get("/users/" + me + "/journeys/active")
	marker := func(lon float64) object {
		return object{"name": "Stop", "marker_type": "plan", "estimated_time": "2027-05-01",
			"coordinates": object{"type": "Point", "coordinates": []float64{lon, -8.5569}}}
	}
	one := c.do("POST", "/journeys/"+journey+"/markers", marker(125.50), 201).Object().Text("_id")
	two := c.do("POST", "/journeys/"+journey+"/markers", marker(125.60), 201).Object().Text("_id")
	c.get("/journeys/" + journey + "/markers")
	c.get("/journeys/" + journey + "/markers/" + one)
	c.do("PUT", "/journeys/"+journey+"/markers/"+one, marker(125.51), 200)
	for _, path := range []string{"/journeys/nearby", "/nearby", "/route", "/route.gpx", "/reports?within_m=1000"} {
		c.get("/journeys/" + journey + path)
	}
	c.do("POST", "/journeys/"+spare+"/import", apiclient.Raw{ContentType: "application/gpx+xml", Body: []byte(`<?xml version="1.0"?><gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1">` +
		`<wpt lat="-8.5" lon="125.5"><name>A</name></wpt><trk><trkseg><trkpt lat="-8.5" lon="125.5"/><trkpt lat="-8.6" lon="125.6"/></trkseg></trk></gpx>`)}, 201)
	v.directImport(c, spare)
	track := c.do("GET", "/journeys/"+spare+"/tracks", nil, 200).List()[0].Text("id")
	c.do("DELETE", "/journeys/"+spare+"/tracks/"+track, nil, 204)
	c.do("DELETE", "/journeys/"+journey+"/markers/"+two, nil, 204)
	c.do("PATCH", "/journeys/"+spare, object{"name": "Spare tour"}, 200)
	c.do("PATCH", "/journeys/"+journey+"/active", nil, 204)
	c.do("PATCH", "/journeys/"+journey, nil, 204)
	c.do("DELETE", "/journeys/"+spare, nil, 204)
}

// directImport sends a file straight to storage and imports it.
func (v *visitor) directImport(c *visitor, journey string) {
	v.Helper()
	file := `{"type":"Point","coordinates":[125.5,-8.6]}`
	path := "/journeys/" + journey + "/import"
	address := c.do("POST", path, object{"content_type": "application/geo+json", "size_bytes": len(file)}, 201).Object()
	body := object{"upload_id": address.Text("upload_id")}
	c.do("POST", path, body, 409)
	req, err := http.NewRequestWithContext(v.Context(), address.Text("upload.method"), address.Text("upload.url"), strings.NewReader(file))
	if err != nil {
		v.Fatal(err)
	}
	headers, _ := address.At("upload.headers").(map[string]any)
	for name, value := range headers {
		text, _ := value.(string)
		req.Header.Set(name, text)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
		v.Errorf("storage answers %s", res.Status)
	}
	c.do("POST", path, body, 201)
	c.do("POST", path, body, 200)
}

var asset = regexp.MustCompile(`/assets/[^"' ]+`)

func (v *visitor) public(id string) {
	v.Helper()
	number := v.get("/public/reports/" + id).Object().Text("report_number")
	for _, path := range []string{"/public/reports", "/public/map?bbox=125,-9,126,-8&zoom=8", "/public/map?bbox=125,-9,126,-8&zoom=16",
		"/public/tiles/6/54/33.mvt", "/public/stats/summary", "/public/stats/by-type", "/public/stats/by-municipality",
		"/public/stats/by-district", "/public/stats/by-agency", "/public/stats/trends", "/public/reports/" + id + "/comments", "/public/removals",
		"/public/feed.atom", "/public/blockchain/report/" + id + "/history",
		"/public/blockchain/report/" + id + "/verify", "/public/export.csv?status=in_progress", "/public/export.geojson?status=in_progress",
		"//r/" + number} {
		v.get(path)
	}
	proof := "/public/blockchain/report/" + id + "/proof"
	v.until("the log has the report", func() bool { return v.status("GET", proof) == 200 })
	for _, path := range []string{proof, "//log/checkpoint", "//log/keys", "//log/proof/0"} {
		v.get(path)
	}
	size := strings.Split(string(v.get("//log/checkpoint").Body), "\n")[1]
	v.get("//log/tile/entries%2F000.p%2F" + size)
	v.get("//verify")
	v.get("/public/reports/" + number + "/qr.svg")
	v.get("/public/sketch.svg?latitude=-8.55&longitude=125.57")
	v.get("/public/places?q=dili")
	for _, page := range []string{"//", "//report", "//me", "//desk", "//admin", "//stats", "//welcome", "//report-worker.js"} {
		v.get(page)
	}
	page := string(v.get("//map").Body)
	v.get("/" + asset.FindString(page))
}

// webhooks adds a webhook whose receiver does not exist, and has a call of it made again that was given up.
func (v *visitor) webhooks() {
	v.Helper()
	hook := "/admin/webhooks/" + v.do("POST", "/admin/webhooks", object{"url": "https://receiver.invalid/hook", "events": []string{"report.created"}}, 201).Object().Text("id")
	v.do("POST", "/reports", object{"issue_type": "bridge", "latitude": -8.5574, "longitude": 125.5609, "description": "for the receiver"}, 201)
	v.get("/admin/webhooks")
	v.do("POST", hook+"/rotate", nil, 200)
	v.do("PATCH", hook, object{"enabled": false}, 200) // what waits is given up
	call := first(v.get(hook+"/deliveries?state=parked"), "items", "id")
	v.do("PATCH", hook, object{"enabled": true}, 200)
	v.do("POST", hook+"/deliveries/"+call+"/redrive", nil, 202)
	v.do("DELETE", hook, nil, 200)
}

// otherSystems uses what programs of others call: Open311 and OGC API – Features.
func (v *visitor) otherSystems(id string) {
	v.Helper()
	number := v.get("/public/reports/" + id).Object().Text("report_number")
	v.get("//open311/v2/requests.csv")
	v.get("//open311/v2/openapi.json")
	for _, f := range []string{"xml", "json"} {
		for _, path := range []string{"discovery", "services", "services/pothole", "requests", "requests/" + number, "tokens/" + number, "servicerequestupdates"} {
			v.get("//open311/v2/" + path + "." + f)
		}
	}
	for _, path := range []string{"", "/api", "/conformance", "/collections", "/collections/reports", "/collections/reports/items", "/collections/reports/items/" + id, "/collections/municipalities/items/TL-DI"} {
		v.get("//ogc" + path)
	}
}

// farewell uses the operations that remove agencies and accounts.
func (v *visitor) farewell(c, admin, official *visitor) {
	v.Helper()
	up := c.do("POST", "/reports/pre-upload-image", picture(photograph(v.T, 200)), 201).Object().Text("upload_id")
	c.do("PATCH", "/users/me", object{"avatar_upload_id": up}, 200)
	me := c.get("/users/me").Object().Text("id")
	c.until("the avatar", func() bool { return c.status("GET", "/users/"+me+"/avatar") == 302 })
	c.do("GET", "/users/"+me+"/avatar", nil, 302)
	spare := admin.do("POST", "/admin/agencies", object{"code": "SPARE", "name": "Spare", "agency_type": "contractor"}, 201).Object().Text("id")
	admin.do("DELETE", "/admin/agencies/"+spare, nil, 200)
	other, tokens := v.join("leaving@example.tl", "casa-Lahane-88")
	user, _ := tokens.Object().Values["user"].(object)
	other.do("DELETE", "/users/"+user["id"].(string), nil, 200)
	c.do("DELETE", "/users/me", object{"password": "rua-Aimutin-42"}, 200)
	officialID := official.get("/users/me").Object().Text("id")
	admin.do("DELETE", "/admin/users/"+officialID+"/totp", object{}, 422)
	admin.do("DELETE", "/admin/users/"+officialID+"/totp", object{"reason": "Lost the phone."}, 200)
}
