package open311

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	sectionServices   = "GET Service List"
	sectionDefinition = "GET Service Definition"
	// unknown is an id that no server has.
	unknown = "no-such-thing-7f3a"
)

func serviceRequirements() []Requirement {
	return []Requirement{
		{"services.xml", sectionServices, Must, "services.xml can be read", readable("/services", "xml", "services")},
		{"services.json", sectionServices, Must, "services.json is an array without a name around it", readable("/services", "json", "services")},
		{"services.fields", sectionServices, Must, "There are services, each with service_code, service_name, metadata and type", onServices(serviceFields)},
		{"services.words", sectionServices, Must, "metadata is true or false, type is realtime, batch or blackbox", onServices(serviceWords)},
		{"services.unique", sectionServices, Must, "No service_code is there twice", onServices(func(p page) error {
			if twice := double(words(p.items, "service_code")); twice != "" {
				return p.deviates("each service_code once", "%q twice", twice)
			}
			return nil
		})},
		{"services.all-fields", sectionServices, Should, "description, keywords and group are there, if need be without a value", onServices(func(p page) error {
			for _, v := range p.items {
				if err := p.wantMembers(v, "service_code", absent(v, "description", "keywords", "group")); err != nil {
					return err
				}
			}
			return nil
		})},
		{"services.same", sectionServices, Should, "XML and JSON have the same services in the same order", func(ctx context.Context, s *session) error {
			pages, err := s.pages(ctx, "/services", "services")
			return same(pages, err, func(p page) []string { return words(p.items, "service_code") })
		}},
		{"services.attributes", sectionServices, Extra, "A service asks for attributes: its metadata is true", func(ctx context.Context, s *session) error {
			_, err := s.described(ctx)
			return err
		}},
		{"jurisdiction.unknown", sectionServices, Must, "An unknown jurisdiction_id is 404; a server of one jurisdiction may ignore it", unknownJurisdiction},
	}
}

func onServices(check func(p page) error) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		pages, err := s.pages(ctx, "/services", "services")
		return each(pages, err, check)
	}
}

func serviceFields(p page) error {
	if len(p.items) == 0 {
		return p.deviates("at least one service", "none")
	}
	for _, v := range p.items {
		if err := p.wantMembers(v, "service_code", missing(v, "service_code", "service_name", "metadata", "type")); err != nil {
			return err
		}
	}
	return nil
}

func serviceWords(p page) error {
	for _, v := range p.items {
		if m := v.word("metadata"); m != "true" && m != "false" {
			return p.deviates("metadata true or false", "%q", m)
		}
		if t := v.word("type"); t != "realtime" && t != "batch" && t != "blackbox" {
			return p.deviates("type realtime, batch or blackbox", "%q", t)
		}
	}
	return nil
}

func unknownJurisdiction(ctx context.Context, s *session) error {
	for _, f := range formats {
		if f == "json" && !s.offersJSON(ctx) {
			continue
		}
		a, err := s.client.get(ctx, "/services."+f, url.Values{"jurisdiction_id": {unknown}})
		if err != nil {
			return err
		}
		if a.status == http.StatusOK {
			return notTried("the server ignores jurisdiction_id, which it may if it serves one jurisdiction")
		}
		if err := a.wantStatus(http.StatusNotFound); err != nil {
			return err
		}
	}
	return nil
}

// described returns the service that reports are filed for if it has attributes, else the first one with attributes.
func (s *session) described(ctx context.Context) (string, error) {
	pages, err := s.pages(ctx, "/services", "services")
	if err != nil {
		return "", err
	}
	found := ""
	for _, v := range pages[0].items {
		if v.word("metadata") == "true" && (found == "" || v.word("service_code") == s.options.Service) {
			found = v.word("service_code")
		}
	}
	if found == "" {
		return "", pages[0].deviates("a service with metadata true", "none")
	}
	return found, nil
}

// service returns the service that reports are filed for, and whether it has attributes.
func (s *session) service(ctx context.Context) (string, bool, error) {
	pages, err := s.pages(ctx, "/services", "services")
	if err != nil {
		return "", false, err
	}
	for _, v := range pages[0].items {
		if code := v.word("service_code"); s.options.Service == "" || s.options.Service == code {
			return code, v.word("metadata") == "true", nil
		}
	}
	return "", false, notTried("the list of services does not have " + s.options.Service)
}

func definitionRequirements() []Requirement {
	return []Requirement{
		{"definition.xml", sectionDefinition, Must, "services/{service_code}.xml can be read where metadata is true", definitionIn("xml")},
		{"definition.json", sectionDefinition, Must, "services/{service_code}.json is an object", definitionIn("json")},
		{"definition.code", sectionDefinition, Must, "It has the service_code that was asked for, and attributes", onDefinition(definitionCode)},
		{"definition.fields", sectionDefinition, Must, "Each attribute has variable, code, datatype, required and order", onAttributes(func(p page, a value) error {
			return p.wantMembers(a, "code", missing(a, "variable", "code", "datatype", "required", "order"))
		})},
		{"definition.words", sectionDefinition, Must, "variable and required are true or false, datatype is one of six", onAttributes(attributeWords)},
		{"definition.order", sectionDefinition, Must, "order is 1 or more; no order and no code is there twice", onDefinition(definitionOrder)},
		{"definition.values", sectionDefinition, Must, "An attribute with a list has values, each with a name and a key of its own", onAttributes(attributeValues)},
		{"definition.all-fields", sectionDefinition, Should, "description and datatype_description are there, if need be without a value", onAttributes(func(p page, a value) error {
			return p.wantMembers(a, "code", absent(a, "description", "datatype_description"))
		})},
		{"definition.unknown", sectionDefinition, Must, "An unknown service_code is 404", refused("/services/"+unknown, nil, http.StatusNotFound)},
	}
}

func definitionIn(format string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		code, err := s.described(ctx)
		if err != nil {
			return errNoAttributes
		}
		return readable("/services/"+url.PathEscape(code), format, "service_definition")(ctx, s)
	}
}

const errNoAttributes = notTried("no service has metadata true")

func (s *session) definitions(ctx context.Context) ([]page, error) {
	code, err := s.described(ctx)
	if err != nil {
		return nil, errNoAttributes
	}
	return s.pages(ctx, "/services/"+url.PathEscape(code), "service_definition")
}

func onDefinition(check func(s *session, p page) error) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		pages, err := s.definitions(ctx)
		return each(pages, err, func(p page) error { return check(s, p) })
	}
}

func onAttributes(check func(p page, attribute value) error) func(context.Context, *session) error {
	return onDefinition(func(_ *session, p page) error {
		if len(p.list("attributes")) == 0 {
			return notTried("the definition has no attributes")
		}
		for _, a := range p.list("attributes") {
			if err := check(p, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func definitionCode(s *session, p page) error {
	path := p.request[strings.LastIndexByte(p.request, '/')+1:]
	code, err := url.PathUnescape(path[:strings.LastIndex(path, "."+p.format)])
	if err != nil || p.word("service_code") != code {
		return p.deviates("service_code "+code, "%q", p.word("service_code"))
	}
	if len(p.list("attributes")) == 0 {
		return p.deviates("attributes, because the service has metadata true", "none")
	}
	return nil
}

var datatypes = []string{"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"}

func attributeWords(p page, a value) error {
	for _, name := range []string{"variable", "required"} {
		if w := a.word(name); w != "true" && w != "false" {
			return p.deviates(name+" true or false", "%q", w)
		}
	}
	if w := a.word("datatype"); !slices.Contains(datatypes, w) {
		return p.deviates("one of "+strings.Join(datatypes, ", "), "the datatype %q", w)
	}
	return nil
}

func definitionOrder(_ *session, p page) error {
	for _, a := range p.list("attributes") {
		if !positive(a.word("order")) {
			return p.deviates("a positive whole number as order", "%q", a.word("order"))
		}
	}
	for _, name := range []string{"order", "code"} {
		if twice := double(words(p.list("attributes"), name)); twice != "" {
			return p.deviates("each "+name+" once", "%q twice", twice)
		}
	}
	return nil
}

func positive(s string) bool {
	return strings.Trim(s, "0123456789") == "" && strings.Trim(s, "0") != ""
}

func attributeValues(p page, a value) error {
	if !strings.HasSuffix(a.word("datatype"), "valuelist") {
		return nil
	}
	if len(a.list("values")) == 0 {
		return p.deviates("values", "the list %q without", a.word("code"))
	}
	for _, v := range a.list("values") {
		if err := p.wantMembers(v, "key", missing(v, "key", "name")); err != nil {
			return err
		}
	}
	if twice := double(words(a.list("values"), "key")); twice != "" {
		return p.deviates("each key once", "%q twice", twice)
	}
	return nil
}
