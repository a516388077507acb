package validate

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// ModelConfig is which Bedrock models are called.
type ModelConfig struct {
	Model     string `env:"AI_MODEL" envDefault:"us.amazon.nova-2-lite-v1:0"`
	Embedding string `env:"AI_EMBEDDING_MODEL" envDefault:"amazon.nova-2-multimodal-embeddings-v1:0"`
	// Timeout bounds one call.
	Timeout time.Duration `env:"AI_TIMEOUT" envDefault:"45s"`
}

// Bedrock holds the calls of the Bedrock Runtime API that this package makes.
type Bedrock interface {
	Converse(ctx context.Context, in *bedrockruntime.ConverseInput, opts ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error)
	InvokeModel(ctx context.Context, in *bedrockruntime.InvokeModelInput, opts ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelOutput, error)
}

// models calls the configured models.
type models struct {
	bedrock Bedrock
	cfg     ModelConfig
}

// answer is the outcome of one call, successful or not.
type answer struct {
	model                     string
	inputHash                 [sha256.Size]byte
	raw                       []byte // the input of the tool call as JSON; nil without one
	inputTokens, outputTokens int
	latency                   time.Duration
	err                       error
}

const (
	maxTokens  = 800  // of one answer
	dimensions = 1024 // of an embedding
)

// hashInput returns a hash of everything that decides an answer. An answer with the
// same hash is used again instead of a second paid call.
func hashInput(model, system, task string, jpeg []byte) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(model), []byte(promptVersion), []byte(system), []byte(task), jpeg} {
		sum := sha256.Sum256(part)
		_, _ = h.Write(sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// ask sends the picture, a JPEG, and the task to the model, which must answer with a
// call of the tool.
func (m models) ask(ctx context.Context, system, task string, t tool, jpeg []byte) answer {
	out := answer{model: m.cfg.Model, inputHash: hashInput(m.cfg.Model, system, task, jpeg)}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	started := time.Now()
	res, err := m.bedrock.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: aws.String(m.cfg.Model),
		System:  []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: system}},
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
			&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatJpeg, Source: &types.ImageSourceMemberBytes{Value: jpeg}}},
			&types.ContentBlockMemberText{Value: task},
		}}},
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(maxTokens), Temperature: aws.Float32(0)},
		ToolConfig: &types.ToolConfiguration{
			Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
				Name: aws.String(t.name), Description: aws.String(t.description),
				InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(t.schema)},
			}}},
			ToolChoice: &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(t.name)}},
		},
	})
	out.latency = time.Since(started)
	if err != nil {
		out.err = fmt.Errorf("ask model: %w", err)
		return out
	}
	if u := res.Usage; u != nil {
		out.inputTokens, out.outputTokens = int(aws.ToInt32(u.InputTokens)), int(aws.ToInt32(u.OutputTokens))
	}
	out.raw, out.err = toolInput(res, t.name)
	return out
}

// toolInput returns the input of the named tool's call as JSON, or errMalformed.
func toolInput(res *bedrockruntime.ConverseOutput, name string) ([]byte, error) {
	message, ok := res.Output.(*types.ConverseOutputMemberMessage)
	if !ok {
		return nil, fmt.Errorf("%w: no message", errMalformed)
	}
	for _, block := range message.Value.Content {
		use, ok := block.(*types.ContentBlockMemberToolUse)
		if !ok || aws.ToString(use.Value.Name) != name || use.Value.Input == nil {
			continue
		}
		raw, err := use.Value.Input.MarshalSmithyDocument()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMalformed, err)
		}
		return raw, nil
	}
	return nil, fmt.Errorf("%w: the tool was not called", errMalformed)
}

// embed returns the embedding of a JPEG: a unit vector of 1024 dimensions. Similar
// pictures have a small cosine distance.
func (m models) embed(ctx context.Context, jpeg []byte) ([]float32, answer) {
	out := answer{model: m.cfg.Embedding, inputHash: hashInput(m.cfg.Embedding, "", "", jpeg)}
	body, err := json.Marshal(map[string]any{"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": map[string]any{
		"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": dimensions,
		"image": map[string]any{"format": "jpeg", "detailLevel": "STANDARD_IMAGE", "source": map[string]any{"bytes": jpeg}},
	}})
	if err != nil {
		out.err = fmt.Errorf("encode embedding request: %w", err)
		return nil, out
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Timeout)
	defer cancel()
	started := time.Now()
	res, err := m.bedrock.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(m.cfg.Embedding), ContentType: aws.String("application/json"), Accept: aws.String("application/json"), Body: body,
	})
	out.latency = time.Since(started)
	if err != nil {
		out.err = fmt.Errorf("embed picture: %w", err)
		return nil, out
	}
	vector, err := parseEmbedding(res.Body)
	out.err = err
	return vector, out
}

// parseEmbedding reads the model's reply and scales the vector to length 1.
func parseEmbedding(body []byte) ([]float32, error) {
	var reply struct {
		Embeddings []struct {
			Embedding []float32 `json:"embedding"`
		} `json:"embeddings"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, fmt.Errorf("%w: embedding is not JSON", errMalformed)
	}
	if len(reply.Embeddings) != 1 || len(reply.Embeddings[0].Embedding) != dimensions {
		return nil, fmt.Errorf("%w: not one embedding of %d dimensions", errMalformed, dimensions)
	}
	v := reply.Embeddings[0].Embedding
	var length float64
	for _, x := range v {
		length += float64(x) * float64(x)
	}
	if length = math.Sqrt(length); math.IsNaN(length) || math.IsInf(length, 0) || length < 1e-6 {
		return nil, fmt.Errorf("%w: embedding has no direction", errMalformed)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
	return v, nil
}

// malformed reports an answer that could not be parsed. A second call may give a
// good one. Every other error means that the call itself failed.
func malformed(err error) bool { return errors.Is(err, errMalformed) }
