package images

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/lafaekstreet/backend/shared/storage"
)

// s3Event is the message of S3 about created objects. The test event that S3 sends
// when notifications are configured has no records.
type s3Event struct {
	Records []struct {
		EventName string `json:"eventName"`
		S3        struct {
			Object struct {
				Key string `json:"key"` // form-encoded
			} `json:"object"`
		} `json:"s3"`
	} `json:"Records"`
}

// originalKeys returns the keys of the new originals that a message names.
func originalKeys(body string) ([]string, error) {
	var event s3Event
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		return nil, fmt.Errorf("read S3 event: %w", err)
	}
	var keys []string
	for _, r := range event.Records {
		if !strings.HasPrefix(r.EventName, "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("read S3 event: the object key is not form-encoded")
		}
		if strings.HasPrefix(key, storage.Originals) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
