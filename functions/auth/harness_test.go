package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// system is the function under test on a database of its own, with a clock the test moves.
type system struct {
	t      *testing.T
	server *httptest.Server
	db     *pgxpool.Pool
	clock  *timestamp.Manual
	signer *identitytest.Signer
	sealer *seal.Sealer
	env    config.Env
	output *output
	// hashes counts the password hashes that were computed.
	hashes  atomic.Int64
	handler http.Handler // of the first instance
}

// output is what the function logged, for tests that look for what must not be there.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// The clock starts close to the machine's, so that what the database decides by its own now() stays true, and moves
// in the microseconds the database keeps.
func newSystem(t *testing.T, more ...config.Env) *system {
	t.Helper()
	address := testdb.URL(t)
	signer := identitytest.New(t)
	keys := seal.Config{Keys: []string{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))}}
	sealer, err := seal.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	s := &system{t: t, signer: signer, sealer: sealer, clock: timestamp.NewManual(time.Now().Truncate(time.Microsecond)), output: &output{}}
	s.env = config.Env{
		"DATABASE_URL": testdb.AppURL(address), "DATABASE_MAX_CONNS": "4",
		"TOKEN_PUBLIC_KEYS": signer.PublicKeys(), "TOKEN_SIGNING_KEY": signer.SigningKey(), "SEAL_KEYS": keys.Keys[0],
		"WEB_BASE_URL": "https://web.example", "AWS_REGION": "ap-southeast-2",
	}
	for _, m := range more {
		for name, value := range m {
			s.env[name] = value
		}
	}
	if s.db, err = pgxpool.New(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.db.Close)
	s.server = s.open()
	return s
}

// open starts another instance of the function on the same database.
func (s *system) open() *httptest.Server {
	s.t.Helper()
	handler, err := auth.OpenWith(context.Background(), s.env, &s.hashes, service.WithClock(s.clock), service.WithOutput(s.output))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.handler == nil {
		s.handler = answers.Checked(s.t, handler)
	}
	server := httptest.NewServer(answers.Checked(s.t, handler))
	s.t.Cleanup(server.Close)
	return server
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) text(name string) string {
	v, _ := a.body[name].(string)
	return v
}

func (a answer) number(name string) int {
	v, _ := a.body[name].(float64)
	return int(v)
}

func (a answer) code() string { return a.text("code") }

// request is one call; the zero fields are left out.
type request struct {
	method   string // POST
	path     string // behind /api/v1
	token    string
	body     any // encoded as JSON
	form     url.Values
	header   http.Header
	instance *httptest.Server
}

func (s *system) do(r request) answer {
	s.t.Helper()
	server := s.server
	if r.instance != nil {
		server = r.instance
	}
	res, err := server.Client().Do(s.build(server.URL, r))
	if err != nil {
		s.t.Error(err)
		return answer{}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Error(err)
	}
	return newAnswer(res.StatusCode, res.Header, raw)
}

// from is do as the gateway would pass it on for a client at an address.
func (s *system) from(address string, r request) answer {
	s.t.Helper()
	req, rec := s.build("http://api.example", r), httptest.NewRecorder()
	req.RemoteAddr = address
	if req.Body == nil { // as every request a server reads
		req.Body = http.NoBody
	}
	s.handler.ServeHTTP(rec, req)
	return newAnswer(rec.Code, rec.Header(), rec.Body.Bytes())
}

func newAnswer(status int, header http.Header, raw []byte) answer {
	a := answer{status: status, header: header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.body) // not every answer is an object
	return a
}

func (s *system) build(origin string, r request) *http.Request {
	s.t.Helper()
	method := http.MethodPost
	if r.method != "" {
		method = r.method
	}
	var body io.Reader
	contentType := ""
	switch {
	case r.form != nil:
		body, contentType = strings.NewReader(r.form.Encode()), "application/x-www-form-urlencoded"
	case r.body != nil:
		raw, err := json.Marshal(r.body)
		if err != nil {
			s.t.Fatal(err)
		}
		body, contentType = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, origin+"/api/v1"+r.path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if contentType != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", contentType)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	return req
}

func (s *system) post(path string, body any) answer {
	s.t.Helper()
	return s.do(request{path: path, body: body})
}

// expect fails the test unless the answer has a status and, when given, a code.
func (s *system) expect(a answer, status int, code string) answer {
	s.t.Helper()
	if a.status != status || code != "" && a.code() != code {
		s.t.Fatalf("got %d %s, want %d %s: %s", a.status, a.code(), status, code, a.raw)
	}
	return a
}

// mails are all mails sent so far to an address, oldest first.
func (s *system) mails(to string) []mail.Message {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY created_at, id`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	var out []mail.Message
	for rows.Next() {
		var m queue.NotifyMessage
		if err := rows.Scan(&m); err != nil {
			s.t.Fatal(err)
		}
		if m.Mail == nil { // a message that mails nothing
			continue
		}
		opened, err := mail.Open(s.sealer, m.Mail)
		if err != nil {
			s.t.Fatal(err)
		}
		if opened.To == to {
			out = append(out, opened)
		}
	}
	return out
}

// lastMail is the newest mail to an address, which must be of a template.
func (s *system) lastMail(to string, template mail.Template) mail.Message {
	s.t.Helper()
	all := s.mails(to)
	if len(all) == 0 || all[len(all)-1].Template != template {
		s.t.Fatalf("mails to %s: %+v, want %s last", to, all, template)
	}
	return all[len(all)-1]
}

const goodPassword = "rua-Aimutin-42"

type fields map[string]any

// registered is an account whose address is not confirmed yet, with its code.
func (s *system) registered(address string) string {
	s.t.Helper()
	s.expect(s.post("/auth/register", fields{"email": address, "password": goodPassword, "full_name": "Ana Santos"}), 201, "")
	return s.lastMail(address, mail.RegistrationCode).Params["code"]
}

// signedUp is a confirmed account, signed in.
func (s *system) signedUp(address string) answer {
	s.t.Helper()
	code := s.registered(address)
	return s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": code}), 200, "")
}

func (s *system) loggedIn(address string) answer {
	s.t.Helper()
	return s.expect(s.post("/auth/login", fields{"email": address, "password": goodPassword}), 200, "")
}

// stands reports whether an access token still opens a route.
func (s *system) stands(token string) bool {
	s.t.Helper()
	a := s.do(request{path: "/auth/totp/enroll", token: token})
	switch a.status {
	case http.StatusUnauthorized:
		return false
	case http.StatusOK, http.StatusForbidden: // forbidden: known, but a citizen
		return true
	}
	s.t.Fatalf("probe: %d %s", a.status, a.raw)
	return false
}
