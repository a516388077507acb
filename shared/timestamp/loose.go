package timestamp

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dateTime is a date with an optional time: RFC 3339, ISO 8601, EXIF (2026:11:20 08:00:00), and what programs make of them.
var dateTime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\d{4})[-:/]?(\d{2})[-:/]?(\d{2})(?:[T ]+(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9})\d{0,20})?)? ?(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?)?$`)
})

// mailForms are the forms of RFC 1123, of JavaScript's toUTCString and of Java's Date.
var mailForms = []string{time.RFC1123, time.RFC1123Z, "Mon Jan _2 15:04:05 MST 2006", time.ANSIC}

// ParseAny reads a time in any form that phones and programs write: RFC 3339 also with a space for the T, with an offset
// without a colon, without seconds or without a time of day; EXIF; and seconds or milliseconds since 1970. A time without a
// zone is in local. It returns false for anything else. The result keeps the zone that was read.
func ParseAny(text string, local *time.Location) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if len(text) > 64 {
		return time.Time{}, false
	}
	if t, ok := parseEpoch(text); ok {
		return t, true
	}
	if parts := dateTime().FindStringSubmatch(strings.ToUpper(text)); parts != nil {
		return parseParts(parts, local)
	}
	for _, form := range mailForms {
		t, err := time.ParseInLocation(form, text, local)
		if name, offset := t.Zone(); err == nil && (offset != 0 || name == "UTC" || name == "GMT" || form == time.ANSIC) {
			return t, true // else the zone is a name that says no offset
		}
	}
	return time.Time{}, false
}

// parseParts reads the groups of dateTime. A time that does not exist, such as 25:00, is false.
func parseParts(parts []string, local *time.Location) (time.Time, bool) {
	normal := parts[1] + parts[2] + parts[3]
	for _, part := range parts[4:7] {
		normal += (part + "00")[:2]
	}
	if parts[7] != "" {
		normal += "." + parts[7]
	}
	layout := "20060102150405" // reads a fraction after the seconds, too
	switch zone := strings.ReplaceAll(parts[8], ":", ""); zone {
	case "":
	case "Z", "UTC", "GMT":
		layout, normal = layout+"-0700", normal+"+0000"
	default:
		layout, normal = layout+"-0700", normal+(zone + "00")[:len("+0900")]
	}
	t, err := time.ParseInLocation(layout, normal, local)
	return t, err == nil
}

// parseEpoch reads a number: seconds since 1970, or milliseconds or microseconds where the number is too large for seconds.
func parseEpoch(text string) (time.Time, bool) {
	if strings.ContainsAny(text, "xXnNpP_") || len(text) == len("20261120") && !strings.Contains(text, ".") { // hexadecimal, NaN; a date
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, false
	}
	switch {
	case seconds >= 1e14: // 100 million days in seconds; microseconds since 1973
		seconds /= 1e6
	case seconds >= 1e11: // the year 5138 in seconds; milliseconds since 1973
		seconds /= 1e3
	}
	if seconds < -1e11 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(seconds * 1e6)).UTC(), true
}
