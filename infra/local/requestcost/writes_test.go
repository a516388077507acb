package requestcost_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

const (
	setupToken = "let-me-in"
	password   = "rua-Aimutin-42"
)

// writes are the operations that change something. Most take two round trips: one reads and locks what will change, one
// writes, reads the answer and commits. Some need no first one.
func (s *fixture) writes() []operation {
	return append(append(append(s.reportWrites(), s.staffWrites()...), s.ownWrites()...), append(s.journeyWrites(), s.accountWrites()...)...)
}

func on(most int, ask func() request) operation { return operation{most, ask} }

// open311 is a new report of another system.
func (s *fixture) open311(format string) request {
	if s.systemKey == "" {
		_, s.systemKey = s.APIKey("FixMyStreet")
	}
	form := url.Values{"api_key": {s.systemKey}, "service_code": {"pothole"}, "lat": {"-8.55"}, "long": {"125.55"}, "description": {fmt.Sprint(s.next())}, "email": {"ana@example.tl"}}
	return request{s.nobody, "POST", "//open311/v2/requests." + format, form}
}

// open311Update is a new update of another system.
func (s *fixture) open311Update(format string) request {
	s.open311(format) // makes the key
	form := url.Values{"api_key": {s.systemKey}, "service_request_id": {s.judgedReport("verified")}, "update_id": {fmt.Sprint(s.next())}, "description": {"Deeper."}}
	return request{s.nobody, "POST", "//open311/v2/servicerequestupdates." + format, form}
}

func (s *fixture) reportWrites() []operation {
	c, comments := s.citizen, "/reports/"+s.number+"/comments"
	batch := func() request {
		return request{c, "POST", "/reports/batch", object{"reports": []any{s.reportBody(), s.reportBody(), s.reportBody()}}}
	}
	comment := func(who *testenv.Client) request {
		return request{who, "POST", comments, object{"client_id": uuid.NewString(), "content": "Still there."}}
	}
	keyed := func() *testenv.Client { return c.With("Idempotency-Key", uuid.NewString()) }
	return []operation{
		on(2, func() request { return request{c, "POST", "/reports", s.reportBody()} }),
		on(2, func() request {
			body := s.reportBody()
			body["on_behalf_of"] = object{"full_name": "Domingos", "email": "domingos@example.tl"}
			return request{s.moderator, "POST", "/reports", body}
		}),
		on(2*3, batch),
		on(2, func() request { return s.open311("json") }), // the key and the settings are kept
		on(2, func() request { return s.open311("xml") }),
		on(2, func() request { return s.open311Update("json") }),
		on(2, func() request { return s.open311Update("xml") }),
		on(1, func() request {
			return request{c, "POST", "/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": 1000}}
		}),
		on(2, func() request { return comment(c) }),
		on(2+claim, func() request { return comment(keyed()) }),
		on(2, func() request {
			return request{c, "POST", "/alerts", object{"latitude": -8.5, "longitude": 125.5, "radius_meters": 100 + s.next()}}
		}),
		on(1, func() request {
			return request{c, "DELETE", "/alerts/" + c.Post("/alerts", object{"latitude": -8.5, "longitude": 125.5, "radius_meters": 100 + s.next()}).Object().Text("id"), nil}
		}),
		on(2, func() request { return request{s.Citizen(), "POST", "/reports/" + s.number + "/follow", nil} }),
		on(1, func() request { return request{c, "DELETE", "/reports/" + s.number + "/follow", nil} }),
		on(3, func() request {
			return request{s.Citizen(), "POST", "/reports/" + s.judgedReport("verified") + "/confirm", object{"note": "Deep."}}
		}),
		on(2, func() request { return request{s.Citizen(), "POST", "/reports/" + s.newReport() + "/confirm", nil} }),
		on(3, func() request {
			return request{c, "POST", "/reports/" + s.judgedReport("fixed") + "/dispute", object{"note": "It is open.", "upload_id": s.picture(c)}}
		}),
		on(2, func() request {
			return request{s.moderator, "DELETE", comments + "/" + c.Post(comments, comment(c).body).Object().Text("id"), nil}
		}),
		on(3, func() request { // the flag that hides
			number := s.newReport()
			s.Exec(`UPDATE users SET created_at = created_at - interval '10 days'`)
			s.Exec(`UPDATE reports SET status = 'verified' WHERE report_number = $1`, number)
			s.Exec(`INSERT INTO report_flags (id, report_id, reason_code, counted) SELECT gen_random_uuid(), id, 'offensive', true
				FROM reports, generate_series(1, 2) WHERE report_number = $1`, number)
			return request{s.moderator, "POST", "/reports/" + number + "/flag", object{"reason": "offensive"}}
		}),
		on(3, func() request {
			return request{s.moderator, "POST", s.comment() + "/flag", object{"reason": "offensive"}}
		}),
		on(3, func() request {
			return request{c, "PATCH", "/reports/" + s.newReport(), object{"title": "A deep hole", "issue_type": "flooding"}}
		}),
		on(3, func() request { return request{c, "DELETE", "/reports/" + s.newReport(), nil} }),
		// As for each change that the ledger records, the third one reads what the event says.
		on(3, func() request {
			return request{c, "POST", "/reports/" + s.newReport() + "/images", object{"upload_id": s.picture(c)}}
		}),
		on(3+claim, func() request {
			return request{s.moderator.With("Idempotency-Key", uuid.NewString()), "POST", "/reports/" + s.newReport() + "/images",
				object{"upload_id": s.picture(s.moderator), "kind": "resolution"}}
		}),
		on(3, func() request {
			return request{c, "DELETE", s.newImage(), nil}
		}),
	}
}

// judgedReport is a new report of the citizen with a status after its verdict.
func (s *fixture) judgedReport(status string) string {
	number := s.newReport()
	s.Exec(`UPDATE reports SET status = $2, resolved_at = CASE WHEN $2 = 'fixed' THEN now() END WHERE report_number = $1`, number, status)
	return number
}

// claim is the round trip that an Idempotency-Key adds: the key is claimed before the operation begins.
const claim = 1

func (s *fixture) staffWrites() []operation {
	m, reason := s.moderator, object{"reason": "The picture shows the hole from above."}
	rejected := func() string {
		number := s.newReport()
		s.Exec(`UPDATE reports SET status = 'rejected' WHERE report_number = $1`, number)
		return "/reports/" + number
	}
	status := func(body object) request { return request{m, "POST", "/reports/" + s.newReport() + "/status", body} }
	keyed := func(who *testenv.Client) *testenv.Client { return who.With("Idempotency-Key", uuid.NewString()) }
	override := object{"is_relevant": true, "severity": "high", "note": "It is a hole."}
	items := func(n int) []any {
		var out []any
		for range n {
			out = append(out, object{"report_id": s.newReport(), "status": "verified"})
		}
		return out
	}
	return []operation{
		on(2, func() request {
			return request{m, "POST", "/reports/" + s.number + "/notes", object{"content": "Called the agency."}}
		}),
		on(3, func() request { return status(object{"status": "verified"}) }),
		on(3, func() request { return status(object{"status": "duplicate", "duplicate_of": s.number}) }),
		on(3, func() request {
			return request{m, "PATCH", "/reports/" + s.newReport(), object{"severity": "high", "status": "verified"}}
		}),
		on(3, func() request {
			return request{s.boss, "POST", "/reports/" + s.newReport() + "/assign", object{"agency_id": s.agency, "user_id": s.official.ID, "note": "Soon."}}
		}),
		on(3, func() request { return request{s.boss, "POST", "/reports/" + s.newReport() + "/assign", object{}} }),
		on(3, func() request {
			id := s.newReport()
			s.Exec(`UPDATE reports SET assigned_agency_id = $2, status = 'in_progress' WHERE report_number = $1`, id, s.agency)
			return request{s.boss, "POST", "/reports/" + id + "/hand-back", object{"note": "Not ours."}}
		}),
		on(3, func() request {
			return request{m, "POST", "/reports/" + s.newReport() + "/hide", object{"reason_code": "offensive"}}
		}),
		on(3, func() request { return request{m, "POST", s.newImage() + "/hide", object{"reason_code": "offensive"}} }),
		on(3, func() request {
			image := s.newImage()
			m.Post(image+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
			return request{m, "POST", image + "/unhide", nil}
		}),
		on(3, func() request {
			return request{m, "POST", s.newImage() + "/redact", object{"reason_code": "offensive", "boxes": []object{{"x": 0, "y": 0, "width": 1, "height": 1}}}}
		}),
		on(3, func() request { return request{m, "POST", s.flagged() + "/unhide", nil} }),
		on(3, func() request { return request{m, "POST", s.flagged() + "/flags/dismiss", nil} }),
		on(3, func() request { return request{m, "POST", s.comment() + "/hide", object{"reason_code": "offensive"}} }),
		on(3, func() request { return request{m, "POST", s.flaggedComment() + "/unhide", nil} }),
		on(3, func() request { return request{m, "POST", s.flaggedComment() + "/flags/dismiss", nil} }),
		on(3*4, func() request { return request{m, "POST", "/staff/reports/bulk-status", object{"items": items(4)}} }),
		on(3*4, func() request { return request{m, "POST", "/staff/reports/bulk-assign", object{"items": items(4)}} }),
		on(3, func() request { return request{m, "POST", rejected() + "/ai-analysis/override", override} }),
		// The answer that is stored under the key is read before the commit.
		on(4+claim, func() request { return request{keyed(m), "POST", rejected() + "/ai-analysis/override", override} }),
		on(2, func() request { return request{s.citizen, "POST", rejected() + "/appeal", reason} }),
		on(3+claim, func() request { return request{keyed(s.citizen), "POST", rejected() + "/appeal", reason} }),
		on(2, func() request { return request{s.boss, "POST", "/admin/agencies", s.agencyBody()} }),
		on(2, func() request { return request{s.boss, "PATCH", s.newAgency(), object{"name": "Roads"}} }),
		on(2, func() request { return request{s.boss, "DELETE", s.newAgency(), nil} }),
		on(2, func() request { return request{s.boss, "POST", "/admin/api-keys", apiKey} }),
		on(2, func() request { return request{s.boss, "DELETE", s.newAPIKey(), nil} }),
		on(2, func() request { return request{s.boss, "POST", "/admin/webhooks", hook} }),
		on(2, func() request { return request{s.boss, "PATCH", s.newWebhook(), object{"enabled": false}} }),
		on(2, func() request { return request{s.boss, "DELETE", s.newWebhook(), nil} }),
		on(2, func() request { return request{s.boss, "POST", s.newWebhook() + "/rotate", nil} }),
		on(2, func() request { return request{s.boss, "POST", s.parkedDelivery() + "/redrive", nil} }),
		on(2, func() request { return request{m, "POST", "/staff/templates", template} }),
		on(2, func() request { return request{m, "PATCH", s.newTemplate(), object{"title": "Later"}} }),
		on(2, func() request { return request{m, "DELETE", s.newTemplate(), nil} }),
		on(2, func() request { return request{s.boss, "PUT", "/admin/settings", s.settings()} }),
		on(2, func() request {
			return request{s.boss, "PATCH", "/admin/users/" + s.Citizen().ID.String(), object{"role": "government_official", "agency_id": s.agency}}
		}),
		on(2, func() request {
			return request{s.boss, "PATCH", "/admin/users/" + s.Citizen().ID.String(), object{"suspended": true, "reason": "Spam."}}
		}),
		on(3, func() request {
			return request{s.boss, "POST", "/admin/users/invite", object{"email": fmt.Sprintf("p%d@example.tl", s.next()), "full_name": "Rui", "role": "moderator"}}
		}),
		on(2, func() request {
			return request{s.boss, "POST", "/admin/announcements", object{"title": object{"en": "Storm"}, "body": object{"en": "Stay at home."}}}
		}),
		on(2, func() request {
			return request{s.boss, "PATCH", "/admin/users/" + s.Citizen().ID.String(), object{"clear_name": true, "clear_avatar": true}}
		}),
		on(2, func() request {
			p := s.Staff(identity.Moderator)
			s.Exec(`UPDATE users SET totp_secret = 'secret', totp_confirmed_at = now() WHERE id = $1`, p.ID)
			return request{s.boss, "DELETE", "/admin/users/" + p.ID.String() + "/totp", object{"reason": "Lost phone."}}
		}),
	}
}

// flagged is a new report whose words flags have hidden.
func (s *fixture) flagged() string {
	number := s.newReport()
	s.Exec(`UPDATE reports SET words_hidden = 'flags', words_hidden_reason = 'offensive' WHERE report_number = $1`, number)
	return "/reports/" + number
}

// comment is a new comment on the report of the fixture.
func (s *fixture) comment() string {
	path := "/reports/" + s.number + "/comments"
	return path + "/" + s.citizen.Post(path, object{"content": "Still there."}).Want(http.StatusCreated).Object().Text("id")
}

// flaggedComment is a new comment that flags have hidden.
func (s *fixture) flaggedComment() string {
	path := s.comment()
	s.Exec(`UPDATE report_comments SET hidden = 'flags', hidden_reason = 'offensive' WHERE id = $1`, path[len(path)-36:])
	return path
}

func (s *fixture) settings() any {
	return s.boss.Get("/admin/settings").Want(http.StatusOK).Object().Values
}

func (s *fixture) agencyBody() object {
	return object{"code": fmt.Sprintf("AG-%d", s.next()), "name": "Public Works", "agency_type": "municipal", "municipality_codes": []string{"TL-DI"}}
}

var apiKey = object{"name": "FixMyStreet Dili", "contact_email": "keys@example.tl"}

var template = object{"title": "Planned", "body": object{"tet": "Ekipa sei ba."}}

func (s *fixture) newAPIKey() string {
	return "/admin/api-keys/" + s.boss.Post("/admin/api-keys", apiKey).Want(http.StatusCreated).Object().Text("id")
}

var hook = object{"url": "https://8.8.8.8/hook", "events": []string{"report.disputed"}}

func (s *fixture) newWebhook() string {
	s.Exec(`DELETE FROM webhooks`) // there may be 20
	return "/admin/webhooks/" + s.boss.Post("/admin/webhooks", hook).Want(http.StatusCreated).Object().Text("id")
}

// parkedDelivery is the path of a delivery that was given up.
func (s *fixture) parkedDelivery() string {
	path := s.newWebhook()
	s.Exec(`INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at, state, settled_at)
		SELECT gen_random_uuid(), w.id, r.id, 'report.disputed', now(), 'parked', now() FROM webhooks w, (SELECT id FROM reports LIMIT 1) r`)
	return path + "/deliveries/" + s.Text(`SELECT id FROM webhook_deliveries`)
}

func (s *fixture) newTemplate() string {
	return "/staff/templates/" + s.moderator.Post("/staff/templates", template).Want(http.StatusCreated).Object().Text("id")
}

func (s *fixture) newAgency() string {
	return "/admin/agencies/" + s.boss.Post("/admin/agencies", s.agencyBody()).Want(http.StatusCreated).Object().Text("id")
}

// ownWrites are what people do with what is theirs.
func (s *fixture) ownWrites() []operation {
	c := s.citizen
	notice := func() string {
		s.newReport()
		return "/notifications/" + c.Get("/notifications").Object().Items("items")[0].Text("id")
	}
	device := func() string { return fmt.Sprintf("/users/me/devices/phone-%d", s.next()) }
	phone := object{"platform": "android", "fcm_token": "t", "model": "A04"}
	return []operation{
		on(1, func() request { return request{c, "POST", "/notifications/read-all", nil} }),
		on(1, func() request { return request{s.nobody, "POST", s.unsubscribe(), nil} }),
		on(1, func() request { return request{c, "POST", notice() + "/read", nil} }),
		on(1, func() request { return request{c, "DELETE", notice(), nil} }),
		on(1, func() request {
			return request{c, "PATCH", "/users/me", object{"full_name": "Maria", "country": nil, "share_contact": true, "notification_prefs": object{"email": false}}}
		}),
		on(2, func() request { return request{c, "PATCH", "/users/me", object{"avatar_upload_id": s.picture(c)}} }),
		on(1, func() request {
			return request{c, "PUT", "/users/" + c.ID.String(), object{"name": "Maria", "phonenumber": ""}}
		}),
		on(1, func() request { return request{c, "PUT", device(), phone} }),
		on(1, func() request {
			path := device()
			c.Do("PUT", path, phone)
			return request{c, "DELETE", path, nil}
		}),
		on(1, func() request {
			p := s.Citizen()
			return request{p, "DELETE", "/users/me/sessions/" + p.SessionID.String(), nil}
		}),
		on(4, func() request { return request{s.member(), "DELETE", "/users/me", object{"password": password}} }),
		on(3, func() request {
			p := s.member()
			return request{p, "DELETE", "/users/" + p.ID.String(), nil}
		}),
		on(3, func() request {
			return request{s.member(), "POST", "/users/me/change-password", object{"current_password": password, "new_password": "ponte-Comoro-77"}}
		}),
	}
}

func (s *fixture) journeyWrites() []operation {
	c := s.citizen
	markers := func() string { return "/journeys/" + s.newJourney(c) + "/markers" }
	one := func() string {
		journey := s.newJourney(c)
		return "/journeys/" + journey + "/markers/" + s.newMarker(c, journey)
	}
	track := []byte(`{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[125.5,-8.5],[125.6,-8.6]]}}`)
	newTrack := func() string {
		journey := s.newJourney(c)
		c.Post("/journeys/"+journey+"/import", track).Want(http.StatusCreated)
		return "/journeys/" + journey + "/tracks/" + c.Do(http.MethodGet, "/journeys/"+journey+"/tracks", nil).Want(http.StatusOK).List()[0].Text("id")
	}
	create := func(path string) func() request {
		return func() request { return request{c, "POST", path, object{"name": "Home", "active": true}} }
	}
	return []operation{
		on(2, create("/journeys/")),
		on(2, create("/journeys")),
		on(2, func() request { return request{c, "PATCH", "/journeys/" + s.newJourney(c) + "/active", nil} }),
		on(2, func() request { return request{c, "PATCH", "/journeys/" + s.newJourney(c), nil} }),
		on(2, func() request {
			return request{c, "PATCH", "/journeys/" + s.journey, object{"plan_precision_m": 100 + s.next()}}
		}),
		on(2, func() request { return request{c, "DELETE", "/journeys/" + s.newJourney(c), nil} }),
		on(2, func() request { return request{c, "POST", markers(), point("Stop")} }),
		on(2, func() request { return request{c, "PUT", one(), point("Stay")} }),
		on(2, func() request { return request{c, "DELETE", one(), nil} }),
		on(3, func() request { return request{c, "DELETE", newTrack(), nil} }),
		// Whose it is; the lock and what the journey has; the tracks and the length of the route.
		on(4, func() request { return request{c, "POST", "/journeys/" + s.newJourney(c) + "/import", track} }),
	}
}
