// Package markup makes HTML from text that nobody checked. The pages are made without html/template: it calls methods by name, so
// the linker keeps every method of every type, and a function was twice as large with it.
package markup

import (
	"fmt"
	"html"
	"net/url"
	"strings"
)

// Fragment is HTML that is safe between tags and inside a quoted attribute. Text, Address and Format make fragments.
type Fragment string

// Literal is HTML that is written in this repository. Go converts only constants to it without an explicit conversion, so
// text of users cannot be used as HTML by mistake.
type Literal string

// Text escapes s, so that the page shows it as it is.
func Text(s string) Fragment { return Fragment(html.EscapeString(s)) }

// Address returns the address of a link or a picture: http, https, or a path of this site. For any other, such as one that
// would run a script, it returns "#".
func Address(s string) Fragment {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && (u.Scheme != "" || !strings.HasPrefix(s, "/")) {
		return "#"
	}
	return Text(s)
}

// Format replaces each %s in format by a part. A %s must stand between tags, or be the whole of a quoted attribute.
func Format(format Literal, parts ...Fragment) Fragment {
	values := make([]any, len(parts))
	for i, p := range parts {
		values[i] = p
	}
	return Fragment(fmt.Sprintf(string(format), values...))
}

// Joined returns the parts one after the other.
func Joined(parts []Fragment) Fragment {
	var out strings.Builder
	for _, p := range parts {
		out.WriteString(string(p))
	}
	return Fragment(out.String())
}
