package trackfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// startSize is how many bytes at the start of a file are searched for its first character and its XML declaration.
const startSize = 4096

// plainText returns a file in UTF-8 from its first character on, and this character; 0 when the start of the file is blank.
// Lines that are left out at the start come back as empty lines, so that line numbers stay those of the file.
//
// The encoding is that of the byte order mark; UTF-16 where one of the first two bytes is zero; the one that the XML
// declaration states; else UTF-8. All characters of the result are allowed in XML 1.0, except NUL, which stays.
func plainText(src io.Reader) (io.Reader, byte, error) {
	in := bufio.NewReaderSize(src, startSize)
	head, err := peek(in)
	if err != nil {
		return nil, 0, err
	}
	stated := declaredEncoding(head) // nil for a text in UTF-16, in which the declaration is not found
	if utf16 := utf16Of(head); utf16 != nil {
		in = bufio.NewReaderSize(utf16.NewDecoder().Reader(in), startSize)
		if head, err = peek(in); err != nil {
			return nil, 0, err
		}
	}
	skipped := start().Find(head)
	lines := strings.Repeat("\n", bytes.Count(skipped, []byte("\n")))
	var first byte
	if len(skipped) < len(head) {
		first = head[len(skipped)]
	}
	if _, err := in.Discard(len(skipped)); err != nil {
		return nil, 0, err
	}
	var text io.Reader = in
	if stated != nil {
		text = stated.NewDecoder().Reader(in)
	}
	return io.MultiReader(strings.NewReader(lines), transform.NewReader(text, cleaner{})), first, nil
}

// peek returns up to startSize bytes of in without taking them.
func peek(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(startSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

// utf16Of returns the UTF-16 in which a text begins, nil when it begins in another encoding.
func utf16Of(head []byte) encoding.Encoding {
	switch {
	case len(head) < 2:
		return nil
	case head[0] == 0xff && head[1] == 0xfe, head[0] != 0 && head[1] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case head[0] == 0xfe && head[1] == 0xff, head[0] == 0 && head[1] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return nil
}

var (
	// start is what may stand before the first character: byte order marks, white space and an XML declaration.
	start = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:\x{FEFF}|\s)*(?:<\?xml\s[^>]*\?>)?(?:\x{FEFF}|\s)*`)
	})
	declaredLabel = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*<\?xml\s[^>]*\sencoding\s*=\s*["']([^"']+)["']`)
	})
)

// declaredEncoding returns the encoding that an XML declaration states; nil when it is UTF-8, unknown or not stated. A
// declaration that can be read without decoding is not written in UTF-16, whatever it states.
func declaredEncoding(head []byte) encoding.Encoding {
	label := declaredLabel().FindSubmatch(head)
	if label == nil || strings.HasPrefix(strings.ToLower(string(label[1])), "utf-16") {
		return nil
	}
	stated, name := charset.Lookup(string(label[1]))
	if name == "utf-8" {
		return nil
	}
	return stated
}

// cleaner makes UTF-8 of characters that XML 1.0 allows, and NUL. A byte that is no UTF-8 counts as Windows-1252, in which
// older programs write whatever they declare. Characters that XML forbids become spaces.
type cleaner struct{ transform.NopResetter }

// Transform implements transform.Transformer.
func (cleaner) Transform(dst, src []byte, atEOF bool) (int, int, error) {
	to, from := 0, 0
	for from < len(src) {
		n := plainPrefix(src[from:min(len(src), from+len(dst)-to)])
		copy(dst[to:], src[from:from+n])
		if to, from = to+n, from+n; from == len(src) {
			break
		}
		if to+utf8.UTFMax > len(dst) {
			return to, from, transform.ErrShortDst
		}
		if !atEOF && !utf8.FullRune(src[from:]) {
			return to, from, transform.ErrShortSrc
		}
		char, size := utf8.DecodeRune(src[from:])
		switch {
		case char == utf8.RuneError && size == 1:
			char = charmap.Windows1252.DecodeByte(src[from])
		case char != 0 && char < ' ', char == 0xFFFE, char == 0xFFFF:
			char = ' '
		}
		to += utf8.EncodeRune(dst[to:], char)
		from += size
	}
	return to, from, nil
}

// plainPrefix is the number of bytes at the start that are ASCII characters allowed in XML.
func plainPrefix(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return i
		}
	}
	return len(b)
}
