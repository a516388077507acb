package start

import (
	"context"
	"errors"
	"fmt"
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
		limit  time.Duration // of the function; 0 is none
		calls  int
		fails  bool
	}{
		"in force at once":             {calls: 1},
		"in force after three tries":   {code: "AccessDeniedException", denied: 3, calls: 4},
		"the code of S3":               {code: "AccessDenied", denied: 1, calls: 2},
		"never in force":               {code: "AccessDeniedException", denied: 1000, calls: 30, fails: true},
		"the function ends before":     {code: "AccessDeniedException", denied: 1000, limit: 20 * time.Second, calls: 4, fails: true},
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
				calls := 0
				id, _, err := retryDenied(ctx, func() (string, map[string]any, error) {
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
