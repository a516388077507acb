package images

import (
	"image"
	"image/color"
	"testing"
)

// The hashes are those that the reference form has for these pictures.
func TestBlurhashEqualsTheReference(t *testing.T) {
	t.Parallel()
	gradient := image.NewRGBA(image.Rect(0, 0, 32, 20))
	for y := range 20 {
		for x := range 32 {
			gradient.SetRGBA(x, y, color.RGBA{uint8(x * 8), uint8(y * 12), uint8(x * y), 255})
		}
	}
	for want, img := range map[string]image.Image{
		"L~Lqe9l}eqpYs_[qsBJ%fMsTjtWo": arrow(32, 24), "L~Lqe9qSeXt%oU[qsBJ%fNsTjta{": arrow(24, 32),
		"L~TSUA~q~q~q~q~q~q~q~q~q~q~q": arrow(1, 1), "L~Lqe]0CRm--~q0CRm--~q0CRm--": arrow(32, 1),
		"LVS0|*HrV@-p_%-pofRjrrofj[ay": toPlanes(arrow(32, 24)).toImage(), "LxH24W2lwtX3qdWVjwfAgFfmfTfg": gradient,
		"L00000fQfQfQfQfQfQfQfQfQfQfQ": image.NewGray(image.Rect(0, 0, 9, 9)),
	} {
		if got := blurhash(img); got != want {
			t.Errorf("%v: %s, want %s", img.Bounds(), got, want)
		}
	}
}
