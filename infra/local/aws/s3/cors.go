package s3

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lafaekstreet/backend/infra/local/journal"
)

// corsStore holds the CORS rules of the buckets. A bucket without rules refuses browsers, as in S3.
type corsStore struct {
	kept *journal.State

	mu      sync.Mutex
	buckets map[string][]corsRule
}

type corsRule struct {
	Methods       []string `xml:"AllowedMethod" json:"methods"`
	Origins       []string `xml:"AllowedOrigin" json:"origins"`
	Headers       []string `xml:"AllowedHeader" json:"headers,omitempty"`
	Expose        []string `xml:"ExposeHeader" json:"expose,omitempty"`
	MaxAgeSeconds int      `xml:"MaxAgeSeconds,omitempty" json:"max_age_seconds,omitempty"`
}

type corsXML struct {
	XMLName xml.Name   `xml:"CORSConfiguration"`
	Rules   []corsRule `xml:"CORSRule"`
}

func newCORSStore(dir string) (*corsStore, error) {
	c := &corsStore{buckets: map[string][]corsRule{}}
	var err error
	c.kept, err = journal.NewState(dir, "cors.json", &c.buckets)
	return c, err
}

func (s *Service) putCORS(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	if ok, err := s.backend.BucketExists(c.bucket); err != nil || !ok {
		writeError(w, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	var in corsXML
	if err := xml.Unmarshal(body, &in); err != nil || len(in.Rules) == 0 || len(in.Rules) > 100 {
		writeError(w, r, http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		return
	}
	for _, rule := range in.Rules {
		for _, method := range rule.Methods {
			if !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "HEAD"}, method) {
				writeError(w, r, http.StatusBadRequest, "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is "+method)
				return
			}
		}
	}
	s.cors.mu.Lock()
	defer s.cors.mu.Unlock()
	s.cors.buckets[c.bucket] = in.Rules
	if err := s.cors.kept.Save(s.cors.buckets); err != nil {
		writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
	}
}

// allow returns the first rule of the bucket that allows a request of this method and these headers from origin.
func (c *corsStore) allow(bucket, origin, method string, headers []string) (corsRule, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rule := range c.buckets[bucket] {
		fits := func(patterns []string, value string) bool {
			return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(strings.ToLower(p), strings.ToLower(value)) })
		}
		if !fits(rule.Origins, origin) || !slices.Contains(rule.Methods, method) {
			continue
		}
		if !slices.ContainsFunc(headers, func(h string) bool { return !fits(rule.Headers, h) }) {
			return rule, true
		}
	}
	return corsRule{}, false
}

// wildcard matches value with a pattern that has at most one star.
func wildcard(pattern, value string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == value
	}
	return len(value) >= len(before)+len(after) && strings.HasPrefix(value, before) && strings.HasSuffix(value, after)
}

// preflight answers the OPTIONS request of a browser.
func (s *Service) preflight(w http.ResponseWriter, r *http.Request, bucket string) {
	var headers []string
	for _, h := range strings.Split(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if h = strings.TrimSpace(h); h != "" {
			headers = append(headers, h)
		}
	}
	rule, ok := s.cors.allow(bucket, r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method"), headers)
	if !ok {
		writeError(w, r, http.StatusForbidden, "AccessForbidden", "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
		return
	}
	h := w.Header()
	rule.expose(h, r.Header.Get("Origin"))
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.Methods, ", "))
	if len(headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.ToLower(strings.Join(headers, ", ")))
	}
	if rule.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(rule.MaxAgeSeconds))
	}
	w.WriteHeader(http.StatusOK)
}

// expose sets the headers that let a page from origin read the answer.
func (rule corsRule) expose(h http.Header, origin string) {
	allowed := origin
	if slices.Contains(rule.Origins, "*") {
		allowed = "*"
	}
	h.Set("Access-Control-Allow-Origin", allowed)
	h.Set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
	if len(rule.Expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(rule.Expose, ", "))
	}
}
