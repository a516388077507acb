package storage_test

import (
	"net/http/httptest"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/storage"
)

// Of an object that is deleted with its versions nothing is left, also not behind a marker of an earlier deletion. Objects
// whose key only begins like it stay.
func TestDeletedVersionsAreGone(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	cfg, err := config.LoadAWS(t.Context(), map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s",
		"AWS_ENDPOINT_URL_S3": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: awssdk.String(bucket),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
		t.Fatal(err)
	}
	store := storage.New(cfg, storage.Config{Bucket: bucket, PathStyle: true})
	for _, key := range []string{"originals/1", "originals/1", "originals/12"} {
		if err := store.Put(t.Context(), key, "image/jpeg", []byte("picture")); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Delete(t.Context(), "originals/1"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing
		if err := store.DeleteVersions(t.Context(), "originals/1"); err != nil {
			t.Fatal(err)
		}
	}
	left, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: awssdk.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	if len(left.Versions) != 1 || len(left.DeleteMarkers) != 0 || *left.Versions[0].Key != "originals/12" {
		t.Errorf("left are %d versions and %d markers, want one version of originals/12", len(left.Versions), len(left.DeleteMarkers))
	}
}

func TestAStoreWithoutVersionsDeletesTheObject(t *testing.T) {
	t.Parallel()
	server := stored(t)
	store := storage.New(server.Config(), storage.Config{Bucket: bucket, PathStyle: true})
	if err := store.DeleteVersions(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Read(t.Context(), key, 100); err == nil {
		t.Error("the object is still there")
	}
}
