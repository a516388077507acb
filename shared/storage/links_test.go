package storage_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const bucket, key = "media", "renditions/0197b8a0/display é+1.jpg"

// at is a clock that stands.
type at struct{ time.Time }

func (a *at) Now() time.Time { return a.Time }

func stored(t *testing.T) *aws.Server {
	t.Helper()
	server, err := aws.Start(aws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	s := storage.New(server.Config(), storage.Config{Bucket: bucket, PathStyle: true})
	if err := s.Put(t.Context(), key, "image/jpeg", []byte("picture")); err != nil {
		t.Fatal(err)
	}
	return server
}

func fetch(t *testing.T, link string) (int, string) {
	t.Helper()
	res, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestLinksAreReadWithoutCredentials(t *testing.T) {
	t.Parallel()
	server := stored(t)
	links := storage.NewLinks(server.Config(), storage.Config{Bucket: bucket, PathStyle: true}, timestamp.System{})
	for name, make := range map[string]func() (string, error){
		"stable": func() (string, error) { return links.Link(t.Context(), key) },
		"fresh":  func() (string, error) { return links.Fresh(t.Context(), key, time.Minute) },
	} {
		link, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if status, body := fetch(t, link); status != 200 || body != "picture" {
			t.Errorf("%s: %d %s", name, status, body)
		}
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("X-Amz-Expires", "604800")
		u.RawQuery = q.Encode()
		if status, _ := fetch(t, u.String()); status != 403 {
			t.Errorf("%s: made to live longer, it answers %d", name, status)
		}
	}
	old := storage.NewLinks(server.Config(), storage.Config{Bucket: bucket, PathStyle: true}, &at{time.Now().Add(-30 * time.Minute)})
	link, err := old.Link(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := fetch(t, link); status != 403 {
		t.Errorf("of half an hour ago: %d", status)
	}
}

func TestLinksStayTheSameForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	cfg, err := config.LoadAWS(t.Context(), map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"})
	if err != nil {
		t.Fatal(err)
	}
	now := &at{time.Date(2026, 11, 21, 8, 1, 0, 0, time.UTC)}
	links := storage.NewLinks(cfg, storage.Config{Bucket: bucket}, now)
	link := func() string {
		got, err := links.Link(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := link()
	now.Time = now.Add(13 * time.Minute)
	if again := link(); again != first {
		t.Errorf("%s became %s", first, again)
	}
	now.Time = now.Add(time.Minute)
	if again := link(); again == first {
		t.Error("the next quarter of an hour has the same link: it would expire before a cache does")
	}
}

func TestObjectsAreFound(t *testing.T) {
	t.Parallel()
	server := stored(t)
	links := storage.NewLinks(server.Config(), storage.Config{Bucket: bucket, PathStyle: true, PublicEndpoint: "http://nowhere.invalid"}, timestamp.System{})
	for k, want := range map[string]bool{key: true, "renditions/other": false} {
		if got, err := links.Exists(t.Context(), k); err != nil || got != want {
			t.Errorf("%s: %v %v", k, got, err)
		}
	}
	cfg := server.Config()
	cfg.Credentials = awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{AccessKeyID: "AKIASTRANGER", SecretAccessKey: "x"}, nil
	})
	if _, err := storage.NewLinks(cfg, storage.Config{Bucket: bucket, PathStyle: true}, timestamp.System{}).Exists(t.Context(), key); err == nil {
		t.Error("without permission it is as if nothing were there")
	}
}

func TestLookingAgainWhenStorageFails(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(failing.Close)
	cfg, err := config.LoadAWS(t.Context(), map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_S3": failing.URL})
	if err != nil {
		t.Fatal(err)
	}
	links := storage.NewLinks(cfg, storage.Config{Bucket: bucket, PathStyle: true}, timestamp.System{})
	if got, err := links.Exists(t.Context(), key); err != nil || !got {
		t.Errorf("%v %v after %d questions", got, err, asked.Load())
	}
}

// TestLinksAreWhereTheSDKSays compares with the addresses of S3's own client.
func TestLinksAreWhereTheSDKSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env    map[string]string
		config storage.Config
	}{
		"in AWS":              {nil, storage.Config{Bucket: bucket}},
		"elsewhere in AWS":    {map[string]string{"AWS_REGION": "ap-southeast-2"}, storage.Config{Bucket: bucket}},
		"a name with dots":    {nil, storage.Config{Bucket: "media.example.org"}},
		"another vendor":      {map[string]string{"AWS_ENDPOINT_URL": "https://store.example:9000"}, storage.Config{Bucket: bucket, PathStyle: true}},
		"one for S3 alone":    {map[string]string{"AWS_ENDPOINT_URL": "https://a.example", "AWS_ENDPOINT_URL_S3": "https://b.example/s3/"}, storage.Config{Bucket: bucket, PathStyle: true}},
		"by host":             {map[string]string{"AWS_ENDPOINT_URL_S3": "https://b.example"}, storage.Config{Bucket: bucket}},
		"another for clients": {nil, storage.Config{Bucket: bucket, PublicEndpoint: "https://cdn.example"}},
	} {
		env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
		for k, v := range c.env {
			env[k] = v
		}
		cfg, err := config.LoadAWS(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		sdk := s3.NewPresignClient(s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = c.config.PathStyle
			if c.config.PublicEndpoint != "" {
				o.BaseEndpoint = &c.config.PublicEndpoint
			}
		}))
		want, err := sdk.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &c.config.Bucket, Key: awssdk.String(key)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := storage.NewLinks(cfg, c.config, timestamp.System{}).Fresh(t.Context(), key, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := where(t, got), where(t, want.URL); a != b {
			t.Errorf("%s: %s, want %s", name, a, b)
		}
	}
}

func where(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	scope := u.Query().Get("X-Amz-Credential")
	return u.Scheme + "://" + u.Host + u.EscapedPath() + " " + scope + " " + u.Query().Get("X-Amz-Security-Token")
}
