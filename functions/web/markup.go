package web

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	safe "github.com/lafaekstreet/backend/shared/markup" // here, markup is a function
)

// Short names of package markup, which the pages use in every line.
type (
	fragment = safe.Fragment
	literal  = safe.Literal
)

func text(s string) fragment                            { return safe.Text(s) }
func address(s string) fragment                         { return safe.Address(s) }
func markup(format literal, parts ...fragment) fragment { return safe.Format(format, parts...) }
func joined(parts []fragment) fragment                  { return safe.Joined(parts) }

// place matches a place of a page: {{page.report.history}} is a text of the catalogue, {{style.css}} the address of a file, any other
// a value of this page.
var place = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{\{([a-z0-9_.-]+)\}\}`)
})

// fill replaces each place of a page by its value. Places inside of values are not replaced. It fails for a place without a
// value.
func fill(page literal, value func(place string) (fragment, bool)) ([]byte, error) {
	var missing []string
	out := place().ReplaceAllStringFunc(string(page), func(match string) string {
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
