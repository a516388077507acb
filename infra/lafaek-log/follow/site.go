package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/shared/translog"
)

// site reads the files of a log over HTTP. It keeps the last files, so that neighbouring entries need one request.
type site struct {
	client *http.Client
	prefix string
	mu     sync.Mutex
	kept   map[string][]byte
}

// maxKept is how many files are kept. A file has at most 262,656 bytes.
const maxKept = 64

func newSite(client *http.Client, prefix string) *site {
	return &site{client: client, prefix: prefix, kept: make(map[string][]byte)}
}

// Get implements translog.Reader.
func (s *site) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	s.mu.Lock()
	data, ok := s.kept[key]
	s.mu.Unlock()
	if ok {
		return data, nil
	}
	data, err := get(ctx, s.client, s.prefix+key, limit)
	if err == nil && key != translog.CheckpointKey {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.kept) >= maxKept {
			clear(s.kept)
		}
		s.kept[key] = data
	}
	return data, err
}

func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.kept)
}

// get reads an address. It fails with translog.ErrNotFound for a 404, and for an answer of more than limit bytes.
func get(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // nothing to lose
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", address, translog.ErrNotFound)
	default:
		return nil, fmt.Errorf("%s: %s", address, answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", address, limit)
	}
	return data, nil
}

// compareSite raises an alarm for each report that the site shows, and that was not in the log at the promised time. The log
// was read at the time at. It compares the 100 newest of these reports. A site that serves the log alone shows none.
func (f *Follower) compareSite(ctx context.Context, at time.Time) error {
	query := url.Values{"page_size": {"100"}, "date_to": {at.Add(-f.keys.delay() - slack).UTC().Format(time.RFC3339)}}
	raw, err := get(ctx, f.o.HTTP, f.o.URL+"/api/v1/public/reports?"+query.Encode(), 1<<20)
	if errors.Is(err, translog.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read reports of the site: %w", err)
	}
	var shown struct {
		Items []struct {
			Number    string    `json:"report_number"`
			CreatedAt time.Time `json:"created_at"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &shown); err != nil {
		return fmt.Errorf("read reports of the site: %w", err)
	}
	for _, r := range shown.Items {
		if f.state.reports[r.Number] == nil && r.CreatedAt.Add(f.keys.delay()+slack).Before(at) {
			f.alarm(Omitted, "%s of %s is shown by the site and was not in the log at %s", r.Number, r.CreatedAt.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
