package open311

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"
)

func filterRequirements() []Requirement {
	return []Requirement{
		{"filter.service_request_id", sectionRequests, Must, "service_request_id gives this request alone", filterID},
		{"filter.service_request_id-list", sectionRequests, Must, "A list of service_request_id, with commas, gives these requests", filterIDs},
		{"filter.service_request_id-first", sectionRequests, Must, "service_request_id overrides all other arguments", filterIDOverrides},
		{"filter.service_code", sectionRequests, Must, "service_code gives requests of this service alone", filterCode},
		{"filter.service_code-list", sectionRequests, Must, "A list of service_code, with commas, gives requests of these services", filterCodes},
		{"filter.status", sectionRequests, Must, "status gives requests with this status alone", filterStatus},
		{"filter.status-list", sectionRequests, Must, "status=open,closed gives both", filterStatuses},
		{"filter.start_date", sectionRequests, Must, "start_date leaves out what was requested before", filterStart},
		{"filter.end_date", sectionRequests, Must, "end_date leaves out what was requested after", filterEnd},
		{"filter.inclusive", sectionRequests, Must, "start_date and end_date are the earliest and the latest that are included", filterInclusive},
		{"filter.bad-date", sectionRequests, Should, "A start_date that is no date is 400", refused("/requests", url.Values{"start_date": {"yesterday"}}, http.StatusBadRequest)},
		{"filter.bad-status", sectionRequests, Should, "An unknown status is 400, or gives nothing", filterBadStatus},
	}
}

func filterID(ctx context.Context, s *session) error {
	of, got, err := s.both(ctx, func(of sample) (url.Values, error) { return url.Values{"service_request_id": {of.items[0].id}}, nil })
	if err != nil {
		return err
	}
	if found := ids(got.items); !slices.Equal(found, []string{of.items[0].id}) {
		return got.deviates("the request "+of.items[0].id+" alone", "%d requests", len(found))
	}
	return nil
}

// several are two requests of the list, as far apart as possible.
func several(of sample) (item, item, error) {
	if len(of.items) < 2 {
		return item{}, item{}, notTried("the list has one request only")
	}
	return of.items[0], of.items[len(of.items)-1], nil
}

func filterIDs(ctx context.Context, s *session) error {
	var want []string
	_, got, err := s.both(ctx, func(of sample) (url.Values, error) {
		a, b, err := several(of)
		want = slices.Sorted(slices.Values([]string{a.id, b.id}))
		return url.Values{"service_request_id": {a.id + "," + b.id}}, err
	})
	if err != nil {
		return err
	}
	if found := slices.Sorted(slices.Values(ids(got.items))); !slices.Equal(found, want) {
		return got.deviates("the two requests", "%d requests", len(found))
	}
	return nil
}

func filterIDOverrides(ctx context.Context, s *session) error {
	var want item
	_, got, err := s.both(ctx, func(of sample) (url.Values, error) {
		want = of.items[0]
		other := "open"
		if want.status == "open" {
			other = "closed"
		}
		return url.Values{"service_request_id": {want.id}, "status": {other}, "start_date": {"2001-01-01T00:00:00Z"}, "end_date": {"2001-01-31T00:00:00Z"}}, nil
	})
	if err != nil {
		return err
	}
	return got.wantOne(want.id, "the other arguments do not count")
}

func filterCode(ctx context.Context, s *session) error {
	of, got, err := s.both(ctx, func(of sample) (url.Values, error) { return url.Values{"service_code": {of.items[0].code}}, nil })
	if err != nil {
		return err
	}
	code := of.items[0].code
	if err := got.wantAll("the service_code "+code, func(it item) bool { return it.code == code }, func(it item) string { return it.code }); err != nil {
		return err
	}
	if len(got.items) == 0 {
		return got.deviates("requests of the service "+code, "none")
	}
	if !slices.ContainsFunc(of.items, func(it item) bool { return it.code != code }) {
		return notTried("all requests are of one service")
	}
	return nil
}

func filterCodes(ctx context.Context, s *session) error {
	var first, second string
	_, got, err := s.both(ctx, func(of sample) (url.Values, error) {
		first = of.items[0].code
		i := slices.IndexFunc(of.items, func(it item) bool { return it.code != first })
		if i < 0 {
			return nil, notTried("all requests are of one service")
		}
		second = of.items[i].code
		return url.Values{"service_code": {first + "," + second}}, nil
	})
	if err != nil {
		return err
	}
	for _, code := range []string{first, second} {
		if !slices.ContainsFunc(got.items, func(it item) bool { return it.code == code }) {
			return got.deviates("requests of both services", "%d requests, none of %q", len(got.items), code)
		}
	}
	return got.wantAll("one of the two services", func(it item) bool { return it.code == first || it.code == second }, func(it item) string { return it.code })
}

func filterStatus(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	for _, status := range []string{"open", "closed"} {
		got, err := s.query(ctx, url.Values{"status": {status}})
		if err != nil {
			return err
		}
		if err := got.wantAll(status, func(it item) bool { return it.status == status }, func(it item) string { return it.status }); err != nil {
			return err
		}
		if len(got.items) == 0 && slices.ContainsFunc(of.items, func(it item) bool { return it.status == status }) {
			return got.deviates(status+" requests", "none")
		}
	}
	return nil
}

func filterStatuses(ctx context.Context, s *session) error {
	got, err := s.query(ctx, url.Values{"status": {"open,closed"}})
	if err != nil {
		return err
	}
	for _, status := range []string{"open", "closed"} {
		alone, err := s.query(ctx, url.Values{"status": {status}})
		if err != nil {
			return err
		}
		has := func(it item) bool { return it.status == status }
		if slices.ContainsFunc(alone.items, has) && !slices.ContainsFunc(got.items, has) && len(got.items) < volume {
			return got.deviates("open and closed requests", "%d requests, none of them %s", len(got.items), status)
		}
	}
	return nil
}

// middle is a request of the list with others before and after it.
func middle(of sample) (item, error) {
	first, last, ok := bounds(of.items)
	if !ok {
		return item{}, errNoTimes
	}
	for _, it := range of.items {
		if it.requested.Sub(first) > time.Second && last.Sub(it.requested) > time.Second {
			return it, nil
		}
	}
	return item{}, notTried("it needs requests of three different times")
}

// filtered returns the list with an argument that is the time of its middle request, and this request.
func (s *session) filtered(ctx context.Context, arguments ...string) (sample, item, error) {
	var it item
	_, got, err := s.both(ctx, func(of sample) (url.Values, error) {
		params := url.Values{}
		found, err := middle(of)
		if it = found; err != nil {
			return nil, err
		}
		for _, name := range arguments {
			params.Set(name, it.word("requested_datetime"))
		}
		return params, nil
	})
	return got, it, err
}

func filterStart(ctx context.Context, s *session) error {
	got, from, err := s.filtered(ctx, "start_date")
	if err != nil {
		return err
	}
	return got.wantAll("nothing before "+w3Text(from.requested), func(it item) bool { return !it.requested.Before(from.requested) }, func(it item) string { return w3Text(it.requested) })
}

func filterEnd(ctx context.Context, s *session) error {
	got, to, err := s.filtered(ctx, "end_date")
	if err != nil {
		return err
	}
	return got.wantAll("nothing after "+w3Text(to.requested), func(it item) bool { return !it.requested.After(to.requested) }, func(it item) string { return w3Text(it.requested) })
}

func filterInclusive(ctx context.Context, s *session) error {
	for _, argument := range []string{"start_date", "end_date"} {
		got, it, err := s.filtered(ctx, argument)
		if err != nil {
			return err
		}
		if len(got.items) >= volume {
			return notTried("the list has 1,000 requests")
		}
		if err := got.wantOne(it.id, "it has exactly this time"); err != nil {
			return err
		}
	}
	return nil
}

func filterBadStatus(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	a, err := s.client.get(ctx, "/requests."+of.format, url.Values{"status": {"sleeping"}})
	if err != nil || a.status == http.StatusBadRequest {
		return err
	}
	if err := a.wantStatus(http.StatusOK); err != nil {
		return err
	}
	v, err := a.document("service_requests")
	if err == nil && len(v.items) > 0 {
		return a.deviates("400, or an empty list", "%d requests", len(v.items))
	}
	return err
}
