package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/lafaekstreet/backend/infra/local/aws"
)

const bucket = "uploads"

func newBucket(t *testing.T, opts aws.Options) (*aws.Server, *s3.Client) {
	t.Helper()
	server := start(t, opts)
	client := s3.NewFromConfig(server.Config())
	if _, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	return server, client
}

func put(t *testing.T, client *s3.Client, key, body string) {
	t.Helper()
	if _, err := client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// stores names both ways objects are kept.
func stores(t *testing.T) map[string]aws.Options {
	return map[string]aws.Options{"memory": {}, "disk": {Dir: t.TempDir()}}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	for name, opts := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := newBucket(t, opts)
			ctx := context.Background()
			key := "display/a b+c/Oé-Cusse.jpg"
			_, err := client.PutObject(ctx, &s3.PutObjectInput{
				Bucket: awssdk.String(bucket), Key: &key, Body: strings.NewReader("0123456789"), ContentType: awssdk.String("image/jpeg"),
				CacheControl: awssdk.String("public, max-age=60"), Metadata: map[string]string{"sha256": "abc"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: &key})
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(got.Body)
			if string(body) != "0123456789" || *got.ContentType != "image/jpeg" || *got.CacheControl != "public, max-age=60" || got.Metadata["sha256"] != "abc" || len(got.Metadata) != 1 {
				t.Errorf("got %q type %v cache %v metadata %v", body, *got.ContentType, *got.CacheControl, got.Metadata)
			}
			part, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: &key, Range: awssdk.String("bytes=2-4")})
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(part.Body); err != nil || string(body) != "234" || *part.ContentRange != "bytes 2-4/10" {
				t.Errorf("range: %q %v %v", body, *part.ContentRange, err)
			}
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: &key, Body: strings.NewReader("x"), IfNoneMatch: awssdk.String("*")})
			if codeOf(err) != "PreconditionFailed" {
				t.Errorf("conditional put over an object: %v", err)
			}
			put(t, client, key, "new")
			head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: awssdk.String(bucket), Key: &key})
			if err != nil || head.CacheControl != nil || len(head.Metadata) != 0 || *head.ContentLength != 3 {
				t.Errorf("after overwriting: %+v, %v", head, err)
			}
			list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: awssdk.String(bucket), Prefix: awssdk.String("display/")})
			if err != nil || len(list.Contents) != 1 || *list.Contents[0].Key != key {
				t.Errorf("list: %+v, %v", list, err)
			}
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: awssdk.String(bucket), Key: &key}); err != nil {
				t.Fatal(err)
			}
			var missing *s3types.NoSuchKey
			if _, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: &key}); !errors.As(err, &missing) {
				t.Errorf("a deleted object: %v", err)
			}
		})
	}
}

func do(t *testing.T, method, url string, header http.Header, body []byte) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(raw)
}

func TestPresignedPut(t *testing.T) {
	t.Parallel()
	_, client := newBucket(t, aws.Options{})
	presign := func(expires time.Duration) (string, http.Header) {
		req, err := s3.NewPresignClient(client).PresignPutObject(context.Background(), &s3.PutObjectInput{
			Bucket: awssdk.String(bucket), Key: awssdk.String("up/1.jpg"), ContentType: awssdk.String("image/jpeg"), ContentLength: awssdk.Int64(3),
		}, s3.WithPresignExpires(expires))
		if err != nil {
			t.Fatal(err)
		}
		h := req.SignedHeader.Clone()
		h.Del("Host")
		h.Del("Content-Length")
		return req.URL, h
	}
	url, signed := presign(time.Minute)
	html := signed.Clone()
	html.Set("Content-Type", "text/html")
	withToken := signed.Clone()
	withToken.Set("Authorization", "Bearer of.the.API")
	brief, briefSigned := presign(time.Second)
	time.Sleep(1100 * time.Millisecond)
	cases := []struct {
		name   string
		url    string
		header http.Header
		body   string
		status int
		code   string
	}{
		{"as signed", url, signed, "abc", 200, ""},
		{"longer body", url, signed, "abcd", 403, "SignatureDoesNotMatch"},
		{"other type", url, html, "abc", 403, "SignatureDoesNotMatch"},
		{"a token of the API beside the signature", url, withToken, "abc", 400, "InvalidArgument"},
		{"no type", url, nil, "abc", 403, "SignatureDoesNotMatch"},
		{"other key", strings.Replace(url, "up/1.jpg", "up/2.jpg", 1), signed, "abc", 403, "SignatureDoesNotMatch"},
		{"no signature", strings.Split(url, "?")[0], signed, "abc", 403, "AccessDenied"},
		{"expired", brief, briefSigned, "abc", 403, "Request has expired"},
	}
	for _, c := range cases {
		if status, body := do(t, http.MethodPut, c.url, c.header, []byte(c.body)); status != c.status || !strings.Contains(body, c.code) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.code)
		}
	}
	get, err := s3.NewPresignClient(client).PresignGetObject(context.Background(), &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("up/1.jpg")})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := do(t, http.MethodGet, get.URL, nil, nil); status != 200 || body != "abc" {
		t.Errorf("presigned get: %d %s", status, body)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	server, client := newBucket(t, aws.Options{})
	ctx := context.Background()
	put(t, client, "k", "x")
	url, err := s3.NewPresignClient(client).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, url, origin, wanted, headers string) (int, http.Header) {
		r, _ := http.NewRequestWithContext(ctx, method, url, nil)
		r.Header.Set("Origin", origin)
		if wanted != "" {
			r.Header.Set("Access-Control-Request-Method", wanted)
			r.Header.Set("Access-Control-Request-Headers", headers)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header
	}
	object := server.URL() + "/" + bucket + "/k"
	if status, _ := ask("OPTIONS", object, "https://app.example", "PUT", "content-type"); status != 403 {
		t.Errorf("without a configuration: %d, want 403", status)
	}
	_, err = client.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: awssdk.String(bucket), CORSConfiguration: &s3types.CORSConfiguration{CORSRules: []s3types.CORSRule{{
		AllowedMethods: []string{"GET", "PUT"}, AllowedOrigins: []string{"https://*.example"}, AllowedHeaders: []string{"content-*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: awssdk.Int32(300),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		method, url, origin, wanted, headers string
		status                               int
		allowed                              string
	}{
		{"OPTIONS", object, "https://app.example", "PUT", "Content-Type, content-length", 200, "https://app.example"},
		{"OPTIONS", object, "https://evil.test", "PUT", "content-type", 403, ""},
		{"OPTIONS", object, "https://app.example", "DELETE", "", 403, ""},
		{"OPTIONS", object, "https://app.example", "PUT", "x-other", 403, ""},
		{"GET", url.URL, "https://app.example", "", "", 200, "https://app.example"},
		{"GET", url.URL, "https://evil.test", "", "", 200, ""},
	}
	for _, c := range cases {
		status, h := ask(c.method, c.url, c.origin, c.wanted, c.headers)
		if status != c.status || h.Get("Access-Control-Allow-Origin") != c.allowed {
			t.Errorf("%s %s from %s: %d allowed %q, want %d %q", c.method, c.wanted, c.origin, status, h.Get("Access-Control-Allow-Origin"), c.status, c.allowed)
		}
	}
	if _, h := ask("OPTIONS", object, "https://app.example", "PUT", "content-type"); h.Get("Access-Control-Max-Age") != "300" || h.Get("Access-Control-Expose-Headers") != "ETag" || h.Get("Access-Control-Allow-Methods") != "GET, PUT" {
		t.Errorf("preflight %v", h)
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	server, client := newBucket(t, aws.Options{})
	ctx := context.Background()
	queues := queueBench{sqs.NewFromConfig(server.Config()), t, nil}
	url := queues.create("images", nil)
	configure := func(arn string) error {
		_, err := client.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
			Bucket: awssdk.String(bucket), NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: []s3types.QueueConfiguration{{
				QueueArn: &arn, Events: []s3types.Event{"s3:ObjectCreated:*"},
				Filter: &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: []s3types.FilterRule{{Name: "prefix", Value: awssdk.String("uploads/")}}}},
			}}},
		})
		return err
	}
	if err := configure("arn:aws:sqs:us-east-1:000000000000:nowhere"); codeOf(err) != "InvalidArgument" {
		t.Errorf("a queue that is not there: %v", err)
	}
	if err := configure(queues.arn(url)); err != nil {
		t.Fatal(err)
	}
	if got := queues.bodies(url); !strings.Contains(got, `"Event":"s3:TestEvent"`) {
		t.Fatalf("first message %s, want the test event", got)
	}
	put(t, client, "else/1.jpg", "x")
	put(t, client, "uploads/a b+é.jpg", "hello")
	messages := queues.receive(url)
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	var event struct {
		Records []struct {
			EventName, EventSource, EventTime string
			S3                                struct {
				Bucket struct{ Name string }
				Object struct {
					Key, ETag, Sequencer string
					Size                 int64
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(*messages[0].Body), &event); err != nil {
		t.Fatal(err)
	}
	r := event.Records[0]
	if r.EventName != "ObjectCreated:Put" || r.S3.Bucket.Name != bucket || r.S3.Object.Key != "uploads/a+b%2B%C3%A9.jpg" || r.S3.Object.Size != 5 || r.S3.Object.ETag != "5d41402abc4b2a76b9719d911017c592" || r.S3.Object.Sequencer == "" {
		t.Errorf("event %+v", r)
	}
}

func TestOneInstanceADirectory(t *testing.T) {
	t.Parallel()
	opts := aws.Options{Dir: t.TempDir()}
	start(t, opts)
	if second, err := aws.Start(opts); err == nil {
		_ = second.Close()
		t.Error("a second instance opened the same directory")
	}
}

func TestObjectsSurviveARestart(t *testing.T) {
	t.Parallel()
	opts := aws.Options{Dir: t.TempDir()}
	server, client := newBucket(t, opts)
	put(t, client, "k", "kept")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	client = s3.NewFromConfig(start(t, opts).Config())
	got, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(got.Body); string(body) != "kept" {
		t.Errorf("after a restart: %q", body)
	}
}

func TestBucketTwice(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"us-east-1": "", "ap-southeast-2": "BucketAlreadyOwnedByYou"} {
		_, client := newBucket(t, aws.Options{Region: region})
		put(t, client, "k", "kept")
		if _, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); codeOf(err) != want {
			t.Errorf("%s: %v, want %q", region, err, want)
		}
		if _, err := client.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("k")}); err != nil {
			t.Errorf("%s: the object is gone: %v", region, err)
		}
	}
}

func TestOtherOperationsAreRefused(t *testing.T) {
	t.Parallel()
	_, client := newBucket(t, aws.Options{})
	put(t, client, "k", "kept")
	_, err := client.PutObjectAcl(context.Background(), &s3.PutObjectAclInput{Bucket: awssdk.String(bucket), Key: awssdk.String("k"), ACL: "private"})
	if codeOf(err) != "NotImplemented" {
		t.Errorf("PutObjectAcl: %v", err)
	}
}

func TestCopiedObjects(t *testing.T) {
	t.Parallel()
	for name, opts := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := newBucket(t, opts)
			ctx, from, to := context.Background(), "renditions/1/display.jpg", "renditions/1/1/display.jpg"
			if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: &from, Body: strings.NewReader("picture"), ContentType: awssdk.String("image/jpeg")}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: awssdk.String(bucket), Key: &to, CopySource: awssdk.String(bucket + "/nothing")}); codeOf(err) != "NoSuchKey" {
				t.Errorf("of nothing: %v", err)
			}
			if _, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: awssdk.String(bucket), Key: &to, CopySource: awssdk.String(bucket + "/" + from)}); err != nil {
				t.Fatal(err)
			}
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: awssdk.String(bucket), Key: &from}); err != nil {
				t.Fatal(err)
			}
			got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: &to})
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(got.Body); string(body) != "picture" || *got.ContentType != "image/jpeg" {
				t.Errorf("%q of type %s", body, *got.ContentType)
			}
		})
	}
}

func TestDeleteSeveralObjects(t *testing.T) {
	t.Parallel()
	for name, opts := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := newBucket(t, opts)
			var all []s3types.ObjectIdentifier
			for _, key := range []string{"tile/0/000.p/1", "tile/0/000.p/2", "tile/0/missing"} {
				if !strings.HasSuffix(key, "missing") {
					put(t, client, key, "x")
				}
				all = append(all, s3types.ObjectIdentifier{Key: &key})
			}
			put(t, client, "tile/0/000", "x")
			out, err := client.DeleteObjects(context.Background(), &s3.DeleteObjectsInput{Bucket: awssdk.String(bucket), Delete: &s3types.Delete{Objects: all, Quiet: awssdk.Bool(true)}})
			if err != nil || len(out.Errors) > 0 {
				t.Fatal(err, out)
			}
			left, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: awssdk.String(bucket)})
			if err != nil || len(left.Contents) != 1 || *left.Contents[0].Key != "tile/0/000" {
				t.Errorf("left: %v, %+v", err, left)
			}
		})
	}
}
