package follow

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

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
