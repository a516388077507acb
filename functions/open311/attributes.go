package open311

import (
	"context"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

// The attributes of every service, by their codes. None is required.
const (
	attributeSeverity  = "severity"  // the reporter's own opinion
	attributeAccuracy  = "accuracy"  // of the place, in metres
	attributeLanguage  = "language"  // of the description: tet, pt or en
	attributeAnonymous = "anonymous" // true or false
)

// attribute is a question of a service definition. A client may ask it of the person who reports.
type attribute struct {
	code     string
	datatype string   // of the specification
	keys     []string // of a list; nil for another datatype
}

// attributes lists them in the order in which a client shows them.
func attributes() []attribute {
	severity := attribute{code: attributeSeverity, datatype: "singlevaluelist"}
	for _, s := range report.Severities() {
		severity.keys = append(severity.keys, string(s))
	}
	return []attribute{severity, {attributeAccuracy, "number", nil},
		{attributeLanguage, "singlevaluelist", []string{string(locale.Tetum), string(locale.Portuguese), string(locale.English)}},
		{attributeAnonymous, "singlevaluelist", []string{"true", "false"}}}
}

// describe is the attribute in a service definition, in the language of ctx. Order counts from 1.
func (a attribute) describe(ctx context.Context, order int) object {
	hint := "open311.metres"
	values := list{item: "value"}
	if a.keys != nil {
		hint = "open311.one_of"
		for _, key := range a.keys {
			values.values = append(values.values, object{{"key", key}, {"name", a.name(ctx, key)}})
		}
	}
	return object{{"variable", true}, {"code", a.code}, {"datatype", a.datatype}, {"required", false}, {"datatype_description", locale.TextFor(ctx, hint)},
		{"order", order}, {"description", locale.TextFor(ctx, "open311.attribute."+a.code)}, {"values", values}}
}

// name is a value in the language of ctx.
func (a attribute) name(ctx context.Context, key string) string {
	switch a.code {
	case attributeLanguage:
		return map[string]string{"tet": "Tetun", "pt": "Português", "en": "English"}[key]
	case attributeAnonymous:
		if key == "true" {
			return locale.TextFor(ctx, "open311.yes")
		}
		return locale.TextFor(ctx, "open311.no")
	}
	name, _ := locale.Label(locale.FromContext(ctx), a.code, key)
	return locale.Capitalized(name)
}
