package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/aws/sqs"
	"github.com/lafaekstreet/backend/infra/local/console"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/smtp"
)

type fakes struct {
	redriven string
	minted   google.Identity
}

func (f *fakes) Mails(to string) []smtp.Mail {
	all := []smtp.Mail{
		{ID: "2", To: []string{"ana@example.tl"}, Subject: "Code", Text: "123456", HTML: "<p>123456</p>"},
		{ID: "1", To: []string{"bela@example.tl"}, Subject: "Hello"},
	}
	out := []smtp.Mail{}
	for _, m := range all {
		if to == "" || m.To[0] == to {
			out = append(out, m)
		}
	}
	return out
}

func (f *fakes) Pushes(string) []fcm.Push { return []fcm.Push{{ID: "p", Token: "t", Title: "Fixed"}} }

func (f *fakes) Overview(int) []sqs.Queue {
	return []sqs.Queue{{Name: "anchor", Visible: 2}, {Name: "anchor-dead", DeadLetterOf: []string{"anchor"}, Visible: 1}}
}

func (f *fakes) Redrive(name string) (int, error) { f.redriven = name; return 1, nil }

func (f *fakes) Messages() []hedera.Message {
	return []hedera.Message{{TopicID: "0.0.1", SequenceNumber: 1, Contents: []byte(`{"event_type":"REPORT_SUBMITTED"}`)}, {TopicID: "0.0.1", SequenceNumber: 2, Contents: []byte("\x01root")}}
}

func (f *fakes) Mint(id google.Identity) (string, error) { f.minted = id; return "token", nil }

func (f *fakes) Schedules() []console.Schedule {
	return []console.Schedule{{Name: "relay", Runs: "every 1m0s"}, {Name: "broken"}}
}

func (f *fakes) Run(_ context.Context, name string) error {
	if name == "broken" {
		return errors.New("out of order")
	}
	return nil
}

func setup(t *testing.T) (*fakes, console.Sources, http.Handler) {
	t.Helper()
	f := &fakes{}
	sources := console.Sources{
		Mail: f, Push: f, Queues: f, Ledger: f, AI: bedrock.New(time.Now), Faults: faults.NewSet(), Google: f, Schedules: f,
		Links: []console.Link{{Title: "API documentation", URL: "/docs"}},
	}
	return f, sources, console.New(sources)
}

func call(h http.Handler, method, path, body string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8000"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5000"
	for _, f := range edit {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryAddressAnswers(t *testing.T) {
	t.Parallel()
	_, _, h := setup(t)
	cases := []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/_local/", "", 200, "local console"},
		{"GET", "/_local/assets/console.js", "", 200, "drawMail"},
		{"GET", "/_local/assets/console.css", "", 200, "--paper"},
		{"GET", "/_local/summary", "", 200, `"dead":1`},
		{"GET", "/_local/mail?to=ana@example.tl", "", 200, `"text":"123456"`},
		{"GET", "/_local/mail?to=nobody@example.tl", "", 200, "[]"},
		{"GET", "/_local/mail/2/html", "", 200, "<p>123456</p>"},
		{"GET", "/_local/mail/9/html", "", 404, ""},
		{"GET", "/_local/push", "", 200, `"title":"Fixed"`},
		{"GET", "/_local/queues", "", 200, `"dead_letter_of":["anchor"]`},
		{"POST", "/_local/queues/anchor-dead/redrive", "", 200, `"moved":1`},
		{"GET", "/_local/ledger", "", 200, `"payload":{"event_type":"REPORT_SUBMITTED"}`},
		{"POST", "/_local/ai", `{"answers":[{"is_relevant":false,"confidence":0.95}]}`, 200, `"waiting":1`},
		{"GET", "/_local/ai", "", 200, `"waiting":1`},
		{"POST", "/_local/ai", `{"answers":["yes"]}`, 422, "object"},
		{"POST", "/_local/ai", `{}`, 422, "answers"},
		{"DELETE", "/_local/ai", "", 200, `"waiting":0`},
		{"POST", "/_local/faults", `{"service":"bedrock","mode":"timeout","count":1}`, 200, `"pending":[{"service":"bedrock"`},
		{"POST", "/_local/faults", `{"service":"weather","mode":"timeout"}`, 422, "unknown service"},
		{"POST", "/_local/google", `{"email":"ana@example.tl"}`, 200, `"id_token":"token"`},
		{"GET", "/_local/schedules", "", 200, `{"name":"relay","runs":"every 1m0s"}`},
		{"POST", "/_local/schedules/relay", "", 200, `"ran":"relay"`},
		{"POST", "/_local/schedules/broken", "", 500, "out of order"},
		{"POST", "/_local/schedules/none", "", 404, "no such schedule"},
		{"GET", "/_local/nothing", "", 404, ""},
	}
	for _, c := range cases {
		w := call(h, c.method, c.path, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s, want %d with %s", c.method, c.path, w.Code, w.Body, c.status, c.says)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s: policy %q", c.method, c.path, w.Header().Get("Content-Security-Policy"))
		}
	}
}

func TestRequestsReachTheirSource(t *testing.T) {
	t.Parallel()
	f, sources, h := setup(t)
	call(h, "POST", "/_local/queues/anchor-dead/redrive", "")
	call(h, "POST", "/_local/google", `{"email":"ana@example.tl","unverified":true}`)
	call(h, "POST", "/_local/faults", `{"service":"kms","operation":"Sign","mode":"drop_reply"}`)
	if f.redriven != "anchor-dead" || f.minted.Email != "ana@example.tl" || !f.minted.Unverified {
		t.Errorf("reached %+v", f)
	}
	if mode, _ := sources.Faults.Take("kms", "Sign"); mode != faults.DropReply {
		t.Errorf("fault %q", mode)
	}
}

func TestLedgerIsNewestFirst(t *testing.T) {
	t.Parallel()
	_, _, h := setup(t)
	var got []struct {
		Sequence int `json:"sequence_number"`
	}
	if err := json.Unmarshal(call(h, "GET", "/_local/ledger?limit=1", "").Body.Bytes(), &got); err != nil || len(got) != 1 || got[0].Sequence != 2 {
		t.Errorf("ledger %v, %v", got, err)
	}
}

func TestOtherMachinesAndSitesAreRefused(t *testing.T) {
	t.Parallel()
	_, _, h := setup(t)
	cases := map[string]struct {
		method string
		edit   func(*http.Request)
	}{
		"another machine": {"GET", func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5000" }},
		"DNS rebinding":   {"GET", func(r *http.Request) { r.Host = "evil.example:8000" }},
		"another site's page": {"POST", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
		}},
	}
	for name, c := range cases {
		if w := call(h, c.method, "/_local/faults", `{"service":"s3","mode":"error"}`, c.edit); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, w.Code)
		}
	}
}

func TestMissingSourcesAreLeftOut(t *testing.T) {
	t.Parallel()
	h := console.New(console.Sources{Faults: faults.NewSet()})
	for path, want := range map[string]int{"/_local/": 200, "/_local/summary": 200, "/_local/faults": 200, "/_local/mail": 404, "/_local/ledger": 404, "/_local/google": 404} {
		if w := call(h, "GET", path, ""); w.Code != want {
			t.Errorf("GET %s: %d, want %d", path, w.Code, want)
		}
	}
}
