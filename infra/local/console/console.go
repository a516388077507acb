// Package console serves "/_local/" on one machine: a page and JSON that show what the stand-ins received, and requests
// that change what they answer.
package console

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"

	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/aws/sqs"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/smtp"
)

// Path is where the console is mounted.
const Path = "/_local/"

const (
	maxBody      = 1 << 20
	defaultLimit = 100
	maxLimit     = 1000
)

//go:embed assets
var assets embed.FS

// Mailbox holds captured mails. *smtp.Server is one.
type Mailbox interface {
	Mails(to string) []smtp.Mail
}

// Pushbox holds captured push messages; *fcm.Server is one.
type Pushbox interface {
	Pushes(token string) []fcm.Push
}

// Queues shows the queues; *sqs.Service is one.
type Queues interface {
	Overview(limit int) []sqs.Queue
	Redrive(name string) (int, error)
}

// Ledger shows the messages of every topic, oldest first; *hedera.Server is one.
type Ledger interface {
	Messages() []hedera.Message
}

// AI takes scripted answers; *bedrock.Service is one.
type AI interface {
	Script(answers []json.RawMessage) error
	Scripted() int
	ClearScript()
	Calls() []bedrock.Call
}

// SignIn mints identity tokens; *google.Server is one.
type SignIn interface {
	Mint(id google.Identity) (string, error)
}

// Schedule is a scheduled function.
type Schedule struct {
	Name string `json:"name"`
	Runs string `json:"runs"` // when it runs in AWS, in words
}

// Schedules are the scheduled functions of the catalogue.
type Schedules interface {
	Schedules() []Schedule
	// Run calls one now and waits for its end.
	Run(ctx context.Context, name string) error
}

// Link is a shortcut at the top of the page.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Sources are the stand-ins behind the console. A nil one means that the real service or another emulator is used: its
// address answers 404.
type Sources struct {
	Mail      Mailbox
	Push      Pushbox
	Queues    Queues
	Ledger    Ledger
	AI        AI
	Faults    *faults.Set
	Google    SignIn
	Schedules Schedules
	Links     []Link
}

type console struct {
	sources Sources
}

// New serves Path and everything below it. It answers this machine only, and refuses writes from pages of other sites.
func New(sources Sources) http.Handler {
	c := &console{sources}
	mux := http.NewServeMux()
	static, err := fs.Sub(assets, "assets")
	if err != nil {
		static = assets // the folder is embedded: Sub cannot fail
	}
	mux.Handle("GET /_local/assets/", http.StripPrefix("/_local/assets/", http.FileServerFS(static)))
	mux.HandleFunc("GET /_local/{$}", c.page)
	mux.HandleFunc("GET /_local/summary", c.summary)
	if sources.Mail != nil {
		mux.HandleFunc("GET /_local/mail", c.mail)
		mux.HandleFunc("GET /_local/mail/{id}/html", c.mailHTML)
	}
	if sources.Push != nil {
		mux.HandleFunc("GET /_local/push", c.push)
	}
	if sources.Queues != nil {
		mux.HandleFunc("GET /_local/queues", c.queues)
		mux.HandleFunc("POST /_local/queues/{name}/redrive", c.redrive)
	}
	if sources.Ledger != nil {
		mux.HandleFunc("GET /_local/ledger", c.ledger)
	}
	if sources.AI != nil {
		mux.HandleFunc("GET /_local/ai", c.ai)
		mux.HandleFunc("POST /_local/ai", c.script)
		mux.HandleFunc("DELETE /_local/ai", c.unscript)
	}
	if sources.Faults != nil {
		mux.Handle("/_local/faults", sources.Faults)
	}
	if sources.Google != nil {
		mux.HandleFunc("POST /_local/google", c.google)
	}
	if sources.Schedules != nil {
		mux.HandleFunc("GET /_local/schedules", c.schedules)
		mux.HandleFunc("POST /_local/schedules/{name}", c.runSchedule)
	}
	return guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses other machines, and host names that resolve to this one (DNS rebinding).
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.RemoteAddr) || !loopback(r.Host) {
			http.Error(w, "The console is open to this machine only, as http://localhost.", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'")
		next.ServeHTTP(w, r)
	})
}

func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *console) page(w http.ResponseWriter, r *http.Request) {
	raw, err := assets.ReadFile("assets/page.html")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(raw)
}
