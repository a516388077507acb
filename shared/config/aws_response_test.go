package config_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/shared/config"
)

// slowLooker answers before it has taken the last look at a request's body, as
// net/http may.
type slowLooker struct {
	body io.ReadCloser
	sent []byte
}

// Do implements aws.HTTPClient.
func (s *slowLooker) Do(r *http.Request) (*http.Response, error) {
	s.body = r.Body
	var err error
	s.sent, err = io.ReadAll(io.LimitReader(r.Body, r.ContentLength))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "Etag": {`"a"`}},
		Body: io.NopCloser(strings.NewReader("{}")), Request: r}, err
}

// The SDK closes a body when the answer begins; whoever
// looks then for more of it finds the end and no error.
func TestNothingFollowsABody(t *testing.T) {
	t.Parallel()
	cfg, err := config.LoadAWS(t.Context(), map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(aws.HTTPClient) error{
		"JSON": func(c aws.HTTPClient) error {
			_, err := sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.HTTPClient = c }).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("marker")})
			return err
		},
		"bytes": func(c aws.HTTPClient) error {
			client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.HTTPClient = c; o.BaseEndpoint = aws.String("http://storage.example") })
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: bytes.NewReader([]byte("marker"))})
			return err
		},
	} {
		server := &slowLooker{}
		if err := call(server); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Contains(server.sent, []byte("marker")) {
			t.Errorf("%s: sent %q", name, server.sent)
		}
		if n, err := io.Copy(io.Discard, server.body); n != 0 || err != nil {
			t.Errorf("%s: %d bytes and %v after the end", name, n, err)
		}
	}
}
