package journeys

import (
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxFileName bounds a file name without its extension, in bytes: the file systems of phones take 255.
const maxFileName = 120

// notInFileNames are characters that some file systems refuse, or that mean something else there or in a header.
const notInFileNames = `/\:*?"<>|%`

// attachment returns the Content-Disposition (RFC 6266) of a file that is called after a journey. A name that is not ASCII
// is sent twice: in ASCII for old programs, and whole (RFC 8187).
func attachment(journey, extension string) string {
	name := fileName(journey)
	ascii := asciiName(name)
	value := disposition(ascii + extension)
	if ascii != name {
		value += strings.TrimPrefix(disposition(name+extension), "attachment")
	}
	return value
}

func disposition(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// fileName returns a name that every file system takes: without control characters and those that change the direction of
// writing, and of at most maxFileName bytes. It is "journey" if nothing is left.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		case strings.ContainsRune(notInFileNames, r):
			return '-'
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	for len(name) > maxFileName {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	if name = strings.Trim(name, ". -"); name == "" {
		return "journey"
	}
	return name
}

// asciiName returns a file name without accents and without all other characters that are not ASCII.
func asciiName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r > unicode.MaxASCII:
			return ' '
		}
		return r
	}, norm.NFD.String(name))
	if name = strings.Trim(strings.Join(strings.Fields(name), " "), ". -"); name == "" {
		return "journey"
	}
	return name
}
