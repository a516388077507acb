package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/smtp"
)

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// readJSON decodes the body or answers 422.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		http.Error(w, "the body is not the expected JSON: "+err.Error(), http.StatusUnprocessableEntity)
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

// summary counts the entries of each source, for the tabs of the page.
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

// mailHTML shows the HTML of a mail. The policy forbids scripts and requests.
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

// ledgerMessage adds the contents of a message as JSON if they are JSON, else as text.
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
		http.Error(w, `expected {"answers": [{…}, …]}`, http.StatusUnprocessableEntity)
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

func (c *console) schedules(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, c.sources.Schedules.Schedules())
}

// runSchedule calls a scheduled function now and answers when it has ended.
func (c *console) runSchedule(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !slices.ContainsFunc(c.sources.Schedules.Schedules(), func(s Schedule) bool { return s.Name == name }) {
		http.Error(w, "there is no such schedule", http.StatusNotFound)
		return
	}
	if err := c.sources.Schedules.Run(r.Context(), name); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]string{"ran": name})
}
