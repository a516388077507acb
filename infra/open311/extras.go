package open311

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"
)

const sectionExtensions = "Extensions in use"

func extraRequirements() []Requirement {
	return []Requirement{
		{"extra.page_size", sectionExtensions, Extra, "page_size bounds a list", pageSize},
		{"extra.page", sectionExtensions, Extra, "page counts from 1, and pages do not overlap", pageNumber},
		{"extra.page-beyond", sectionExtensions, Extra, "A page beyond the last is empty, not the last one again", pageBeyond},
		{"extra.newest-first", sectionExtensions, Extra, "The newest request comes first, so that a cut list has the newest", newestFirst},
		{"extra.updated_after", sectionExtensions, Extra, "updated_after gives what changed since", updatedAfter},
		{"extra.bbox", sectionExtensions, Extra, "bbox (west, south, east, north) gives requests in this area", box},
		{"extra.extensions", sectionExtensions, Extra, "extensions=true gives more of a request than the specification has", extensions},
	}
}

// extended is the list with arguments that the specification does not have.
func (s *session) extended(ctx context.Context, params url.Values) (sample, error) {
	of, err := s.sample(ctx)
	if err != nil {
		return sample{}, err
	}
	a, err := s.client.get(ctx, "/requests."+of.format, params)
	if err != nil {
		return sample{}, err
	}
	a.extended = true
	return s.query(ctx, params)
}

func pageSize(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	if len(of.items) < 2 {
		return notTried("the list has one request only")
	}
	got, err := s.extended(ctx, url.Values{"page_size": {"1"}})
	if err == nil && len(got.items) != 1 {
		return got.deviates("one request", "%d", len(got.items))
	}
	return err
}

func pageNumber(ctx context.Context, s *session) error {
	if err := pageSize(ctx, s); err != nil {
		return notTried("page_size does not work, or the list has one request only")
	}
	var found []string
	for _, page := range []string{"1", "2"} {
		got, err := s.extended(ctx, url.Values{"page_size": {"1"}, "page": {page}})
		if err != nil {
			return err
		}
		found = append(found, ids(got.items)...)
		if len(found) == 2 && found[0] == found[1] || len(got.items) != 1 {
			return got.deviates("another request on each page", "%q", found)
		}
	}
	first, err := s.extended(ctx, url.Values{"page_size": {"1"}})
	if err == nil && first.items[0].id != found[0] {
		return first.deviates("page 1 without page: "+found[0], "%q", first.items[0].id)
	}
	return err
}

func pageBeyond(ctx context.Context, s *session) error {
	if err := pageSize(ctx, s); err != nil {
		return notTried("page_size does not work, or the list has one request only")
	}
	got, err := s.extended(ctx, url.Values{"page_size": {"100"}, "page": {"5000"}})
	if err == nil && len(got.items) > 0 {
		return got.deviates("an empty list", "%d requests", len(got.items))
	}
	return err
}

func newestFirst(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	for i := 1; i < len(of.items); i++ {
		if of.items[i].requested.After(of.items[i-1].requested) {
			return of.deviates("the newest requested_datetime first", "%q before %q", of.items[i-1].id, of.items[i].id)
		}
	}
	return nil
}

func updatedAfter(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	tomorrow, err := s.extended(ctx, url.Values{"updated_after": {w3Text(s.began.Add(24 * time.Hour))}})
	if err != nil {
		return err
	}
	if len(tomorrow.items) > 0 {
		return tomorrow.deviates("nothing: it is a day ahead", "%d requests", len(tomorrow.items))
	}
	newest := slices.MaxFunc(of.items, func(a, b item) int { return a.updated.Compare(b.updated) })
	got, err := s.extended(ctx, url.Values{"updated_after": {w3Text(newest.updated.Add(-time.Hour))}})
	if err != nil {
		return err
	}
	return got.wantOne(newest.id, "it changed later")
}

func box(ctx context.Context, s *session) error {
	of, err := s.sample(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(of.items, func(it item) bool { return it.word("lat") != "" })
	if i < 0 {
		return notTried("no request has a place")
	}
	lat, _ := number(of.items[i].word("lat"))
	long, _ := number(of.items[i].word("long"))
	const margin = 0.01
	got, err := s.extended(ctx, url.Values{"bbox": {fmt.Sprintf("%f,%f,%f,%f", long-margin, lat-margin, long+margin, lat+margin)}})
	if err != nil {
		return err
	}
	if err := got.wantOne(of.items[i].id, "it is in this area"); err != nil {
		return err
	}
	elsewhere, err := s.extended(ctx, url.Values{"bbox": {"-40,60,-39,61"}}) // the sea south of Greenland
	if err == nil && len(elsewhere.items) > 0 {
		return elsewhere.deviates("nothing: it is the sea south of Greenland", "%d requests", len(elsewhere.items))
	}
	return err
}

func extensions(ctx context.Context, s *session) error {
	got, err := s.extended(ctx, url.Values{"extensions": {"true"}})
	if err != nil {
		return err
	}
	for _, it := range got.items {
		if slices.ContainsFunc(it.members, func(m member) bool {
			return slices.Contains([]string{"attributes", "extended_attributes", "notes", "extensions"}, m.name)
		}) {
			return nil
		}
	}
	return got.deviates("attributes, extended_attributes, notes or extensions", "no request with one of them")
}
