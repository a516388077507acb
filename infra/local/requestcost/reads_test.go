package requestcost_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/seal"
)

// fixture is the people who send requests and the data that requests name.
type fixture struct {
	*testenv.System
	sealer                                     *seal.Sealer
	citizen, moderator, official, boss, nobody *testenv.Client
	agency                                     uuid.UUID
	report, number, image                      string // of the citizen, with a picture
	journey, marker                            string // of the citizen
	systemKey                                  string // the secret of an API key; "" before the first use
	made                                       int
}

func newFixture(w *testenv.System) *fixture {
	s := &fixture{System: w, citizen: w.Citizen(), moderator: w.Staff(identity.Moderator), boss: w.Staff(identity.Admin), nobody: w.Anonymous(),
		agency: w.Agency("A1")}
	s.official = w.Staff(identity.Official, s.agency)
	var err error
	if s.sealer, err = seal.New(seal.Config{Keys: []string{base64.StdEncoding.EncodeToString(make([]byte, 32))}}); err != nil {
		w.Fatal(err)
	}
	body := s.reportBody()
	body["images"] = []any{object{"upload_id": s.picture(s.citizen)}}
	r := s.citizen.Post("/reports", body).Want(http.StatusCreated).Object()
	s.report, s.number, s.image = r.Text("id"), r.Text("report_number"), r.Items("images")[0].Text("id")
	s.journey = s.newJourney(s.citizen)
	s.marker = s.newMarker(s.citizen, s.journey)
	return s
}

// next is a number that was not used before.
func (s *fixture) next() int {
	s.made++
	return s.made
}

func (s *fixture) reportBody() object {
	return object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.55, "longitude": 125.56, "municipality": "Dili"}
}

// newReport creates a report of the citizen and returns its number.
func (s *fixture) newReport() string {
	return s.citizen.Post("/reports", s.reportBody()).Want(http.StatusCreated).Object().Text("report_number")
}

// newJudgedReport creates a report of the citizen with a judgement by the moderator, and returns its number.
func (s *fixture) newJudgedReport() string {
	number := s.newReport()
	s.moderator.Post("/reports/"+number+"/ai-analysis/override", object{"is_relevant": true, "note": "A hole."}).Want(http.StatusOK)
	return number
}

// newImage is the path of a processed picture of a new report.
func (s *fixture) newImage() string {
	body := s.reportBody()
	body["images"] = []any{object{"upload_id": s.picture(s.citizen)}}
	r := s.citizen.Post("/reports", body).Want(http.StatusCreated).Object()
	return "/reports/" + r.Text("id") + "/images/" + r.Items("images")[0].Text("id")
}

// published is the path of a picture that everybody may see.
func (s *fixture) published() string {
	image := s.newImage()
	s.Verify(strings.Split(image, "/")[2])
	return image
}

// picture makes an upload that is processed, and returns its id.
func (s *fixture) picture(of *testenv.Client) string {
	id := of.Form("/reports/pre-upload-image", nil, "file", "a.jpg", s.JPEG(uint8(s.next()))).Want(http.StatusCreated).Object().Text("upload_id")
	s.ProcessUpload(id)
	return id
}

func (s *fixture) newJourney(of *testenv.Client) string {
	return of.Post("/journeys/", object{"name": "Dili to Baucau"}).Want(http.StatusCreated).Object().Text("id")
}

func point(name string) object {
	return object{"name": name, "marker_type": "plan", "coordinates": object{"type": "Point", "coordinates": []float64{125.56, -8.55}},
		"estimated_time": "2030-01-02"}
}

func (s *fixture) newMarker(of *testenv.Client, journey string) string {
	return of.Post("/journeys/"+journey+"/markers", point("Stop")).Want(http.StatusCreated).Object().Text("id")
}

// unsubscribe is the path of a link that ends mails to the citizen.
func (s *fixture) unsubscribe() string {
	return "//unsubscribe/" + mail.StopToken(s.sealer, mail.Stop{Kind: "report_fixed", ID: s.citizen.ID})
}

// reads are the operations that change nothing.
func (s *fixture) reads() []operation {
	var out []operation
	read := func(who *testenv.Client, most int, paths ...string) {
		for _, path := range paths {
			out = append(out, operation{most, func() request { return request{who, http.MethodGet, path, nil} }})
		}
	}
	s.Exec(`UPDATE journeys SET active = true WHERE id = $1`, s.journey)
	s.Exec(`UPDATE users SET avatar_upload_id = $2 WHERE id = $1`, s.citizen.ID, s.picture(s.citizen))
	c, id, number, journey := s.citizen, s.report, s.number, "/journeys/"+s.journey
	read(c, 1, "/reports", "/reports?q=hole", "/reports/my-reports", "/reports/my-reports?following=true", "/reports/changes", "/reports/changes?mine=true", "/reports/nearby?latitude=-8.55&longitude=125.56", "/reports/"+id, "/reports/"+number,
		"/reports/similar?latitude=-8.55&longitude=125.56", "/reports/"+number+"/comments", "/reports/"+number+"/ai-analysis",
		"/reports/stats/summary", "/reports/stats/by-type", "/reports/stats/by-municipality", "/reports/stats/by-district?municipality=Dili", "/reports/stats/by-agency",
		"/reports/stats/trends", "/blockchain/report/"+id+"/history", "/locations/municipalities", "/notifications", "/alerts",
		"/notifications/unread-count", "/users/me", "/users/"+c.ID.String(), "/users/me/sessions", journey, "/users/"+c.ID.String()+"/journeys",
		"/users/"+c.ID.String()+"/journeys/active", journey+"/markers", journey+"/markers/"+s.marker, journey+"/route", journey+"/route.gpx", journey+"/tracks",
		journey+"/reports", "/reports/"+s.newJudgedReport()+"/ai-analysis/latest", "/reports/"+id+"/images/"+s.image+"/thumbnail", "/users/"+c.ID.String()+"/avatar")
	// These must read the report first, to know its embedding or its id.
	read(c, 2, "/reports/similar?report_id="+id, "/blockchain/report/"+number+"/history")
	read(c, 3, journey+"/nearby", journey+"/journeys/nearby") // reads the journey, what is near, and ends the transaction
	read(s.moderator, 1, "/staff/queue?kind=new", "/staff/agencies", "/staff/queue?kind=needs_review", "/staff/queue?kind=flagged&agency=A1&assigned_to=me&q=hole&sort=priority", "/staff/queue?page=9", "/staff/counts", "/staff/counts?agency=a1", "/staff/templates?status=fixed", "/reports/"+id+"/notes", "/reports/"+id+"/log", "/reports/"+id+"/riders-affected")
	read(s.moderator, 2, "/staff/export.csv?kind=new") // reads, and writes to the audit log
	read(s.official, 1, "/staff/queue?kind=assigned", "/staff/queue?kind=overdue")
	read(s.moderator, 2, "/reports/"+id+"/reporter") // reads, and writes to the audit log
	read(s.boss, 1, "/admin/users", "/admin/users/"+c.ID.String()+"/reports", "/admin/agencies", "/admin/agencies/"+s.agency.String(), "/admin/api-keys", "/admin/webhooks", s.newWebhook()+"/deliveries", "/admin/audit", "/admin/settings")
	read(s.nobody, 2, "/public/feed.atom") // the second one reads the pictures
	read(s.nobody, 2, "//open311/v2/requests.csv")
	for _, f := range []string{"xml", "json"} {
		read(s.nobody, 2, "//open311/v2/requests."+f, "//open311/v2/requests."+f+"?extensions=true", "//open311/v2/requests/"+number+"."+f) // the second one reads the details
		read(s.nobody, 1, "//open311/v2/tokens/"+number+"."+f, "//open311/v2/requests."+f+"?page=9999999", "//open311/v2/servicerequestupdates."+f)
	}
	read(s.nobody, 1, "/public/reports", "/public/reports/"+number+"/comments", "/public/removals?municipality=Dili", "/public/reports/"+number, "/public"+s.published()+"/display", "/public/stats/summary", "/public/stats/by-municipality", "/public/stats/by-type",
		"/public/stats/by-district?municipality=Dili", "/public/stats/by-agency", "/public/stats/trends", "/public/blockchain/report/"+id+"/history",
		"/public/map?bbox=125,-9,126,-8&zoom=15", "/public/sketch.svg?latitude=-8.5&longitude=125.5", "/public/places?q=dili", fmt.Sprintf("/public/tiles/%d/%d/%d", 10, 869, 536), "//r/"+number, "//map",
		"//log/keys", "//verify", "//log/proof/0", "/public/blockchain/report/"+number+"/proof")
	size := s.Int(`SELECT next FROM log_counter`)
	s.PublishLog(int64(size))
	read(s.nobody, 0, "/public/reports/"+number+"/qr.svg", "//open311/v2/openapi.json", "//open311/v2/discovery.json", "//open311/v2/discovery.xml",
		"//open311/v2/services.json", "//open311/v2/services.xml", "//open311/v2/services/pothole.xml", "//ogc", "//ogc/conformance")
	read(s.nobody, 1, "//ogc/api", "//ogc/collections", "//ogc/collections/reports", "//ogc/collections/reports/items?bbox=125,-9,126,-8&source=app", "//ogc/collections/reports/items/"+id,
		"//ogc/collections/municipalities/items?bbox=125,-9,126,-8", "//ogc/collections/municipalities/items/TL-DI")
	read(s.nobody, 0, "//log/checkpoint", fmt.Sprintf("//log/tile/entries%%2F000.p%%2F%d", size)) // files of the bucket
	read(s.nobody, 1, "/mongodb")
	read(s.nobody, 0, "//health", "/", "/meta", "/openapi.json", "//openapi.json", "//openapi-3.0.json", "//docs", "//docs/docs.js", "//docs/guides", "//docs/guides/log", "//docs/problems", "//docs/problems/stale", s.unsubscribe(), "//redoc", "//redoc/redoc.standalone.js", "//admin", "//desk", "//me", "//report", "//report-worker.js", "//welcome")
	read(s.nobody, 2, "//", "//stats")                              // the reports and the figures; the figures by month and those of the agencies
	read(s.nobody, 3, "//stats?municipality=TL-DI&quarter=2026-Q3") // the third one finds the agencies that work there
	return out
}
