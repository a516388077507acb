// Package testenv is a whole small system for a test: a database of its own,
// stand-ins for AWS, people to sign in, and route groups behind the gateway.
package testenv

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	standin "github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Bucket is where pictures are.
const Bucket = "media"

// System is the system of one test.
type System struct {
	testing.TB
	DB     *pgxpool.Pool // in the functions' own role
	AWS    *standin.Server
	Env    config.Env
	Signer *identitytest.Signer
	URL    string // of the gateway, without a slash at the end

	gateway atomic.Pointer[gateway.Gateway]
}

// OpenFunc makes the handler of a route group.
type OpenFunc func(context.Context, config.Env) (*httpapi.Service, error)

// New starts a system with the given groups. Messages for workers stay in the
// outbox, where tests can look at them.
func New(t testing.TB, groups ...OpenFunc) *System {
	t.Helper()
	owned := testdb.URL(t)
	RequireLedgerEvents(t, owned)
	address := testdb.AppURL(owned)
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	server, err := standin.Start(standin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w := &System{TB: t, DB: pool, AWS: server, Signer: identitytest.New(t), Env: config.Env{}}
	for name, value := range server.Env() {
		w.Env[name] = value
	}
	w.Env["DATABASE_URL"], w.Env["DATABASE_MAX_CONNS"] = address, "8"
	w.Env["TOKEN_PUBLIC_KEYS"] = w.Signer.PublicKeys()
	w.Env["MEDIA_BUCKET"], w.Env["S3_PATH_STYLE"] = Bucket, "true"
	w.Env["HEDERA_NETWORK"], w.Env["LOG_LEVEL"] = "local", "ERROR"
	client := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(Bucket)}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(front.Close)
	w.URL = front.URL
	w.Serve(groups...)
	return w
}

// Serve puts groups behind the gateway, with Env as it is now.
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
		functions = append(functions, function)
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

// Citizen signs somebody in.
func (w *System) Citizen() *Client { return w.As(identitytest.Person{Role: identity.Citizen}) }

// Staff signs somebody in with a role; an official belongs to the agency.
func (w *System) Staff(role identity.Role, agency ...uuid.UUID) *Client {
	p := identitytest.Person{Role: role, SecondFactor: true}
	if len(agency) > 0 {
		p.AgencyID = &agency[0]
	}
	return w.As(p)
}

// As signs a person in.
func (w *System) As(p identitytest.Person) *Client {
	w.Helper()
	p = w.Signer.SignInAs(w.DB, p)
	return &Client{p, apiclient.NewTester(w.TB, w.URL).WithToken(p.Token)}
}

// Nobody calls without a token.
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

// Int is a number out of the database.
func (w *System) Int(sql string, args ...any) int {
	w.Helper()
	var n int
	if err := w.DB.QueryRow(w.Context(), sql, args...).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// Text is a text out of the database.
func (w *System) Text(sql string, args ...any) string {
	w.Helper()
	var s string
	if err := w.DB.QueryRow(w.Context(), sql, args...).Scan(&s); err != nil {
		w.Fatal(err)
	}
	return s
}

// Until waits until a query of one truth value says so.
func (w *System) WaitUntil(sql string, args ...any) {
	w.Helper()
	for {
		var so bool
		if err := w.DB.QueryRow(w.Context(), sql, args...).Scan(&so); err != nil {
			w.Fatal(err)
		}
		if so {
			return
		}
		select {
		case <-w.Context().Done():
			w.Fatal("the test ended before it was so")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
