package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/identity"
)

// TestDeployed runs the real binaries, connected as the synthesized templates say.
func TestDeployed(t *testing.T) {
	s := newSite(t)
	t.Run("every operation reaches its function", s.everyOperation)
	t.Run("what no route names is answered in the contract's form", s.unknown)
	t.Run("preflights are answered by the gateway", s.preflight)
	t.Run("the story of a report", s.story)
	t.Run("the acceptance tests of make run", s.acceptance)
	t.Run("every HTTP function asks the database who is signed in", s.signedIn)
	t.Run("every function keeps within its memory", s.memory)
	t.Run("no message was given up", s.nothingDead)
	t.Run("every worker names the message it could not handle, and no other", s.partialFailures)
	t.Run("every scheduled function does its work", s.schedules)
	t.Run("a request that takes too long is answered in time", s.timeout)
	t.Run("nothing was refused by a policy", func(t *testing.T) {
		for _, r := range s.Refused() {
			t.Error(r)
		}
	})
}

func (s *site) everyOperation(t *testing.T) {
	for _, fault := range s.unreached(t) {
		t.Error(fault)
	}
}

// unreached lists the operations whose route does not lead to their function.
func (s *site) unreached(t *testing.T) []string {
	t.Helper()
	var faults []string
	for _, o := range operations() {
		path := concrete(o.path)
		req, err := http.NewRequestWithContext(t.Context(), o.method, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", len(path)%250)) // rate limits count by address
		res, body := do(t, req)
		// A function answers an unknown route with this code. The 404 of a missing report or user has another code.
		unknown := res.StatusCode == http.StatusNotFound && strings.Contains(body, `"code":"not_found"`) && !strings.Contains(o.path, "{")
		if unknown || res.StatusCode == http.StatusMethodNotAllowed || res.StatusCode >= 500 {
			faults = append(faults, fmt.Sprintf("%s %s: %d %.200s", o.method, o.path, res.StatusCode, body))
		}
		if res.Header.Get("X-Request-Id") == "" {
			faults = append(faults, fmt.Sprintf("%s %s: no function answered: %d %.200s", o.method, o.path, res.StatusCode, body))
		}
	}
	return faults
}

func (s *site) unknown(t *testing.T) {
	for _, path := range []string{"/nowhere", "/api/v1/nowhere", "/api/v2/reports"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, body := do(t, req)
		if res.StatusCode != http.StatusNotFound || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s", path, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
	}
}

func (s *site) preflight(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url+"/api/v1/reports", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://www.example.org")
	req.Header.Set("Access-Control-Request-Method", "PATCH")
	res, _ := do(t, req)
	h := res.Header
	if res.StatusCode >= 300 || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PATCH") ||
		!strings.Contains(h.Get("Access-Control-Allow-Headers"), "authorization") {
		t.Errorf("%d %v", res.StatusCode, h)
	}
}

// story runs the demo as a person would against any address: sign-up, upload, report, AI, ledger, proof.
func (s *site) story(t *testing.T) {
	out, err := s.tell(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func (s *site) tell(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "run", "./infra/local/demo", "-url", s.url, "-patience", "2m")
	cmd.Dir = filepath.Join("..")
	cmd.WaitDelay = time.Second // programs that it has started may hold its output open
	return cmd.CombinedOutput()
}

// acceptance runs the tests that call every operation of the local system, and compare each answer with the OpenAPI
// document.
func (s *site) acceptance(t *testing.T) {
	token, err := s.Secret(t.Context(), s.settings.name("token-setup"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout", "10m", "-run", "^TestContract$", "-v", "./infra/local/acceptance")
	cmd.Dir = filepath.Join("..")
	cmd.Env = append(os.Environ(), "ACCEPTANCE_URL="+s.url, "ACCEPTANCE_SETUP_TOKEN="+token)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestContract")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// signedIn calls with a valid token of an unknown session. The function has to ask the database about it: if it cannot reach
// the database, the answer is 503.
func (s *site) signedIn(t *testing.T) {
	raw, err := s.Secret(t.Context(), s.settings.name("signing-1"))
	if err != nil {
		t.Fatal(err)
	}
	var key struct{ Kid, D string }
	if err := json.Unmarshal([]byte(raw), &key); err != nil {
		t.Fatal(err)
	}
	seed, err := base64.RawURLEncoding.DecodeString(key.D)
	if err != nil || len(seed) != ed25519.SeedSize {
		t.Fatalf("the signing key that the deploy has made: %v", err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, identitytest.Claims(time.Now(), uuid.New(), identity.Citizen, uuid.New()))
	token.Header["kid"] = key.Kid
	signed, err := token.SignedString(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	asked := make(map[catalog.FunctionName]bool)
	for _, o := range catalog.Routes() {
		if !slices.Contains(o.Methods, http.MethodGet) || asked[o.Function] {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+concrete(o.Path), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if res, _ := do(t, req); res.StatusCode != http.StatusUnauthorized {
			continue // open to anybody
		}
		asked[o.Function] = true
		req.Header.Set("Authorization", "Bearer "+signed)
		if res, body := do(t, req); res.StatusCode != http.StatusUnauthorized || !strings.Contains(body, `"token_invalid"`) {
			t.Errorf("GET %s: %d %.200s", o.Path, res.StatusCode, body)
		}
	}
	if len(asked) < 5 {
		t.Errorf("only %v were asked", asked)
	}
}

// concrete returns a path with an id in place of each parameter.
func concrete(path string) string {
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + "0197b8a0-0000-7000-8000-000000000000" + after
	}
	return path
}

func (s *site) nothingDead(t *testing.T) {
	for _, q := range s.AWS().SQS.Overview(10) {
		if strings.HasSuffix(q.Name, "-dead") && q.Visible > 0 {
			t.Errorf("%s holds %d", q.Name, q.Visible)
		}
	}
}

func (s *site) dead(name string) int {
	for _, q := range s.AWS().SQS.Overview(10) {
		if q.Name == s.settings.name(name+"-dead") {
			return q.Visible
		}
	}
	return 0
}
