package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/image/draw"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
)

const chat = "us.amazon.nova-2-lite-v1:0"

const relevanceSchema = `{"type":"object","properties":{
	"is_relevant":{"type":"boolean"},
	"confidence":{"type":"number","minimum":0,"maximum":1},
	"category":{"type":"string","enum":["road_damage","pothole","selfie","other"]},
	"reason":{"type":"string","maxLength":40}},"required":["is_relevant","confidence","reason"]}`

const damageSchema = `{"type":"object","properties":{
	"damage_type":{"type":"string"},
	"issue_type":{"type":"string","enum":["flooding","pothole","other"]},
	"severity":{"type":"string","enum":["low","medium","high","critical"]},
	"severity_score":{"type":"integer","minimum":1,"maximum":10},
	"confidence":{"type":"number","minimum":0,"maximum":1},
	"title":{"type":"string","maxLength":80},
	"description":{"type":"string","minLength":10},
	"recommended_repair":{"type":["string","null"]},
	"repair_urgency":{"type":"string","enum":["routine","soon","urgent","immediate"]},
	"hazards":{"type":"array","items":{"type":"string"},"maxItems":5},
	"size":{"type":"object","properties":{"width_m":{"type":"number","minimum":0.1,"maximum":20}},"required":["width_m"]}},
	"required":["damage_type","severity","severity_score","confidence","title","hazards","size"]}`

// photograph draws a road with a hole whose size and place seed decides.
func photograph(seed int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	cx, cy, radius := 80+seed*53%240, 150+seed*31%100, 25+seed*17%60
	for y := range 300 {
		for x := range 400 {
			v := uint8(150 + (x*7+y*13+seed*29)%23)
			if y < 90 {
				v = uint8(200 + seed*11%40)
			}
			if dx, dy := x-cx, y-cy; dx*dx+2*dy*dy < radius*radius {
				v = 40
			}
			if (x+seed*40)%170 < 12 {
				v = 230
			}
			img.SetRGBA(x, y, color.RGBA{v, v - 10, v - 30, 255})
		}
	}
	return img
}

func jpegOf(t *testing.T, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type model struct {
	*bedrockruntime.Client
	t      *testing.T
	server *aws.Server
}

func newModel(t *testing.T, opts aws.Options) model {
	s := start(t, opts)
	return model{newModelClient(once(s)), t, s}
}

func newModelClient(c awssdk.Config) *bedrockruntime.Client { return bedrockruntime.NewFromConfig(c) }

func (m model) converse(name, schema string, format types.ImageFormat, picture []byte) (*bedrockruntime.ConverseOutput, error) {
	m.t.Helper()
	return m.converseIn(context.Background(), name, schema, format, picture)
}

func (m model) converseIn(ctx context.Context, name, schema string, format types.ImageFormat, picture []byte) (*bedrockruntime.ConverseOutput, error) {
	return m.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: awssdk.String(chat),
		System:  []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "You inspect roads."}},
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
			&types.ContentBlockMemberImage{Value: types.ImageBlock{Format: format, Source: &types.ImageSourceMemberBytes{Value: picture}}},
			&types.ContentBlockMemberText{Value: "What does the picture show?"},
		}}},
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: awssdk.Int32(800), Temperature: awssdk.Float32(0)},
		ToolConfig:      toolConfig(m.t, name, schema),
	})
}

func toolConfig(t *testing.T, name, schema string) *types.ToolConfiguration {
	t.Helper()
	var parsed any
	if err := json.Unmarshal([]byte(schema), &parsed); err != nil {
		t.Fatal(err)
	}
	return &types.ToolConfiguration{
		Tools:      []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: &name, InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(parsed)}}}},
		ToolChoice: &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: &name}},
	}
}

// input is the tool's input as JSON.
func input(t *testing.T, out *bedrockruntime.ConverseOutput) map[string]any {
	t.Helper()
	message := out.Output.(*types.ConverseOutputMemberMessage).Value
	use, ok := message.Content[0].(*types.ContentBlockMemberToolUse)
	if !ok {
		t.Fatalf("answered %T instead of calling the tool", message.Content[0])
	}
	raw, err := use.Value.Input.MarshalSmithyDocument()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestConverseObeysTheSchema(t *testing.T) {
	t.Parallel()
	m := newModel(t, aws.Options{})
	for name, schema := range map[string]string{"report_relevance": relevanceSchema, "report_damage": damageSchema} {
		parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
		if err != nil {
			t.Fatal(err)
		}
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource("tool.json", parsed); err != nil {
			t.Fatal(err)
		}
		compiled, err := compiler.Compile("tool.json")
		if err != nil {
			t.Fatal(err)
		}
		for seed := range 6 {
			picture := jpegOf(t, photograph(seed), 85)
			out, err := m.converse(name, schema, types.ImageFormatJpeg, picture)
			if err != nil {
				t.Fatal(err)
			}
			got := input(t, out)
			if err := compiled.Validate(got); err != nil {
				t.Errorf("%s, picture %d: %v\n%v", name, seed, err, got)
			}
			again, err := m.converse(name, schema, types.ImageFormatJpeg, picture)
			if err != nil || fmt.Sprint(input(t, again)) != fmt.Sprint(got) {
				t.Errorf("%s, picture %d: another verdict the second time", name, seed)
			}
			if out.StopReason != types.StopReasonToolUse || *out.Usage.TotalTokens != *out.Usage.InputTokens+*out.Usage.OutputTokens || *out.Usage.InputTokens < 100 || *out.Metrics.LatencyMs < 1 {
				t.Errorf("%s: stop %s usage %+v metrics %+v", name, out.StopReason, *out.Usage, *out.Metrics)
			}
			if *out.Trace.PromptRouter.InvokedModelId != bedrock.Model {
				t.Errorf("%s: model %q", name, *out.Trace.PromptRouter.InvokedModelId)
			}
		}
	}
	out, err := m.converse("report_relevance", relevanceSchema, types.ImageFormatJpeg, jpegOf(t, photograph(1), 85))
	if err != nil {
		t.Fatal(err)
	}
	if got := input(t, out); got["is_relevant"] != true || got["category"] != "pothole" {
		t.Errorf("by default %v, want a relevant pothole", got)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	m := newModel(t, aws.Options{})
	picture := jpegOf(t, photograph(2), 85)
	ask := func(name, schema string) map[string]any {
		t.Helper()
		out, err := m.converse(name, schema, types.ImageFormatJpeg, picture)
		if err != nil {
			t.Fatal(err)
		}
		return input(t, out)
	}
	script := func(answers ...string) {
		t.Helper()
		var raw []json.RawMessage
		for _, a := range answers {
			raw = append(raw, json.RawMessage(a))
		}
		if err := m.server.Bedrock.Script(raw); err != nil {
			t.Fatal(err)
		}
	}
	script(`{"is_relevant":false,"confidence":0.95}`)
	if got := ask("report_damage", damageSchema); got["confidence"] == 0.95 {
		t.Errorf("an answer about relevance reached the damage call: %v", got)
	}
	if got := ask("report_relevance", relevanceSchema); got["is_relevant"] != false || got["confidence"] != 0.95 || got["reason"] == nil {
		t.Errorf("scripted %v", got)
	}
	if got := ask("report_relevance", relevanceSchema); got["is_relevant"] != true {
		t.Errorf("a used answer came again: %v", got)
	}
	script(`{"is_relevant":true,"confidence":0.99,"severity_score":10,"severity":"critical"}`)
	if got := ask("report_relevance", relevanceSchema); got["confidence"] != 0.99 {
		t.Errorf("first half %v", got)
	}
	if got := ask("report_damage", damageSchema); got["severity_score"] != 10.0 || got["severity"] != "critical" {
		t.Errorf("second half %v", got)
	}
	script(`{"_input":{"is_relevant":"maybe"}}`, `{"_text":"I cannot help."}`)
	if got := ask("report_relevance", relevanceSchema); len(got) != 1 || got["is_relevant"] != "maybe" {
		t.Errorf("verbatim %v", got)
	}
	out, err := m.converse("report_relevance", relevanceSchema, types.ImageFormatJpeg, picture)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberText); !ok || text.Value != "I cannot help." || out.StopReason != types.StopReasonEndTurn {
		t.Errorf("words %v, stop %s", text, out.StopReason)
	}
	if n := m.server.Bedrock.Scripted(); n != 0 {
		t.Errorf("%d answers still waiting", n)
	}
	if err := m.server.Bedrock.Script([]json.RawMessage{json.RawMessage(`[]`)}); err == nil {
		t.Error("an answer that is no object was taken")
	}
}

func TestConverseRefusals(t *testing.T) {
	t.Parallel()
	m := newModel(t, aws.Options{})
	good := jpegOf(t, photograph(3), 85)
	var asPNG bytes.Buffer
	if err := png.Encode(&asPNG, image.NewGray(image.Rect(0, 0, 8001, 1))); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name    string
		format  types.ImageFormat
		picture []byte
		says    string
	}{
		{"format named wrongly", types.ImageFormatPng, good, "appears to be"},
		{"unknown format", "bmp", good, "image.format"},
		{"no picture", types.ImageFormatJpeg, []byte("not a picture"), "Could not process image"},
		{"cut off", types.ImageFormatJpeg, good[:len(good)/2], "Could not process image"},
		{"over 3.75 MB", types.ImageFormatJpeg, append(good, make([]byte, 3_932_160)...), "exceeds 3.75 MB"},
		{"over 8000 pixels", types.ImageFormatPng, asPNG.Bytes(), "dimensions"},
	}
	for _, c := range cases {
		_, err := m.converse("t", relevanceSchema, c.format, c.picture)
		var invalid *types.ValidationException
		if !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
	say := func(id, text string) error {
		_, err := m.Converse(context.Background(), &bedrockruntime.ConverseInput{ModelId: &id, ToolConfig: toolConfig(t, "t", relevanceSchema),
			Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}})
		return err
	}
	if err := say("us.amazon.nova-99-v1:0", "hello"); err == nil || !strings.Contains(err.Error(), "The provided model identifier is invalid.") {
		t.Errorf("an unknown model: %v", err)
	}
	if err := say(chat, "  "); err == nil || !strings.Contains(err.Error(), "blank") {
		t.Errorf("a blank text: %v", err)
	}
	if err := say(bedrock.Model, "hello"); err != nil {
		t.Errorf("the stand-in by its own name: %v", err)
	}
	if err := say("arn:aws:bedrock:us-east-1:000000000000:inference-profile/"+chat, "hello"); err != nil {
		t.Errorf("an inference profile's ARN: %v", err)
	}
}

func (m model) embed(body string) ([]float64, error) {
	out, err := m.InvokeModel(context.Background(), &bedrockruntime.InvokeModelInput{ModelId: awssdk.String(bedrock.EmbeddingModel), Body: []byte(body), ContentType: awssdk.String("application/json")})
	if err != nil {
		return nil, err
	}
	var got struct {
		Embeddings []struct {
			EmbeddingType string
			Embedding     []float64
		}
	}
	if err := json.Unmarshal(out.Body, &got); err != nil {
		return nil, err
	}
	return got.Embeddings[0].Embedding, nil
}

func (m model) embedImage(picture []byte, dimension string) []float64 {
	m.t.Helper()
	raw, _ := json.Marshal(picture)
	v, err := m.embed(`{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX"` + dimension + `,"image":{"format":"jpeg","detailLevel":"STANDARD_IMAGE","source":{"bytes":` + string(raw) + `}}}}`)
	if err != nil {
		m.t.Fatal(err)
	}
	return v
}

func cosine(a, b []float64) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	return dot / math.Sqrt(aa*bb)
}

func TestEmbeddings(t *testing.T) {
	t.Parallel()
	m := newModel(t, aws.Options{})
	const d1024 = `,"embeddingDimension":1024`
	original := photograph(1)
	smaller := image.NewRGBA(image.Rect(0, 0, 200, 150))
	draw.CatmullRom.Scale(smaller, smaller.Bounds(), original, original.Bounds(), draw.Src, nil)
	base := m.embedImage(jpegOf(t, original, 95), d1024)
	if len(base) != 1024 || math.Abs(cosine(base, base)-1) > 1e-6 {
		t.Fatalf("%d dimensions", len(base))
	}
	length := 0.0
	for _, v := range base {
		length += v * v
	}
	if math.Abs(length-1) > 1e-3 {
		t.Errorf("squared length %f, want 1", length)
	}
	for name, picture := range map[string][]byte{"compressed harder": jpegOf(t, original, 30), "half the size": jpegOf(t, smaller, 85)} {
		if c := cosine(base, m.embedImage(picture, d1024)); c < 0.97 {
			t.Errorf("%s: cosine %.3f, want near 1", name, c)
		}
	}
	for seed := 2; seed < 7; seed++ {
		if c := cosine(base, m.embedImage(jpegOf(t, photograph(seed), 95), d1024)); c > 0.85 {
			t.Errorf("another picture (%d): cosine %.3f", seed, c)
		}
	}
	if got := len(m.embedImage(jpegOf(t, original, 95), "")); got != 3072 {
		t.Errorf("%d dimensions by default, want 3072", got)
	}
	for name, body := range map[string]string{
		"dimension 512": `{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","embeddingDimension":512,"image":{"format":"jpeg","source":{"bytes":"eA=="}}}}`,
		"nothing given": `{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX"}}`,
		"no purpose":    `{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"image":{"format":"jpeg","source":{"bytes":"eA=="}}}}`,
		"no task":       `{"singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","image":{"format":"jpeg","source":{"bytes":"eA=="}}}}`,
	} {
		var invalid *types.ValidationException
		if _, err := m.embed(body); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
