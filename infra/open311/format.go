package open311

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

func formatRequirements() []Requirement {
	const section = "Internationalization, Encoding and Format Support"
	in := func(format string, check func(a *answer) error) func(context.Context, *session) error {
		return func(_ context.Context, s *session) error {
			return s.onAnswers(func(a *answer) bool { return a.status == http.StatusOK && a.format == format }, check)
		}
	}
	return []Requirement{
		{"format.utf-8", section, Must, "Every answer is UTF-8, and no header says otherwise", func(_ context.Context, s *session) error {
			return s.onAnswers(func(a *answer) bool { return slices.Contains(formats, a.format) }, (*answer).wantUTF8)
		}},
		{"format.xml-declaration", section, Must, `XML begins with a declaration that has encoding="UTF-8"`, in("xml", (*answer).wantDeclaration)},
		{"format.xml-media-type", section, Should, "XML is text/xml; charset=utf-8", in("xml", (*answer).wantMediaType)},
		{"format.json-media-type", section, Should, "JSON is application/json; charset=utf-8", in("json", (*answer).wantMediaType)},
		{"format.xml-plain", section, Should, "XML has neither namespaces nor attributes", in("xml", (*answer).wantPlain)},
		{"format.xml-names", section, Should, "XML has no elements that the specification does not have, unless they are asked for", in("xml", (*answer).wantKnownNames)},
		{"format.dates", section, Must, "Dates are of the W3C's note, with a zone", func(_ context.Context, s *session) error {
			return s.onAnswers(func(a *answer) bool { return a.status == http.StatusOK }, (*answer).wantDates)
		}},
		{"format.json-booleans", section, Must, "metadata, variable and required are booleans in JSON", in("json", func(a *answer) error { return a.wantKind(kindBoolean, booleans) })},
		{"format.json-numbers", section, Must, "lat, long and order are numbers in JSON", in("json", func(a *answer) error { return a.wantKind(kindNumber, numbers) })},
		{"format.json-ids", section, Should, "Ids and codes are strings in JSON: a number loses its leading zeros", in("json", func(a *answer) error { return a.wantKind(kindText, identifiers) })},
	}
}

var (
	booleans    = []string{"metadata", "variable", "required"}
	numbers     = []string{"lat", "long", "order"}
	identifiers = []string{"service_code", "service_request_id", "token", "code", "key", "address_id", "account_id", "zipcode", "update_id"}
)

func (a *answer) wantUTF8() error {
	if !utf8.Valid(a.body) {
		return a.deviates("UTF-8", "bytes that are not UTF-8")
	}
	_, params, err := mime.ParseMediaType(a.contentType)
	if charset := params["charset"]; err == nil && charset != "" && !strings.EqualFold(charset, "utf-8") {
		return a.deviates("charset=utf-8", "%s", a.contentType)
	}
	return nil
}

var declaration = regexp.MustCompile(`(?i)^<\?xml\s[^>]*encoding\s*=\s*["']utf-8["']`)

func (a *answer) wantDeclaration() error {
	if declaration.Match(bytes.TrimPrefix(a.body, []byte("\ufeff"))) {
		return nil
	}
	return a.deviates(`<?xml version="1.0" encoding="UTF-8"?>`, "%s", a.summary())
}

func (a *answer) wantMediaType() error {
	want := map[string]string{"xml": "text/xml", "json": "application/json"}[a.format]
	if want == "" {
		return nil
	}
	got, params, err := mime.ParseMediaType(a.contentType)
	if err != nil || got != want || !strings.EqualFold(params["charset"], "utf-8") {
		return a.deviates(want+"; charset=utf-8", "%q", a.contentType)
	}
	return nil
}

// wantPlain looks at every element. The specification allows its own address as the default namespace.
func (a *answer) wantPlain() error {
	d := xml.NewDecoder(bytes.NewReader(a.body))
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil // the end, or what is no XML: another requirement says so
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, attribute := range start.Attr {
			if attribute.Name.Local != "xmlns" || attribute.Name.Space != "" || attribute.Value != specification {
				return a.deviates("an element without attributes", "%s with %s=%q", start.Name.Local, attribute.Name.Local, attribute.Value)
			}
		}
		if start.Name.Space != "" {
			return a.deviates("an element without a namespace", "%s:%s", start.Name.Space, start.Name.Local)
		}
	}
}

// names are all elements of the specification.
var names = strings.Fields(`discovery changeset contact key_service endpoints endpoint specification url type formats format
	services service service_code service_name description metadata keywords group
	service_definition attributes attribute variable code datatype required datatype_description order values value key name
	service_requests request service_request_id token status status_notes agency_responsible service_notice requested_datetime updated_datetime
	expected_datetime address address_id zipcode lat long media_url account_id errors error`)

func (a *answer) wantKnownNames() error {
	n, err := readXML(a.body)
	if err != nil || a.extended || strings.HasPrefix(a.request, http.MethodPost) {
		return nil
	}
	if foreign := n.foreign(); foreign != "" {
		return a.deviates("elements of the specification", "%s", foreign)
	}
	return nil
}

func (n *node) foreign() string {
	if !slices.Contains(names, n.name) {
		return n.name
	}
	for _, child := range n.children {
		if f := child.foreign(); f != "" {
			return f
		}
	}
	return ""
}

// content is the value of an answer, whatever its root is; false if it cannot be read.
func (a *answer) content() (value, bool) {
	if a.format == "json" {
		v, err := readJSON(a.body)
		return v, err == nil
	}
	n, err := readXML(a.body)
	if err != nil {
		return value{}, false
	}
	v, err := n.value()
	return v, err == nil
}

func (a *answer) wantDates() error {
	v, ok := a.content()
	if !ok {
		return nil
	}
	return v.walk(func(name string, v value) error {
		if strings.HasSuffix(name, "_datetime") && v.kind != kindNull && !w3.MatchString(strings.TrimSpace(v.text)) {
			return a.deviates("a date such as 2010-01-01T00:00:00Z", "%s %q", name, v.text)
		}
		return nil
	})
}

// wantKind looks at the members with these names. null stands for no value.
func (a *answer) wantKind(want kind, names []string) error {
	v, ok := a.content()
	if !ok {
		return nil
	}
	return v.walk(func(name string, v value) error {
		if slices.Contains(names, name) && v.kind != want && v.kind != kindNull {
			return a.deviates(fmt.Sprintf("%s as %s", name, want), "%s: %s", v.kind, v.text)
		}
		return nil
	})
}

// walk visits the members of v and of the lists of the specification in it. What else is in it are extensions.
func (v value) walk(visit func(name string, v value) error) error {
	for _, item := range v.items {
		if err := item.walk(visit); err != nil {
			return err
		}
	}
	for _, m := range v.members {
		if err := visit(m.name, m.value); err != nil {
			return err
		}
		if lists[m.name] == "" {
			continue
		}
		if err := m.value.walk(visit); err != nil {
			return err
		}
	}
	return nil
}
