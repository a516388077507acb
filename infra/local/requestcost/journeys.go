package requestcost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Row is what one thing people do with the app costs. Pictures are not counted.
type Row struct {
	Name           string
	Requests       int
	Sent, Received int64 // bytes, headers and all
	Goal           int64 // the most that may be received, or, where much is sent, sent and received
	Both           bool  // Goal is of both
}

// Cost is what Goal is held against.
func (r Row) Cost() int64 {
	if r.Both {
		return r.Sent + r.Received
	}
	return r.Received
}

const kilobyte = 1024

// Goals, in bytes.
const (
	listGoal      = 6 * kilobyte
	reportGoal    = 3 * kilobyte
	filingGoal    = 4 * kilobyte
	syncGoal      = 8 * kilobyte
	noticesGoal   = 3 * kilobyte
	unchangedGoal = 300
)

// Journeys does the five things people do with the app most, as the person of token, and counts. base is the address of
// the API; report is one that has everything, shown also in the list.
func Journeys(ctx context.Context, base, token, report string) ([]Row, error) {
	w := newWire(base, token)
	var out []Row
	tags := map[string]string{}
	step := func(name string, goal int64, both bool, requests ...request) error {
		w.take()
		for _, r := range requests {
			a, err := w.do(ctx, r.method, r.path, r.body, tags[r.path])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if a.status != r.status {
				return fmt.Errorf("%s: %s %s: got %d, want %d: %v", name, r.method, r.path, a.status, r.status, a.body)
			}
			if r.keep {
				tags[r.path] = a.etag
			}
		}
		sent, received := w.take()
		out = append(out, Row{Name: name, Requests: len(requests), Sent: sent, Received: received, Goal: goal, Both: both})
		return nil
	}
	const list, notices, unread = "/reports?page_size=20", "/notifications?page_size=20", "/notifications/unread-count"
	again := func(path string) request {
		return request{method: http.MethodGet, path: path, status: http.StatusNotModified}
	}
	read := func(path string) request {
		return request{method: http.MethodGet, path: path, status: http.StatusOK, keep: true}
	}
	post := func(path string, status int, body any) request {
		return request{method: http.MethodPost, path: path, status: status, body: body}
	}
	for _, s := range []struct {
		name     string
		goal     int64
		both     bool
		requests []request
	}{
		{"open the list", listGoal, false, []request{read(list)}},
		{"open the list again", unchangedGoal, false, []request{again(list)}},
		{"open a report", reportGoal, false, []request{read("/reports/" + report)}},
		{"open a report again", unchangedGoal, false, []request{again("/reports/" + report)}},
		{"check notifications", noticesGoal, false, []request{read(unread), read(notices)}},
		{"check notifications again", 2 * unchangedGoal, false, []request{again(unread), again(notices)}},
		{"file a report", filingGoal, true, []request{
			post("/reports/pre-upload-image", http.StatusCreated, map[string]any{"content_type": "image/jpeg", "size_bytes": 412345}),
			post("/reports", http.StatusCreated, draft(0))}},
		{"sync 10 offline reports", syncGoal, true, []request{post("/reports/batch", http.StatusOK, map[string]any{"reports": drafts(10)})}},
	} {
		if err := step(s.name, s.goal, s.both, s.requests...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// request is one of a journey.
type request struct {
	method, path string
	body         any
	status       int
	keep         bool // its ETag, for the next time
}

func drafts(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = draft(i)
	}
	return out
}

// draft is a report as the app sends it.
func draft(i int) map[string]any {
	return map[string]any{
		"client_id": uuid.NewString(), "issue_type": []string{"pothole", "road_damage", "flooding", "drainage", "street_light"}[i%5],
		"title": Words(4), "description": Words(18), "latitude": -8.5 - float64(rand.IntN(1e6))/1e7, "longitude": 125.5 + float64(rand.IntN(1e6))/1e7,
		"location_accuracy": 4 + float64(rand.IntN(200))/10, "severity": []string{"low", "medium", "high"}[i%3],
		"captured_at": time.Now().Add(-time.Duration(i) * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z"), "created_offline": i > 0,
	}
}

// Words are n words of the country's talk about roads.
func Words(n int) string {
	all := strings.Fields(`estrada kuak boot tebes iha oin eskola uma igreja merkadu ponte aat be moris laiha ahi kalan motor monu loron udan
		dalan ita ema barak liu husi ne'e presiza hadia lalais favor governu munisipiu suku aldeia kotuk besik tasi foho rai monu lixu
		valeta nakonu lampu mate semana rua ona perigu labarik sira bainhira tun sae karreta boot karik bele tama laos deit`)
	out := make([]string, n)
	for i := range out {
		out[i] = all[rand.IntN(len(all))]
	}
	return strings.Join(out, " ")
}
