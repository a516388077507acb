package bedrock

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Limits of a Converse message.
const (
	maxImageBytes = 3_932_160 // 3.75 MB
	maxImageSide  = 8000      // pixels
	maxImages     = 20
)

type converseInput struct {
	System   []struct{ Text string }
	Messages []struct {
		Role    string
		Content []contentBlock
	}
	InferenceConfig struct {
		MaxTokens         *int
		Temperature, TopP *float64
		StopSequences     []string
	}
	ToolConfig struct {
		Tools []struct {
			ToolSpec *toolSpec
		}
		ToolChoice struct {
			Tool *struct{ Name string }
		}
	}
}

type contentBlock struct {
	Text  *string
	Image *struct {
		Format string
		Source struct{ Bytes []byte }
	}
}

type toolSpec struct {
	Name, Description string
	InputSchema       struct {
		JSON schema `json:"json"`
	}
}

type converseOutput struct {
	Output struct {
		Message struct {
			Role    string `json:"role"`
			Content []any  `json:"content"`
		} `json:"message"`
	} `json:"output"`
	StopReason string `json:"stopReason"`
	Usage      usage  `json:"usage"`
	Metrics    struct {
		LatencyMs int64 `json:"latencyMs"`
	} `json:"metrics"`
	Trace struct {
		PromptRouter struct {
			InvokedModelID string `json:"invokedModelId"`
		} `json:"promptRouter"`
	} `json:"trace"`
}

type usage struct {
	InputTokens  int `json:"inputTokens"`
	OutputTokens int `json:"outputTokens"`
	TotalTokens  int `json:"totalTokens"`
}

type textBlock struct {
	Text string `json:"text"`
}

type toolUseBlock struct {
	ToolUse struct {
		ID    string `json:"toolUseId"`
		Name  string `json:"name"`
		Input any    `json:"input"`
	} `json:"toolUse"`
}

var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

func (s *Service) converse(_ context.Context, in converseInput) (converseOutput, error) {
	start := time.Now()
	pictures, text, err := in.check(s.seen.decode)
	if err != nil {
		return converseOutput{}, err
	}
	tool, err := in.tool()
	if err != nil {
		return converseOutput{}, err
	}
	var view view
	if len(pictures) > 0 {
		view = look(pictures[0].grid)
	}
	answer, spoken := s.script.apply(tool, fill(tool.InputSchema.JSON, view))
	out := reply(tool, answer, spoken)
	out.Usage = usage{InputTokens: len(text)/4 + 1, OutputTokens: size(out.Output.Message.Content)/4 + 1}
	for _, p := range pictures {
		out.Usage.InputTokens += p.pixels/750 + 85
	}
	out.Usage.TotalTokens = out.Usage.InputTokens + out.Usage.OutputTokens
	if limit := in.InferenceConfig.MaxTokens; limit != nil && out.Usage.OutputTokens > *limit {
		out.StopReason = "max_tokens"
	}
	out.Metrics.LatencyMs = time.Since(start).Milliseconds() + 1
	s.calls.add(Call{At: s.now().UTC(), Tool: tool.Name, Text: text, Images: len(pictures), Answer: answer})
	return out, nil
}

func reply(tool *toolSpec, answer any, spoken string) converseOutput {
	var out converseOutput
	out.Output.Message.Role, out.StopReason = "assistant", "end_turn"
	out.Trace.PromptRouter.InvokedModelID = Model
	if spoken != "" {
		out.Output.Message.Content = []any{textBlock{spoken}}
		return out
	}
	var block toolUseBlock
	block.ToolUse.ID, block.ToolUse.Name, block.ToolUse.Input = "tooluse_"+uuid.NewString(), tool.Name, answer
	out.Output.Message.Content, out.StopReason = []any{block}, "tool_use"
	return out
}

func size(v any) int {
	raw, _ := json.Marshal(v)
	return len(raw)
}

// check refuses a request that breaks the limits of the API. It returns the pictures and all text of the request.
func (in converseInput) check(decode func(format string, data []byte) (picture, error)) ([]picture, string, error) {
	if len(in.Messages) == 0 {
		return nil, "", invalid("The messages field is required and must not be empty.")
	}
	if c := in.InferenceConfig; c.MaxTokens != nil && *c.MaxTokens < 1 || outside(c.Temperature, 0, 1) || outside(c.TopP, 0, 1) {
		return nil, "", invalid("The inferenceConfig is out of range.")
	}
	var pictures []picture
	var words []string
	for _, system := range in.System {
		words = append(words, system.Text)
	}
	for i, m := range in.Messages {
		if want := []string{"user", "assistant"}[i%2]; m.Role != want {
			return nil, "", invalid("A conversation must start with a user message, and roles must alternate.")
		}
		if len(m.Content) == 0 {
			return nil, "", invalid("The content field in the Message object at messages.%d is empty.", i)
		}
		for j, block := range m.Content {
			switch {
			case block.Text != nil:
				if strings.TrimSpace(*block.Text) == "" {
					return nil, "", invalid("The text field in the ContentBlock object at messages.%d.content.%d is blank. Add text to the text field, and try again.", i, j)
				}
				words = append(words, *block.Text)
			case block.Image != nil:
				p, err := decode(block.Image.Format, block.Image.Source.Bytes)
				if err != nil {
					return nil, "", err
				}
				pictures = append(pictures, p)
			default:
				return nil, "", invalid("The ContentBlock object at messages.%d.content.%d must set one of the following keys: text, image.", i, j)
			}
		}
	}
	if len(pictures) > maxImages {
		return nil, "", invalid("too many images: %d, at most %d are allowed", len(pictures), maxImages)
	}
	return pictures, strings.Join(words, "\n"), nil
}

func outside(v *float64, low, high float64) bool { return v != nil && (*v < low || *v > high) }

// tool is the tool that the model must call. The service also answers requests that force no tool; the stand-in refuses
// them.
func (in converseInput) tool() (*toolSpec, error) {
	for i, t := range in.ToolConfig.Tools {
		if t.ToolSpec == nil || !toolName.MatchString(t.ToolSpec.Name) {
			return nil, invalid("The value at toolConfig.tools.%d.toolSpec.name does not match ^[a-zA-Z0-9_-]{1,64}$.", i)
		}
		if !t.ToolSpec.InputSchema.JSON.is("object") {
			return nil, invalid("The value at toolConfig.tools.%d.toolSpec.inputSchema.json.type must be one of the following: object.", i)
		}
	}
	forced := in.ToolConfig.ToolChoice.Tool
	if forced == nil {
		return nil, invalid("The local stand-in needs a toolChoice that names a tool.")
	}
	for _, t := range in.ToolConfig.Tools {
		if t.ToolSpec.Name == forced.Name {
			return t.ToolSpec, nil
		}
	}
	return nil, invalid("The tool %q in toolChoice is not among the tools.", forced.Name)
}

// malformedConverse calls the tool with an input that breaks its schema.
func malformedConverse(_ context.Context, body []byte) (any, error) {
	var in converseInput
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, invalid("malformed input request: %v", err)
	}
	tool, err := in.tool()
	if err != nil {
		return nil, err
	}
	input := map[string]any{"unexpected": []any{"shape", nil}}
	for name := range tool.InputSchema.JSON.Properties {
		input[name] = map[string]any{"not": "what was asked for"}
	}
	out := reply(tool, input, "")
	out.Usage, out.Metrics.LatencyMs = usage{InputTokens: 100, OutputTokens: 20, TotalTokens: 120}, 1
	return out, nil
}
