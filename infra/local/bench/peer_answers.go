package bench

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// notCompared are members that only this system has: the signed receipt, and the tombstone of the caller's own rejected report.
func notCompared() []string { return []string{"receipt", "removed"} }

// sameAnswers fails if the two sides answer a request with other reports, another order, another total, or other members.
func (c *comparison) sameAnswers(ctx context.Context) error {
	f := c.testbed.samples
	paths := []string{"/reports", "/reports?cursor=" + f.cursor, "/reports?page=3&page_size=100", "/reports?sort=updated_at&order=asc&page_size=50", "/reports?status=pending&page_size=100",
		"/reports?status=rejected", "/reports?status=verified,duplicate&issue_type=bridge&page_size=100"}
	for i := range 5 {
		at := nth(f.places, i)
		paths = append(paths, "/reports/"+nth(f.reports, i).String(), "/reports/"+nth(f.numbers, i),
			fmt.Sprintf("/reports/nearby?latitude=%g&longitude=%g&radius_meters=1000&limit=20", at[0], at[1]),
			fmt.Sprintf("/reports/nearby?latitude=%g&longitude=%g&radius_meters=5000&limit=200&issue_type=pothole", at[0], at[1]))
	}
	for _, path := range paths {
		if err := c.same(ctx, func() apiclient.Request { return apiclient.Request{Path: path} }); err != nil {
			return err
		}
	}
	body := map[string]any{"issue_type": "pothole", "title": "Kuak iha estrada", "latitude": -8.5569, "longitude": 125.5603, "municipality": "Dili", "severity": "high"}
	return c.same(ctx, func() apiclient.Request {
		body["client_id"] = uuid.New()
		return apiclient.Request{Method: http.MethodPost, Path: "/reports", Body: body}
	}, "id", "client_id", "report_number", "created_at", "updated_at")
}

// same compares the answers to a request of the first person. Members named in made differ each time.
func (c *comparison) same(ctx context.Context, request func() apiclient.Request, made ...string) error {
	var answers [2]any
	for i, s := range []side{c.ours, c.theirs} {
		r := request()
		r.Token = s.tokens[0]
		if err := s.client.Call(ctx, r, &answers[i]); err != nil {
			return err
		}
	}
	if what := difference("", answers[0], answers[1], made); what != "" {
		return fmt.Errorf("the peer answers %s otherwise: %s", request().Path, what)
	}
	return nil
}

// difference says where two values of JSON differ; "" for nowhere. Times count to the millisecond, and of the address of a
// picture only the path.
func difference(name string, ours, theirs any, ignored []string) string {
	last := name[strings.LastIndex(name, ".")+1:]
	if slices.Contains(ignored, last) || slices.Contains(notCompared(), last) {
		return ""
	}
	switch a := ours.(type) {
	case map[string]any:
		b, ok := theirs.(map[string]any)
		if !ok {
			break
		}
		all := maps.Clone(a)
		maps.Copy(all, b)
		for _, member := range slices.Sorted(maps.Keys(all)) {
			_, inA := a[member]
			_, inB := b[member]
			if inA != inB && !slices.Contains(notCompared(), member) {
				return name + "." + member + " is in one of them only"
			}
			if what := difference(name+"."+member, a[member], b[member], ignored); what != "" {
				return what
			}
		}
		return ""
	case []any:
		b, ok := theirs.([]any)
		if !ok {
			break
		}
		if len(a) != len(b) {
			return fmt.Sprintf("%s has %d and %d elements", name, len(a), len(b))
		}
		for i := range a {
			if what := difference(fmt.Sprintf("%s[%d]", name, i), a[i], b[i], ignored); what != "" {
				return what
			}
		}
		return ""
	case string:
		b, isText := theirs.(string)
		if isText && (last == "next_cursor" || common(a) == common(b)) {
			return ""
		}
	}
	if ours == theirs {
		return ""
	}
	return fmt.Sprintf("%s is %v and %v", name, ours, theirs)
}

// common is a text in a form that both sides have in common.
func common(text string) string {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC().Truncate(time.Millisecond).String()
	}
	if u, err := url.Parse(text); err == nil && u.RawQuery != "" {
		return u.Path
	}
	return text
}
