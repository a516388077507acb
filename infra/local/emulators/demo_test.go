package emulators

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
)

// front is one address for all services. S3 is versitygw, the KMS of the ledger's key is local-kms. The rest is our stand-in: queues,
// models, and the key of the log, since local-kms has no Ed25519.
type front struct {
	s3, kms, others http.Handler
	arrived         func(key string) // versitygw sends no events to SQS
	mu              sync.Mutex
	keys            []string // that local-kms has
	signed, stored  int      // answers of the two emulators
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	switch {
	case strings.HasPrefix(target, "TrentService."):
		f.key(w, r, target)
	case target != "" || !strings.Contains(r.Header.Get("Authorization")+r.URL.RawQuery, "s3"):
		f.others.ServeHTTP(w, r)
	case r.Method == http.MethodPut && r.URL.Query().Has("notification"):
	default:
		status := &statusOf{ResponseWriter: w, status: http.StatusOK}
		f.s3.ServeHTTP(status, r)
		key, picture := strings.CutPrefix(r.URL.Path, "/"+media+"/")
		f.mu.Lock()
		f.stored++
		f.mu.Unlock()
		if picture && r.Method == http.MethodPut && status.status == http.StatusOK && strings.HasPrefix(key, catalog.OriginalsPrefix) {
			f.arrived(key)
		}
	}
}

// key sends a call to the KMS that has the key.
func (f *front) key(w http.ResponseWriter, r *http.Request, target string) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	ledgers := bytes.Contains(body, []byte("ECC_SECG_P256K1")) || bytes.Contains(body, []byte("-ledger"))
	for _, k := range f.keys {
		ledgers = ledgers || bytes.Contains(body, []byte(k))
	}
	f.mu.Unlock()
	if !ledgers {
		f.others.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	f.kms.ServeHTTP(answer, r)
	f.mu.Lock()
	if strings.HasSuffix(target, ".CreateKey") {
		var made struct{ KeyMetadata struct{ KeyId string } }
		_ = json.Unmarshal(answer.Body.Bytes(), &made) // an error of KMS has no key
		f.keys = append(f.keys, made.KeyMetadata.KeyId)
	}
	if strings.HasSuffix(target, ".Sign") && answer.Code == http.StatusOK {
		f.signed++
	}
	f.mu.Unlock()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

type statusOf struct {
	http.ResponseWriter
	status int
}

func (s *statusOf) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// proxy sends requests on as they are signed: for the host of the front.
func proxy(t *testing.T, address string) http.Handler {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0) // at the end the system hangs up on its queues
	return &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(u)
		p.Out.Host = p.In.Host
	}}
}

// The whole story of a report, with other people's S3 and KMS: its picture, its pages in the log, its message on the ledger.
func TestTheDemo(t *testing.T) {
	objects, versions, keys := t.TempDir(), t.TempDir(), t.TempDir()
	if os.Getenv("EMULATORS") == "" {
		t.Skip("make emulators runs this test")
	}
	others, err := aws.Start(aws.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = others.Close() })
	env := others.Env()
	s3 := run(t, "versitygw", func(port string) ([]string, []string) {
		return []string{"--port", "127.0.0.1:" + port, "posix", "--versioning-dir", versions, objects},
			[]string{"ROOT_ACCESS_KEY=" + aws.AccessKeyID, "ROOT_SECRET_KEY=" + aws.SecretAccessKey}
	})
	kms := run(t, "local-kms", func(port string) ([]string, []string) {
		return nil, []string{"PORT=" + port, "KMS_DATA_PATH=" + keys, "KMS_REGION=" + aws.DefaultRegion}
	})
	f := &front{s3: proxy(t, *s3.BaseEndpoint), kms: proxy(t, *kms.BaseEndpoint), others: proxy(t, others.URL()), arrived: func(key string) {
		arn := "arn:aws:sqs:" + aws.DefaultRegion + ":000000000000:" + string(catalog.PictureArrived().Queue)
		event := fmt.Sprintf(`{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":%q},"object":{"key":%q}}}]}`, media, key)
		if err := others.SQS.Send(arn, event); err != nil {
			t.Errorf("tell of %s: %v", key, err)
		}
	}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	o := system.Options{Dir: t.TempDir(), Out: t.Output(), Log: io.Discard, Env: config.Env{"PORT": "0", "PATH": os.Getenv("PATH"), "DATABASE_URL": testdb.EmptyURL(t),
		"AI_MODEL": bedrock.Model, "AI_EMBEDDING_MODEL": bedrock.Model}}
	maps.Copy(o.Env, env)
	o.Env["AWS_ENDPOINT_URL"] = server.URL
	s, err := system.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	demo := exec.CommandContext(t.Context(), "go", "run", "../demo", "-url", s.URL(), "-patience", "2m")
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signed == 0 || f.stored == 0 || !bytes.Contains(out, []byte("proof")) {
		t.Errorf("%d signatures, %d calls of S3\n%s", f.signed, f.stored, out)
	}
	t.Logf("%d signatures of local-kms, %d calls of versitygw\n%s", f.signed, f.stored, out)
}
