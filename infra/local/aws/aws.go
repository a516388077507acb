// Package aws serves stand-ins for S3, SQS, KMS, Secrets Manager and Bedrock on one loopback port. They speak the
// services' own protocols, verify every signature, enforce the limits and refuse what the services would refuse. A
// client needs only another endpoint. They serve the operations that this system calls and no others.
package aws

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/aws/kms"
	"github.com/lafaekstreet/backend/infra/local/aws/s3"
	"github.com/lafaekstreet/backend/infra/local/aws/secrets"
	"github.com/lafaekstreet/backend/infra/local/aws/sigv4"
	"github.com/lafaekstreet/backend/infra/local/aws/sqs"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/loopback"
)

// The only account of the stand-ins, and its only credentials.
const (
	AccessKeyID     = "LOCALSTANDIN"
	SecretAccessKey = "local-stand-in-secret" // public: it protects nothing
	AccountID       = "000000000000"
	DefaultRegion   = "us-east-1"
)

// maxCall is the largest request to a service other than S3, in bytes. Bedrock's are the largest: pictures of 3.75 MB
// in base64.
const maxCall = 32 << 20

// Clock tells the time; a nil Clock is the system's.
type Clock interface{ Now() time.Time }

// Options configures Start.
type Options struct {
	// Addr is where to listen, such as "127.0.0.1:4566"; empty is a free port.
	// Only loopback addresses are accepted.
	Addr string
	// Dir keeps all state across restarts, even after kill -9; empty keeps it in
	// memory.
	Dir string
	// Region appears in ARNs and events; empty is DefaultRegion. Requests may be
	// signed for any region.
	Region string
	// Faults makes calls fail on demand; may be nil.
	Faults *faults.Set
	// Clock judges visibility timeouts, delays and retention; may be nil.
	// Signatures are judged by the system's clock, as the SDK signs by it.
	Clock Clock
}

// Server is a running set of stand-ins.
type Server struct {
	// SQS and Bedrock are for the console and for tests: they can be scripted and looked into. Production code has only
	// the protocol.
	SQS     *sqs.Service
	Bedrock *bedrock.Service

	options  Options
	verifier *sigv4.Verifier
	s3       *s3.Service
	services map[string]service // by the prefix of X-Amz-Target
	url      string
	http     *loopback.Server
	closing  sync.Once
}

type service struct {
	protocol   *awsjson.Protocol
	operations map[string]awsjson.Operation
}

// Start serves until Close. The port answers when it returns.
func Start(opts Options) (*Server, error) {
	if opts.Region == "" {
		opts.Region = DefaultRegion
	}
	now := time.Now
	if opts.Clock != nil {
		now = opts.Clock.Now
	}
	listener, err := loopback.Listen(opts.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: opts, url: loopback.URL(listener),
		verifier: &sigv4.Verifier{AccessKeyID: AccessKeyID, SecretAccessKey: SecretAccessKey, Now: time.Now},
	}
	if err := s.open(now); err != nil {
		_ = listener.Close()
		return nil, err
	}
	s.http = loopback.Start(listener, s)
	return s, nil
}

func (s *Server) open(now func() time.Time) error {
	dir := func(name string) string {
		if s.options.Dir == "" {
			return ""
		}
		return filepath.Join(s.options.Dir, name)
	}
	region := s.options.Region
	var err error
	// The object store goes first: its lock keeps a second instance off the rest.
	if s.s3, err = s3.New(s3.Options{Dir: dir("s3"), Region: region, Now: now, Verifier: s.verifier, Queues: queuesOf{s}, Faults: s.options.Faults}); err != nil {
		return err
	}
	if s.SQS, err = sqs.New(sqs.Options{Dir: dir("sqs"), URL: s.URL(), Region: region, AccountID: AccountID, Now: now}); err != nil {
		return errors.Join(err, s.s3.Close())
	}
	keys, err := kms.New(kms.Options{Dir: dir("kms"), Region: region, AccountID: AccountID, Now: now})
	if err != nil {
		return errors.Join(err, s.SQS.Close(), s.s3.Close())
	}
	vault, err := secrets.New(secrets.Options{Dir: dir("secrets"), Region: region, AccountID: AccountID, Now: now})
	if err != nil {
		return errors.Join(err, s.SQS.Close(), s.s3.Close())
	}
	s.Bedrock = bedrock.New(now)
	s.services = map[string]service{
		"AmazonSQS":      {sqs.Protocol(), s.SQS.Operations()},
		"TrentService":   {kms.Protocol(), keys.Operations()},
		"secretsmanager": {secrets.Protocol(), vault.Operations()},
	}
	return nil
}

// queuesOf lets S3 reach the queues, which are opened after it.
type queuesOf struct{ server *Server }

func (q queuesOf) HasQueue(arn string) bool { return q.server.SQS.HasQueue(arn) }

func (q queuesOf) Send(arn, body string) error { return q.server.SQS.Send(arn, body) }

// URL is the endpoint of every service, such as "http://127.0.0.1:4566".
func (s *Server) URL() string { return s.url }

// Config is what an SDK client needs to reach the stand-ins.
func (s *Server) Config() awssdk.Config {
	return awssdk.Config{
		Region:       s.options.Region,
		BaseEndpoint: awssdk.String(s.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(AccessKeyID, SecretAccessKey, ""),
		HTTPClient:   &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
	}
}

// Env is Config as the environment variables that the SDK reads.
func (s *Server) Env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL": s.URL(), "AWS_REGION": s.options.Region, "AWS_ACCESS_KEY_ID": AccessKeyID, "AWS_SECRET_ACCESS_KEY": SecretAccessKey,
	}
}

// Close stops serving. It cuts off calls under way, as a crash would.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		err = errors.Join(s.http.Close(), s.SQS.Close(), s.s3.Close())
	})
	return err
}

// ServeHTTP finds the service of a request: by X-Amz-Target, then by the service it was signed for, else S3.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "local-stand-in")
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		s.serveJSON(w, r, target)
		return
	}
	if signedFor(r) == "bedrock" {
		s.serveBedrock(w, r)
		return
	}
	s.s3.ServeHTTP(w, r)
}

// signedFor is the service in the credential scope of r. It is not verified.
func signedFor(r *http.Request) string {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ := strings.Cut(rest, ",")
	if parts := strings.Split(scope, "/"); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

func (s *Server) serveJSON(w http.ResponseWriter, r *http.Request, target string) {
	prefix, name, _ := strings.Cut(target, ".")
	svc, ok := s.services[prefix]
	if !ok {
		(&awsjson.Protocol{ContentType: "application/x-amz-json-1.1"}).WriteError(w, awsjson.Errorf("UnknownOperationException", "the local stand-in has no service %q", prefix))
		return
	}
	body, ok := s.admit(w, r, svc.protocol)
	if !ok {
		return
	}
	op, ok := svc.operations[name]
	if !ok {
		svc.protocol.WriteError(w, awsjson.Errorf("UnknownOperationException", "the local stand-in does not implement %s", target))
		return
	}
	svc.protocol.Serve(w, r, s.options.Faults, name, body, op)
}

// admit reads the body and verifies the signature. When it returns false, it has answered.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, p *awsjson.Protocol) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
	if err != nil {
		p.WriteError(w, &awsjson.Error{Code: "RequestEntityTooLargeException", Message: "request too large", Status: http.StatusRequestEntityTooLarge})
		return nil, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := s.verifier.Verify(r, body); err != nil {
		p.WriteError(w, refusal(err))
		return nil, false
	}
	return body, true
}

func refusal(err error) *awsjson.Error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return &awsjson.Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	code := "InvalidSignatureException"
	switch e.Kind {
	case sigv4.Missing:
		code = "MissingAuthenticationTokenException"
	case sigv4.UnknownKey:
		code = "UnrecognizedClientException"
	case sigv4.Malformed:
		code = "IncompleteSignatureException"
	}
	return &awsjson.Error{Code: code, Message: e.Detail, Status: http.StatusForbidden}
}

func (s *Server) serveBedrock(w http.ResponseWriter, r *http.Request) {
	p := bedrock.Protocol()
	body, ok := s.admit(w, r, p)
	if !ok {
		return
	}
	s.Bedrock.Serve(w, r, s.options.Faults, body)
}
