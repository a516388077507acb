// Package upload is how a picture gets from a phone to a report: the keys it is
// stored under, the checks before it is stored, who may attach it to what.
package upload

import (
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/storage"
)

// Life is how long an upload may stay unattached; phones can be offline for days.
const Life = 7 * 24 * time.Hour

// Rendition is a re-encoded form of a picture, without any metadata.
type Rendition string

// The renditions.
const (
	Display   Rendition = "display"
	Thumbnail Rendition = "thumbnail"
)

// OriginalKey is where the bytes as sent are kept: private, sealed, expiring.
func OriginalKey(id uuid.UUID) string { return storage.Originals + id.String() }

// RenditionKey is where a rendition is kept.
func RenditionKey(id uuid.UUID, r Rendition) string {
	return storage.Renditions + id.String() + "/" + string(r) + ".jpg"
}

// IDOfKey is the upload an S3 key, or the address of an object under one, belongs to.
func IDOfKey(ref string) (uuid.UUID, bool) {
	if u, err := url.Parse(ref); err == nil {
		ref = u.Path
	}
	for _, prefix := range []string{storage.Originals, storage.Renditions} {
		if _, rest, ok := strings.Cut(ref, prefix); ok {
			name, _, _ := strings.Cut(rest, "/")
			id, err := uuid.Parse(name)
			return id, err == nil && id != uuid.Nil
		}
	}
	return uuid.Nil, false
}
