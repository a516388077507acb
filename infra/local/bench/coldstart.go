package bench

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// Goals for the start of a process, as a multiple of that of a hello-world function. A cold start of hello-world takes
// about 43 ms in Lambda, of which the process is a few.
const (
	coldHTTP   = 2.5
	coldAnchor = 20.0
)

// hello is the function in the folder hello, to which all others are compared.
const hello = "hello"

// coldTime is how long two starts of a function took: one from exec to its first poll of the Runtime API, the other to the answer to its first request;
// zero for a function that is sent none.
type coldTime struct{ polled, answered time.Duration }

// coldStarts measures how long each function's binary takes from exec to its first poll of the Runtime API, in turn with a
// hello-world built by the same command. An HTTP function is started once more and gets a request, so that work is not only moved behind the poll.
func coldStarts(ctx context.Context, r *Run) error {
	root, err := binary.Root()
	if err != nil {
		return err
	}
	functions, err := binary.Functions(root)
	if err != nil {
		return err
	}
	path := func(name string) string { return filepath.Join(root, ".run", "coldstart", name, "bootstrap") }
	functions = slices.DeleteFunc(functions, func(f catalog.Function) bool {
		return r.Brief && f.Name != "auth" && f.Name != "anchor" || r.Rows != nil && !r.Rows.MatchString(string(f.Name))
	})
	if err := binary.BuildAll(ctx, root, functions, runtime.GOARCH, path); err != nil {
		return err
	}
	if err := binary.BuildPackage(ctx, root, "./infra/local/bench/hello", runtime.GOARCH, path(hello)); err != nil {
		return err
	}
	s, err := r.newTestbed(ctx, r.Size)
	if err != nil {
		return err
	}
	starts, err := r.startAll(ctx, s, append([]catalog.Function{{Name: hello}}, functions...), path)
	if err != nil {
		return errors.Join(err, s.close())
	}
	inits := make(map[catalog.FunctionName][]binary.Init)
	for _, f := range functions {
		if inits[f.Name], err = binary.Inits(ctx, path(string(f.Name))); err != nil {
			return errors.Join(err, s.close())
		}
	}
	r.Print(r.coldTable(functions, starts, inits))
	r.Print(initTable(functions, inits))
	return s.close()
}

// startAll starts all functions in turn, several times: first to their first poll alone, then those of HTTP to their first answer. A function that has
// answered leaves connections for PostgreSQL to close, which slows the start after it.
func (r *Run) startAll(ctx context.Context, s *testbed, functions []catalog.Function, path func(string) string) (map[catalog.FunctionName][]coldTime, error) {
	env, err := coldEnvironment()
	if err != nil {
		return nil, err
	}
	served := maps.Clone(env) // of HTTP functions, which answer
	maps.Copy(served, s.site.Env)
	served["DATABASE_MAX_CONNS"] = "2"
	times := 40
	if r.Brief {
		times = 1
	}
	starts := make(map[catalog.FunctionName][]coldTime)
	for range times {
		for _, f := range functions {
			took, err := coldStart(ctx, coldConfig(f, path, env), nil)
			if err != nil {
				return nil, fmt.Errorf("start %s: %w", f.Name, err)
			}
			starts[f.Name] = append(starts[f.Name], took)
		}
	}
	for n := range times {
		for _, f := range functions {
			if f.Kind != catalog.HTTP {
				continue
			}
			request := s.frequent(string(f.Name), 0)
			took, err := coldStart(ctx, coldConfig(f, path, served), &request)
			if err != nil {
				return nil, fmt.Errorf("start %s for a request: %w", f.Name, err)
			}
			starts[f.Name][n].answered = took.answered
		}
	}
	return starts, nil
}

func coldConfig(f catalog.Function, path func(string) string, env map[string]string) runtimeapi.Config {
	return runtimeapi.Config{Name: string(f.Name), Binary: path(string(f.Name)), Env: env, Region: "us-east-1", Account: "000000000000",
		Timeout: time.Minute, Memory: f.Memory}
}

func (r *Run) coldTable(functions []catalog.Function, starts map[catalog.FunctionName][]coldTime, inits map[catalog.FunctionName][]binary.Init) *Table {
	t := NewTable("Cold starts: from exec to the first poll of the Runtime API and to the first answer, ms", "function", "poll", "p95", "x hello", "goal",
		"first answer", "p95", "before main, KB")
	yardstick := percentile(polls(starts[hello]), 50)
	t.Row(hello+" world", yardstick, percentile(polls(starts[hello]), 95), 1.0, "", "", "", "")
	for _, f := range functions {
		median := percentile(polls(starts[f.Name]), 50)
		ratio := float64(median) / float64(yardstick)
		goal, answered, late := "", any(""), any("")
		switch {
		case f.Kind == catalog.HTTP:
			goal = r.Goal(string(f.Name)+" starts", ratio <= coldHTTP)
			answered, late = percentile(answers(starts[f.Name]), 50), percentile(answers(starts[f.Name]), 95)
		case f.Name == "anchor":
			goal = r.Goal(string(f.Name)+" starts", ratio <= coldAnchor)
		}
		bytes := 0
		for _, i := range inits[f.Name] {
			bytes += i.Bytes
		}
		t.Row(f.Name, median, percentile(polls(starts[f.Name]), 95), ratio, goal, answered, late, bytes/1000)
	}
	t.Note("Goal: HTTP functions within %.1f times, anchor within %.0f. Each started %d times, in turn; the HTTP functions as often again for their first answer.", coldHTTP, coldAnchor, len(starts[hello]))
	t.Note("The first request is the function's most frequent one; that of auth signs in, that of admin is refused.")
	t.Note("Not included: the sandbox of Lambda and reading secrets over the network, which take the same time for all.")
	return t
}

func polls(all []coldTime) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, s := range all {
		out[i] = s.polled
	}
	return out
}

func answers(all []coldTime) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, s := range all {
		out[i] = s.answered
	}
	return out
}

// percentile returns the p-th percentile of durations; between two values it returns the larger one.
func percentile(all []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// coldStart starts a function once and sends it the first request, if there is one. The time between poll and request does not count.
func coldStart(ctx context.Context, c runtimeapi.Config, first *apiclient.Request) (coldTime, error) {
	f, err := runtimeapi.New(c)
	if err != nil {
		return coldTime{}, err
	}
	polled, err := f.Start(ctx)
	if err != nil || first == nil {
		return coldTime{polled: polled}, errors.Join(err, f.Close())
	}
	asked := time.Now()
	err = invoke(ctx, f, *first, http.StatusInternalServerError)
	return coldTime{polled: polled, answered: polled + time.Since(asked)}, errors.Join(err, f.Close())
}

// coldEnvironment configures any function. Its addresses do not answer: no function connects before its first event.
func coldEnvironment() (map[string]string, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	key := map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "1", "x": base64.RawURLEncoding.EncodeToString(public)}
	set, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		return nil, fmt.Errorf("write key set: %w", err)
	}
	key["d"] = base64.RawURLEncoding.EncodeToString(private.Seed())
	signing, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("write signing key: %w", err)
	}
	return map[string]string{
		"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
		"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "MEDIA_BUCKET": "none",
		"LOG_ORIGIN": "none/log", "LOG_BUCKET": "none", "LOG_KMS_KEY_ID": "none", "RECEIPTS_KEY": base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"TOKEN_PUBLIC_KEYS": string(set), "TOKEN_SIGNING_KEY": string(signing), "SEAL_KEYS": base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"ADMIN_SETUP_TOKEN": "none-none-none-none-none", "WEB_BASE_URL": "https://example.org", "SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@example.org",
		"AWS_KMS_KEY_ID": "none", "HEDERA_NETWORK": "testnet", "HEDERA_ACCOUNT_ID": "0.0.1001", "HEDERA_TOPIC_REPORTS": "0.0.1002",
		"HEDERA_NODES": "127.0.0.1:1=0.0.3", "HEDERA_MIRROR_URL": "http://127.0.0.1:1", "NOMINATIM_URL": "http://127.0.0.1:1",
		"GOOGLE_CLIENT_IDS": "none", "QUEUE_URLS": "validate=http://127.0.0.1:1/validate,anchor=http://127.0.0.1:1/anchor,notify=http://127.0.0.1:1/notify," +
			"geocode=http://127.0.0.1:1/geocode,images=http://127.0.0.1:1/images",
	}, nil
}
