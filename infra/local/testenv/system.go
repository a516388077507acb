// Package testenv starts a small system for a test: a database of its own, stand-ins for AWS, people who are signed in,
// and route groups behind the gateway.
package testenv

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	standin "github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Bucket is the bucket of pictures, LogBucket that of the public log.
const (
	Bucket    = "media"
	LogBucket = "log"
)

// LogEnv configures the public log, but for its KMS key, for a test. The key of receipts is not secret.
func LogEnv() config.Env {
	return config.Env{"LOG_ORIGIN": "lafaekstreet-test/log", "LOG_BUCKET": LogBucket, "RECEIPTS_KEY": "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="}
}

// System is the system of one test.
type System struct {
	testing.TB
	DB     *pgxpool.Pool // with the role of the functions
	AWS    *standin.Server
	Env    config.Env
	Signer *identitytest.Signer
	Faults *faults.Set // of AWS
	URL    string      // of the gateway, without a slash at the end

	owned   string // address of the database, for its owner
	gateway atomic.Pointer[gateway.Gateway]
}

// OwnerEnv is the environment of a function that signs in as the owner of the database.
func (w *System) OwnerEnv() config.Env {
	env := maps.Clone(w.Env)
	env["DATABASE_URL"] = w.owned
	return env
}

// OpenFunc opens a route group.
type OpenFunc func(context.Context, config.Env) (*httpapi.Service, error)

// New starts a system with these route groups. Messages for workers stay in the outbox, where tests can read them.
func New(t testing.TB, groups ...OpenFunc) *System {
	t.Helper()
	owned := testdb.URL(t)
	RequireLedgerEvents(t, owned)
	address := testdb.AppURL(owned)
	pool, err := pgxpool.New(t.Context(), owned)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	failures := faults.NewSet()
	server, err := standin.Start(standin.Options{Faults: failures})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w := &System{TB: t, DB: pool, AWS: server, Signer: identitytest.New(t), Faults: failures, Env: config.Env{}, owned: owned}
	for name, value := range server.Env() {
		w.Env[name] = value
	}
	w.Env["DATABASE_URL"], w.Env["DATABASE_MAX_CONNS"] = address, "8"
	w.Env["TOKEN_PUBLIC_KEYS"] = w.Signer.PublicKeys()
	w.Env["MEDIA_BUCKET"], w.Env["S3_PATH_STYLE"] = Bucket, "true"
	w.Env["HEDERA_NETWORK"], w.Env["LOG_LEVEL"] = "local", "ERROR"
	w.Env["SEAL_KEYS"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" // seals what tests may read
	maps.Copy(w.Env, LogEnv())
	w.Exec(`UPDATE log_counter SET receipts_vkey = $1`, w.receiptsKey())
	client := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	for _, bucket := range []string{Bucket, LogBucket} {
		if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
			t.Fatal(err)
		}
	}
	front := httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(front.Close)
	w.URL = front.URL
	w.Serve(groups...)
	return w
}

// Serve serves these groups instead of the earlier ones, with the present Env.
func (w *System) Serve(groups ...OpenFunc) {
	w.Helper()
	if len(groups) == 0 {
		return
	}
	var functions []gateway.Function
	for _, open := range groups {
		function, err := open(w.Context(), w.Env)
		if err != nil {
			w.Fatal(err)
		}
		functions = append(functions, answers.Checked(w, function))
	}
	router, err := gateway.New(slog.New(slog.DiscardHandler), functions...)
	if err != nil {
		w.Fatal(err)
	}
	w.gateway.Store(router)
}

// answer passes a request to the groups served last.
func (w *System) answer(rw http.ResponseWriter, r *http.Request) {
	if g := w.gateway.Load(); g != nil {
		g.ServeHTTP(rw, r)
		return
	}
	http.NotFound(rw, r)
}

// Citizen signs in a new citizen.
func (w *System) Citizen() *Client { return w.As(identitytest.Person{Role: identity.Citizen}) }

// Staff signs in a new member of staff with a role. An official belongs to the agency.
func (w *System) Staff(role identity.Role, agency ...uuid.UUID) *Client {
	p := identitytest.Person{Role: role, SecondFactor: true}
	if len(agency) > 0 {
		p.AgencyID = &agency[0]
	}
	return w.As(p)
}

// As signs in a person.
func (w *System) As(p identitytest.Person) *Client {
	w.Helper()
	p = w.Signer.SignInAs(w.DB, p)
	return &Client{p, apiclient.NewTester(w.TB, w.URL).WithToken(p.Token)}
}

// Anonymous calls without a token.
func (w *System) Anonymous() *Client { return &Client{Tester: apiclient.NewTester(w.TB, w.URL)} }

// Agency adds an agency.
func (w *System) Agency(code string) uuid.UUID {
	w.Helper()
	id := database.NewID()
	w.Exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, $2, $2, 'municipal')`, id, code)
	return id
}

// Exec runs a statement.
func (w *System) Exec(sql string, args ...any) {
	w.Helper()
	if _, err := w.DB.Exec(w.Context(), sql, args...); err != nil {
		w.Fatal(err)
	}
}

// Tamper runs statements as the owner of the database, who may also switch off triggers.
func (w *System) Tamper(sql string) {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.owned)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = conn.Close(w.Context()) }()
	if _, err := conn.Exec(w.Context(), sql); err != nil {
		w.Fatal(err)
	}
}

// Int is the number that a query returns.
func (w *System) Int(sql string, args ...any) int {
	w.Helper()
	var n int
	if err := w.DB.QueryRow(w.Context(), sql, args...).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// Text is the text that a query returns.
func (w *System) Text(sql string, args ...any) string {
	w.Helper()
	var s string
	if err := w.DB.QueryRow(w.Context(), sql, args...).Scan(&s); err != nil {
		w.Fatal(err)
	}
	return s
}

// WaitUntil waits until a query returns true.
func (w *System) WaitUntil(sql string, args ...any) {
	w.Helper()
	for {
		var done bool
		if err := w.DB.QueryRow(w.Context(), sql, args...).Scan(&done); err != nil {
			w.Fatal(err)
		}
		if done {
			return
		}
		select {
		case <-w.Context().Done():
			w.Fatal("the test ended before the query returned true")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Client calls the system as one person.
type Client struct {
	identitytest.Person
	apiclient.Tester
}

// With is the client with one more header on every request.
func (c *Client) With(name, value string) *Client {
	return &Client{c.Person, c.Tester.With(name, value)}
}

// WithToken is the client with another access token.
func (c *Client) WithToken(token string) *Client {
	out := &Client{c.Person, c.Tester.WithToken(token)}
	out.Person.Token = token
	return out
}

// Form sends fields and a file as a multipart form.
func (c *Client) Form(path string, fields map[string]string, part, filename string, file []byte) apiclient.TestResponse {
	return c.Post(path, apiclient.Form{Fields: fields, FileField: part, FileName: filename, File: file})
}
