package bedrock

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

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
	}
}

type embedOutput struct {
	Embeddings []embedding `json:"embeddings"`
}

type embedding struct {
	Type   string    `json:"embeddingType"`
	Vector []float32 `json:"embedding"`
}

func (s *Service) embed(_ context.Context, in embedInput) (embedOutput, error) {
	if in.TaskType != "SINGLE_EMBEDDING" {
		return embedOutput{}, invalid("Malformed input request: taskType %q is not served by the local stand-in, want SINGLE_EMBEDDING", in.TaskType)
	}
	p := in.SingleEmbeddingParams
	if p == nil || p.Image == nil {
		return embedOutput{}, invalid("Malformed input request: an image is required; the local stand-in embeds nothing else")
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
	pic, err := s.seen.decode(p.Image.Format, p.Image.Source.Bytes)
	if err != nil {
		return embedOutput{}, err
	}
	return embedOutput{[]embedding{{Type: "IMAGE", Vector: project(imageFeatures(pic.grid), dimension)}}}, nil
}

// imageSeed is the seed of the projection.
const imageSeed = 0x1afae4

// lumaTerms and chromaTerms are how many frequencies are kept in each direction.
const (
	lumaTerms   = 12
	chromaTerms = 5
)

// imageFeatures are the low spatial frequencies of a picture, by a cosine transform. Coarse frequencies have a low
// weight, because all photographs share them; mean brightness and colour have the lowest.
func imageFeatures(g grid) []float64 {
	var f []float64
	cosines := cosineTable()
	for channel, terms := range []int{lumaTerms, chromaTerms, chromaTerms} {
		for v := range terms {
			for u := range terms {
				weight := math.Sqrt(float64(u + v))
				if u+v == 0 {
					weight = 0.05
				}
				f = append(f, weight*cosineTerm(&g[channel], &cosines[u], &cosines[v]))
			}
		}
	}
	return f
}

// cosineTable has the cosines of each frequency at each place of a grid.
func cosineTable() [lumaTerms][side]float64 {
	var out [lumaTerms][side]float64
	for u := range lumaTerms {
		for x := range side {
			out[u][x] = math.Cos(math.Pi * (float64(x) + 0.5) * float64(u) / side)
		}
	}
	return out
}

func cosineTerm(g *[side][side]float64, across, down *[side]float64) float64 {
	sum := 0.0
	for y := range side {
		for x := range side {
			sum += g[y][x] * down[y] * across[x]
		}
	}
	return sum / side
}

// project turns features into a unit vector of that dimension. Sums with random signs keep the angles between vectors
// nearly unchanged (the lemma of Johnson and Lindenstrauss).
func project(features []float64, dimension int) []float32 {
	signs := rand.New(rand.NewPCG(imageSeed, uint64(dimension)))
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
