package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// spentKeys is an admission that records whose budget was spent.
type spentKeys struct{ seen []string }

// Admit implements Admission.
func (k *spentKeys) Admit(_ context.Context, _ uuid.UUID, spends []admission.Spend) (identity.Session, []admission.Budget, error) {
	budgets := make([]admission.Budget, len(spends))
	for i, s := range spends {
		k.seen = append(k.seen, s.Key)
		budgets[i] = admission.Budget{Allowed: true, Limit: 1, Remaining: 1}
	}
	return identity.Session{}, budgets, nil
}

// The budget of a member is that of the value the operation decodes, whatever else is sent.
func TestTheLimitCountsTheMemberThatIsDecoded(t *testing.T) {
	t.Parallel()
	var k spentKeys
	service := New(Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler), Admission: &k}, mirror{})
	for sent, want := range map[string]string{
		`{"name":"ana"}`: "ana", `{"Name":"ana"}`: "ana", `{"full_name":"ana"}`: "ana", `{"NAME":"rui","Name":"ana"}`: "rui",
		`{"name":"ana","Name":"rui"}`: "ana", `{"Name":"rui","name":"ana"}`: "ana", `{"name":"ana","name":"rui"}`: "rui",
	} {
		k.seen = nil
		r := httptest.NewRequest(http.MethodPost, "/mirror", strings.NewReader(sent))
		r.Header.Set("Content-Type", mediaJSON)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"name":"`+want+`"`) {
			t.Errorf("%s: the operation decodes %s", sent, w.Body)
		}
		if last := k.seen[len(k.seen)-1]; !strings.HasSuffix(last, "|"+hashed(want)) {
			t.Errorf("%s: the budget is not that of %s", sent, want)
		}
	}
}

// repeat sends a JSON body with a key and returns its answer.
func repeat(service http.Handler, body string) *httptest.ResponseRecorder {
	return sendKeyed(service, mediaJSON, "/mirror", body)
}

func TestARepeatIsComparedAsAValue(t *testing.T) {
	t.Parallel()
	_, service := keyedService(t)
	if w := repeat(service, `{"full_name":"Ana","age":"3"}`); w.Code != http.StatusOK || w.Header().Get(replayHeader) != "" {
		t.Fatalf("first: %d %s", w.Code, w.Body)
	}
	for _, same := range []string{`{"full_name":"Ana","age":"3"}`, ` {"age":"3", "name":"\u0041na"}`} {
		if w := repeat(service, same); w.Code != http.StatusOK || w.Header().Get(replayHeader) != "true" {
			t.Errorf("%s: %d %s", same, w.Code, w.Body)
		}
	}
	if w := repeat(service, `{"name":"Rui","age":"3"}`); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "idempotency_key_reused") {
		t.Errorf("another request: %d %s", w.Code, w.Body)
	}
}
