package images

import "math"

// fit is the size of a w × h picture scaled down so that no side exceeds limit; never up.
func fit(w, h, limit int) (int, int) {
	long := max(w, h)
	if long <= limit {
		return w, h
	}
	scaled := func(n int) int { return max(1, int(math.Round(float64(n)*float64(limit)/float64(long)))) }
	return scaled(w), scaled(h)
}

// scaled is the picture at w × h in 4:2:0, in memory of its own.
func (p planes) scaled(w, h int) planes {
	out := planes{w: w, h: h, y: p.y.scaled(w, h, float64(w), float64(h))}
	if !p.grey() {
		cw, ch := (w+1)/2, (h+1)/2
		out.cb = p.cb.scaled(cw, ch, float64(w)/2, float64(h)/2)
		out.cr = p.cr.scaled(cw, ch, float64(w)/2, float64(h)/2)
	}
	return out
}

// scaled shrinks in two steps: by averaging whole blocks to between the target
// and twice the target, which touches each sample once, then by Catmull-Rom.
func (p plane) scaled(w, h int, extentX, extentY float64) plane {
	p = p.boxed(max(1, int(p.extentX/extentX)), max(1, int(p.extentY/extentY)))
	p = p.across(w, extentX)
	return p.down(h, extentY)
}

// boxed averages blocks of kx × ky samples.
func (p plane) boxed(kx, ky int) plane {
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

// halve is boxed(2, 2), by far the most frequent one.
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

// across resamples the rows to w samples that span extent.
func (p plane) across(w int, extent float64) plane {
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
			var sum int32 = half
			for i, weight := range t.weights {
				sum += weight * int32(samples[i])
			}
			line[x] = clamp(sum >> fraction)
		}
	}
	return out
}

// down resamples the columns to h samples that span extent.
func (p plane) down(h int, extent float64) plane {
	if h == p.h && extent == p.extentY {
		return p.owned()
	}
	taps := catmullRom(p.h, h, p.extentY/extent)
	out := plane{pix: make([]uint8, p.w*h), stride: p.w, w: p.w, h: h, extentX: p.extentX, extentY: extent}
	sums := make([]int32, p.w)
	for y := range h {
		for x := range sums {
			sums[x] = half
		}
		for i, weight := range taps[y].weights {
			row := p.pix[(taps[y].first+i)*p.stride:][:len(sums)]
			for x, v := range row {
				sums[x] += weight * int32(v)
			}
		}
		line := out.pix[y*p.w:][:p.w]
		for x := range line {
			line[x] = clamp(sums[x] >> fraction)
		}
	}
	return out
}

// owned is p without the rest of the buffer it was cut from.
func (p plane) owned() plane {
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
	fraction = 14 // bits behind the point of a weight
	half     = 1 << (fraction - 1)
)

func clamp(v int32) uint8 { return uint8(max(0, min(255, v))) }

// tap is what one sample of the result takes from the source.
type tap struct {
	first   int
	weights []int32 // of fraction bits, summing to 1
}

// catmullRom are the taps from n samples to m, scale source samples apart.
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
		taps[i] = tap{first: first, weights: fixed(raw, total)}
	}
	return taps
}

// fixed turns weights into integers that sum to exactly one, so that an even
// surface stays even.
func fixed(raw []float64, total float64) []int32 {
	out := make([]int32, len(raw))
	rest, heaviest := int32(1<<fraction), 0
	for k, v := range raw {
		if total != 0 {
			out[k] = int32(math.Round(v / total * (1 << fraction)))
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
