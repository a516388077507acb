package s3

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/journal"
)

// Headers of Object Lock.
const (
	lockEnabledHeader = "X-Amz-Bucket-Object-Lock-Enabled"
	lockModeHeader    = "X-Amz-Object-Lock-Mode"
	lockUntilHeader   = "X-Amz-Object-Lock-Retain-Until-Date"
	bypassHeader      = "X-Amz-Bypass-Governance-Retention"
	versionHeader     = "X-Amz-Version-Id"
)

// versionsPrefix begins the names of the stand-in's own buckets. They hold the versions, under their ids. No request reaches
// them: a bucket's name has no capitals.
const versionsPrefix = "VERSIONS-"

// lockStore holds the buckets with Object Lock. As in S3, such a bucket keeps every version: a PUT adds one, and a DELETE that
// names no version leaves all of them. A version that is locked cannot be deleted before its date.
type lockStore struct {
	kept *journal.State

	mu      sync.Mutex
	buckets map[string]map[string][]version // by bucket and key, the oldest version first
}

type version struct {
	ID    string    `json:"id"`
	Mode  string    `json:"mode,omitempty"` // GOVERNANCE or COMPLIANCE; empty is not locked
	Until time.Time `json:"until,omitzero"`
}

func newLockStore(dir string) (*lockStore, error) {
	l := &lockStore{buckets: map[string]map[string][]version{}}
	var err error
	l.kept, err = journal.NewState(dir, "lock.json", &l.buckets)
	return l, err
}

// has reports whether the bucket has Object Lock.
func (l *lockStore) has(bucket string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buckets[bucket] != nil
}

// refusal is an error answer of S3.
type refusal struct {
	status        int
	code, message string
}

// lockOf reads the headers of a PUT. The version has no id yet.
func (s *Service) lockOf(h http.Header, bucket string) (version, *refusal) {
	mode, date := h.Get(lockModeHeader), h.Get(lockUntilHeader)
	if mode == "" && date == "" {
		return version{}, nil
	}
	refuse := func(code, message string) (version, *refusal) {
		return version{}, &refusal{http.StatusBadRequest, code, message}
	}
	until, err := time.Parse(time.RFC3339, date)
	sums := h.Get("Content-MD5")
	for name := range checksums() {
		sums += h.Get("X-Amz-Checksum-" + name)
	}
	switch {
	case !s.locks.has(bucket):
		return refuse("InvalidRequest", "Bucket is missing Object Lock Configuration")
	case mode == "" || date == "":
		return refuse("InvalidArgument", "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case mode != "GOVERNANCE" && mode != "COMPLIANCE":
		return refuse("InvalidArgument", "Unknown wormMode directive.")
	case err != nil || !until.After(s.opts.Now()):
		return refuse("InvalidArgument", "The retain until date must be in the future!")
	case sums == "":
		return refuse("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
	}
	return version{Mode: mode, Until: until}, nil
}

// putVersion stores an object in a bucket with Object Lock.
func (s *Service) putVersion(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	made, refused := s.lockOf(r.Header, c.bucket)
	if refused != nil {
		writeError(w, r, refused.status, refused.code, refused.message)
		return
	}
	made.ID = uuid.NewString()
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if _, err := s.backend.PutObject(versionsPrefix+c.bucket, made.ID, map[string]string{"Content-Type": r.Header.Get("Content-Type")},
		bytes.NewReader(body), int64(len(body)), nil); err != nil {
		writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	w.Header().Set(versionHeader, made.ID)
	if s.forward(w, r, c, body) >= http.StatusMultipleChoices {
		return
	}
	s.locks.buckets[c.bucket][c.key] = append(s.locks.buckets[c.bucket][c.key], made)
	_ = s.locks.kept.Save(s.locks.buckets) // the answer is sent; a lock that is lost here is noticed by nobody but a test
}

// readVersion adds the version and its lock to the answer to a GET or HEAD.
func (s *Service) readVersion(h http.Header, c call) {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	all := s.locks.buckets[c.bucket][c.key]
	if len(all) == 0 {
		return
	}
	newest := all[len(all)-1]
	h.Set(versionHeader, newest.ID)
	if newest.Mode != "" {
		h.Set(lockModeHeader, newest.Mode)
		h.Set(lockUntilHeader, newest.Until.UTC().Format(time.RFC3339))
	}
}

// serveVersion answers a GET of one version.
func (s *Service) serveVersion(w http.ResponseWriter, r *http.Request, c call) {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	for _, v := range s.locks.buckets[c.bucket][c.key] {
		if v.ID != c.version {
			continue
		}
		object, err := s.backend.GetObject(versionsPrefix+c.bucket, v.ID, nil)
		if err != nil {
			writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
		defer func() { _ = object.Contents.Close() }()
		w.Header().Set("Content-Type", object.Metadata["Content-Type"])
		w.Header().Set("Content-Length", strconv.FormatInt(object.Size, 10))
		w.Header().Set("ETag", `"`+v.ID+`"`)
		w.Header().Set(versionHeader, v.ID)
		_, _ = io.Copy(w, object.Contents) // the client may be gone
		return
	}
	writeError(w, r, http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
}

// deleteVersion deletes one version for good, unless it is locked. The version before it takes its place.
func (s *Service) deleteVersion(w http.ResponseWriter, r *http.Request, c call) {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	all := s.locks.buckets[c.bucket][c.key]
	for i, v := range all {
		if v.ID != c.version {
			continue
		}
		bypass := v.Mode == "GOVERNANCE" && r.Header.Get(bypassHeader) == "true"
		if v.Mode != "" && v.Until.After(s.opts.Now()) && !bypass {
			writeError(w, r, http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
			return
		}
		rest := append(all[:i:i], all[i+1:]...)
		s.locks.buckets[c.bucket][c.key] = rest
		if err := s.showNewest(c, rest); err != nil {
			writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
		_, _ = s.backend.DeleteObject(versionsPrefix+c.bucket, v.ID) // nothing refers to it any more
		break
	}
	w.WriteHeader(http.StatusNoContent)
}

// showNewest makes the newest of these versions the object of the key.
func (s *Service) showNewest(c call, rest []version) error {
	if err := s.locks.kept.Save(s.locks.buckets); err != nil {
		return err
	}
	if len(rest) == 0 {
		_, err := s.backend.DeleteObject(c.bucket, c.key)
		return err
	}
	object, err := s.backend.GetObject(versionsPrefix+c.bucket, rest[len(rest)-1].ID, nil)
	if err != nil {
		return err
	}
	defer func() { _ = object.Contents.Close() }()
	_, err = s.backend.PutObject(c.bucket, c.key, maps.Clone(object.Metadata), object.Contents, object.Size, nil)
	return err
}

// enableLock gives a new bucket Object Lock.
func (s *Service) enableLock(bucket string) error {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if err := s.backend.CreateBucket(versionsPrefix + bucket); err != nil {
		return err
	}
	s.locks.buckets[bucket] = map[string][]version{}
	return s.locks.kept.Save(s.locks.buckets)
}
