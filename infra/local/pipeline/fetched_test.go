package pipeline_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// neighbour is another system that files reports by Open311, with pictures on a server of its own.
type neighbour struct {
	*system
	api, pictures, key string
	calls              atomic.Int64
}

// newNeighbour starts one. Its server answers /missing with 404, /slow with 503 at the first call, and else with a picture that is never
// the same.
func newNeighbour(t *testing.T) *neighbour {
	t.Helper()
	n := &neighbour{system: setup(t, func(env config.Env) { env["WEBHOOK_PRIVATE_ADDRESSES"] = "true" }), key: apikey.NewSecret()}
	_, err := n.owner.Exec(t.Context(), `INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES ($1, 'Neighbour', 'ops@example.tl', 6000, $2)`, database.NewID(), apikey.Hash(n.key))
	n.must(err)
	front, err := open311.Open(t.Context(), n.env)
	n.must(err)
	router, err := gateway.New(slog.New(slog.DiscardHandler), answers.Checked(t, front))
	n.must(err)
	api := httptest.NewServer(router)
	t.Cleanup(api.Close)
	var slow atomic.Bool
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := n.calls.Add(1)
		switch {
		case r.URL.Path == "/missing":
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/slow" && !slow.Swap(true):
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = w.Write(pictureOf(n.system, int(call), small))
		}
	}))
	t.Cleanup(pictures.Close)
	n.api, n.pictures = api.URL, pictures.URL
	return n
}

// file sends a report with the address of a picture.
func (n *neighbour) file(path string) {
	n.Helper()
	form := url.Values{"api_key": {n.key}, "service_code": {"pothole"}, "lat": {fmt.Sprintf("%.4f", -8.5569+0.01*float64(n.posted.Add(1)))}, "long": {"125.5603"},
		"description": {path}, "media_url": {n.pictures + path}}
	req, err := http.NewRequestWithContext(n.Context(), http.MethodPost, n.api+"/open311/v2/requests.json", strings.NewReader(form.Encode()))
	n.must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	n.must(err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		n.Fatalf("POST requests.json: %d", res.StatusCode)
	}
}

// A picture that another system names by its address is fetched, judged and shown like one of a phone. A server that is down is asked
// again. A report whose picture is not there goes to a person.
func TestPicturesByAddressGoOnLikeOthers(t *testing.T) {
	t.Parallel()
	n := newNeighbour(t)
	for _, path := range []string{"/1.jpg", "/slow", "/missing"} {
		n.file(path)
	}
	n.settle()
	const judged = "verified, completed, confirmed, named; REPORT_SUBMITTED+STATUS_CHANGED+AI_VALIDATED; embeddings 1; picture processed"
	const left = "pending, needs_review, confirmed, named; REPORT_SUBMITTED+AI_VALIDATED; embeddings 0; picture refused"
	ends := n.ends()
	for number, want := range map[string]string{"1": judged, "2": judged, "3": left} {
		for found, end := range ends {
			if strings.HasSuffix(found, "00000"+number) && end != want {
				t.Errorf("%s: %s\nwant %s", found, end, want)
			}
		}
	}
	n.renditions(2)
	n.anchored()
	if dead := n.dead(); dead != "" || len(ends) != 3 || n.calls.Load() != 4 {
		t.Errorf("%d reports, %d calls, dead letters: %s", len(ends), n.calls.Load(), dead)
	}
}

// As TestKilledWorkersLoseAndRepeatNothing for the worker that fetches pictures. The other system answers each call with another one.
func TestKilledFetchesLoseNothing(t *testing.T) {
	t.Parallel()
	n := newNeighbour(t)
	deaths := 0
	for struck := true; struck && deaths < 80; deaths++ {
		n.file("/1.jpg")
		n.upTo(queue.Fetch)
		struck = n.doomed(queue.Fetch, deaths+1)
		n.settle()
	}
	for number, end := range n.ends() {
		if !strings.HasSuffix(end, "picture processed") {
			t.Errorf("%s: %s", number, end)
		}
	}
	n.renditions(deaths)
	n.anchored()
	if dead := n.dead(); dead != "" || deaths < 4 {
		t.Errorf("killed at %d places, dead letters: %s", deaths-1, dead)
	}
}
