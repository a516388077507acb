// Package console is the page and the JSON behind "/_local/" on one machine: what
// the stand-ins received, and the levers that make them answer otherwise.
package console

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strconv"

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

// Mailbox holds captured mails; *smtp.Server is one.
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

// Link is a shortcut at the top of the page.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Sources are the stand-ins behind the console. A nil one is left out, because
// the real service or somebody else's emulator is in its place: its address
// answers 404.
type Sources struct {
	Mail   Mailbox
	Push   Pushbox
	Queues Queues
	Ledger Ledger
	AI     AI
	Faults *faults.Set
	Google SignIn
	Links  []Link
}

type console struct {
	sources Sources
}

// New serves Path and everything below it. Only this machine is answered, and
// other sites' pages in its browser cannot pull the levers.
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
	return guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard turns away other machines, and names that were made to resolve to this one.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.RemoteAddr) || !loopback(r.Host) {
			http.Error(w, "The console answers this machine only: open it as http://localhost.", http.StatusForbidden)
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

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// readJSON decodes the body or answers 422.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		http.Error(w, "not the JSON this address takes: "+err.Error(), http.StatusUnprocessableEntity)
		return false
	}
	return true
}

func limit[T any](r *http.Request, all []T) []T {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || n < 1 {
		n = defaultLimit
	}
	return all[:min(n, maxLimit, len(all))]
}

// summary counts what each part holds, for the page's tabs.
func (c *console) summary(w http.ResponseWriter, _ *http.Request) {
	counts := map[string]int{}
	if c.sources.Mail != nil {
		counts["mail"] = len(c.sources.Mail.Mails(""))
	}
	if c.sources.Push != nil {
		counts["push"] = len(c.sources.Push.Pushes(""))
	}
	if c.sources.Queues != nil {
		counts["queues"], counts["dead"] = 0, 0
		for _, q := range c.sources.Queues.Overview(0) {
			n := q.Visible + q.InFlight + q.Delayed
			if len(q.DeadLetterOf) > 0 {
				counts["dead"] += n
			} else {
				counts["queues"] += n
			}
		}
	}
	if c.sources.Ledger != nil {
		counts["ledger"] = len(c.sources.Ledger.Messages())
	}
	if c.sources.AI != nil {
		counts["ai"] = c.sources.AI.Scripted()
	}
	if c.sources.Faults != nil {
		counts["faults"] = len(c.sources.Faults.Pending())
	}
	if c.sources.Google != nil {
		counts["google"] = 0
	}
	writeJSON(w, map[string]any{"counts": counts, "links": append([]Link{}, c.sources.Links...), "services": faults.Services(), "modes": faults.Modes()})
}

func (c *console) mail(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, limit(r, c.sources.Mail.Mails(r.URL.Query().Get("to"))))
}

// mailHTML shows a mail as its reader sees it, with scripts and requests barred.
func (c *console) mailHTML(w http.ResponseWriter, r *http.Request) {
	all := c.sources.Mail.Mails("")
	i := slices.IndexFunc(all, func(m smtp.Mail) bool { return m.ID == r.PathValue("id") })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(all[i].HTML))
}

func (c *console) push(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, limit(r, c.sources.Push.Pushes(r.URL.Query().Get("token"))))
}

func (c *console) queues(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || n < 1 {
		n = 20
	}
	writeJSON(w, c.sources.Queues.Overview(min(n, maxLimit)))
}

func (c *console) redrive(w http.ResponseWriter, r *http.Request) {
	moved, err := c.sources.Queues.Redrive(r.PathValue("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	writeJSON(w, map[string]int{"moved": moved})
}

// ledgerMessage is a message with its contents readable: as JSON where they are.
type ledgerMessage struct {
	hedera.Message
	Payload any `json:"payload"`
}

func (c *console) ledger(w http.ResponseWriter, r *http.Request) {
	all := c.sources.Ledger.Messages()
	slices.Reverse(all)
	out := []ledgerMessage{}
	for _, m := range limit(r, all) {
		entry := ledgerMessage{Message: m, Payload: string(m.Contents)}
		if json.Valid(m.Contents) {
			entry.Payload = json.RawMessage(m.Contents)
		}
		out = append(out, entry)
	}
	writeJSON(w, out)
}

func (c *console) ai(w http.ResponseWriter, r *http.Request) {
	calls := c.sources.AI.Calls()
	slices.Reverse(calls)
	writeJSON(w, map[string]any{"waiting": c.sources.AI.Scripted(), "calls": append([]bedrock.Call{}, limit(r, calls)...)})
}

func (c *console) script(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Answers []json.RawMessage `json:"answers"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if len(in.Answers) == 0 {
		http.Error(w, `want {"answers": [{…}, …]}`, http.StatusUnprocessableEntity)
		return
	}
	if err := c.sources.AI.Script(in.Answers); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	writeJSON(w, map[string]int{"waiting": c.sources.AI.Scripted()})
}

func (c *console) unscript(w http.ResponseWriter, _ *http.Request) {
	c.sources.AI.ClearScript()
	writeJSON(w, map[string]int{"waiting": 0})
}

func (c *console) google(w http.ResponseWriter, r *http.Request) {
	var id google.Identity
	if !readJSON(w, r, &id) {
		return
	}
	token, err := c.sources.Google.Mint(id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	writeJSON(w, map[string]string{"id_token": token})
}
