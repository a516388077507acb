package web

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
)

// The pages are made without html/template. It calls methods by name, so the linker keeps every method of every type: the
// function was twice as large with it.

// fragment is HTML that is safe between tags and inside a quoted attribute. text, address and markup make fragments.
type fragment string

// literal is HTML that is written in this repository. Go converts only constants to it without an explicit conversion, so
// text of users cannot be used as HTML by mistake.
type literal string

// text escapes s, so that the page shows it as it is.
func text(s string) fragment { return fragment(html.EscapeString(s)) }

// address returns the address of a link or a picture: http, https, or a path of this site. For any other, such as one that
// would run a script, it returns "#".
func address(s string) fragment {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && (u.Scheme != "" || !strings.HasPrefix(s, "/")) {
		return "#"
	}
	return text(s)
}

// markup replaces each %s in format by a part. A %s must stand between tags, or be the whole of a quoted attribute.
func markup(format literal, parts ...fragment) fragment {
	values := make([]any, len(parts))
	for i, p := range parts {
		values[i] = p
	}
	return fragment(fmt.Sprintf(string(format), values...))
}

// joined returns the parts one after the other.
func joined(parts []fragment) fragment {
	var out strings.Builder
	for _, p := range parts {
		out.WriteString(string(p))
	}
	return fragment(out.String())
}

// place matches a place of a page: {{page.report.history}} is a text of the catalogue, {{style.css}} the address of a file, any other
// a value of this page.
var place = regexp.MustCompile(`\{\{([a-z0-9_.-]+)\}\}`)

// fill replaces each place of a page by its value. Places inside of values are not replaced. It fails for a place without a
// value.
func fill(page literal, value func(place string) (fragment, bool)) ([]byte, error) {
	var missing []string
	out := place.ReplaceAllStringFunc(string(page), func(match string) string {
		name := strings.Trim(match, "{}")
		v, ok := value(name)
		if !ok {
			missing = append(missing, name)
		}
		return string(v)
	})
	if missing != nil {
		return nil, fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return []byte(out), nil
}
