package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/deployed"
	"github.com/lafaekstreet/backend/infra/local/console"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/identity"
)

// asDeployed is the external profile with everything switched on. What it names is
// on this machine; what it does not name is as in production.
const asDeployed = `{"stage":"e2e","profile":"external","database_secret":"e2e/database","deployment":"canary",
	"hedera_network":"local","hedera_account":"0.0.2001","hedera_topic_reports":"0.0.1","hedera_topic_status":"0.0.2",
	"hedera_nodes":{"127.0.0.1:1":"0.0.3"},"hedera_mirror":"http://127.0.0.1:1","nominatim_url":"http://127.0.0.1:1",
	"mail_secret":"e2e/smtp","push_secret":"e2e/fcm","google_client_ids":["` + google.DefaultClientID + `"],"web_base_url":"https://www.example.org"}`

// site is the deployed system and what stands around it.
type site struct {
	*deployed.Deployment
	*written
	url      string // of the API, with the console of a local system beside it
	database string // its URL, as the owner
	faults   *faults.Set
	log      *lockedBuffer
}

// newSite deploys what the template says.
func newSite(t *testing.T) *site {
	t.Helper()
	w := deployable(t)
	s, err := deploy(t, w, func(*deployed.Options) {})
	if err != nil {
		t.Fatalf("deploy: %v\n%s", err, s.log)
	}
	return s
}

// deployable is the synthesis of all functions with everything switched on.
func deployable(t *testing.T) *written {
	t.Helper()
	w, err := synthesize(asDeployed)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// deploy runs a synthesis, right or wrong; a wrong one may be refused.
func deploy(t *testing.T, w *written, change func(*deployed.Options)) (*site, error) {
	t.Helper()
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{written: w, faults: faults.NewSet(), log: &lockedBuffer{}, database: testdb.URL(t)}
	ledger := must(hedera.Start(hedera.Options{Faults: s.faults}))(t)
	mail := must(smtp.Start(smtp.Options{Faults: s.faults}))(t)
	push := must(fcm.Start(fcm.Options{Dir: t.TempDir(), Faults: s.faults}))(t)
	signIn := must(google.Start(google.Options{Faults: s.faults}))(t)
	places := must(nominatim.Start(nominatim.Options{Faults: s.faults}))(t)
	var nodes []string
	for _, address := range slices.Sorted(maps.Keys(ledger.Nodes())) {
		nodes = append(nodes, address+"="+ledger.Nodes()[address])
	}
	point := map[string]string{"HEDERA_NODES": strings.Join(nodes, ","), "HEDERA_MIRROR_URL": ledger.MirrorURL(), "NOMINATIM_URL": places.URL()}
	options := deployed.Options{
		Assembly: w.Assembly, Root: root, Log: s.log, Point: point,
		Secrets: map[string]string{"e2e/database": s.database, "e2e/smtp": mail.URL(), "e2e/fcm": string(push.ServiceAccount())},
		Endpoints: map[string]string{"FCM_ENDPOINT": push.URL(), "GOOGLE_KEYS_URL": signIn.KeysURL(), "GOOGLE_ISSUER": signIn.Issuer(),
			"LEDGER_RECEIPT_DELAY": "1s", "LEDGER_CONFIRM_DELAY": "1s",
			// The tests are one client with one address.
			"RATE_LIMIT_ADDRESS_PER_MINUTE": "100000", "RATE_LIMIT_AUTH_PER_MINUTE": "1000"},
		Prepare: func(ctx context.Context, d *deployed.Deployment) error {
			key, err := d.LedgerKey(ctx)
			if err != nil {
				return err
			}
			if err := ledger.SetAccount("0.0.2001", key, 1_000_000*hedera.TinybarsPerHbar); err != nil {
				return err
			}
			for variable, memo := range map[string]string{"HEDERA_TOPIC_REPORTS": "reports", "HEDERA_TOPIC_STATUS": "status"} {
				if point[variable], err = ledger.EnsureTopic(memo, key); err != nil {
					return err
				}
			}
			return nil
		},
	}
	change(&options)
	d, err := deployed.Start(t.Context(), options)
	if err != nil {
		return s, err
	}
	s.Deployment = d
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Logf("close: %v", err)
		}
		if t.Failed() {
			t.Logf("functions logged:\n%s", s.log.tail(20_000))
		}
	})
	api, err := url.Parse(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(api))
	mux.Handle(console.Path, console.New(console.Sources{Mail: mail, Push: push, Queues: d.AWS().SQS, Ledger: ledger, AI: d.AWS().Bedrock, Faults: s.faults, Google: signIn}))
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	s.url = front.URL
	return s, nil
}

// closer is a stand-in.
type closer interface{ Close() error }

// must ends the test when a stand-in does not start, and the stand-in with the test.
func must[T closer](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.Close() })
		return v
	}
}

// TestDeployed runs the real binaries, wired as the synthesized template says.
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

// unreached lists the operations that do not lead to the function that has them.
func (s *site) unreached(t *testing.T) []string {
	t.Helper()
	var faults []string
	for _, o := range operations() {
		path := concrete(o.path)
		req, err := http.NewRequestWithContext(t.Context(), o.method, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", len(path)%250)) // limits are by address
		res, body := do(t, req)
		// A route the function does not know is 404 with this code; a thing that is not there says which.
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

// story is the demo, as a person runs it against any address: sign-up, upload,
// report, AI, ledger, proof.
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
	cmd.WaitDelay = time.Second // what it started may hold its output
	return cmd.CombinedOutput()
}

// acceptance is the suite that drives every operation on the system of one machine,
// uploads, queues and ledger included, and holds each answer to the document.
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

// signedIn calls with a token that is good, of a session that is not: only the
// database knows that. Without it the answer would be 503.
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
		t.Fatalf("the signing key the deploy made: %v", err)
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

// concrete is a path with an id for each parameter.
func concrete(path string) string {
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + "0197b8a0-0000-7000-8000-000000000000" + after
	}
	return path
}

// messages are what a worker has nothing to do for, but understands.
var messages = map[string]string{
	"images":   `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`,
	"validate": `{"report_id":"0197b8a0-0000-7000-8000-000000000001"}`,
	"anchor":   "", // one of the story's events: it is on the ledger
	"notify":   `{"notification_id":"0197b8a0-0000-7000-8000-000000000001"}`,
	"geocode":  `{"report_id":"0197b8a0-0000-7000-8000-000000000001"}`,
}

// partialFailures gives each worker a batch of two, of which one is no message of
// ours. It comes back by name, or lies among the dead letters at once.
func (s *site) partialFailures(t *testing.T) {
	for _, source := range s.Sources() {
		name := strings.TrimPrefix(s.Text(source.Function.Stack, source.Function.Properties["FunctionName"]), s.settings.name(""))
		good, ok := messages[name]
		if !ok {
			t.Errorf("%s: no message to try it with", name)
			continue
		}
		if name == "anchor" {
			good = s.anchored(t)
		}
		var batch events.SQSEvent
		for id, body := range map[string]string{"good": good, "broken": "no JSON"} {
			batch.Records = append(batch.Records, events.SQSMessage{MessageId: id, Body: body, EventSource: "aws:sqs",
				Attributes: map[string]string{"ApproximateReceiveCount": "1"}})
		}
		event, err := json.Marshal(batch)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := s.Invoke(t.Context(), name, event)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out events.SQSEventResponse
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Errorf("%s answers %s", name, raw)
		}
		var named []string
		for _, f := range out.BatchItemFailures {
			named = append(named, f.ItemIdentifier)
		}
		if slices.Contains(named, "good") || !slices.Contains(named, "broken") && s.dead(name) != 1 {
			t.Errorf("%s names %v, and %d dead letters", name, named, s.dead(name))
		}
	}
}

// anchored is a message about an event that has been confirmed.
func (s *site) anchored(t *testing.T) string {
	conn, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var id uuid.UUID
	if err := conn.QueryRow(t.Context(), `SELECT id FROM ledger_events ORDER BY id LIMIT 1`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return `{"event_id":"` + id.String() + `"}`
}

func (s *site) schedules(t *testing.T) {
	for _, f := range s.Functions() {
		name := strings.TrimPrefix(f.Name, s.settings.name(""))
		if c, _ := catalog.Find(catalog.FunctionName(name)); c.Kind != catalog.Schedule {
			continue
		}
		if _, err := s.Invoke(t.Context(), name, []byte(`{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// timeout holds the database's accounts fast. The function's own limit is 15 s;
// the client must hear of it from the function, in the contract's form.
func (s *site) timeout(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	login := func() (reply, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/auth/login",
			strings.NewReader(`{"email":"nobody@example.org","password":"over-the-Hills-9"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		return do(t, req)
	}
	if res, body := login(); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("while the database is stuck: %d %s", res.StatusCode, body)
	}
	if _, err := conn.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if res, body := login(); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("afterwards: %d %s", res.StatusCode, body)
	}
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

// reply is the head of an answer.
type reply struct {
	StatusCode int
	Header     http.Header
}

func do(t *testing.T, req *http.Request) (reply, string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header}, string(body)
}

// lockedBuffer takes the logs of many processes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String implements fmt.Stringer.
func (l *lockedBuffer) String() string { return l.tail(1 << 20) }

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.b.String()
	return text[max(0, len(text)-n):]
}
