package bench

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// Goals for the start of a process, as a multiple of that of a hello-world function. A cold start of hello-world takes
// about 43 ms in Lambda, of which the process is a few: five times these add about a tenth to the cold start.
const (
	coldHTTP   = 5.0
	coldAnchor = 20.0
)

// hello is the function in the folder hello, to which all others are compared.
const hello = "hello"

// coldStarts measures how long each function's binary takes from exec to its first
// poll of the Runtime API, in turn with a hello-world built by the same command.
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
	if r.Brief {
		functions = slices.DeleteFunc(functions, func(f catalog.Function) bool { return f.Name != "auth" && f.Name != "anchor" })
	}
	if err := binary.BuildAll(ctx, root, functions, runtime.GOARCH, path); err != nil {
		return err
	}
	if err := binary.BuildPackage(ctx, root, "./infra/local/bench/hello", runtime.GOARCH, path(hello)); err != nil {
		return err
	}
	env, err := coldEnvironment()
	if err != nil {
		return err
	}
	starts := make(map[catalog.FunctionName][]time.Duration)
	for range r.starts() {
		for _, f := range append([]catalog.Function{{Name: hello}}, functions...) {
			took, err := coldStart(ctx, string(f.Name), path(string(f.Name)), env)
			if err != nil {
				return fmt.Errorf("start %s: %w", f.Name, err)
			}
			starts[f.Name] = append(starts[f.Name], took)
		}
	}
	r.Print(r.coldTable(functions, starts))
	return nil
}

func (r *Run) starts() int {
	if r.Brief {
		return 1
	}
	return 40
}

func (r *Run) coldTable(functions []catalog.Function, starts map[catalog.FunctionName][]time.Duration) *Table {
	t := NewTable("Cold starts: exec to the first poll of the Runtime API, ms", "function", "median", "p95", "x hello", "goal")
	yardstick := percentile(starts[hello], 50)
	t.Row(hello+" world", yardstick, percentile(starts[hello], 95), 1.0, "")
	for _, f := range functions {
		median := percentile(starts[f.Name], 50)
		ratio := float64(median) / float64(yardstick)
		goal := ""
		switch {
		case f.Kind == catalog.HTTP:
			goal = r.Goal(string(f.Name)+" starts", ratio <= coldHTTP)
		case f.Name == "anchor":
			goal = r.Goal(string(f.Name)+" starts", ratio <= coldAnchor)
		}
		t.Row(f.Name, median, percentile(starts[f.Name], 95), ratio, goal)
	}
	t.Note("Goal: HTTP functions within %.0f times, anchor within %.0f. Each started %d times, in turn.", coldHTTP, coldAnchor, len(starts[hello]))
	t.Note("Not included: the sandbox of Lambda and reading secrets over the network, which take the same time for all.")
	return t
}

// percentile returns the p-th percentile of durations; between two values it returns the larger one.
func percentile(all []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

func coldStart(ctx context.Context, name, path string, env map[string]string) (time.Duration, error) {
	f, err := runtimeapi.New(runtimeapi.Config{Name: name, Binary: path, Env: env, Region: "us-east-1", Account: "000000000000"})
	if err != nil {
		return 0, err
	}
	took, err := f.Start(ctx)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return took, err
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
