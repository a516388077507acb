package open311

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/warning"
)

// attributeField is the name of a field with an attribute.
var attributeField = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^attribute\[([^\[\]]{1,100})\](\[\])?$`)
})

// attributeTitle is the heading that FixMyStreet sends. It is in no service definition.
const attributeTitle = "title"

// attributes reads the attributes of the service definition, and the title. Others are named in the warnings.
func (r *formReader) attributes(in *reportcreate.Input, c *reportcreate.Contact) {
	seen := make(map[string]string)
	for _, f := range r.fields {
		parts := attributeField().FindStringSubmatch(f.Name)
		if parts == nil {
			continue
		}
		name, value := "attribute["+parts[1]+"]", database.Text(f.Value)
		before, again := seen[parts[1]]
		seen[parts[1]] = value
		switch {
		case !again:
			r.attribute(parts[1], name, value, in, c)
		case before != value:
			r.fault(problem.InvalidField(name, "sent more than once"))
		}
	}
}

func (r *formReader) attribute(code, name, value string, in *reportcreate.Input, c *reportcreate.Contact) {
	value, ok := valueOf(code, value)
	if !ok {
		r.fault(problem.InvalidField(name, "expected a value of the service definition"))
		return
	}
	switch code {
	case attributeSeverity:
		severity := report.Severity(value)
		in.SeverityGuess = &severity
	case attributeAccuracy:
		metres, _ := strconv.ParseFloat(value, 64) // checked by valueOf
		in.Accuracy = &metres
	case attributeLanguage:
		c.Language = locale.Language(value)
	case attributeAnonymous:
		in.Anonymous = value == "true"
	case attributeTitle:
		if utf8.RuneCountInString(value) > maxTitle {
			value = string([]rune(value)[:maxTitle])
			r.warnings.Add(name, warning.Cut)
		}
		in.Title = value
	default:
		r.warnings.Add(name, warning.NotTaken)
	}
}

// valueOf returns a value of an attribute in the spelling of the service definition. It is false for one that is not in the list, and for
// a number that is no accuracy.
func valueOf(code, value string) (string, bool) {
	for _, a := range attributes() {
		switch {
		case a.code != code:
		case a.keys == nil:
			metres, err := strconv.ParseFloat(value, 64)
			return value, err == nil && metres >= 0 && metres < 1_000_000
		default:
			for _, key := range a.keys {
				if strings.EqualFold(key, value) {
					return key, true
				}
			}
			return "", false
		}
	}
	return value, true
}
