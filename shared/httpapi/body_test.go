package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
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

// Return implements Admission.
func (k *spentKeys) Return(context.Context, []admission.Spend) []admission.Budget { return nil }

// A budget of a member is counted by the value that the operation decodes, even if the request has the member twice.
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

// The same holds for forms and for values in the query: there is one reading of a request.
func TestTheLimitCountsTheFieldThatIsDecoded(t *testing.T) {
	t.Parallel()
	var k spentKeys
	service := New(Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler), Admission: &k}, mirror{})
	form := func(fields ...string) string {
		var out strings.Builder
		for i := 0; i+1 < len(fields); i += 2 {
			out.WriteString("--XX\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i+1] + "\r\n")
		}
		return out.String() + "--XX--\r\n"
	}
	const multi = "multipart/form-data; boundary=XX"
	for _, c := range []struct{ media, query, body string }{
		{mediaURLEncoded, "", "name=ana"}, {mediaURLEncoded, "", "NAME=ana"}, {mediaURLEncoded, "", "full_name=ana"},
		{mediaURLEncoded, "", "name=ana&name=rui"}, {mediaURLEncoded, "", "Name=rui&name=ana"}, {mediaURLEncoded, "", "name=ana&full_name=rui"},
		{mediaURLEncoded, "?name=rui", "name=ana"}, {mediaURLEncoded, "?name=ana", ""}, {"", "?name=ana", ""}, {mediaJSON, "?name=ana", ""},
		{multi, "", form("name", "ana")}, {multi, "", form("name", "ana", "name", "rui")}, {multi, "", form("full_name", "rui", "name", "ana")},
		{mediaJSON, "?name=rui", `{"name":"ana"}`}, {"", "", `{"name":"ana"}`}, {mediaJSON, "", `{"\u006eame":"ana"}`},
		{mediaJSON, "", `{"name":"\u0061na"}`}, {mediaJSON, "", "\ufeff" + `{"name":"ana"}`}, {"application/merge-patch+json", "", `{"name":"ana"}`},
	} {
		k.seen = nil
		r := httptest.NewRequest(http.MethodPost, "/mirror"+c.query, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		if c.media == "" {
			r.Header.Del("Content-Type")
		}
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code >= http.StatusBadRequest {
			continue // nothing was decoded
		}
		var got struct{ Name string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Name == "" {
			t.Errorf("%+v: %s", c, w.Body)
		}
		if last := k.seen[len(k.seen)-1]; !strings.HasSuffix(last, "|"+hashed(strings.ToLower(got.Name))) {
			t.Errorf("%+v: the operation decodes %q, and the budget is another's", c, got.Name)
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

// freeForm answers the text of a member without a schema, as the operation decoded it.
type freeForm struct{}

func (freeForm) Name() string { return "free" }

func (freeForm) Register(a *API) {
	type in struct {
		Body struct {
			Name string          `json:"name"`
			Kind string          `json:"kind,omitempty" enum:"first,second"`
			Free json.RawMessage `json:"free"`
		}
	}
	type out struct{ Body struct{ Text string } }
	op := Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/free"}, Access: Public, Aliases: map[string]string{"full_name": "name"}}
	Register(a, op, func(_ context.Context, in *in) (*out, error) {
		o := &out{}
		o.Body.Text = string(in.Body.Free)
		return o, nil
	})
}

func TestAMemberKeptAsText(t *testing.T) {
	t.Parallel()
	service := New(Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, freeForm{})
	const free = `{"z": 1.50, "a": [12345678901234567890, 1E5], "t":"\u00e9 <b> & é"}`
	for sent, want := range map[string]string{
		`{"name":"x","free":` + free + `}`:                free,
		`{"name":"x","kind":"first","free":` + free + `}`: free,
		`{"full_name":"x","free":` + free + `}`:           `{"a":[12345678901234567890,1E5],"t":"é <b> & é","z":1.50}`,
	} {
		r := httptest.NewRequest(http.MethodPost, "/free", strings.NewReader(sent))
		r.Header.Set("Content-Type", mediaJSON)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		var got struct{ Text string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Text != want {
			t.Errorf("%s: got %d %s, want %s", sent, w.Code, w.Body, want)
		}
	}
}

// A Lambda keeps its disk from one request to the next.
func TestFilesOfATextFormAreDeleted(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	const head = "--XX\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAna\r\n--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"
	r := httptest.NewRequest(http.MethodPost, "/mirror", strings.NewReader(head+strings.Repeat("x", 200<<10)+"\r\n--XX--\r\n"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=XX")
	w := httptest.NewRecorder()
	mirrorService().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}
