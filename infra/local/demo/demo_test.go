package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// stage answers as a deployed stage does: it has no console. ai and ledger are the states that a report keeps.
type stage struct {
	ai, ledger string
	mu         sync.Mutex
	calls      []string
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1")
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	report := `{"id":"1","report_number":"LS-2026-000001","status":"pending","ai":{"status":"` + s.ai + `"},"blockchain":{"status":"` + s.ledger + `","network":"testnet"}}`
	answers := map[string]string{
		"POST /auth/login": `{"access_token":"t"}`, "POST /reports": report, "GET /reports/1": report,
		"POST /reports/pre-upload-image": `{"upload_id":"u","upload":{"method":"PUT","url":"http://` + r.Host + `/storage"}}`,
		"PUT /storage":                   "", "GET /blockchain/report/1/history": `{}`,
		"GET /blockchain/report/1/verify": `{"verified":true}`, "GET /reports/1/ai-analysis/latest": `{"model":"m"}`,
		"GET /log/checkpoint": "log.example/log\n7\nroot\n",
	}
	answer, ok := answers[call]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = w.Write([]byte(answer))
}

func (s *stage) called(call string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.calls, "\n"), call)
}

func tell(t *testing.T, s *stage, without string) (string, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	missing, err := parts(without)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	st := &story{api: apiclient.Client{URL: server.URL}, out: &out, patience: time.Second, without: missing}
	err = st.tell(t.Context(), "")
	return out.String(), err
}

// Against a deployed stage the demo makes no account for an address that nobody reads: a mail to it would come back.
func TestADeployedStageNeedsAMailbox(t *testing.T) {
	t.Setenv("DEMO_EMAIL", "")
	s := &stage{}
	if _, err := tell(t, s, ""); !errors.Is(err, errNoMailbox) {
		t.Errorf("got %v", err)
	}
	if s.called("POST") {
		t.Errorf("it wrote something: %v", s.calls)
	}
}

// What a stage does not have yet is not waited for, and the demo says so. It also says what it leaves.
func TestWhatIsNotTried(t *testing.T) {
	t.Setenv("DEMO_EMAIL", "ana@example.tl")
	t.Setenv("DEMO_PASSWORD", "s3cret")
	s := &stage{ai: "queued", ledger: "queued"}
	out, err := tell(t, s, "ai, ledger")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"checkpoint of log.example/log, with 7 entries", "not tried the verdict", "not tried the ledger", "the report LS-2026-000001", "the account ana@example.tl"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if s.called("verify") {
		t.Error("it asked for a proof")
	}
	if out, err := tell(t, s, "ai"); err == nil || !strings.Contains(err.Error(), "WITHOUT=ledger") {
		t.Errorf("it does not miss the ledger: %v\n%s", err, out)
	}
	if out, err := tell(t, &stage{ai: "completed", ledger: "confirmed"}, ""); err != nil || strings.Contains(out, "not tried") || !strings.Contains(out, "proof") {
		t.Errorf("a stage with everything: %v\n%s", err, out)
	}
	if _, err := parts("mail"); err == nil {
		t.Error("any part can be left out")
	}
}
