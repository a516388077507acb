package start

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
)

// A custom resource waits for a policy that is seconds old, for a bounded time, and for nothing else.
func TestRetryDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code   string
		denied int           // calls that fail
		delay  string        // POLICY_DELAY
		limit  time.Duration // of the function; 0 is none
		calls  int
		fails  bool
	}{
		"in force at once":             {calls: 1},
		"in force after three tries":   {code: "AccessDeniedException", denied: 3, calls: 4},
		"the code of S3":               {code: "AccessDenied", denied: 1, calls: 2},
		"never in force":               {code: "AccessDeniedException", denied: 1000, calls: 30, fails: true},
		"the function ends before":     {code: "AccessDeniedException", denied: 1000, limit: 20 * time.Second, calls: 4, fails: true},
		"no delay: a denial is final":  {code: "AccessDeniedException", denied: 1, delay: "0s", calls: 1, fails: true},
		"a short delay":                {code: "AccessDeniedException", denied: 1000, delay: "10s", calls: 4, fails: true},
		"another error is final":       {code: "ResourceNotFoundException", denied: 1, calls: 1, fails: true},
		"an error of no AWS is final":  {denied: 1, calls: 1, fails: true},
		"the time left is the reserve": {code: "AccessDenied", denied: 1, limit: 10 * time.Second, calls: 1, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				delay, err := policyDelay(c.delay)
				if err != nil {
					t.Fatal(err)
				}
				calls := 0
				id, _, err := retryDenied(ctx, delay, func() (string, map[string]any, error) {
					calls++
					switch {
					case calls > c.denied:
						return "made", nil, nil
					case c.code == "":
						return "", nil, errors.New("AccessDenied")
					}
					return "", nil, fmt.Errorf("get secret value: %w", &smithy.GenericAPIError{Code: c.code})
				})
				if calls != c.calls || (err != nil) != c.fails || (id == "made") == c.fails {
					t.Errorf("%d calls, want %d; %q, %v", calls, c.calls, id, err)
				}
			})
		})
	}
}

func TestPolicyDelayIsADuration(t *testing.T) {
	t.Parallel()
	if delay, err := policyDelay("soon"); err == nil {
		t.Errorf("it is taken for %v", delay)
	}
}

// CloudFormation refuses an answer of more than 4,096 bytes. Quotes and angle brackets take more bytes there than in the error.
func TestReasonFitsIntoTheAnswer(t *testing.T) {
	t.Parallel()
	short := errors.New("no such secret")
	if err := brief(t.Context(), short); !errors.Is(err, short) {
		t.Errorf("a short error becomes %v", err)
	}
	if err := brief(t.Context(), nil); err != nil {
		t.Errorf("no error becomes %v", err)
	}
	if err := brief(t.Context(), errors.New("auth:1: \xff"+strings.Repeat("a", maxReason))); !strings.HasPrefix(err.Error(), "auth:1: ?aaa") {
		t.Errorf("what is no text becomes %.80q", err)
	}
	for _, part := range []string{"a", `"`, "<", "é", "\x01"} {
		text := "auth:1: " + strings.Repeat(part, 5000)
		err := brief(t.Context(), errors.New(text))
		encoded, errEncode := json.Marshal(err.Error())
		if errEncode != nil {
			t.Fatal(errEncode)
		}
		if len(encoded) > maxReason+10 || len(encoded) < maxReason-10 || !strings.HasPrefix(text, strings.TrimSuffix(err.Error(), " …")) {
			t.Errorf("%q: %d bytes: %.80s", part, len(encoded), encoded)
		}
	}
}
