package bench

import (
	"fmt"
	"net/url"
)

// endpoint is one row: a request that is asked in several variants.
type endpoint struct {
	name string
	// request makes the i-th variant out of what there is.
	request func(f *facts, p people, i int) Request
}

// readEndpoints are the hot ones that change nothing.
func readEndpoints() []endpoint {
	signed := func(name string, path func(f *facts, i int) string) endpoint {
		return endpoint{name, func(f *facts, p people, i int) Request { return Request{Path: path(f, i), Token: p.citizen} }}
	}
	open := func(name string, path func(f *facts, i int) string) endpoint {
		return endpoint{name, func(f *facts, _ people, i int) Request { return Request{Path: path(f, i)} }}
	}
	always := func(path string) func(*facts, int) string { return func(*facts, int) string { return path } }
	words := []string{"Becora", "estrada klaran", "merkadu", "Ponte aat", "Lahomea", "health post", "inundada", "Burst pipe"}
	boxes := []string{"125.55,-8.57,125.60,-8.54", "125.2,-9.0,125.3,-8.9", "126.40,-8.52,126.50,-8.42", "124.2,-9.4,124.5,-9.2"}
	return []endpoint{
		signed("list, first page", always("/reports")),
		signed("list by status and type", func(_ *facts, i int) string {
			return "/reports?status=" + nth([]string{"pending", "in_progress", "verified"}, i) + "&issue_type=" + nth([]string{"pothole", "bridge", "waste", "other"}, i)
		}),
		signed("list by municipality", func(_ *facts, i int) string {
			return "/reports?municipality=" + nth([]string{"Dili", "Ermera", "TL-AT", "Lautem"}, i) + "&severity=high,critical"
		}),
		signed("list by text", func(_ *facts, i int) string { return "/reports?q=" + url.QueryEscape(nth(words, i)) }),
		signed("list by box", func(_ *facts, i int) string { return "/reports?bbox=" + nth(boxes, i) }),
		signed("list, deep cursor", func(f *facts, _ int) string { return "/reports?cursor=" + f.cursor }),
		signed("nearby, 1 km", func(f *facts, i int) string {
			at := nth(f.places, i)
			return fmt.Sprintf("/reports/nearby?latitude=%g&longitude=%g&radius_meters=1000&limit=20", at[0], at[1])
		}),
		signed("report", func(f *facts, i int) string { return "/reports/" + nth(f.reports, i).String() }),
		open("public list", always("/public/reports")),
	}
}
