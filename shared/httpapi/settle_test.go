package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// work is a group with an operation that creates something, and one that shows it.
type work struct{}

func (work) Name() string { return "work" }

func (work) Register(a *httpapi.API) {
	create := httpapi.Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/things/{how}", DefaultStatus: http.StatusCreated},
		Limit: admission.LimitCreate}
	httpapi.Register(a, create, func(_ context.Context, in *struct {
		How  string `path:"how"`
		Body struct {
			Name string `json:"name" maxLength:"3"`
		}
	}) (*struct{ Status int }, error) {
		switch in.How {
		case "refused":
			return nil, problem.New(problem.Conflict, "conflict")
		case "panic":
			panic("broken handler")
		case "repeat":
			return &struct{ Status int }{http.StatusOK}, nil
		}
		return &struct{ Status int }{http.StatusCreated}, nil
	})
	show := httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: "/shown/{n}"}}
	httpapi.Register(a, show, func(_ context.Context, in *struct {
		N string `path:"n"`
	}) (*text, error) {
		out := &text{}
		out.Body.Text = in.N
		return out, nil
	})
	staff := httpapi.Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/staff", DefaultStatus: http.StatusCreated},
		Limit: admission.LimitCreate, Roles: identity.Staff()}
	httpapi.Register(a, staff, func(context.Context, *struct{}) (*struct{ Status int }, error) {
		return &struct{ Status int }{http.StatusCreated}, nil
	})
}

// oneSession knows every session as that of one person.
type oneSession struct {
	user uuid.UUID
	role identity.Role
}

// Session implements identity.Sessions.
func (s oneSession) Session(context.Context, uuid.UUID) (identity.Session, error) {
	return identity.Session{UserID: s.user, Role: s.role}, nil
}

// Ask implements admission.Sessions.
func (s oneSession) Ask(database.Pipeline, uuid.UUID) *database.Ask[*identity.Session] {
	return database.Derive(func() *identity.Session { return &identity.Session{UserID: s.user, Role: s.role} })
}

// limitedSite serves work with the rates of the contract.
type limitedSite struct {
	t       *testing.T
	service *httpapi.Service
	clock   *timestamp.Manual
	token   string
	user    uuid.UUID
	signer  *identitytest.Signer
}

func newLimitedSite(t *testing.T, role identity.Role) *limitedSite {
	t.Helper()
	s := &limitedSite{t: t, clock: timestamp.NewManual(time.Now()), user: uuid.New(), signer: identitytest.New(t)}
	s.token = s.signer.Token(s.user, role, uuid.New())
	tokens, err := identity.NewVerifier(identity.Config{PublicKeys: s.signer.PublicKeys(), Issuer: identitytest.Issuer, Audience: identitytest.Audience}, s.clock)
	if err != nil {
		t.Fatal(err)
	}
	rates := admission.NewRates(admission.LimitConfig{UserPerMinute: 600, UserBurst: 200, AddressPerMinute: 60, CreatePerHour: 20, StaffPerHour: 200}, nil)
	gate := admission.NewGate(nil, oneSession{s.user, role}, nil, rates, s.clock)
	s.service = httpapi.New(httpapi.Deps{Tokens: tokens, Admission: gate, Clock: s.clock, Log: slog.New(slog.DiscardHandler)}, work{}, &sample{})
	return s
}

func (s *limitedSite) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.token)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.service.ServeHTTP(w, r)
	return w
}

// A request that is refused, fails or repeats an earlier one leaves the budget of new things as
// it was, and the answer says so.
func TestOnlyWhatWasMadeCounts(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, identity.Citizen)
	left := 20
	for range 6 {
		for _, c := range []struct {
			path, body string
			status     int
		}{
			{"/things/refused", `{"name":"a"}`, 409}, {"/things/new", `{"name":"abcd"}`, 422}, {"/things/new", `{`, 422},
			{"/things/panic", `{"name":"a"}`, 500}, {"/things/repeat", `{"name":"a"}`, 200}, {"/staff", `{}`, 403},
			{"/things/new", `{"name":"a"}`, 201},
		} {
			if c.status == http.StatusCreated {
				left--
			}
			w := s.do(http.MethodPost, c.path, c.body)
			if w.Code != c.status {
				t.Errorf("%s %s: %d %s, want %d", c.path, c.body, w.Code, w.Body, c.status)
			}
			if got := w.Header().Get("RateLimit-Remaining"); c.status < 400 && got != strconv.Itoa(left) {
				t.Errorf("%s %s leaves %s, want %d", c.path, c.body, got, left)
			}
		}
	}
	for range left {
		if w := s.do(http.MethodPost, "/things/new", `{"name":"a"}`); w.Code != http.StatusCreated {
			t.Errorf("within the budget: %d", w.Code)
		}
	}
	if w := s.do(http.MethodPost, "/things/new", `{"name":"a"}`); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "180" {
		t.Errorf("past the budget: %d %v", w.Code, w.Header())
	}
}

func TestStaffCreateMore(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, identity.Moderator)
	for i := range 50 {
		if w := s.do(http.MethodPost, "/staff", `{}`); w.Code != http.StatusCreated {
			t.Fatalf("report %d of an hour: %d", i, w.Code)
		}
	}
}

// One page of the journey client makes 107 calls at once, 54 of them for the first
// time. Loads that follow each other every 3.5 seconds find everything unchanged, and none is refused.
func TestAMapThatIsLoadedAgainStaysFull(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, identity.Citizen)
	tags := map[int]string{}
	for load := range 8 {
		for call := range 107 {
			n := call % 54
			w := s.do(http.MethodGet, "/shown/"+strconv.Itoa(n), "", "If-None-Match", tags[n])
			want := http.StatusOK
			if tags[n] != "" {
				want = http.StatusNotModified
			}
			if w.Code != want {
				t.Fatalf("load %d, call %d: %d, want %d", load, call, w.Code, want)
			}
			tags[n] = w.Header().Get("ETag")
		}
		s.clock.Advance(3500 * time.Millisecond)
	}
}

// An answer that was not known costs a whole request, whatever tag was sent.
func TestATagAloneMakesNoRequestCheap(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, identity.Citizen)
	for range 200 {
		s.do(http.MethodGet, "/shown/1", "", "If-None-Match", `W/"x"`)
	}
	if w := s.do(http.MethodGet, "/shown/1", "", "If-None-Match", `W/"x"`); w.Code != http.StatusTooManyRequests {
		t.Errorf("request 201 of a burst of 200: %d", w.Code)
	}
}

// The phones behind one address get the 401 that makes them renew their
// tokens, however many there are. Guessed tokens count against the address.
func TestExpiredTokensOfNeighboursDoNotLockAnAddress(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, identity.Citizen)
	for range 100 {
		phone := s.signer.Sign(identitytest.Claims(time.Now().Add(-2*time.Hour), uuid.New(), identity.Citizen, uuid.New()))
		if w := s.do(http.MethodGet, "/shown/1", "", "Authorization", "Bearer "+phone); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "token_expired") {
			t.Fatalf("an expired token: %d %s", w.Code, w.Body)
		}
	}
	for i := range 61 {
		want := http.StatusUnauthorized
		if i == 60 {
			want = http.StatusTooManyRequests
		}
		if w := s.do(http.MethodGet, "/shown/1", "", "Authorization", "Bearer guess"); w.Code != want {
			t.Errorf("guess %d: %d, want %d", i, w.Code, want)
		}
	}
	if w := s.do(http.MethodGet, "/shown/1", ""); w.Code != http.StatusOK {
		t.Errorf("somebody signed in at the same address: %d", w.Code)
	}
	if w := s.do(http.MethodPost, "/forms", `{"token":"x"}`, "Authorization", ""); w.Code != http.StatusOK {
		t.Errorf("signing in after too much was read: %d %s", w.Code, w.Body)
	}
}
