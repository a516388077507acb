package s3

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/lafaekstreet/backend/infra/local/journal"
)

// tagStore holds the objects' tags, which gofakes3 does not know.
type tagStore struct {
	kept *journal.State

	mu   sync.Mutex
	tags map[string]string // bucket/key → tags in URL query form
}

func newTagStore(dir string) (*tagStore, error) {
	t := &tagStore{tags: map[string]string{}}
	var err error
	t.kept, err = journal.NewState(dir, "tags.json", &t.tags)
	return t, err
}

func (t *tagStore) set(c call, query string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := c.bucket + "/" + c.key
	if t.tags[name] == query {
		return
	}
	if t.tags[name] = query; query == "" {
		delete(t.tags, name)
	}
	_ = t.kept.Save(t.tags)
}

type taggingXML struct {
	XMLName xml.Name `xml:"Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

type tag struct{ Key, Value string }

func (s *Service) tagging(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	if _, err := s.backend.HeadObject(c.bucket, c.key); err != nil {
		writeError(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.tags.mu.Lock()
		values, _ := url.ParseQuery(s.tags.tags[c.bucket+"/"+c.key])
		s.tags.mu.Unlock()
		var out taggingXML
		for _, k := range slices.Sorted(maps.Keys(values)) {
			out.Tags = append(out.Tags, tag{k, values.Get(k)})
		}
		writeXML(w, out)
	case http.MethodDelete:
		s.tags.set(c, "")
		w.WriteHeader(http.StatusNoContent)
	default:
		var in taggingXML
		if err := xml.Unmarshal(body, &in); err != nil || len(in.Tags) > 10 {
			writeError(w, r, http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
			return
		}
		values := url.Values{}
		for _, t := range in.Tags {
			values.Set(t.Key, t.Value)
		}
		s.tags.set(c, values.Encode())
	}
}
