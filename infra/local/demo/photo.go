package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
)

// photo is the picture at path, or a small drawn pothole when path is empty.
func photo(path string) ([]byte, string, error) {
	if path == "" {
		b, err := pothole()
		return b, "image/jpeg", err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("read the photo: %w", err)
	}
	return b, http.DetectContentType(b), nil
}

// pothole draws a grey road with a dark, ragged hole in it; a new one each time.
func pothole() ([]byte, error) {
	const w, h = 640, 480
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	wobble, turn := 3+rand.Float64()*4, rand.Float64()*math.Pi
	for y := range h {
		for x := range w {
			dx, dy := float64(x-w/2)/190, float64(y-h*3/5)/105
			edge := 1 + 0.12*math.Sin(wobble*math.Atan2(dy, dx)+turn)
			grey := 118 + rand.IntN(24)
			if d := math.Hypot(dx, dy); d < edge {
				grey = 38 + int(50*d) + rand.IntN(16)
			}
			img.Set(x, y, color.RGBA{uint8(grey), uint8(grey - 4), uint8(grey - 10), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 82}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
