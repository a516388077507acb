package images

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/lafaekstreet/backend/shared/storage"
)

// notice is what S3 puts on the queue when objects have been created. The test
// event it sends once at configuration has no records.
type notice struct {
	Records []struct {
		EventName string `json:"eventName"`
		S3        struct {
			Object struct {
				Key string `json:"key"` // form-encoded
			} `json:"object"`
		} `json:"s3"`
	} `json:"Records"`
}

// originals are the keys of the new originals a message tells of.
func originals(body string) ([]string, error) {
	var n notice
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		return nil, fmt.Errorf("read S3 event: %w", err)
	}
	var keys []string
	for _, r := range n.Records {
		if !strings.HasPrefix(r.EventName, "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("read S3 event: its key is not form-encoded")
		}
		if strings.HasPrefix(key, storage.Originals) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
