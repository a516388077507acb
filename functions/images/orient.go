package images

// upright turns and mirrors the picture as its EXIF orientation (TIFF tag 274,
// 1 to 8) asks; any other value leaves it.
func (p planes) upright(orientation int) planes {
	if orientation < 2 || orientation > 8 {
		return p
	}
	out := planes{w: p.w, h: p.h, y: p.y.turned(orientation)}
	if orientation >= 5 {
		out.w, out.h = p.h, p.w
	}
	if !p.grey() {
		out.cb, out.cr = p.cb.turned(orientation), p.cr.turned(orientation)
	}
	return out
}

// turned walks the result in order and the source by steps: start, then right
// for each column and below for each row.
func (p plane) turned(orientation int) plane {
	right, below := 1, p.stride // steps in the source
	lastX, lastY := p.w-1, (p.h-1)*p.stride
	var start int
	switch orientation {
	case 2: // mirrored
		start, right = lastX, -1
	case 3: // upside down
		start, right, below = lastX+lastY, -1, -p.stride
	case 4: // mirrored and upside down
		start, below = lastY, -p.stride
	case 5: // mirrored, then a quarter turn counter-clockwise
		right, below = p.stride, 1
	case 6: // needs a quarter turn clockwise
		start, right, below = lastY, -p.stride, 1
	case 7: // mirrored, then a quarter turn clockwise
		start, right, below = lastX+lastY, -p.stride, -1
	case 8: // needs a quarter turn counter-clockwise
		start, right, below = lastX, p.stride, -1
	}
	w, h, extentX, extentY := p.w, p.h, p.extentX, p.extentY
	if orientation >= 5 {
		w, h, extentX, extentY = h, w, extentY, extentX
	}
	out := plane{pix: make([]uint8, w*h), stride: w, w: w, h: h, extentX: extentX, extentY: extentY}
	for y := range h {
		at := start + y*below
		line := out.pix[y*w:][:w]
		for x := range line {
			line[x] = p.pix[at]
			at += right
		}
	}
	return out
}
