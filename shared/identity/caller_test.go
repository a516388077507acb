package identity_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

func TestMustReturnsTheCaller(t *testing.T) {
	t.Parallel()
	want := identity.Caller{UserID: uuid.New(), Role: identity.Citizen}
	if got := identity.Must(identity.WithCaller(t.Context(), want)); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestMustPanicsWithoutACaller(t *testing.T) {
	t.Parallel()
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "SignedIn") {
			t.Errorf("panicked with %q", text)
		}
	}()
	t.Errorf("an anonymous caller: %+v", identity.Must(t.Context()))
}
