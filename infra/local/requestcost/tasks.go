// Package requestcost counts what requests cost: the bytes that they send and receive, because mobile data is expensive
// where the app is used, and their round trips to the database.
package requestcost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// Row is the cost of one task in the app. The bytes of pictures are not counted.
type Row struct {
	Name           string
	Requests       int
	Sent, Received int64 // bytes, with headers
	// Goal is the most bytes that may be received; or sent and received, where Both is true.
	Goal int64
	Both bool
}

// Cost is the number of bytes to compare with Goal.
func (r Row) Cost() int64 {
	if r.Both {
		return r.Sent + r.Received
	}
	return r.Received
}

const kilobyte = 1024

// Goals, in bytes. About 500 bytes of each created report, packed, are its receipt: hashes, a signature and a salt do not compress.
const (
	listGoal          = 6 * kilobyte
	reportGoal        = 3 * kilobyte
	createGoal        = 5 * kilobyte
	batchGoal         = 11 * kilobyte
	notificationsGoal = 3 * kilobyte
	unchangedGoal     = 300
)

// Measure does the most frequent tasks of the app as the person with this token. URL is the address of the system. Report
// is the id of a report with every kind of data, which the list shows too.
func Measure(ctx context.Context, url, token, report string) ([]Row, error) {
	client, counter := newClient(url, token)
	var out []Row
	tags := map[string]string{}
	step := func(name string, goal int64, both bool, requests ...request) error {
		counter.take()
		for _, r := range requests {
			if tag := tags[r.Path]; tag != "" {
				r.Header = http.Header{"If-None-Match": {tag}}
			}
			a, err := client.Do(ctx, r.Request)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if a.Status != r.status {
				return fmt.Errorf("%s: %s: got %d, want %d: %v", name, r.Request, a.Status, r.status, a.Object().Values)
			}
			if r.keepTag {
				tags[r.Path] = a.Header.Get("ETag")
			}
		}
		sent, received := counter.take()
		out = append(out, Row{Name: name, Requests: len(requests), Sent: sent, Received: received, Goal: goal, Both: both})
		return nil
	}
	const list, notices, unread = "/reports?page_size=20", "/notifications?page_size=20", "/notifications/unread-count"
	again := func(path string) request {
		return request{Request: apiclient.Request{Path: path}, status: http.StatusNotModified}
	}
	read := func(path string) request {
		return request{Request: apiclient.Request{Path: path}, status: http.StatusOK, keepTag: true}
	}
	post := func(path string, status int, body any) request {
		return request{Request: apiclient.Request{Method: http.MethodPost, Path: path, Body: body}, status: status}
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
		{"check notifications", notificationsGoal, false, []request{read(unread), read(notices)}},
		{"check notifications again", 2 * unchangedGoal, false, []request{again(unread), again(notices)}},
		{"create a report", createGoal, true, []request{
			post("/reports/pre-upload-image", http.StatusCreated, map[string]any{"content_type": "image/jpeg", "size_bytes": 412345}),
			post("/reports", http.StatusCreated, reportBody(0))}},
		{"send 10 offline reports", batchGoal, true, []request{post("/reports/batch", http.StatusOK, map[string]any{"reports": reportBodies(10)})}},
	} {
		if err := step(s.name, s.goal, s.both, s.requests...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// request is one request of a task.
type request struct {
	apiclient.Request
	status  int  // expected
	keepTag bool // sends the response's ETag with the next request to the path
}

func reportBodies(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = reportBody(i)
	}
	return out
}

// reportBody is a report as the app sends it.
func reportBody(i int) map[string]any {
	return map[string]any{
		"client_id": uuid.NewString(), "issue_type": []string{"pothole", "road_damage", "flooding", "drainage", "street_light"}[i%5],
		"title": Words(4), "description": Words(18), "latitude": -8.5 - float64(rand.IntN(1e6))/1e7, "longitude": 125.5 + float64(rand.IntN(1e6))/1e7,
		"location_accuracy": 4 + float64(rand.IntN(200))/10, "severity": []string{"low", "medium", "high"}[i%3],
		"captured_at": time.Now().Add(-time.Duration(i) * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z"), "created_offline": i > 0,
	}
}

// Words are n random words in Tetum.
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

// counter counts the bytes of a client above TCP.
type counter struct{ received, sent atomic.Int64 }

// newClient sends the headers of the app. Its bytes are counted.
func newClient(url, token string) (apiclient.Client, *counter) {
	n := &counter{}
	var dialer net.Dialer
	transport := &http.Transport{
		DisableCompression: true, // the header asks for gzip; net/http must not decompress
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			return &countedConn{conn, n}, err
		},
	}
	header := http.Header{"User-Agent": {"Dart/3.5 (dart:io)"}, "Accept-Encoding": {"gzip"}}
	return apiclient.Client{URL: url, Token: token, Header: header, HTTP: &http.Client{Transport: transport}}, n
}

// take returns the bytes sent and received since the last call.
func (n *counter) take() (int64, int64) { return n.sent.Swap(0), n.received.Swap(0) }

type countedConn struct {
	net.Conn
	counter *counter
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.counter.received.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.counter.sent.Add(int64(n))
	return n, err
}
