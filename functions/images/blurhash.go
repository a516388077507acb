package images

import (
	"image"
	"math"
)

// blurhash returns the BlurHash of a picture, 28 characters. A phone draws a blurred
// preview from it while the picture loads. The format is
// https://github.com/woltapp/blurhash/blob/master/Algorithm.md with blurX components
// across and blurY down.
func blurhash(img image.Image) string {
	waves := make([][3]float64, 0, blurX*blurY)
	light := linearPixels(img)
	for j := range blurY {
		for i := range blurX {
			waves = append(waves, light.wave(i, j))
		}
	}
	out := base83(nil, blurX-1+(blurY-1)*9, 1)
	most := 0.0
	for _, w := range waves[1:] {
		for _, v := range w {
			most = max(most, math.Abs(v))
		}
	}
	step := int(max(0, min(82, math.Floor(most*166-0.5))))
	out = base83(out, step, 1)
	mean := waves[0]
	out = base83(out, sRGB(mean[0])<<16|sRGB(mean[1])<<8|sRGB(mean[2]), 4)
	scale := float64(step+1) / 166
	for _, w := range waves[1:] {
		out = base83(out, quantize(w[0]/scale)*19*19+quantize(w[1]/scale)*19+quantize(w[2]/scale), 2)
	}
	return string(out)
}

const (
	blurX = 4
	blurY = 3
)

// linear is a picture in linear light: red, green and blue of each pixel, 0 to 1.
type linear struct {
	w, h int
	pix  [][3]float64
}

func linearPixels(img image.Image) linear {
	b := img.Bounds()
	out := linear{w: b.Dx(), h: b.Dy(), pix: make([][3]float64, 0, b.Dx()*b.Dy())}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			out.pix = append(out.pix, [3]float64{toLinear(r), toLinear(g), toLinear(bl)})
		}
	}
	return out
}

// wave returns the coefficients of the cosine wave with i half periods across and j
// half periods down, for red, green and blue.
func (l linear) wave(i, j int) [3]float64 {
	var sum [3]float64
	for y := range l.h {
		down := math.Cos(math.Pi * float64(j) * float64(y) / float64(l.h))
		for x := range l.w {
			basis := down * math.Cos(math.Pi*float64(i)*float64(x)/float64(l.w))
			for c, v := range l.pix[y*l.w+x] {
				sum[c] += basis * v
			}
		}
	}
	norm := 2.0
	if i == 0 && j == 0 {
		norm = 1
	}
	for c := range sum {
		sum[c] *= norm / float64(l.w*l.h)
	}
	return sum
}

// toLinear converts a 16-bit sRGB value of color.Color to linear light, 0 to 1. It
// uses the upper 8 bits only, as the reference implementation does.
func toLinear(v uint32) float64 {
	s := float64(v>>8) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

// sRGB converts linear light, 0 to 1, to an 8-bit sRGB value.
func sRGB(v float64) int {
	v = max(0, min(1, v))
	if v <= 0.0031308 {
		return int(v*12.92*255 + 0.5)
	}
	return int((1.055*math.Pow(v, 1/2.4)-0.055)*255 + 0.5)
}

// quantize maps -1 to 1 to the steps 0 to 18, which are smaller around 0.
func quantize(v float64) int {
	return int(max(0, min(18, math.Floor(math.Copysign(math.Sqrt(math.Abs(v)), v)*9+9.5))))
}

const base83Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

// base83 appends a number in base 83 with count digits.
func base83(to []byte, number, count int) []byte {
	at := len(to)
	to = append(to, make([]byte, count)...)
	for i := range count {
		to[at+count-1-i] = base83Digits[number%83]
		number /= 83
	}
	return to
}
