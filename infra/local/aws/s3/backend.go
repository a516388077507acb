package s3

import (
	"bytes"
	"io"
	"sync"

	"github.com/johannesboyne/gofakes3"
)

// replacing makes a put replace all metadata of an object, as S3 does. The backends of gofakes3 would keep old headers
// that the new object does not have.
type replacing struct{ gofakes3.Backend }

func (b replacing) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	if old, err := b.HeadObject(bucket, key); err == nil {
		for k := range old.Metadata {
			if _, ok := meta[k]; !ok {
				meta[k] = "" // answer drops it again
			}
		}
	}
	return b.Backend.PutObject(bucket, key, meta, input, size, conditions)
}

// copying reads objects from s3bolt, whose answers point into the memory map of its file. A writer may change that memory or
// unmap it. So no writer runs until the answer is copied.
type copying struct {
	gofakes3.Backend
	writing sync.RWMutex
}

// GetObject returns a copy of the object.
func (b *copying) GetObject(bucket, key string, part *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	b.writing.RLock()
	defer b.writing.RUnlock()
	return copied(b.Backend.GetObject(bucket, key, part))
}

// HeadObject returns a copy of the object without its bytes.
func (b *copying) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	b.writing.RLock()
	defer b.writing.RUnlock()
	return copied(b.Backend.HeadObject(bucket, key))
}

func copied(object *gofakes3.Object, err error) (*gofakes3.Object, error) {
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(object.Contents)
	if err != nil {
		return nil, err
	}
	object.Contents, object.Hash = io.NopCloser(bytes.NewReader(raw)), bytes.Clone(object.Hash)
	return object, nil
}

// PutObject implements gofakes3.Backend.
func (b *copying) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	return b.Backend.PutObject(bucket, key, meta, input, size, conditions)
}

// CopyObject implements gofakes3.Backend by reading and writing.
func (b *copying) CopyObject(fromBucket, fromKey, bucket, key string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(b, fromBucket, fromKey, bucket, key, meta)
}

// DeleteObject implements gofakes3.Backend.
func (b *copying) DeleteObject(bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	return b.Backend.DeleteObject(bucket, key)
}

// CreateBucket implements gofakes3.Backend.
func (b *copying) CreateBucket(name string) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	return b.Backend.CreateBucket(name)
}
