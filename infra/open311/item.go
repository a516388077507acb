package open311

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// item is a request as a list shows it.
type item struct {
	value
	id, status, code   string
	requested, updated time.Time // zero if it cannot be read
}

func itemsOf(list []value) []item {
	out := make([]item, len(list))
	for i, v := range list {
		out[i] = item{v, v.word("service_request_id"), v.word("status"), v.word("service_code"), moment(v.word("requested_datetime")), moment(v.word("updated_datetime"))}
	}
	return out
}

// moment reads a date and time with a zone; the zero time if it is none.
func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// w3 is a date and time of the W3C note with a zone.
var w3 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$`)

func ids(items []item) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.id
	}
	return out
}

// sample is the list of requests without any argument, in the first format that can be read.
type sample struct {
	*answer
	items []item
}

// sample reads the list. It is not tried if the list cannot be read or is empty.
func (s *session) sample(ctx context.Context) (sample, error) {
	pages, err := s.pages(ctx, "/requests", "service_requests")
	if err != nil {
		return sample{}, err
	}
	p := pages[0]
	if len(p.value.items) == 0 {
		return sample{}, notTried("the server has no requests of the last 90 days")
	}
	return sample{p.answer, itemsOf(p.value.items)}, nil
}

// query reads the list with arguments.
func (s *session) query(ctx context.Context, params url.Values) (sample, error) {
	of, err := s.sample(ctx)
	if err != nil {
		return sample{}, err
	}
	p, err := s.page(ctx, "/requests."+of.format, params, "service_requests")
	if err != nil {
		return sample{}, err
	}
	return sample{p.answer, itemsOf(p.value.items)}, nil
}

// both are the list without arguments and the list with arguments.
func (s *session) both(ctx context.Context, params func(of sample) (url.Values, error)) (sample, sample, error) {
	of, err := s.sample(ctx)
	if err != nil {
		return sample{}, sample{}, err
	}
	arguments, err := params(of)
	if err != nil {
		return sample{}, sample{}, err
	}
	got, err := s.query(ctx, arguments)
	return of, got, err
}

// wantAll is the deviation that an item does not meet a condition.
func (s sample) wantAll(expected string, ok func(it item) bool, show func(it item) string) error {
	for _, it := range s.items {
		if !ok(it) {
			return s.deviates(expected, "the request %q with %q", it.id, show(it))
		}
	}
	return nil
}

// wantOne is the deviation that the list lacks a request.
func (s sample) wantOne(id, why string) error {
	if slices.Contains(ids(s.items), id) {
		return nil
	}
	return s.deviates("the request "+id+" among others: "+why, "%d requests without it", len(s.items))
}

func number(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func w3Text(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
