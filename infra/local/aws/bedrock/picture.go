package bedrock

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	_ "image/gif"  // the formats the models read
	_ "image/jpeg" // likewise
	_ "image/png"  // likewise
	"math"
	"sync"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // likewise
)

// picture is what the stand-in keeps of a picture.
type picture struct {
	pixels int
	grid   grid
}

// maxSeen is how many pictures a Service remembers. A worker sends the same picture to each model, one after the other.
const maxSeen = 64

// seen are the last pictures, by the SHA-256 of format and bytes. The zero value is ready.
type seen struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]picture
}

// decode is the function decode. It does not decode a picture again that it remembers.
func (s *seen) decode(format string, data []byte) (picture, error) {
	h := sha256.New()
	_, _ = h.Write([]byte(format + "\n"))
	_, _ = h.Write(data)
	key := [sha256.Size]byte(h.Sum(nil))
	s.mu.Lock()
	p, known := s.all[key]
	s.mu.Unlock()
	if known {
		return p, nil
	}
	p, err := decode(format, data)
	if err != nil {
		return p, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= maxSeen {
		s.all = map[[sha256.Size]byte]picture{}
	}
	s.all[key] = p
	return p, nil
}

// decode reads a picture. It refuses what the service refuses: another format than the one named, too many bytes, too
// many pixels, and data that is no picture.
func decode(format string, data []byte) (picture, error) {
	if !knownFormat(format) {
		return picture{}, invalid("1 validation error detected: Value '%s' at 'image.format' failed to satisfy constraint: Member must satisfy enum value set: [gif, jpeg, png, webp]", format)
	}
	if len(data) == 0 {
		return picture{}, invalid("The image source is empty.")
	}
	if len(data) > maxImageBytes {
		return picture{}, invalid("messages.0.content.0.image.source.bytes: image exceeds 3.75 MB maximum: %d bytes > %d bytes", len(data), maxImageBytes)
	}
	config, actual, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return picture{}, invalid("Could not process image")
	}
	if actual != format {
		return picture{}, invalid("The image was specified using the image/%s media type, but appears to be an image/%s image", format, actual)
	}
	if config.Width > maxImageSide || config.Height > maxImageSide {
		return picture{}, invalid("image dimensions exceed max allowed size: %d pixels", maxImageSide)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return picture{}, invalid("Could not process image")
	}
	return picture{config.Width * config.Height, reduce(img)}, nil
}

// side is the width and height of the grid a picture is reduced to.
const side = 32

// grid is a reduced picture: brightness and two colour differences, each about 0 to 1.
type grid [3][side][side]float64

func reduce(img image.Image) grid {
	small := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.BiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	var g grid
	for y := range side {
		for x := range side {
			c := small.RGBAAt(x, y)
			r, gr, b := float64(c.R)/255, float64(c.G)/255, float64(c.B)/255
			luma := 0.299*r + 0.587*gr + 0.114*b
			g[0][y][x], g[1][y][x], g[2][y][x] = luma, b-luma, r-luma
		}
	}
	return g
}

// view is what the stand-in computes about a picture.
type view struct {
	present               bool
	light, contrast, dark float64 // each 0 to 1
}

func look(g grid) view {
	var sum, squares float64
	for _, row := range g[0] {
		for _, v := range row {
			sum += v
			squares += v * v
		}
	}
	const n = side * side
	mean := sum / n
	deviation := math.Sqrt(max(0, squares/n-mean*mean))
	dark := 0.0
	for _, row := range g[0] {
		for _, v := range row {
			if v < mean-deviation {
				dark++
			}
		}
	}
	return view{present: true, light: mean, contrast: min(1, deviation*3), dark: dark / n}
}

// severity is 1 to 10. It grows with contrast and darkness.
func (v view) severity() int {
	if !v.present {
		return 5
	}
	return 1 + int(math.Round(9*min(1, 0.65*v.contrast+0.9*v.dark+0.15*(1-v.light))))
}

// confidence is 0.90 to 0.98.
func (v view) confidence() float64 { return math.Round((0.90+0.08*v.contrast)*100) / 100 }

func (v view) String() string {
	if !v.present {
		return "no picture"
	}
	return fmt.Sprintf("a picture of %.0f%% brightness and %.0f%% contrast", v.light*100, v.contrast*100)
}
