package validate

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// canned answers every request with the same bytes.
type canned struct {
	status int
	body   []byte
}

// Do implements aws.HTTPClient.
func (c canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: r}, nil
}

func cannedModels(status int, body []byte) models {
	client := bedrockruntime.New(bedrockruntime.Options{Region: "us-east-1", HTTPClient: canned{status, body}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), Retryer: awssdk.NopRetryer{}})
	return models{bedrock: client, cfg: ModelConfig{Model: "m", Embedding: "e", Timeout: time.Minute}}
}

// FuzzConverse: an answer of Bedrock is an error, or a tool's input that gives a
// verdict within bounds or none; what is kept of it can be stored.
func FuzzConverse(f *testing.F) {
	for _, seed := range []string{
		`{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"record_relevance","input":{"is_relevant":true,"confidence":0.97,"reason":"x"}}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}`,
		`{"output":{"message":{"role":"assistant","content":[{"text":"sure"},{"toolUse":{"name":"record_relevance","input":[1,{"a":"\u0000"}]}}]}}}`,
		`{"output":{"message":{"content":null}},"usage":null}`, `{"output":null}`, `{}`, `[]`, `null`, ``, `{"output":{"message":{"content":[{"toolUse":{"name":"record_relevance","input":1e400}}]}}}`,
		`{"message":"too many tokens"}`,
	} {
		f.Add(200, []byte(seed))
	}
	f.Add(429, []byte(`{"message":"slow down"}`))
	f.Add(500, []byte(`{"__type":"InternalServerException"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		got := cannedModels(status, body).ask(t.Context(), "system", "task", relevanceTool(), []byte("jpeg"))
		if got.err == nil && (got.raw == nil || status > 299) {
			t.Fatalf("status %d gave %q without an error", status, got.raw)
		}
		if got.err != nil {
			return
		}
		if !json.Valid(got.raw) {
			t.Errorf("no JSON: %q", got.raw)
		}
		if v, err := parseRelevance(got.raw); err == nil && !(v.Confidence >= 0 && v.Confidence <= 1) {
			t.Errorf("confidence %v", v.Confidence)
		} else if err != nil && !malformed(err) {
			t.Errorf("not malformed but %v", err)
		}
		if s := storableJSON(got.raw); s != nil && (!json.Valid(s) || bytes.Contains(s, []byte(`\u0000`))) {
			t.Errorf("not storableJSON: %q", s)
		}
	})
}

// FuzzEmbedding: an answer is malformed, or one unit vector.
func FuzzEmbedding(f *testing.F) {
	whole, err := json.Marshal(map[string]any{"embeddings": []any{map[string]any{"embedding": append([]float32{1}, make([]float32, dimensions-1)...)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(bytes.Replace(whole, []byte("1,0,"), []byte("3e38,3e38,"), 1))
	f.Add(bytes.Replace(whole, []byte("1,0,"), []byte("1e-30,0,"), 1))
	f.Add([]byte(`{"embeddings":[{"embedding":[1,2]}]}`))
	f.Add([]byte(`{"embeddings":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := parseEmbedding(body)
		if err != nil {
			if v != nil || !malformed(err) {
				t.Errorf("%d numbers and %v", len(v), err)
			}
			return
		}
		var length float64
		for _, x := range v {
			length += float64(x) * float64(x)
		}
		if len(v) != dimensions || math.Abs(length-1) > 1e-3 {
			t.Errorf("%d numbers of length² %v", len(v), length)
		}
	})
}
