package upload

import (
	"bytes"
	"encoding/binary"
)

// foreign refuses files that are a picture and something else at once. Phones
// append to a picture in good faith (a second view, a motion clip, the maker's
// own trailer), so what comes after its end is refused only when some program
// would run or open it.
func foreign(b []byte, found walked) *Refusal {
	trailer := b[found.end:]
	switch {
	case bytes.Contains(b[:min(len(b), 1024)], []byte("%PDF-")):
		return Refuse(ExtraData, "also a PDF")
	case zip(b, trailer):
		return Refuse(ExtraData, "also a ZIP archive")
	case program(trailer):
		return Refuse(ExtraData, "carries an archive or program")
	}
	for _, part := range append(found.text, trailer) {
		if script(part) {
			return Refuse(ExtraData, "carries a script")
		}
	}
	return nil
}

// zip looks for the end-of-central-directory record where readers look for it:
// in the last 64 KiB, with a comment that reaches the end of the file.
func zip(b, trailer []byte) bool {
	if bytes.HasPrefix(trailer, []byte("PK\x03\x04")) {
		return true
	}
	tail := b[max(0, len(b)-(1<<16+22)):]
	for {
		at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
		if at < 0 {
			return false
		}
		if len(tail) >= at+22 {
			if comment := int(binary.LittleEndian.Uint16(tail[at+20:])); comment <= len(b) && at+22+comment == len(tail) {
				return true
			}
		}
		tail = tail[:at]
	}
}

func program(trailer []byte) bool {
	for _, magic := range []string{"\x7fELF", "MZ", "\xca\xfe\xba\xbe", "\x1f\x8b\x08", "#!", "%!PS"} {
		if bytes.HasPrefix(trailer, []byte(magic)) {
			return true
		}
	}
	for _, magic := range []string{"Rar!\x1a\x07", "7z\xbc\xaf\x27\x1c", "%PDF-"} {
		if bytes.Contains(trailer, []byte(magic)) {
			return true
		}
	}
	return false
}

func script(part []byte) bool {
	for {
		at := bytes.IndexByte(part, '<')
		if at < 0 {
			return false
		}
		part = part[at:]
		head := bytes.ToLower(part[:min(len(part), 16)])
		for _, tag := range []string{"<?php", "<script", "<html", "<!doctype html", "<iframe"} {
			if bytes.HasPrefix(head, []byte(tag)) {
				return true
			}
		}
		part = part[1:]
	}
}
