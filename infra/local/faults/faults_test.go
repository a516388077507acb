package faults_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

func TestTakeUsesUpMatchingFaults(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	for _, f := range []faults.Fault{
		{Service: "kms", Operation: "Sign", Mode: faults.Error, Count: 2, Skip: 1},
		{Service: "s3", Mode: faults.DropReply},
	} {
		if err := set.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		service, operation string
		want               faults.Mode
	}{
		{"kms", "GetPublicKey", ""},
		{"kms", "Sign", ""}, // skipped
		{"kms", "sign", faults.Error},
		{"s3", "PutObject", faults.DropReply},
		{"s3", "PutObject", ""},
		{"kms", "Sign", faults.Error},
		{"kms", "Sign", ""},
	}
	for i, step := range steps {
		if got, _ := set.Take(step.service, step.operation); got != step.want {
			t.Errorf("step %d: Take(%s, %s) = %q, want %q", i, step.service, step.operation, got, step.want)
		}
	}
	if got := len(set.Taken()); got != 3 {
		t.Errorf("taken %d faults, want 3", got)
	}
	var none *faults.Set
	if _, hit := none.Take("s3", "PutObject"); hit {
		t.Error("a nil Set failed a call")
	}
}

func TestForeverLastsUntilClear(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	if err := set.Add(faults.Fault{Service: "smtp", Mode: faults.Throttle, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if mode, _ := set.Take("smtp", "DATA"); mode != faults.Throttle {
			t.Fatalf("mode %q, want throttle", mode)
		}
	}
	set.Clear()
	if _, hit := set.Take("smtp", "DATA"); hit {
		t.Error("a cleared fault was used")
	}
}

func TestServeFailsAsTheModeSays(t *testing.T) {
	t.Parallel()
	reply := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	cases := []struct {
		mode    faults.Mode
		status  int // 0: no answer at all
		effects int
	}{
		{"", 200, 1},
		{faults.Error, 500, 0},
		{faults.Throttle, 429, 0},
		{faults.Malformed, 200, 0},
		{faults.DropReply, 0, 1},
		{faults.Timeout, 0, 0},
	}
	for _, c := range cases {
		t.Run("mode "+string(c.mode), func(t *testing.T) {
			t.Parallel()
			set, effects := faults.NewSet(), 0
			if c.mode != "" {
				if err := set.Add(faults.Fault{Service: "s3", Mode: c.mode}); err != nil {
					t.Fatal(err)
				}
			}
			done := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				set.Serve(w, r, "s3", "PutObject", faults.Replies{Error: reply(500, "e"), Throttle: reply(429, "t"), Malformed: reply(200, "{")},
					func(w http.ResponseWriter, r *http.Request) { effects++; reply(200, "ok")(w, r) })
			}))
			defer server.Close()
			timeout := time.Minute
			if c.mode == faults.Timeout {
				timeout = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPut, server.URL, strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			res, err := server.Client().Do(req)
			<-done
			if effects != c.effects {
				t.Errorf("%d effects, want %d", effects, c.effects)
			}
			if c.status == 0 {
				if err == nil {
					t.Fatalf("got an answer %d, want none", res.StatusCode)
				}
				if timedOut := errors.Is(err, context.DeadlineExceeded); timedOut != (c.mode == faults.Timeout) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
		})
	}
}

func TestConsoleAddsListsAndClearsFaults(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	do := func(method, body string) (int, string) {
		rec := httptest.NewRecorder()
		set.ServeHTTP(rec, httptest.NewRequest(method, "/_local/faults", strings.NewReader(body)))
		return rec.Code, rec.Body.String()
	}
	for _, bad := range []string{`{"service":"s4","mode":"error"}`, `{"service":"s3","mode":"sulk"}`, `nonsense`, `{"service":"s3","mode":"error","count":-2}`} {
		if code, _ := do(http.MethodPost, bad); code != http.StatusUnprocessableEntity {
			t.Errorf("POST %s: %d, want 422", bad, code)
		}
	}
	if code, body := do(http.MethodPost, `[{"service":"bedrock","mode":"throttle","count":3},{"service":"fcm","mode":"error"}]`); code != 200 || !strings.Contains(body, `"count":3`) {
		t.Errorf("POST: %d %s", code, body)
	}
	if got := len(set.Pending()); got != 2 {
		t.Errorf("%d pending, want 2", got)
	}
	if code, _ := do(http.MethodDelete, ""); code != 200 || len(set.Pending()) != 0 {
		t.Errorf("DELETE left %v", set.Pending())
	}
}
