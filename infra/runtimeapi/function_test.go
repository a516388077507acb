package runtimeapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// TestMain lets the test binary be the function under test.
func TestMain(m *testing.M) {
	switch os.Getenv("TEST_FUNCTION") {
	case "":
		os.Exit(m.Run())
	case "init-exit":
		os.Exit(3)
	case "init-hang":
		select {}
	default:
		lambda.Start(testFunction)
	}
}

// kept holds on to memory.
var kept [][]byte

type testEvent struct{ Do, Text string }

type testAnswer struct {
	Text, RequestID, ARN string
	Left                 time.Duration
	Env                  []string
}

func testFunction(ctx context.Context, e testEvent) (testAnswer, error) {
	switch e.Do {
	case "fail":
		return testAnswer{}, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	case "grow":
		for range 4 << 10 { // 4 GB, each page written to
			kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
		}
	case "large":
		return testAnswer{Text: strings.Repeat("a", 7<<20)}, nil
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return testAnswer{Text: e.Text, RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn,
		Left: time.Until(deadline), Env: os.Environ()}, nil
}

// setup runs this test binary as a function of the given kind.
func setup(t *testing.T, kind string, timeout time.Duration) *runtimeapi.Function {
	t.Helper()
	return limited(t, kind, timeout, 0)
}

// limited is setup with as many MiB as may be taken.
func limited(t *testing.T, kind string, timeout time.Duration, mib int) *runtimeapi.Function {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := runtimeapi.New(runtimeapi.Config{
		Name: "test", Binary: binary, Timeout: timeout, Region: "us-east-1", Account: "000000000000",
		Env: map[string]string{"TEST_FUNCTION": kind, "GOCOVERDIR": t.TempDir()}, Limit: mib,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func invoke(t *testing.T, f *runtimeapi.Function, event string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := f.Invoke(ctx, []byte(event))
	return string(out), err
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	f := setup(t, "ok", 20*time.Second)
	first := answer(t, f, `{"Text":"bondia"}`)
	if first.Text != "bondia" || first.ARN != "arn:aws:lambda:us-east-1:000000000000:function:test" {
		t.Errorf("got %+v", first)
	}
	if first.Left <= 0 || first.Left > 20*time.Second {
		t.Errorf("the function was told it has %v", first.Left)
	}
	if second := answer(t, f, `{}`); second.RequestID == first.RequestID || second.RequestID == "" {
		t.Errorf("request ids %q, then %q", first.RequestID, second.RequestID)
	}
}

func TestEnvironmentIsTheFunctionsOwn(t *testing.T) {
	t.Parallel()
	for _, v := range answer(t, setup(t, "ok", 20*time.Second), `{}`).Env {
		name, _, _ := strings.Cut(v, "=")
		if name == "HOME" || name == "USER" || name == "GOPATH" {
			t.Errorf("%s of this process reached the function", name)
		}
	}
}

func TestOneInvocationAtATime(t *testing.T) {
	t.Parallel()
	f := setup(t, "ok", 20*time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := make(map[string]bool)
	for range 20 {
		wg.Go(func() {
			a := answer(t, f, `{}`)
			mu.Lock()
			defer mu.Unlock()
			ids[a.RequestID] = true
		})
	}
	wg.Wait()
	if len(ids) != 20 {
		t.Errorf("%d of 20 invocations were answered by themselves", len(ids))
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, event, kind, message string }{
		{"own error", `{"Do":"fail","Text":"no"}`, "errorString", "no"},
		{"panic", `{"Do":"panic","Text":"ai"}`, "string", "ai"},
		{"exit", `{"Do":"exit"}`, "Runtime.ExitError", "exit status 7"},
		{"timeout", `{"Do":"hang"}`, "Sandbox.Timedout", "timed out after 2.00 seconds"},
		{"large answer", `{"Do":"large"}`, "Function.ResponseSizeTooLarge", "6291556"},
		{"malformed event", `{"Text":7}`, "UnmarshalTypeError", "Text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, "ok", 2*time.Second)
			_, err := invoke(t, f, c.event)
			var failure *runtimeapi.Error
			if !errors.As(err, &failure) || failure.Type != c.kind || !strings.Contains(failure.Message, c.message) {
				t.Errorf("got %v, want %s: …%s…", err, c.kind, c.message)
			}
			if again := answer(t, f, `{"Text":"still here"}`); again.Text != "still here" {
				t.Errorf("the next event: got %+v", again)
			}
		})
	}
}

func TestFunctionThatCannotStart(t *testing.T) {
	t.Parallel()
	var failure *runtimeapi.Error
	if _, err := invoke(t, setup(t, "init-exit", time.Second), `{}`); !errors.As(err, &failure) ||
		!strings.Contains(failure.Message, "exit status 3") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := setup(t, "init-hang", time.Second).Start(ctx); !errors.As(err, &failure) || failure.Type != "Sandbox.Timedout" {
		t.Errorf("got %v", err)
	}
}

func TestEventTooLarge(t *testing.T) {
	t.Parallel()
	var failure *runtimeapi.Error
	_, err := setup(t, "ok", time.Second).Invoke(t.Context(), bytes.Repeat([]byte(" "), runtimeapi.MaxPayload+1))
	if !errors.As(err, &failure) || failure.Type != "RequestTooLarge" {
		t.Errorf("got %v", err)
	}
}

func answer(t *testing.T, f *runtimeapi.Function, event string) testAnswer {
	t.Helper()
	out, err := invoke(t, f, event)
	if err != nil {
		t.Errorf("invoke: %v", err)
		return testAnswer{}
	}
	var a testAnswer
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Errorf("answer %q: %v", out, err)
	}
	return a
}
