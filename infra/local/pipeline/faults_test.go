package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/config"
)

// table is the file with the outcome of every fault; UPDATE=1 writes it.
const table = "testdata/faults.md"

// call is an operation of a service that workers call.
type call struct{ service, operation, by string }

func calls() []call {
	return []call{
		{"s3", "GetObject", "images, validate"}, {"s3", "PutObject", "images"},
		{"sqs", "SendMessageBatch", "all, relay"},
		{"bedrock", "Converse", "validate"}, {"bedrock", "InvokeModel", "validate"},
		{"kms", "Sign", "anchor"}, {"kms", "GetPublicKey", "anchor"},
		{"hedera", "SubmitMessage", "anchor"}, {"hedera", "GetTransactionReceipts", "anchor"}, {"mirror", "topic_message", "anchor"},
		{"smtp", "DATA", "notify"}, {"fcm", "Send", "notify"}, {"fcm", "Token", "notify"},
		{"nominatim", "Reverse", "geocode"},
	}
}

// usual is the outcome of a report without a fault.
const usual = finished + "; 2 mails, 2 pushes"

// otherwise are the outcomes that differ from usual, each with its reason.
func otherwise() map[string]string {
	replace := func(old, is string) string { return strings.Replace(usual, old, is, 1) }
	return map[string]string{
		// The model is asked a second time; then a person decides.
		"bedrock Converse malformed": "pending, needs_review, confirmed, named; REPORT_SUBMITTED+AI_VALIDATED; told received+confirmed; embeddings 0; picture processed; 1 mails, 1 pushes",
		// Without an embedding there is still a judgement.
		"bedrock InvokeModel malformed": replace("embeddings 1", "embeddings 0"),
		// A service that got the whole message but gave no readable answer has nearly always accepted it. It is not sent
		// again (decision 0011).
		"smtp DATA timeout":   replace("2 mails", "0 mails"),
		"smtp DATA malformed": replace("2 mails", "0 mails"),
		"fcm Send timeout":    replace("2 pushes", "0 pushes"),
		"fcm Send malformed":  replace("2 pushes", "0 pushes"),
	}
}

// TestEveryFaultOfEveryService has three calls in a row fail, in each way that a call can fail, of each service that the
// workers use. Every report must reach its end, every event must be in one ledger message, and nobody may be told twice.
func TestEveryFaultOfEveryService(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	outcomes := map[string]string{}
	var all sync.WaitGroup
	slots := make(chan struct{}, 8) // they mostly wait
	for _, c := range calls() {
		for _, mode := range faults.Modes() {
			name := fmt.Sprintf("%s %s %s", c.service, c.operation, mode)
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				t.Run(name, func(t *testing.T) {
					got := outcomeOf(t, faults.Fault{Service: c.service, Operation: c.operation, Mode: mode, Count: 3})
					want, special := otherwise()[name]
					if !special {
						want = usual
					}
					if got != want {
						t.Errorf("ended as %s\nwant      %s", got, want)
					}
					mu.Lock()
					defer mu.Unlock()
					outcomes[name] = got
				})
			})
		}
	}
	all.Wait()
	if t.Failed() || len(outcomes) < len(calls())*len(faults.Modes()) {
		return // some were left out by -run
	}
	written := tabulate(outcomes)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(table, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(filepath.FromSlash(table))
	if err != nil || string(kept) != written {
		t.Errorf("%s is out of date; UPDATE=1 go test writes it (%v)", table, err)
	}
}

// timeouts are the settings that limit how long a worker waits for a service.
func timeouts() map[string]string {
	return map[string]string{"bedrock": "AI_TIMEOUT", "kms": "KMS_TIMEOUT", "hedera": "HEDERA_NODE_TIMEOUT", "mirror": "HEDERA_MIRROR_TIMEOUT",
		"smtp": "SMTP_TIMEOUT", "fcm": "FCM_TIMEOUT"}
}

// outcomeOf creates a report while the fault lasts and returns its outcome.
func outcomeOf(t *testing.T, f faults.Fault) string {
	t.Helper()
	got := ""
	s := setup(t, func(env config.Env) {
		if setting := timeouts()[f.Service]; f.Mode == faults.Timeout && setting != "" {
			env[setting] = "4s"
		}
	})
	if f.Mode == faults.Timeout && f.Service == "s3" {
		s.limit = 3 * time.Second // only the timeout of the function ends these calls
	}
	upload, picture := s.photo(1)
	s.put(upload, picture)
	s.must(s.faults.Add(f))
	s.create(upload)
	s.settle()
	if len(s.faults.Taken()) == 0 {
		t.Error("the fault was not used")
	}
	s.anchored()
	if dead := s.dead(); dead != "" {
		t.Errorf("dead letters: %s", dead)
	}
	ends := s.ends()
	if len(ends) != 1 {
		t.Fatalf("%d reports", len(ends))
	}
	s.renditions(1)
	for _, end := range ends {
		got = end + "; " + s.told()
	}
	return got
}

// tabulate writes the outcomes as a table for people.
func tabulate(outcomes map[string]string) string {
	var b strings.Builder
	b.WriteString("# What becomes of a report when a service fails\n\n" +
		"Written by TestEveryFaultOfEveryService: one report each, three calls in a row fail. “As usual” is " + "verified by the model, on the ledger,\n" +
		"confirmed and verifiable, its place named, its author told once of three things by each channel they want (the third only in the app),\n" +
		"no dead letter.\n\n| service | call | of | error | throttle | timeout | lost reply | malformed |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range calls() {
		fmt.Fprintf(&b, "| %s | %s | %s |", c.service, c.operation, c.by)
		for _, mode := range faults.Modes() {
			fmt.Fprintf(&b, " %s |", inShort(outcomes[fmt.Sprintf("%s %s %s", c.service, c.operation, mode)]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// inShort returns only those parts of an outcome that differ from the usual one.
func inShort(outcome string) string {
	if outcome == usual {
		return "as usual"
	}
	var differs []string
	expected := strings.FieldsFunc(usual, func(r rune) bool { return r == ';' || r == ',' })
	for i, part := range strings.FieldsFunc(outcome, func(r rune) bool { return r == ';' || r == ',' }) {
		if i >= len(expected) || part != expected[i] {
			differs = append(differs, strings.TrimSpace(part))
		}
	}
	return strings.Join(differs, ", ")
}
