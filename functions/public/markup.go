package public

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
)

// The pages are made without html/template: it calls methods by name, so that the
// linker keeps every method of every type, which doubled the function.

// fragment is HTML that is safe between tags and inside a quoted attribute. There
// are three ways to one: text, address, and markup around others.
type fragment string

// literal is HTML out of this repository. Nothing but a constant becomes one by
// itself, so that what people wrote cannot pass for markup.
type literal string

// text shows s as it is.
func text(s string) fragment { return fragment(html.EscapeString(s)) }

// address is a link's or a picture's: of the web or of this site. Any other, such
// as one that would run a script, leads nowhere.
func address(s string) fragment {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && (u.Scheme != "" || !strings.HasPrefix(s, "/")) {
		return "#"
	}
	return text(s)
}

// markup puts parts into the places of format marked %s. A place is text between
// tags or the whole of a quoted attribute.
func markup(format literal, parts ...fragment) fragment {
	values := make([]any, len(parts))
	for i, p := range parts {
		values[i] = p
	}
	return fragment(fmt.Sprintf(string(format), values...))
}

// joined is all of them, one after the other.
func joined(parts []fragment) fragment {
	var out strings.Builder
	for _, p := range parts {
		out.WriteString(string(p))
	}
	return fragment(out.String())
}

// Places of a page: {{page.history}} is a text of the catalogue, {{style.css}} the
// address of a file, any other a value of this page.
var place = regexp.MustCompile(`\{\{([a-z_.-]+)\}\}`)

// fill puts a value into each place of a page. What a value says is not looked at
// again. A place without a value is a fault of the page.
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
