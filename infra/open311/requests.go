package open311

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"
)

const (
	sectionRequests = "GET Service Requests"
	span            = 90 * 24 * time.Hour
	volume          = 1000
	longest         = 4000 // characters of a description
)

func requestRequirements() []Requirement {
	return []Requirement{
		{"requests.xml", sectionRequests, Must, "requests.xml can be read", readable("/requests", "xml", "service_requests")},
		{"requests.json", sectionRequests, Must, "requests.json is an array without a name around it", readable("/requests", "json", "service_requests")},
		{"requests.fields", sectionRequests, Must, "Each has service_request_id, status, service_name, service_code, requested_datetime and updated_datetime", onRequests(requestFields)},
		{"requests.all-fields", sectionRequests, Should, "description, address, address_id, zipcode, lat, long and media_url are there, if need be without a value", onRequests(requestMembers)},
		{"requests.status", sectionRequests, Must, "status is open or closed", onRequests(func(p page, v value) error {
			if w := v.word("status"); w != "open" && w != "closed" {
				return p.deviates("open or closed", "%q of %q", w, v.word("service_request_id"))
			}
			return nil
		})},
		{"requests.place", sectionRequests, Must, "lat and long are degrees, both or neither", onRequests(requestPlace)},
		{"requests.description", sectionRequests, Must, "description has at most 4,000 characters", onRequests(func(p page, v value) error {
			if n := utf8.RuneCountInString(v.word("description")); n > longest {
				return p.deviates("at most 4,000 characters", "%d of %q", n, v.word("service_request_id"))
			}
			return nil
		})},
		{"requests.service", sectionRequests, Should, "service_code is one of the list of services", requestService},
		{"requests.unique", sectionRequests, Must, "No service_request_id is there twice", func(ctx context.Context, s *session) error {
			pages, err := s.pages(ctx, "/requests", "service_requests")
			return each(pages, err, func(p page) error {
				if twice := double(words(p.value.items, "service_request_id")); twice != "" {
					return p.deviates("each request once", "%q twice", twice)
				}
				return nil
			})
		}},
		{"requests.volume", sectionRequests, Must, "A list without arguments has at most 1,000 requests", requestVolume},
		{"requests.complete", sectionRequests, Must, "A list without arguments that is shorter than 1,000 has all requests of the latest 90 days", requestsComplete},
		{"requests.all-statuses", sectionRequests, Must, "A list without status has open and closed requests", allStatuses},
		{"requests.window", sectionRequests, Must, "A list without dates has the latest 90 days only", requestWindow},
		{"requests.span", sectionRequests, Must, "start_date and end_date more than 90 days apart are 400, or answered with at most 90 days", requestSpan},
		{"requests.empty", "Optional Arguments", Must, "An empty argument is the same as an absent one", emptyArguments},
	}
}

// onRequests checks each request of the list without arguments, in every format.
func onRequests(check func(p page, v value) error) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		if _, err := s.sample(ctx); err != nil {
			return err
		}
		pages, err := s.pages(ctx, "/requests", "service_requests")
		return each(pages, err, func(p page) error {
			for _, v := range p.value.items {
				if err := check(p, v); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func requestFields(p page, v value) error {
	return p.wantMembers(v, "service_request_id", missing(v, "service_request_id", "status", "service_name", "service_code", "requested_datetime", "updated_datetime"))
}

func requestMembers(p page, v value) error {
	return p.wantMembers(v, "service_request_id", absent(v, "description", "address", "address_id", "zipcode", "lat", "long", "media_url"))
}

func requestPlace(p page, v value) error {
	lat, long := v.word("lat"), v.word("long")
	if lat == "" && long == "" {
		return nil
	}
	y, okY := number(lat)
	x, okX := number(long)
	if !okX || !okY || y < -90 || y > 90 || x < -180 || x > 180 {
		return p.deviates("degrees WGS 84", "lat %q, long %q of %q", lat, long, v.word("service_request_id"))
	}
	return nil
}

func requestService(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	pages, err := s.pages(ctx, "/services", "services")
	if err != nil {
		return err
	}
	codes := words(pages[0].value.items, "service_code")
	return of.wantAll("a service_code of services."+of.format, func(it item) bool { return slices.Contains(codes, it.code) }, func(it item) string { return it.code })
}

func requestVolume(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err == nil && len(of.items) > volume {
		return of.deviates("at most 1,000 requests", "%d", len(of.items))
	}
	return err
}

// bounds returns the earliest and the latest time of requests; false if one cannot be read.
func bounds(items []item) (time.Time, time.Time, bool) {
	var first, last time.Time
	for i, it := range items {
		if it.requested.IsZero() {
			return first, last, false
		}
		if i == 0 || it.requested.Before(first) {
			first = it.requested
		}
		if i == 0 || it.requested.After(last) {
			last = it.requested
		}
	}
	return first, last, len(items) > 0
}

const errNoTimes = notTried("a requested_datetime cannot be read")

func requestsComplete(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	first, last, ok := bounds(of.items)
	if !ok {
		return errNoTimes
	}
	if len(of.items) >= volume {
		return notTried("the list has 1,000 requests")
	}
	oldest := s.began.Add(-span + time.Hour)
	for _, dates := range [][2]time.Time{{oldest, first.Add(-time.Second)}, {last.Add(time.Second), s.began.Add(-time.Second)}} {
		if !dates[0].Before(dates[1]) {
			continue
		}
		more, err := s.query(ctx, url.Values{"start_date": {w3Text(dates[0])}, "end_date": {w3Text(dates[1])}})
		if err != nil {
			return err
		}
		for _, it := range more.items {
			if !it.requested.Before(dates[0]) && !it.requested.After(dates[1]) && !slices.Contains(ids(of.items), it.id) {
				return of.deviates("1,000 requests, or all of 90 days", "%d requests, and not %q of %s", len(of.items), it.id, w3Text(it.requested))
			}
		}
	}
	return nil
}

func allStatuses(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	if len(of.items) >= volume {
		return notTried("the list has 1,000 requests")
	}
	for _, status := range []string{"open", "closed"} {
		if slices.ContainsFunc(of.items, func(it item) bool { return it.status == status }) {
			continue
		}
		with, err := s.query(ctx, url.Values{"status": {status}})
		if err != nil {
			return err
		}
		for _, it := range with.items {
			if it.status == status && it.requested.After(s.began.Add(-span+time.Hour)) && it.requested.Before(s.began) {
				return of.deviates("open and closed requests", "no %s request, though status=%s has %q", status, status, it.id)
			}
		}
	}
	return nil
}

// olderThanWindow are the requests of the 80 days before the latest 90. It is not tried if there are none.
func (s *session) olderThanWindow(ctx context.Context) ([]item, error) {
	old, err := s.query(ctx, url.Values{"start_date": {w3Text(s.began.Add(-span - 81*24*time.Hour))}, "end_date": {w3Text(s.began.Add(-span - 24*time.Hour))}})
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(old.items, func(it item) bool {
		return it.requested.IsZero() || it.requested.After(s.began.Add(-span-23*time.Hour))
	})
	if len(items) == 0 {
		return nil, notTried("the server has no requests that are 91 to 171 days old")
	}
	return items, nil
}

func requestWindow(ctx context.Context, s *session) error {
	if _, err := s.olderThanWindow(ctx); err != nil {
		return err
	}
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	return of.wantAll("requests of the latest 90 days", func(it item) bool { return it.requested.After(s.began.Add(-span - time.Hour)) }, func(it item) string { return w3Text(it.requested) })
}

func requestSpan(ctx context.Context, s *session) error {
	old, err := s.olderThanWindow(ctx)
	if err != nil {
		return err
	}
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	start, _, _ := bounds(old)
	a, err := s.client.get(ctx, "/requests."+of.format, url.Values{"start_date": {w3Text(start)}, "end_date": {w3Text(s.began)}})
	if err != nil || a.status == http.StatusBadRequest {
		return err
	}
	if err := a.wantStatus(http.StatusOK); err != nil {
		return err
	}
	v, err := a.document("service_requests")
	if err != nil {
		return err
	}
	if first, last, ok := bounds(itemsOf(v.items)); ok && last.Sub(first) > span {
		return a.deviates("400, or requests of at most 90 days", "requests from %s to %s", w3Text(first), w3Text(last))
	}
	return nil
}

func emptyArguments(ctx context.Context, s *session) error {
	empty := url.Values{}
	for _, name := range []string{"jurisdiction_id", "service_request_id", "service_code", "start_date", "end_date", "status"} {
		if name != "jurisdiction_id" || s.options.Jurisdiction == "" {
			empty.Set(name, "")
		}
	}
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	for tries := 0; ; tries++ { // the list may change between two requests
		got, err := s.list(ctx, of.format, empty)
		if err != nil {
			return err
		}
		plain, err := s.list(ctx, of.format, nil)
		if err != nil || slices.Equal(ids(got.items), ids(plain.items)) {
			return err
		}
		if tries == 1 {
			return got.deviates("the same requests as without arguments", "%d, and %d without arguments", len(got.items), len(plain.items))
		}
	}
}

// list reads the list of requests, also if it was read before.
func (s *session) list(ctx context.Context, format string, params url.Values) (sample, error) {
	a, err := s.client.getAgain(ctx, "/requests."+format, params)
	if err != nil {
		return sample{}, err
	}
	if err := a.wantStatus(http.StatusOK); err != nil {
		return sample{}, err
	}
	v, err := a.document("service_requests")
	return sample{a, itemsOf(v.items)}, err
}
