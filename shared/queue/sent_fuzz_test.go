package queue_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/queue"
)

// canned answers every request with the same bytes.
type canned struct {
	status int
	body   []byte
}

// Do implements aws.HTTPClient.
func (c canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: r}, nil
}

// FuzzSent: whatever SQS answers, only messages it was given count as arrived, each
// once, and whichever did not has an error.
func FuzzSent(f *testing.F) {
	first, second := uuid.MustParse("018f6f6e-1111-7000-8000-000000000001"), uuid.MustParse("018f6f6e-1111-7000-8000-000000000002")
	ok := func(id uuid.UUID) string {
		return `{"Id":"` + id.String() + `","MessageId":"m","MD5OfMessageBody":"99914b932bd37a50b983c5e7c90ae93b"}`
	}
	for _, seed := range []string{
		`{"Successful":[` + ok(first) + `,` + ok(second) + `],"Failed":[]}`, `{"Successful":[` + ok(first) + `]}`, `{"Successful":[` + ok(first) + `,` + ok(first) + `]}`,
		`{"Successful":[` + ok(first) + `],"Failed":[{"Id":"` + second.String() + `","Code":"InternalError","SenderFault":false}]}`,
		`{"Successful":[` + ok(uuid.Nil) + `,` + ok(uuid.Max) + `]}`, `{"Successful":null,"Failed":null}`, `{}`, `[]`, ``, `{"Successful":[{"Id":1}]}`,
	} {
		f.Add(200, []byte(seed))
	}
	f.Add(400, []byte(`{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"x"}`))
	f.Add(503, []byte(``))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		client := queue.NewClient(sqs.New(sqs.Options{Region: "us-east-1", HTTPClient: canned{status, body}, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}), queue.Config{URLs: map[string]string{"notify": "http://sqs/1/notify"}})
		sent, err := client.Send(t.Context(), queue.Notify, []queue.Outgoing{{ID: first, Body: []byte(`{}`)}, {ID: second, Body: []byte(`{}`)}})
		for i, id := range sent {
			if id != first && id != second || slices.Contains(sent[:i], id) {
				t.Errorf("%s is said to have arrived among %v", id, sent)
			}
		}
		if len(sent) < 2 && err == nil {
			t.Errorf("%d arrived, and no error: %s", len(sent), body)
		}
		if status > 299 && len(sent) > 0 {
			t.Errorf("status %d, and %d arrived", status, len(sent))
		}
	})
}
