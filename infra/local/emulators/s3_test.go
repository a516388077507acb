package emulators

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

const (
	media   = "lafaekstreet-media"
	files   = "lafaekstreet-log"
	picture = storage.Originals + "2026/picture"
)

// versity starts versitygw with the buckets of a stage.
func versity(t *testing.T) aws.Config {
	t.Helper()
	objects, versions := t.TempDir(), t.TempDir()
	cfg := run(t, "versitygw", func(port string) ([]string, []string) {
		return []string{"--port", "127.0.0.1:" + port, "posix", "--versioning-dir", versions, objects},
			[]string{"ROOT_ACCESS_KEY=access", "ROOT_SECRET_KEY=secret"}
	})
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	for _, name := range []string{media, files} {
		in := &s3.CreateBucketInput{Bucket: aws.String(name), ObjectLockEnabledForBucket: aws.Bool(name == files)}
		if _, err := client.CreateBucket(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// send makes a presigned request with a body, and returns the status.
func send(t *testing.T, p storage.Presigned, contentType string, body []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), p.Method, p.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = p.Headers.Clone()
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// A picture takes the way of the demo: a presigned upload of exactly its size and type, then reading, links, renditions, deletion.
func TestAPictureOnItsWay(t *testing.T) {
	cfg := versity(t)
	c := storage.Config{Bucket: media, PathStyle: true}
	store, links, body := storage.New(cfg, c), storage.NewLinks(cfg, c, timestamp.System{}), []byte("the bytes of a picture")
	upload, err := store.PresignPut(t.Context(), picture, "image/jpeg", int64(len(body)), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status := send(t, upload, "image/png", body); status != http.StatusForbidden {
		t.Errorf("another type: %d", status)
	}
	if status := send(t, upload, "image/jpeg", append(body, '!')); status != http.StatusForbidden {
		t.Errorf("another size: %d", status)
	}
	if status := send(t, upload, "image/jpeg", body); status != http.StatusOK {
		t.Fatalf("the upload: %d", status)
	}
	if got, err := store.Read(t.Context(), picture, 1000); err != nil || !bytes.Equal(got, body) {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := store.Read(t.Context(), picture, 3); err == nil {
		t.Error("more is read than the limit")
	}
	if _, err := store.Read(t.Context(), "none", 3); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a missing object: %v", err)
	}
	readByLink(t, links, body)
	if err := errors.Join(store.Put(t.Context(), storage.Renditions+"a", "image/jpeg", body),
		store.Copy(t.Context(), storage.Renditions+"a", storage.Renditions+"b"), store.Delete(t.Context(), picture)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Read(t.Context(), picture, 1000); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a deleted object: %v", err)
	}
	if got, err := store.Read(t.Context(), storage.Renditions+"b", 1000); err != nil || !bytes.Equal(got, body) {
		t.Errorf("a copy: %q, %v", got, err)
	}
}

func readByLink(t *testing.T, links *storage.Links, body []byte) {
	t.Helper()
	link, err := links.Link(t.Context(), picture)
	if err != nil {
		t.Fatal(err)
	}
	if status := send(t, storage.Presigned{Method: http.MethodGet, URL: link, Headers: http.Header{}}, "", nil); status != http.StatusOK {
		t.Errorf("a link: %d", status)
	}
	if got, err := links.Read(t.Context(), picture, 1000); err != nil || !bytes.Equal(got, body) {
		t.Errorf("read by a link: %q, %v", got, err)
	}
	for key, want := range map[string]bool{picture: true, "none": false} {
		if there, err := links.Exists(t.Context(), key); err != nil || there != want {
			t.Errorf("%s exists: %v, %v", key, there, err)
		}
	}
}

// The files of the public log: written, listed, deleted; a full tile is locked and none of its versions can be deleted.
func TestTheFilesOfTheLog(t *testing.T) {
	cfg := versity(t)
	log, err := storage.NewLog(cfg, storage.LogConfig{Bucket: files, PathStyle: true, LockMode: storage.LockGovernance, LockDays: 1}, timestamp.System{})
	if err != nil {
		t.Fatal(err)
	}
	full, partial := translog.TileKey(0, 0, 256), translog.TileKey(0, 1, 7)
	for _, f := range []translog.File{{Key: full, Data: []byte("full"), Full: true}, {Key: partial, Data: []byte("part")}, {Key: translog.CheckpointKey, Data: []byte("signed")}} {
		if err := log.Put(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if got, err := log.Get(t.Context(), f.Key, 100); err != nil || !bytes.Equal(got, f.Data) {
			t.Errorf("%s: %q, %v", f.Key, got, err)
		}
	}
	if keys, err := log.List(t.Context(), "tile/"); err != nil || !slices.Contains(keys, full) || !slices.Contains(keys, partial) {
		t.Errorf("the list is %v, %v", keys, err)
	}
	if err := log.Delete(t.Context(), []string{partial}); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Get(t.Context(), partial, 100); !errors.Is(err, translog.ErrNotFound) {
		t.Errorf("a deleted file: %v", err)
	}
	if err := deleteVersion(t.Context(), cfg, full); err == nil {
		t.Error("a locked version is deleted")
	}
}

// deleteVersion deletes the newest version of a key.
func deleteVersion(ctx context.Context, cfg aws.Config, key string) error {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(files), Key: aws.String(key)})
	if err != nil {
		return nil // then the caller fails: nothing was refused
	}
	_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(files), Key: aws.String(key), VersionId: head.VersionId})
	return err
}
