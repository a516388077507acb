// Package s3 stands in for Amazon S3. It puts in front of gofakes3 what that lacks: checked signatures, CORS preflights,
// cache control, Object Lock, and notifications of created objects.
package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3bolt"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	bolt "go.etcd.io/bbolt"

	"github.com/lafaekstreet/backend/infra/local/aws/sigv4"
	"github.com/lafaekstreet/backend/infra/local/faults"
)

// MaxBody is the largest request in bytes. The service itself takes 5 GB.
const MaxBody = 128 << 20

// Queues receives the notifications. *sqs.Service is one.
type Queues interface {
	HasQueue(arn string) bool
	Send(arn, body string) error
}

// Options configures a Service.
type Options struct {
	// Dir keeps buckets and objects across restarts; empty keeps them in memory.
	Dir      string
	Region   string
	Now      func() time.Time
	Verifier *sigv4.Verifier
	Queues   Queues
	Faults   *faults.Set
}

// Service holds the buckets of one account.
type Service struct {
	opts    Options
	backend gofakes3.Backend
	inner   http.Handler
	events  *notifications
	cors    *corsStore
	locks   *lockStore
	close   func() error
}

// New opens the buckets kept in opts.Dir.
func New(opts Options) (*Service, error) {
	s := &Service{opts: opts, close: func() error { return nil }}
	clock := timeSource{opts.Now}
	if opts.Dir == "" {
		s.backend = replacing{s3mem.New(s3mem.WithTimeSource(clock))}
	} else {
		if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("s3: %w", err)
		}
		// Without fsync: a killed process loses nothing, a power cut may.
		db, err := bolt.Open(filepath.Join(opts.Dir, "objects.db"), 0o600, &bolt.Options{Timeout: time.Second, NoSync: true, NoFreelistSync: true})
		if err != nil {
			return nil, fmt.Errorf("s3: open objects, is another instance running? %w", err)
		}
		s.close = db.Close
		s.backend = replacing{&copying{Backend: s3bolt.New(db, s3bolt.WithTimeSource(clock))}}
	}
	var err error
	if s.events, err = newNotifications(opts); err != nil {
		_ = s.close()
		return nil, err
	}
	if s.cors, err = newCORSStore(opts.Dir); err != nil {
		_ = s.close()
		return nil, err
	}
	if s.locks, err = newLockStore(opts.Dir); err != nil {
		_ = s.close()
		return nil, err
	}
	s.inner = gofakes3.New(s.backend, gofakes3.WithTimeSource(clock), gofakes3.WithoutVersioning(), gofakes3.WithTimeSkewLimit(0)).Server()
	return s, nil
}

// Close ends the service. Acknowledged objects stay on disk.
func (s *Service) Close() error { return s.close() }

type timeSource struct{ now func() time.Time }

func (t timeSource) Now() time.Time                   { return t.now() }
func (t timeSource) Since(at time.Time) time.Duration { return t.now().Sub(at) }

// ServeHTTP answers one S3 request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := parse(r)
	if origin := r.Header.Get("Origin"); origin != "" {
		if r.Method == http.MethodOptions {
			s.preflight(w, r, c.bucket)
			return
		}
		if rule, ok := s.cors.allow(c.bucket, origin, r.Method, nil); ok {
			rule.expose(w.Header(), origin)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		writeError(w, r, http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("Authorization") != "" && r.URL.Query().Has("X-Amz-Signature") {
		writeError(w, r, http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
		return
	}
	if err := s.opts.Verifier.Verify(r, body); err != nil {
		writeSignatureError(w, r, err)
		return
	}
	s.opts.Faults.Serve(w, r, "s3", c.operation, faultReplies(), func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, c, body) })
}

func faultReplies() faults.Replies {
	return faults.Replies{
		Error: func(w http.ResponseWriter, r *http.Request) {
			writeError(w, r, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		},
		Throttle: func(w http.ResponseWriter, r *http.Request) {
			writeError(w, r, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		},
		Malformed: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			_, _ = io.WriteString(w, "<truncated")
		},
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	switch c.operation {
	case "PutBucketNotificationConfiguration":
		s.putNotification(w, r, c, body)
	case "PutBucketCors":
		s.putCORS(w, r, c, body)
	case "CreateBucket":
		s.createBucket(w, r, c, body)
	case "GetObject", "HeadObject", "DeleteObject", "PutObject":
		s.object(w, r, c, body)
	case "CopyObject":
		if s.locks.has(c.bucket) {
			writeError(w, r, http.StatusNotImplemented, "NotImplemented", "The local stand-in copies no objects in buckets with Object Lock.")
			return
		}
		s.forward(w, r, c, body)
	case "":
		writeError(w, r, http.StatusNotImplemented, "NotImplemented", "The local stand-in does not implement this operation.")
	default:
		s.forward(w, r, c, body)
	}
}

// object answers a request about one object. Only a bucket with Object Lock has versions.
func (s *Service) object(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	locked := s.locks.has(c.bucket)
	switch {
	case c.version != "" && !locked:
		writeError(w, r, http.StatusNotImplemented, "NotImplemented", "The local stand-in keeps versions in buckets with Object Lock only.")
	case c.version != "" && c.operation == "DeleteObject":
		s.deleteVersion(w, r, c)
	case c.version != "":
		s.serveVersion(w, r, c)
	case locked && c.operation == "PutObject":
		s.putVersion(w, r, c, body)
	case c.operation == "PutObject":
		if _, refused := s.lockOf(r.Header, c.bucket); refused != nil {
			writeError(w, r, refused.status, refused.code, refused.message)
			return
		}
		s.forward(w, r, c, body)
	default:
		if c.operation != "DeleteObject" {
			s.readVersion(w.Header(), c)
		}
		s.forward(w, r, c, body)
	}
}

// createBucket is idempotent in us-east-1 and nowhere else, as in S3. The account owns every bucket.
func (s *Service) createBucket(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	if there, err := s.backend.BucketExists(c.bucket); err != nil || !there {
		if r.Header.Get(lockEnabledHeader) == "true" {
			if err := s.enableLock(c.bucket); err != nil {
				writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
				return
			}
		}
		s.forward(w, r, c, body)
		return
	}
	if s.opts.Region != "us-east-1" {
		writeError(w, r, http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
		return
	}
	w.Header().Set("Location", "/"+c.bucket)
}

// forward has gofakes3 answer, and returns the status.
func (s *Service) forward(w http.ResponseWriter, r *http.Request, c call, body []byte) int {
	if err := checkChecksums(r.Header, body); err != nil {
		writeError(w, r, http.StatusBadRequest, "BadDigest", err.Error())
		return http.StatusBadRequest
	}
	if c.operation == "PutObject" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "binary/octet-stream")
	}
	keepHeaders(r.Header)
	a := &answer{ResponseWriter: w, origin: w.Header().Get("Access-Control-Allow-Origin"), version: w.Header().Get(versionHeader)}
	s.inner.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK) // a HEAD has written nothing yet
	if a.status < 300 && c.operation == "PutObject" {
		s.created(c.bucket, c.key)
	}
	return a.status
}

// copySource names the object that is copied.
const copySource = "X-Amz-Copy-Source"

// cacheControl carries Cache-Control past gofakes3, which keeps X-Amz- headers.
const cacheControl = "X-Amz-Stand-In-Cache-Control"

// keepHeaders removes the headers that do not belong to the object; gofakes3 would store them and send them back.
func keepHeaders(h http.Header) {
	cache := h.Get("Cache-Control")
	for name := range h {
		if !strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"), strings.HasPrefix(name, "X-Amz-Checksum-"), name == "X-Amz-Storage-Class", name == copySource:
		default:
			h.Del(name)
		}
	}
	h.Del("X-Amz-Checksum-Mode")
	if cache != "" {
		h.Set(cacheControl, cache)
	}
}

// answer corrects the headers of gofakes3's answers.
type answer struct {
	http.ResponseWriter
	status int
	origin string // the origin that may read it; gofakes3 would allow all
	// version is the id of the object's version; empty where the bucket has none.
	version string
}

func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	h := a.Header()
	h.Set("Access-Control-Allow-Origin", a.origin)
	if cache := h.Get(cacheControl); cache != "" {
		if h.Get("Cache-Control") == "" {
			h.Set("Cache-Control", cache)
		}
		h.Del(cacheControl)
	}
	for name, values := range h {
		if len(values) == 1 && values[0] == "" || name == versionHeader || name == copySource {
			h.Del(name)
		}
		// A part's bytes do not have the checksum of the whole.
		if status == http.StatusPartialContent && strings.HasPrefix(name, "X-Amz-Checksum-") {
			h.Del(name)
		}
	}
	if a.version != "" && status < http.StatusBadRequest {
		h.Set(versionHeader, a.version)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.ResponseWriter.Write(p)
}

// call is one request: its bucket, its key and the name that the API gives the operation.
type call struct {
	bucket, key, operation string
	version                string // of the object that the request names; empty is the newest
}

// parse finds the operation that r asks for. The operation is empty when the stand-in does not serve it.
func parse(r *http.Request) call {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c := call{bucket: bucket, key: key}
	q := r.URL.Query()
	if bucket == "" || strings.HasPrefix(bucket, versionsPrefix) {
		return c
	}
	if key != "" && len(q["versionId"]) == 1 {
		c.version = q.Get("versionId")
		q.Del("versionId")
	}
	on := "bucket"
	if key != "" {
		on = "object"
	}
	switch r.Method + " " + on + " " + subresource(q) {
	case "PUT bucket notification":
		c.operation = "PutBucketNotificationConfiguration"
	case "PUT bucket cors":
		c.operation = "PutBucketCors"
	case "PUT bucket ":
		c.operation = "CreateBucket"
	case "POST bucket delete":
		c.operation = "DeleteObjects"
	case "GET bucket ":
		if q.Get("list-type") == "2" {
			c.operation = "ListObjectsV2"
		}
	case "GET object ":
		c.operation = "GetObject"
	case "HEAD object ":
		c.operation = "HeadObject"
	case "DELETE object ":
		c.operation = "DeleteObject"
	case "PUT object ":
		if c.operation = "PutObject"; r.Header.Get(copySource) != "" {
			c.operation = "CopyObject"
		}
	}
	return c
}

// subresource is the query parameter that makes another operation of the same method and path, such as "cors". Any
// parameter that is not known to be harmless counts as one.
func subresource(q url.Values) string {
	harmless := []string{"x-id", "list-type", "prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type", "fetch-owner"}
	for name := range q {
		if !strings.HasPrefix(name, "X-Amz-") && !slices.Contains(harmless, name) {
			return name
		}
	}
	return ""
}
