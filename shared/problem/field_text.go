package problem

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lafaekstreet/backend/shared/locale"
)

// fieldKey begins the keys of the messages about fields in the catalog. The rest of a key is the English message, with {a} and
// {b} for the parts that vary.
const fieldKey = "field."

// fieldPattern is a message with parts that vary.
type fieldPattern struct {
	key     string
	matches *regexp.Regexp // a group for each parameter
	names   []string       // of the parameters, in order
}

var fieldParameter = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{[a-z]\}`)
})

// fieldPatterns are the messages of the catalog with parts that vary. Those with more fixed text come first.
var fieldPatterns = sync.OnceValue(func() []fieldPattern {
	all, err := locale.Catalog()
	if err != nil {
		return nil
	}
	var out []fieldPattern
	for key := range all {
		text, ok := strings.CutPrefix(key, fieldKey)
		if !ok || !strings.Contains(text, "{") {
			continue
		}
		p := fieldPattern{key: key}
		for _, name := range fieldParameter().FindAllString(text, -1) {
			p.names = append(p.names, name[1:2])
		}
		fixed := fieldParameter().Split(text, -1)
		for i := range fixed {
			fixed[i] = regexp.QuoteMeta(fixed[i])
		}
		p.matches = regexp.MustCompile("^" + strings.Join(fixed, "(.+?)") + "$")
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b fieldPattern) int {
		if len(a.key) != len(b.key) {
			return len(b.key) - len(a.key)
		}
		return strings.Compare(a.key, b.key)
	})
	return out
})

// fieldsIn returns fields with their messages in l. A message that the catalog does not have stays as it is.
func fieldsIn(l locale.Language, fields []Field) []Field {
	if l == locale.English || len(fields) == 0 {
		return fields
	}
	out := slices.Clone(fields)
	for i, f := range out {
		out[i].Message = fieldText(l, f.Message)
	}
	return out
}

func fieldText(l locale.Language, message string) string {
	if text, ok := locale.Text(l, fieldKey+message, nil); ok {
		return text
	}
	for _, p := range fieldPatterns() {
		found := p.matches.FindStringSubmatch(message)
		if found == nil {
			continue
		}
		params := make(map[string]string, len(p.names))
		for i, name := range p.names {
			params[name] = found[i+1]
		}
		text, _ := locale.Text(l, p.key, params)
		return text
	}
	return message
}
