package upload

import "encoding/binary"

// walkPNG follows the chunks (PNG specification, section 5).
func walkPNG(b []byte) (structure, *Refusal) {
	var out structure
	for i, first := 8, true; ; first = false {
		if i+12 > len(b) {
			return out, Refuse(Broken, "PNG ends before its last chunk")
		}
		size, kind := int(binary.BigEndian.Uint32(b[i:])), string(b[i+4:i+8])
		if size < 0 || size > len(b)-i-12 {
			return out, Refuse(Broken, "PNG chunk is cut off")
		}
		data := b[i+8 : i+8+size]
		i += 12 + size
		switch kind {
		case "IHDR":
			if !first || size != 13 {
				return out, Refuse(Broken, "PNG header is malformed")
			}
			w, h := binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
			if w > 1<<31-1 || h > 1<<31-1 {
				return out, Refuse(Broken, "PNG header is malformed")
			}
			out.width, out.height = int(w), int(h)
		case "eXIf":
			out.exif = data
			out.text = append(out.text, data)
		case "tEXt", "zTXt", "iTXt":
			out.text = append(out.text, data)
		case "IEND":
			out.end = i
			if out.width == 0 {
				return out, Refuse(Broken, "PNG has no header")
			}
			return out, nil
		}
		if first && out.width == 0 {
			return out, Refuse(Broken, "PNG does not begin with its header")
		}
	}
}

// walkWebP follows the chunks of the RIFF container (RFC 9649). The frame's own
// dimensions count, not only those the container claims: a small canvas may
// hold a frame that decodes to gigabytes.
func walkWebP(b []byte) (structure, *Refusal) {
	var out structure
	end := int(binary.LittleEndian.Uint32(b[4:])) + 8
	if end > len(b) || end < 20 {
		return out, Refuse(Broken, "WebP is cut off")
	}
	frames := 0
	for i := 12; i < end; {
		if i+8 > end {
			return out, Refuse(Broken, "WebP chunk is cut off")
		}
		kind, size := string(b[i:i+4]), int(binary.LittleEndian.Uint32(b[i+4:]))
		if size < 0 || size > end-i-8 {
			return out, Refuse(Broken, "WebP chunk is cut off")
		}
		data := b[i+8 : i+8+size]
		i += 8 + size + size&1
		switch kind {
		case "VP8X":
			if size < 10 {
				return out, Refuse(Broken, "WebP header is malformed")
			}
			out.grow(1+int24(data[4:]), 1+int24(data[7:]))
		case "VP8 ":
			if size < 10 {
				return out, Refuse(Broken, "WebP frame is malformed")
			}
			frames++
			out.grow(int(binary.LittleEndian.Uint16(data[6:])&0x3fff), int(binary.LittleEndian.Uint16(data[8:])&0x3fff))
		case "VP8L":
			if size < 5 || data[0] != 0x2f {
				return out, Refuse(Broken, "WebP frame is malformed")
			}
			frames++
			bits := binary.LittleEndian.Uint32(data[1:])
			out.grow(1+int(bits&0x3fff), 1+int(bits>>14&0x3fff))
		case "ANIM", "ANMF":
			return out, Refuse(NotAPicture, "WebP is an animation")
		case "EXIF":
			out.exif = trimExifHeader(data)
			out.text = append(out.text, data)
		case "XMP ":
			out.text = append(out.text, data)
		}
	}
	if frames != 1 {
		return out, Refuse(Broken, "WebP holds no single frame")
	}
	out.end = min(end+end&1, len(b))
	return out, nil
}

func (w *structure) grow(width, height int) {
	w.width, w.height = max(w.width, width), max(w.height, height)
}

func int24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// trimExifHeader removes the prefix of JPEG files that some programs write before the TIFF block.
func trimExifHeader(b []byte) []byte {
	if len(b) > 6 && string(b[:6]) == "Exif\x00\x00" {
		return b[6:]
	}
	return b
}
