package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/deployed"
	"github.com/lafaekstreet/backend/infra/local/console"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// asDeployed is the external profile with everything switched on. The addresses that it names are on this machine; the rest
// is as in production.
const asDeployed = `{"stage":"e2e","profile":"external","database_secret":"e2e/database","deployment":"canary",
	"hedera_network":"local","hedera_account":"0.0.2001","hedera_topic_reports":"0.0.1","log_lock_mode":"governance",
	"hedera_nodes":{"127.0.0.1:1":"0.0.3"},"hedera_mirror":"http://127.0.0.1:1","nominatim_url":"http://127.0.0.1:1",
	"mail_secret":"e2e/smtp","mail_from":"LafaekStreet <no-reply@reports.example.org>","push_secret":"e2e/fcm","google_client_ids":["` + google.DefaultClientID + `"],"web_base_url":"https://www.example.org",
	"public_base_url":"https://reports.example.org"}`

// site is the deployed system with its database and stand-ins.
type site struct {
	*deployed.Deployment
	*written
	url      string // of the API, and of the console of the local system
	database string // its URL, for the owner of the schema
	faults   *faults.Set
	log      *lockedBuffer
}

// newSite deploys the templates.
func newSite(t *testing.T) *site {
	t.Helper()
	w := deployable(t)
	s, err := deploy(t, w, func(*deployed.Options) {})
	if err != nil {
		t.Fatalf("deploy: %v\n%s", err, s.log)
	}
	return s
}

// buildTemplates writes the templates of all functions with everything switched on, and builds the functions, once for all tests of the process.
var buildTemplates = sync.OnceValues(func() (*written, error) {
	w, err := synthesize(asDeployed)
	if err != nil {
		return nil, err
	}
	root, err := binary.Root()
	if err != nil {
		return nil, err
	}
	return w, deployed.Build(context.Background(), w.Assembly, root)
})

// deployable returns a copy of the templates that buildTemplates writes: a deployment changes its assembly.
func deployable(t *testing.T) *written {
	t.Helper()
	w, err := buildTemplates()
	if err != nil {
		t.Fatal(err)
	}
	return w.withFiles(t, w.files)
}

// withFiles returns the assembly that other files make.
func (w *written) withFiles(t *testing.T, files map[string][]byte) *written {
	t.Helper()
	dir := t.TempDir()
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := assembly.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &written{Assembly: a, settings: w.settings, files: files}
}

// deploy deploys templates. Wrong ones may end in an error.
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
			"POLICY_DELAY": "0s", // the policies of infra/deployed are in force at once
			// All tests come from one address.
			"RATE_LIMIT_ADDRESS_PER_MINUTE": "100000", "RATE_LIMIT_AUTH_PER_MINUTE": "1000"},
		Prepare: func(ctx context.Context, d *deployed.Deployment) error {
			key, err := d.LedgerKey(ctx)
			if err != nil {
				return err
			}
			if err := ledger.SetAccount("0.0.2001", key, 1_000_000*hedera.TinybarsPerHbar); err != nil {
				return err
			}
			point["HEDERA_TOPIC_REPORTS"], err = ledger.EnsureTopic("reports", key)
			return err
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

// must fails the test if a stand-in does not start, and stops the stand-in when the test ends.
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

// reply is the status and the headers of an answer.
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

// lockedBuffer collects the logs of several processes.
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
