package images

import "math"

// fit returns the size of a w × h picture after scaling, so that no side is longer
// than limit pixels. It never enlarges.
func fit(w, h, limit int) (int, int) {
	long := max(w, h)
	if long <= limit {
		return w, h
	}
	scaled := func(n int) int { return max(1, int(math.Round(float64(n)*float64(limit)/float64(long)))) }
	return scaled(w), scaled(h)
}

// scaled returns the picture at w × h in 4:2:0, in memory of its own.
func (p planes) scaled(w, h int) planes {
	out := planes{w: w, h: h, y: p.y.scaled(w, h, float64(w), float64(h))}
	if !p.grey() {
		cw, ch := (w+1)/2, (h+1)/2
		out.cb = p.cb.scaled(cw, ch, float64(w)/2, float64(h)/2)
		out.cr = p.cr.scaled(cw, ch, float64(w)/2, float64(h)/2)
	}
	return out
}

// scaled scales in two steps. It averages whole blocks until the plane is at most
// twice the target size, which reads each sample once, and then resamples with the
// Catmull-Rom kernel.
func (p plane) scaled(w, h int, extentX, extentY float64) plane {
	p = p.averageBlocks(max(1, int(p.extentX/extentX)), max(1, int(p.extentY/extentY)))
	p = p.resampleRows(w, extentX)
	return p.resampleColumns(h, extentY)
}

// averageBlocks replaces each block of kx × ky samples by their mean.
func (p plane) averageBlocks(kx, ky int) plane {
	if kx == 1 && ky == 1 {
		return p
	}
	w, h := (p.w+kx-1)/kx, (p.h+ky-1)/ky
	out := plane{pix: make([]uint8, w*h), stride: w, w: w, h: h, extentX: p.extentX / float64(kx), extentY: p.extentY / float64(ky)}
	if kx == 2 && ky == 2 {
		p.halve(out)
		return out
	}
	sums := make([]uint32, w)
	for y := range h {
		clear(sums)
		rows := min(ky, p.h-y*ky)
		for r := range rows {
			row := p.pix[(y*ky+r)*p.stride:][:p.w]
			for x := range sums {
				var sum uint32
				for _, v := range row[x*kx : min(x*kx+kx, len(row))] {
					sum += uint32(v)
				}
				sums[x] += sum
			}
		}
		line := out.pix[y*w:][:w]
		for x := range line {
			n := uint32(rows * min(kx, p.w-x*kx))
			line[x] = uint8((sums[x] + n/2) / n)
		}
	}
	return out
}

// halve is averageBlocks(2, 2), the most frequent case, written for speed.
func (p plane) halve(out plane) {
	for y := range out.h {
		a := p.pix[2*y*p.stride:][:p.w]
		b := a
		if 2*y+1 < p.h {
			b = p.pix[(2*y+1)*p.stride:][:p.w]
		}
		line := out.pix[y*out.stride:][:out.w]
		pairs := p.w / 2
		for x := range line[:pairs] {
			i := 2 * x
			line[x] = uint8((uint32(a[i]) + uint32(a[i+1]) + uint32(b[i]) + uint32(b[i+1]) + 2) >> 2)
		}
		if p.w%2 == 1 {
			line[pairs] = uint8((uint32(a[p.w-1]) + uint32(b[p.w-1]) + 1) >> 1)
		}
	}
}

// resampleRows changes the width to w samples that span extent.
func (p plane) resampleRows(w int, extent float64) plane {
	if w == p.w && extent == p.extentX {
		return p
	}
	taps := catmullRom(p.w, w, p.extentX/extent)
	out := plane{pix: make([]uint8, w*p.h), stride: w, w: w, h: p.h, extentX: extent, extentY: p.extentY}
	for y := range p.h {
		row, line := p.pix[y*p.stride:][:p.w], out.pix[y*w:][:w]
		for x := range line {
			t := &taps[x]
			samples := row[t.first:][:len(t.weights)]
			var sum int32 = rounding
			for i, weight := range t.weights {
				sum += weight * int32(samples[i])
			}
			line[x] = clamp(sum >> weightBits)
		}
	}
	return out
}

// resampleColumns changes the height to h samples that span extent.
func (p plane) resampleColumns(h int, extent float64) plane {
	if h == p.h && extent == p.extentY {
		return p.compact()
	}
	taps := catmullRom(p.h, h, p.extentY/extent)
	out := plane{pix: make([]uint8, p.w*h), stride: p.w, w: p.w, h: h, extentX: p.extentX, extentY: extent}
	sums := make([]int32, p.w)
	for y := range h {
		for x := range sums {
			sums[x] = rounding
		}
		for i, weight := range taps[y].weights {
			row := p.pix[(taps[y].first+i)*p.stride:][:len(sums)]
			for x, v := range row {
				sums[x] += weight * int32(v)
			}
		}
		line := out.pix[y*p.w:][:p.w]
		for x := range line {
			line[x] = clamp(sums[x] >> weightBits)
		}
	}
	return out
}

// compact copies the samples if p is a part of a larger buffer, so that the buffer
// can be freed.
func (p plane) compact() plane {
	if p.stride == p.w && len(p.pix) == p.w*p.h {
		return p
	}
	pix := make([]uint8, p.w*p.h)
	for y := range p.h {
		copy(pix[y*p.w:][:p.w], p.pix[y*p.stride:])
	}
	p.pix, p.stride = pix, p.w
	return p
}

const (
	weightBits = 14 // fraction bits of a weight
	rounding   = 1 << (weightBits - 1)
)

func clamp(v int32) uint8 { return uint8(max(0, min(255, v))) }

// tap says which source samples make one sample of the result: weights[i] is the
// weight of sample first+i.
type tap struct {
	first   int
	weights []int32 // fixed point with weightBits fraction bits; their sum is 1
}

// catmullRom returns the taps of m samples made from n samples. scale is the distance
// of two samples of the result, in source samples.
func catmullRom(n, m int, scale float64) []tap {
	taps := make([]tap, m)
	widen := max(scale, 1)
	for i := range taps {
		center := (float64(i)+0.5)*scale - 0.5
		first := max(0, int(math.Ceil(center-2*widen)))
		last := min(n-1, int(math.Floor(center+2*widen)))
		first = min(first, last)
		raw := make([]float64, last-first+1)
		var total float64
		for k := range raw {
			raw[k] = cubic((float64(first+k) - center) / widen)
			total += raw[k]
		}
		taps[i] = tap{first: first, weights: fixedPoint(raw, total)}
	}
	return taps
}

// fixedPoint converts weights to integers with the exact sum 1 << weightBits, so that
// an area of one colour keeps its colour.
func fixedPoint(raw []float64, total float64) []int32 {
	out := make([]int32, len(raw))
	rest, heaviest := int32(1<<weightBits), 0
	for k, v := range raw {
		if total != 0 {
			out[k] = int32(math.Round(v / total * (1 << weightBits)))
		}
		rest -= out[k]
		if out[k] > out[heaviest] {
			heaviest = k
		}
	}
	out[heaviest] += rest
	return out
}

// cubic is the Catmull-Rom kernel: Keys' cubic with a = -1/2.
func cubic(x float64) float64 {
	switch x = math.Abs(x); {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}
