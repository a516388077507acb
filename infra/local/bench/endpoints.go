package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// endpoint is a row of a table: a request that is sent in several variants.
type endpoint struct {
	name string
	// request makes variant i.
	request func(f *samples, p people, i int) apiclient.Request
	// writes means that every request must be a new one: the same request again would be a repeat and write nothing.
	writes bool
	// unavoidable is work unavoidable SQL that every implementation must do. Its time is added to that of the SQL.
	unavoidable func(ctx context.Context) error
}

func get(token func(people) string, path func(f *samples, i int) string) func(*samples, people, int) apiclient.Request {
	return func(f *samples, p people, i int) apiclient.Request {
		return apiclient.Request{Path: path(f, i), Token: token(p)}
	}
}

func always(path string) func(*samples, int) string {
	return func(*samples, int) string { return path }
}

// readEndpoints are the frequent endpoints that change nothing.
func readEndpoints() []endpoint {
	var out []endpoint
	for _, rows := range [][]endpoint{listEndpoints(), placeEndpoints(), singleEndpoints(), staffEndpoints(), publicEndpoints(), open311Endpoints(), pageEndpoints(), ogcEndpoints()} {
		out = append(out, rows...)
	}
	return out
}

func citizen(p people) string   { return p.citizen }
func moderator(p people) string { return p.moderator }
func official(p people) string  { return p.official }
func nobody(people) string      { return "" }

func listEndpoints() []endpoint {
	words := []string{"Becora", "estrada klaran", "merkadu", "Ponte aat", "Lahomea", "health post", "inundada", "Burst pipe"}
	statuses, types := []string{"pending", "in_progress", "verified"}, []string{"pothole", "bridge", "waste", "other"}
	places := []string{"Dili", "Ermera", "TL-AT", "Lautem"}
	return []endpoint{
		{name: "list, first page", request: get(citizen, always("/reports"))},
		{name: "list, status and type", request: get(citizen, func(_ *samples, i int) string {
			return "/reports?status=" + nth(statuses, i) + "&issue_type=" + nth(types, i)
		})},
		{name: "list, municipality", request: get(citizen, func(_ *samples, i int) string {
			return "/reports?municipality=" + nth(places, i) + "&severity=high,critical"
		})},
		{name: "list, suco", request: get(citizen, func(_ *samples, i int) string {
			return "/reports?suco=" + nth([]string{"Comoro", "Bahu", "Beloi", "Debos"}, i)
		})},
		{name: "list, text", request: get(citizen, func(_ *samples, i int) string { return "/reports?q=" + url.QueryEscape(nth(words, i)) })},
		{name: "list, box", request: get(citizen, func(_ *samples, i int) string { return "/reports?bbox=" + nth(boxes(), i) })},
		{name: "list, changed since", request: get(citizen, func(f *samples, _ int) string {
			return "/reports?sort=updated_at&order=asc&updated_since=" + url.QueryEscape(f.since)
		})},
		{name: "list, worst first", request: get(citizen, always("/reports?sort=severity"))},
		{name: "list, deep cursor", request: get(citizen, func(f *samples, _ int) string { return "/reports?cursor=" + f.cursor })},
		{name: "my reports", request: get(citizen, always("/reports/my-reports"))},
	}
}

func boxes() []string {
	return []string{"125.55,-8.57,125.60,-8.54", "125.2,-9.0,125.3,-8.9", "126.40,-8.52,126.50,-8.42", "124.2,-9.4,124.5,-9.2"}
}

func placeEndpoints() []endpoint {
	near := func(more string) func(f *samples, i int) string {
		return func(f *samples, i int) string {
			at := nth(f.places, i)
			return fmt.Sprintf("/reports/nearby?latitude=%g&longitude=%g&%s", at[0], at[1], more)
		}
	}
	journey := func(rest string) func(f *samples, i int) string {
		return func(f *samples, i int) string { return "/journeys/" + nth(f.journeys, i).String() + rest }
	}
	tracked := func(rest string) func(f *samples, i int) string {
		return func(f *samples, i int) string { return "/journeys/" + nth(f.tracked, i).String() + rest }
	}
	return []endpoint{
		{name: "nearby, 1 km", request: get(citizen, near("radius_meters=1000&limit=20"))},
		{name: "nearby, 50 km, 200 potholes", request: get(citizen, near("radius_meters=50000&limit=200&issue_type=pothole"))},
		{name: "nearby, a rare kind", request: get(citizen, near("radius_meters=5000&limit=20&issue_type=traffic_sign&status=in_progress"))},
		{name: "similar to a report", request: get(citizen, func(f *samples, i int) string { return "/reports/similar?report_id=" + nth(f.pictured, i).String() })},
		{name: "riders nearby", request: get(citizen, journey("/journeys/nearby"))},
		{name: "riders nearby, by route", request: get(citizen, journey("/journeys/nearby?mode=route"))},
		{name: "riders nearby, with places", request: get(citizen, journey("/nearby"))},
		{name: "riders nearby, of a track", request: get(citizen, tracked("/journeys/nearby"))},
		{name: "riders nearby, of a track, by route", request: get(citizen, tracked("/journeys/nearby?mode=route"))},
		{name: "riders nearby, of a track, with places", request: get(citizen, tracked("/nearby?limit=200&radius_m=500000"))},
		{name: "reports within 100 m of a track", request: get(citizen, tracked("/reports?within_m=100"))},
		{name: "a track as GPX", request: get(citizen, tracked("/route.gpx"))},
		{name: "reports within 100 m of a route", request: get(citizen, journey("/reports?within_m=100"))},
	}
}

func singleEndpoints() []endpoint {
	one := func(of func(f *samples) []uuid.UUID, before, after string) func(f *samples, i int) string {
		return func(f *samples, i int) string { return before + nth(of(f), i).String() + after }
	}
	reports := func(f *samples) []uuid.UUID { return f.reports }
	return []endpoint{
		{name: "report", request: get(citizen, one(reports, "/reports/", ""))},
		{name: "report, by number", request: get(citizen, func(f *samples, i int) string { return "/reports/" + nth(f.numbers, i) })},
		{name: "comments", request: get(citizen, one(reports, "/reports/", "/comments"))},
		{name: "AI's judgements", request: get(citizen, one(func(f *samples) []uuid.UUID { return f.pictured }, "/reports/", "/ai-analysis"))},
		{name: "notifications", request: get(citizen, always("/notifications"))},
		{name: "unread count", request: get(citizen, always("/notifications/unread-count"))},
		{name: "journey", request: get(citizen, one(func(f *samples) []uuid.UUID { return f.journeys }, "/journeys/", ""))},
		{name: "own account", request: get(citizen, always("/users/me"))},
		{name: "ledger history", request: get(citizen, one(func(f *samples) []uuid.UUID { return f.ledgered }, "/blockchain/report/", "/history"))},
	}
}

// staffEndpoints are the queues of staff. An official sees the reports of the own agency only.
func staffEndpoints() []endpoint {
	return []endpoint{
		{name: "queue, new", request: get(moderator, always("/staff/queue?kind=new"))},
		{name: "queue, new, official", request: get(official, always("/staff/queue?kind=new"))},
		{name: "queue, needs review", request: get(moderator, always("/staff/queue?kind=needs_review"))},
		{name: "queue, assigned", request: get(official, always("/staff/queue?kind=assigned"))},
		{name: "queue, overdue", request: get(official, always("/staff/queue?kind=overdue"))},
		{name: "queue, flagged", request: get(moderator, always("/staff/queue?kind=flagged"))},
		{name: "queue, mine", request: get(official, always("/staff/queue?kind=mine"))},
		{name: "queue, filtered", request: get(moderator, func(_ *samples, i int) string {
			return "/staff/queue?kind=assigned&assigned_to=none&sort=priority&agency=" + nth([]string{"AMD", "DNEPCC"}, i)
		})},
		{name: "queue, by due date", request: get(moderator, always("/staff/queue?kind=assigned&sort=due_at&page_size=100"))},
		{name: "counts", request: get(moderator, always("/staff/counts"))},
		{name: "counts, official", request: get(official, always("/staff/counts"))},
	}
}

func publicEndpoints() []endpoint {
	return []endpoint{
		{name: "public list", request: get(nobody, always("/public/reports"))},
		{name: "public list, text", request: get(nobody, func(_ *samples, i int) string {
			return "/public/reports?q=" + url.QueryEscape(nth([]string{"Becora", "Kuak iha", "igreja", "mercado"}, i))
		})},
		{name: "public report", request: get(nobody, func(f *samples, i int) string { return "/public/reports/" + nth(f.reports, i).String() })},
		{name: "removals", request: get(nobody, always("/public/removals"))},
		{name: "map, the country", request: get(nobody, always("/public/map?bbox=124,-9.6,127.4,-8.1&zoom=8"))},
		{name: "map, a quarter", request: get(nobody, func(_ *samples, i int) string {
			return "/public/map?zoom=15&bbox=" + nth([]string{"125.570,-8.565,125.580,-8.555", "126.450,-8.485,126.460,-8.475"}, i)
		})},
		{name: "tile, zoom 8", request: get(nobody, always("/public/tiles/8/217/134.mvt"))},
		{name: "tile, zoom 14, Dili", request: get(nobody, always("/public/tiles/14/13906/8583.mvt"))},
		{name: "tile, zoom 16, Dili", request: get(nobody, always("/public/tiles/16/55627/34335.mvt"))},
		{name: "statistics, summary", request: get(nobody, always("/public/stats/summary"))},
		{name: "statistics, by type", request: get(nobody, always("/public/stats/by-type"))},
		{name: "statistics, by municipality", request: get(nobody, always("/public/stats/by-municipality"))},
		{name: "statistics, by agency", request: get(nobody, always("/public/stats/by-agency"))},
		{name: "statistics, by agency, a year", request: get(nobody, always("/public/stats/by-agency?from=2026-01-01&to=2026-12-31"))},
		{name: "statistics, trends", request: get(nobody, always("/public/stats/trends?period=week&days=365"))},
		{name: "export, 10,000 rows", request: get(nobody, always("/public/export.csv?severity=low,medium,high,critical"))},
	}
}

// open311Endpoints are what other systems read.
func open311Endpoints() []endpoint {
	at := func(path string) string { return "//open311/v2/" + path }
	return []endpoint{
		{name: "open311, services", request: get(nobody, always(at("services.xml")))},
		{name: "open311, 1,000 requests", request: get(nobody, always(at("requests.xml")))},
		{name: "open311, 50 requests", request: get(nobody, always(at("requests.json?page_size=50&status=open")))},
		{name: "open311, 50 with extensions", request: get(nobody, always(at("requests.json?page_size=50&extensions=true")))},
		{name: "open311, a request", request: get(nobody, func(f *samples, i int) string { return at("requests/" + nth(f.numbers, i) + ".xml") })},
		{name: "open311, 50 by id", request: get(nobody, func(f *samples, i int) string {
			return at("requests.xml?service_request_id=" + strings.Join(f.numbers[:min(50, len(f.numbers))], ","))
		})},
		{name: "open311, box", request: get(nobody, func(_ *samples, i int) string { return at("requests.xml?page_size=50&bbox=" + nth(boxes(), i)) })},
		{name: "open311, circle", request: get(nobody, func(f *samples, i int) string {
			place := nth(f.places, i)
			return at(fmt.Sprintf("requests.xml?page_size=50&radius=500&lat=%g&long=%g", place[0], place[1]))
		})},
		{name: "open311, updated after", request: get(nobody, func(f *samples, _ int) string {
			return at("requests.xml?page_size=50&updated_after=" + url.QueryEscape(f.since))
		})},
		{name: "open311, updates", request: get(nobody, always(at("servicerequestupdates.xml?page_size=200")))},
	}
}

// ogcEndpoints are what GIS programs read.
func ogcEndpoints() []endpoint {
	const items = "//ogc/collections/reports/items"
	return []endpoint{
		{name: "OGC, collections", request: get(nobody, always("//ogc/collections"))},
		{name: "OGC, items", request: get(nobody, always(items))},
		{name: "OGC, 1,000 items", request: get(nobody, always(items+"?limit=1000"))},
		{name: "OGC, items of a type and status", request: get(nobody, always(items+"?issue_type=pothole&status=verified"))},
		{name: "OGC, items of a rare source", request: get(nobody, always(items+"?source=open311"))},
		{name: "OGC, items, deep page", request: get(nobody, func(f *samples, _ int) string { return items + "?cursor=" + f.cursor })},
		{name: "OGC, bbox, a quarter", request: get(nobody, func(_ *samples, i int) string {
			return items + "?bbox=" + nth([]string{"125.570,-8.565,125.580,-8.555", "126.450,-8.485,126.460,-8.475"}, i)
		})},
		{name: "OGC, bbox, the country", request: get(nobody, always(items+"?bbox=124,-9.6,127.4,-8.1"))},
		{name: "OGC, datetime, a month", request: get(nobody, always(items+"?datetime=2026-03-01T00:00:00Z/2026-03-31T23:59:59Z"))},
		{name: "OGC, datetime, open, and bbox", request: get(nobody, always(items+"?datetime=../2026-03-31T23:59:59Z&bbox=125.570,-8.565,125.580,-8.555"))},
		{name: "OGC, a report", request: get(nobody, func(f *samples, i int) string { return items + "/" + nth(f.reports, i).String() })},
		{name: "OGC, municipalities", request: get(nobody, always("//ogc/collections/municipalities/items"))},
	}
}

// pageEndpoints are the pages that the server renders from the database.
func pageEndpoints() []endpoint {
	return []endpoint{
		{name: "page, start", request: get(nobody, always("//"))},
		{name: "page, a report", request: get(nobody, func(f *samples, i int) string { return "//r/" + nth(f.numbers, i) })},
		{name: "page, map with its list", request: get(nobody, always("//map"))},
		{name: "page, statistics", request: get(nobody, always("//stats"))},
		{name: "sketch, zoom 15", request: get(nobody, always("/public/sketch.svg?latitude=-8.5569&longitude=125.5603&zoom=15"))},
	}
}

// writeEndpoints create reports and comments, and sign in.
func writeEndpoints() []endpoint {
	reportBody := func(f *samples, i int) map[string]any {
		at := nth(f.places, i)
		return map[string]any{"client_id": uuid.Must(uuid.NewV7()), "issue_type": "pothole", "title": "Kuak iha estrada", "description": "Motorbikes fall here.",
			"latitude": at[0], "longitude": at[1], "location_accuracy": 12.5, "address": "Rua de Caicoli", "municipality": "Dili", "severity": "high"}
	}
	return []endpoint{
		{name: "create a report", writes: true, request: func(f *samples, p people, i int) apiclient.Request {
			return apiclient.Request{Method: http.MethodPost, Path: "/reports", Token: p.citizen, Body: reportBody(f, i)}
		}},
		{name: "create a report, with a key", writes: true, request: func(f *samples, p people, i int) apiclient.Request {
			return apiclient.Request{Method: http.MethodPost, Path: "/reports", Token: p.citizen, Body: reportBody(f, i),
				Header: http.Header{"Idempotency-Key": {uuid.Must(uuid.NewV7()).String()}}}
		}},
		{name: "sync 10 reports", writes: true, request: func(f *samples, p people, i int) apiclient.Request {
			var items []any
			for n := range 10 {
				items = append(items, reportBody(f, i+n))
			}
			return apiclient.Request{Method: http.MethodPost, Path: "/reports/batch", Token: p.citizen, Body: map[string]any{"reports": items}}
		}},
		{name: "comment", writes: true, request: func(f *samples, p people, i int) apiclient.Request {
			return apiclient.Request{Method: http.MethodPost, Path: "/reports/" + nth(f.ledgered, i).String() + "/comments", Token: p.citizen,
				Body: map[string]any{"content": "Still there.", "client_id": uuid.Must(uuid.NewV7())}}
		}},
		{name: "staff export, 5,000 rows", writes: true, request: func(_ *samples, p people, _ int) apiclient.Request { // writes to the audit log
			return apiclient.Request{Path: "/staff/export.csv", Token: p.moderator}
		}},
		{name: "sign in", writes: true, unavoidable: checkPassword, request: func(_ *samples, _ people, i int) apiclient.Request { return login(nth(accounts(), i)) }},
	}
}
