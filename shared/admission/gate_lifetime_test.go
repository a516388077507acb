package admission_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
)

// The cache may know a session for a minute. A revocation is remembered for five: longer than any transaction may last that
// read the session before.
func TestTheCacheForgetsSessionsAndRevocations(t *testing.T) {
	t.Parallel()
	b, server := setup(t), miniredis.RunT(t)
	g := b.process("redis://" + server.Addr())
	lifetime := func() time.Duration {
		t.Helper()
		keys := server.Keys()
		if len(keys) != 1 {
			t.Fatalf("the cache holds %v, want one key", keys)
		}
		return server.TTL(keys[0])
	}
	if _, err := g.Session(t.Context(), b.id); err != nil {
		t.Fatal(err)
	}
	if got := lifetime(); got != time.Minute {
		t.Errorf("a session is known for %s, want a minute", got)
	}
	g.Forget(t.Context(), []uuid.UUID{b.id})
	if got := lifetime(); got != 5*time.Minute {
		t.Errorf("a revocation is remembered for %s, want five minutes", got)
	}
}
