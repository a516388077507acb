package bedrock

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxTextRunes is the longest text the embedding model takes.
const maxTextRunes = 50_000

type embedInput struct {
	TaskType              string
	SchemaVersion         string
	SingleEmbeddingParams *struct {
		EmbeddingPurpose   string
		EmbeddingDimension *int
		Image              *struct {
			Format, DetailLevel string
			Source              struct{ Bytes []byte }
		}
		Text *struct{ TruncationMode, Value string }
	}
}

type embedOutput struct {
	Embeddings []embedding `json:"embeddings"`
}

type embedding struct {
	Type               string    `json:"embeddingType"`
	Vector             []float32 `json:"embedding"`
	TruncatedCharCount *int      `json:"truncatedCharLength,omitempty"`
}

func (s *Service) embed(_ context.Context, in embedInput) (embedOutput, error) {
	if in.TaskType != "SINGLE_EMBEDDING" {
		return embedOutput{}, invalid("Malformed input request: taskType %q is not served by the local stand-in, want SINGLE_EMBEDDING", in.TaskType)
	}
	p := in.SingleEmbeddingParams
	if p == nil || (p.Image == nil) == (p.Text == nil) {
		return embedOutput{}, invalid("Malformed input request: exactly one of text, image, video or audio is required")
	}
	purposes := []string{"GENERIC_INDEX", "GENERIC_RETRIEVAL", "TEXT_RETRIEVAL", "IMAGE_RETRIEVAL", "VIDEO_RETRIEVAL", "DOCUMENT_RETRIEVAL", "AUDIO_RETRIEVAL", "CLASSIFICATION", "CLUSTERING"}
	if !slices.Contains(purposes, p.EmbeddingPurpose) {
		return embedOutput{}, invalid("Malformed input request: embeddingPurpose %q is not one of %s", p.EmbeddingPurpose, strings.Join(purposes, ", "))
	}
	dimension := 3072
	if p.EmbeddingDimension != nil {
		dimension = *p.EmbeddingDimension
	}
	if !slices.Contains([]int{256, 384, 1024, 3072}, dimension) {
		return embedOutput{}, invalid("Malformed input request: embeddingDimension %d is not one of 256, 384, 1024, 3072", dimension)
	}
	if p.Text != nil {
		if strings.TrimSpace(p.Text.Value) == "" || utf8.RuneCountInString(p.Text.Value) > maxTextRunes {
			return embedOutput{}, invalid("Malformed input request: text.value must have 1 to %d characters", maxTextRunes)
		}
		if !slices.Contains([]string{"START", "END", "NONE"}, p.Text.TruncationMode) {
			return embedOutput{}, invalid("Malformed input request: text.truncationMode must be START, END or NONE")
		}
		return embedOutput{[]embedding{{Type: "TEXT", Vector: project(textFeatures(p.Text.Value), textSeed, dimension)}}}, nil
	}
	pic, err := decode(p.Image.Format, p.Image.Source.Bytes)
	if err != nil {
		return embedOutput{}, err
	}
	return embedOutput{[]embedding{{Type: "IMAGE", Vector: project(imageFeatures(reduce(pic.image)), imageSeed, dimension)}}}, nil
}

// Seeds of the projections; pictures and words share no direction.
const (
	imageSeed = 0x1afae4
	textSeed  = 0x7e87
)

// lumaTerms and chromaTerms are how many frequencies a side are kept.
const (
	lumaTerms   = 12
	chromaTerms = 5
)

// imageFeatures are the picture's low spatial frequencies (a cosine transform),
// weighted so that the coarsest, which all photographs share, do not drown the
// rest; then its mean brightness and colour, faintly.
func imageFeatures(g grid) []float64 {
	var f []float64
	for channel, terms := range []int{lumaTerms, chromaTerms, chromaTerms} {
		for v := range terms {
			for u := range terms {
				weight := math.Sqrt(float64(u + v))
				if u+v == 0 {
					weight = 0.05
				}
				f = append(f, weight*cosineTerm(&g[channel], u, v))
			}
		}
	}
	return f
}

func cosineTerm(g *[side][side]float64, u, v int) float64 {
	sum := 0.0
	for y := range side {
		cy := math.Cos(math.Pi * (float64(y) + 0.5) * float64(v) / side)
		for x := range side {
			sum += g[y][x] * cy * math.Cos(math.Pi*(float64(x)+0.5)*float64(u)/side)
		}
	}
	return sum / side
}

// textBuckets is the number of hashed letter groups.
const textBuckets = 512

// textFeatures counts the text's groups of three letters.
func textFeatures(text string) []float64 {
	f := make([]float64, textBuckets)
	runes := []rune(" " + strings.Join(strings.Fields(strings.ToLower(text)), " ") + " ")
	for i := range len(runes) - 2 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(string(runes[i : i+3])))
		f[h.Sum32()%textBuckets]++
	}
	return f
}

// project turns features into a unit vector of the dimension asked for. Random
// signs keep angles nearly as they were (Johnson and Lindenstrauss).
func project(features []float64, seed uint64, dimension int) []float32 {
	signs := rand.New(rand.NewPCG(seed, uint64(dimension)))
	sums, length := make([]float64, dimension), 0.0
	for i := range sums {
		var bits uint64
		for j, f := range features {
			if j%64 == 0 {
				bits = signs.Uint64()
			}
			if bits&1 == 0 {
				f = -f
			}
			bits >>= 1
			sums[i] += f
		}
		length += sums[i] * sums[i]
	}
	out := make([]float32, dimension)
	for i, v := range sums {
		out[i] = float32(v / math.Sqrt(max(length, 1e-12)))
	}
	return out
}

// malformedEmbedding answers with a vector of the wrong length.
func malformedEmbedding(context.Context, []byte) (any, error) {
	return embedOutput{[]embedding{{Type: "IMAGE", Vector: []float32{0.1, 0.2, 0.3}}}}, nil
}
