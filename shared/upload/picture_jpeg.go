package upload

import (
	"bytes"
	"encoding/binary"
)

// maxScans limits the work for a progressive file: each scan visits every block. Encoders write about ten.
const maxScans = 64

const (
	soi = 0xd8
	eoi = 0xd9
	sos = 0xda
	tem = 0x01
	com = 0xfe
)

// walkJPEG follows the segments (ISO/IEC 10918-1, B.1) up to the end of image.
func walkJPEG(b []byte) (structure, *Refusal) {
	var out structure
	scans := 0
	for i := 2; ; {
		marker, next := nextMarker(b, i, scans > 0)
		if next < 0 {
			return out, Refuse(Broken, "JPEG ends or breaks off before its end marker")
		}
		i = next
		if marker == eoi {
			out.end = i
			break
		}
		if marker == tem || marker == soi || marker >= 0xd0 && marker <= 0xd7 {
			continue // stand-alone
		}
		if i+2 > len(b) {
			return out, Refuse(Broken, "JPEG segment is cut off")
		}
		size := int(binary.BigEndian.Uint16(b[i:]))
		if size < 2 || i+size > len(b) {
			return out, Refuse(Broken, "JPEG segment is cut off")
		}
		segment := b[i+2 : i+size]
		i += size
		switch {
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if marker > 0xc2 || len(segment) < 6 || out.width != 0 {
				return out, Refuse(Broken, "JPEG coding is not supported")
			}
			out.height, out.width = int(binary.BigEndian.Uint16(segment[1:])), int(binary.BigEndian.Uint16(segment[3:]))
		case marker == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00")) && len(segment) > 6:
			if out.exif == nil {
				out.exif = segment[6:]
			}
			out.text = append(out.text, segment)
		case marker >= 0xe0 && marker <= 0xef || marker == com:
			out.text = append(out.text, segment)
		case marker == sos:
			if scans++; scans > maxScans {
				return out, Refuse(TooLarge, "JPEG has too many scans")
			}
			i = skipEntropy(b, i)
		}
	}
	if scans == 0 || out.width == 0 {
		return out, Refuse(Broken, "JPEG holds no picture")
	}
	return out, nil
}

// nextMarker returns the marker at or after i and where its segment begins; -1
// when there is none. Decoders skip stray bytes between segments of the header;
// after the first scan they mean damage.
func nextMarker(b []byte, i int, strict bool) (byte, int) {
	for i < len(b) && b[i] != 0xff {
		if strict {
			return 0, -1
		}
		i++
	}
	for i < len(b) && b[i] == 0xff {
		i++
	}
	if i >= len(b) || b[i] == 0 {
		return 0, -1
	}
	return b[i], i + 1
}

// skipEntropy returns the index of the marker after the entropy-coded data.
func skipEntropy(b []byte, i int) int {
	for i < len(b) {
		at := bytes.IndexByte(b[i:], 0xff)
		if at < 0 || i+at+1 >= len(b) {
			return len(b)
		}
		i += at
		if next := b[i+1]; next == 0 || next >= 0xd0 && next <= 0xd7 {
			i += 2
			continue
		} else if next == 0xff {
			i++
			continue
		}
		return i
	}
	return i
}
