package pipeline_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/infra/cost"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/queue"
)

// requests counts the requests to AWS and the calls of workers, by kind. It stands between the functions and the stand-ins.
type requests struct {
	mu    sync.Mutex
	count map[string]int
	proxy httputil.ReverseProxy
}

func (r *requests) add(kind string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count[kind] += n
}

// ServeHTTP counts a request and passes it on.
func (r *requests) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.add(kindOf(req), 1)
	r.proxy.ServeHTTP(w, req)
}

// kindOf is the service and the operation of a request, such as "sqs SendMessage". A request to S3 has the bucket too. The
// writes of the public log's checkpoint have a kind of their own, because they are as many as the checkpoints.
func kindOf(req *http.Request) string {
	if service, operation, ok := strings.Cut(req.Header.Get("X-Amz-Target"), "."); ok {
		return map[string]string{"AmazonSQS": "sqs ", "TrentService": "kms ", "secretsmanager": "secrets "}[service] + operation
	}
	if strings.HasPrefix(req.URL.Path, "/model/") {
		return "bedrock " + path.Base(req.URL.Path)
	}
	name, key, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	if name == testenv.LogBucket && key == "checkpoint" {
		return "log checkpoint " + req.Method
	}
	return map[string]string{bucket: "pictures ", testenv.LogBucket: "log "}[name] + req.Method
}

// counted is a worker whose calls are counted.
type counted struct {
	queue.Handler
	name queue.Name
	by   *requests
}

// Handle implements queue.Handler.
func (c counted) Handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	c.by.add("call "+string(c.name), 1)
	return c.Handler.Handle(ctx, e)
}

// TestRequestsOfAReport counts the requests to AWS of reports that come one at a time, so that each message is a call of its
// own. With MEASURE it writes them to that file, for infra/cost/counts.json; else it compares them with that file: a report
// that asks for a tenth more of something costs more than decision 0014 says.
func TestRequestsOfAReport(t *testing.T) {
	r := &requests{count: map[string]int{}}
	s := setup(t, func(env config.Env) {
		target, err := url.Parse(env["AWS_ENDPOINT_URL"])
		if err != nil {
			t.Fatal(err)
		}
		r.proxy.Rewrite = func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host // it is signed
		}
		front := httptest.NewServer(r)
		t.Cleanup(front.Close)
		env["AWS_ENDPOINT_URL"] = front.URL
	})
	s.spacing = 0.001
	for name, handler := range s.handlers {
		s.handlers[name] = counted{handler, name, r}
	}
	r.mu.Lock()
	clear(r.count) // the start of the functions
	r.mu.Unlock()
	const reports = 10
	for n := range reports {
		s.report(n)
		s.settle()
	}
	s.finishedAll(reports)
	r.add("mail", len(s.mails.Mails("")))
	delete(r.count, "kms GetPublicKey") // once for each process
	got := cost.Run{Reports: reports, Counts: maps.Clone(r.count)}
	if to := os.Getenv("MEASURE"); to != "" {
		raw, err := json.MarshalIndent(got, "", "  ")
		s.must(err)
		s.must(os.WriteFile(to, append(raw, '\n'), 0o600))
		return
	}
	known, err := cost.ReadMeasured()
	s.must(err)
	for _, difference := range known.Run.Exceeded(got) {
		t.Error(difference)
	}
}
