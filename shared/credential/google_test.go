package credential_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/credential"
)

func TestATokenOfOverEightKilobytesIsNotChecked(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	var asked atomic.Int32
	set := k.set()
	k.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(set))
	})
	long := claims(client, time.Hour)
	long["name"] = strings.Repeat("a", 7<<10)
	if _, err := k.verifier().Verify(t.Context(), k.token(t, long)); !errors.Is(err, credential.ErrGoogleInvalid) || asked.Load() != 0 {
		t.Errorf("got %v after asking for the keys %d times, want %v without", err, asked.Load(), credential.ErrGoogleInvalid)
	}
	long["name"] = strings.Repeat("a", 5<<10)
	if _, err := k.verifier().Verify(t.Context(), k.token(t, long)); err != nil || asked.Load() != 1 {
		t.Errorf("of less: got %v after asking %d times", err, asked.Load())
	}
}

func TestKeysOfOverAMegabyteAreRefused(t *testing.T) {
	t.Parallel()
	k := newKeys(t)
	k.say([]byte(strings.Repeat(" ", 1<<20) + k.set()))
	if _, err := k.verifier().Verify(t.Context(), k.token(t, claims(client, time.Hour))); !errors.Is(err, credential.ErrGoogleUnavailable) {
		t.Errorf("got %v, want %v", err, credential.ErrGoogleUnavailable)
	}
}
