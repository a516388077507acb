package images

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// plane is one channel: h rows of w samples; a new row begins every stride bytes.
// The extent is the width and height of the picture in units of this plane's
// samples: a chroma plane of a picture 5 pixels wide has 3 samples and an extent of
// 2.5.
type plane struct {
	pix              []uint8
	stride           int
	w, h             int
	extentX, extentY float64
}

// planes is a picture as luma and chroma planes, as in a JPEG. Converting to RGB and
// back would take longer than the rest of the work.
type planes struct {
	w, h   int
	y      plane
	cb, cr plane // empty in a grey picture
}

func (p planes) grey() bool { return p.cb.pix == nil }

// toPlanes converts a decoded picture; transparent parts become white. The result
// may share memory with img.
func toPlanes(img image.Image) planes {
	switch m := img.(type) {
	case *image.YCbCr:
		return splitYCbCr(m)
	case *image.Gray:
		b := m.Bounds()
		return planes{w: b.Dx(), h: b.Dy(), y: fullPlane(m.Pix[m.PixOffset(b.Min.X, b.Min.Y):], m.Stride, b.Dx(), b.Dy())}
	}
	return splitRGB(img)
}

// fullPlane makes a plane with one sample for each pixel.
func fullPlane(pix []uint8, stride, w, h int) plane {
	return plane{pix: pix, stride: stride, w: w, h: h, extentX: float64(w), extentY: float64(h)}
}

func splitYCbCr(m *image.YCbCr) planes {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	sx, sy := subsampling(m.SubsampleRatio)
	at := m.COffset(b.Min.X, b.Min.Y)
	chroma := func(pix []uint8) plane {
		return plane{pix: pix[at:], stride: m.CStride, w: (w + sx - 1) / sx, h: (h + sy - 1) / sy,
			extentX: float64(w) / float64(sx), extentY: float64(h) / float64(sy)}
	}
	return planes{w: w, h: h, y: fullPlane(m.Y[m.YOffset(b.Min.X, b.Min.Y):], m.YStride, w, h), cb: chroma(m.Cb), cr: chroma(m.Cr)}
}

// toFullRange gives a picture decoded from lossy WebP the range of a JPEG. VP8 stores luma from 16 to 235 and chroma from 16 to
// 240 (RFC 6386, section 9.2: ITU-R BT.601), and the decoder returns the planes as they are stored.
func toFullRange(img image.Image) {
	var m *image.YCbCr
	switch decoded := img.(type) {
	case *image.YCbCr:
		m = decoded
	case *image.NYCbCrA:
		m = &decoded.YCbCr
	default:
		return // lossless WebP is RGB
	}
	var luma, chroma [256]uint8
	for v := range 256 {
		luma[v] = clamp(int32(math.Round(float64(v-16) * 255 / 219)))
		chroma[v] = clamp(int32(math.Round(128 + float64(v-128)*255/224)))
	}
	for i, v := range m.Y {
		m.Y[i] = luma[v]
	}
	for i, v := range m.Cb {
		m.Cb[i], m.Cr[i] = chroma[v], chroma[m.Cr[i]]
	}
}

// subsampling returns how many pixels one chroma sample covers, across and down.
func subsampling(r image.YCbCrSubsampleRatio) (int, int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	default:
		return 1, 1
	}
}

// splitRGB draws the picture on white, row by row. It needs memory for its result and
// for one row.
func splitRGB(img image.Image) planes {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	buffer := make([]uint8, 3*w*h)
	out := planes{w: w, h: h, y: fullPlane(buffer[:w*h], w, w, h),
		cb: fullPlane(buffer[w*h:2*w*h], w, w, h), cr: fullPlane(buffer[2*w*h:], w, w, h)}
	row := image.NewRGBA(image.Rect(0, 0, w, 1))
	for y := range h {
		draw.Draw(row, row.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(row, row.Rect, img, image.Pt(b.Min.X, b.Min.Y+y), draw.Over)
		for x := range w {
			px := row.Pix[4*x : 4*x+3 : 4*x+3]
			i := y*w + x
			out.y.pix[i], out.cb.pix[i], out.cr.pix[i] = color.RGBToYCbCr(px[0], px[1], px[2])
		}
	}
	return out
}

// toImage returns the picture for an encoder. The chroma planes must be 4:2:0.
func (p planes) toImage() image.Image {
	r := image.Rect(0, 0, p.w, p.h)
	if p.grey() {
		return &image.Gray{Pix: p.y.pix, Stride: p.y.stride, Rect: r}
	}
	return &image.YCbCr{Y: p.y.pix, Cb: p.cb.pix, Cr: p.cr.pix, YStride: p.y.stride, CStride: p.cb.stride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r}
}
