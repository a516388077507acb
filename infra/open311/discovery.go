package open311

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	sectionDiscovery = "Service Discovery"
	specification    = "http://wiki.open311.org/GeoReport_v2"
)

func discoveryRequirements() []Requirement {
	return []Requirement{
		{"discovery.xml", sectionDiscovery, Must, "discovery.xml can be read", discoveryIn("xml")},
		{"discovery.json", sectionDiscovery, Must, "discovery.json can be read: it is mandatory too", discoveryIn("json")},
		{"discovery.fields", sectionDiscovery, Must, "It has changeset, contact, key_service and endpoints", onDiscovery(discoveryFields)},
		{"discovery.endpoints", sectionDiscovery, Must, "Each endpoint has specification, url, changeset, type (production or test) and formats", onDiscovery(discoveryEndpoints)},
		{"discovery.specification", sectionDiscovery, Must, "An endpoint has the specification " + specification, onDiscovery(discoverySpecification)},
		{"discovery.formats", sectionDiscovery, Must, "Its formats are MIME types, and name text/xml, and application/json if the server has JSON", discoveryFormats},
		{"discovery.url", sectionDiscovery, Should, "An endpoint has the address that is checked", onDiscovery(discoveryURL)},
		{"discovery.changeset", sectionDiscovery, Should, "changeset begins with a date: it can be sorted", onDiscovery(discoveryChangeset)},
		{"discovery.same", sectionDiscovery, Should, "XML and JSON name the same endpoints", func(ctx context.Context, s *session) error {
			pages, err := s.pages(ctx, s.options.Discovery, "discovery")
			return same(pages, err, func(p page) []string { return words(p.list("endpoints"), "url") })
		}},
	}
}

func discoveryIn(format string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		_, err := s.page(ctx, s.options.Discovery+"."+format, nil, "discovery")
		return err
	}
}

func onDiscovery(check func(s *session, p page) error) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		pages, err := s.pages(ctx, s.options.Discovery, "discovery")
		return each(pages, err, func(p page) error { return check(s, p) })
	}
}

func discoveryFields(_ *session, p page) error {
	if without := missing(p.value, "changeset", "contact", "key_service", "endpoints"); len(without) > 0 {
		return p.deviates(strings.Join(without, ", "), "a document without")
	}
	if len(p.list("endpoints")) == 0 {
		return p.deviates("at least one endpoint", "none")
	}
	return nil
}

func discoveryEndpoints(_ *session, p page) error {
	for _, e := range p.list("endpoints") {
		if err := p.wantMembers(e, "url", missing(e, "specification", "url", "changeset", "type", "formats")); err != nil {
			return err
		}
		if t := e.word("type"); t != "production" && t != "test" {
			return p.deviates("the type production or test", "%q", t)
		}
	}
	return nil
}

func discoverySpecification(_ *session, p page) error {
	if found := words(p.list("endpoints"), "specification"); !slices.Contains(found, specification) {
		return p.deviates(specification, "%q", found)
	}
	return nil
}

// geoReport returns the endpoints of this specification.
func geoReport(p page) []value {
	return slices.DeleteFunc(slices.Clone(p.list("endpoints")), func(e value) bool { return e.word("specification") != specification })
}

var mimeType = regexp.MustCompile(`^[a-z]+/[a-z0-9.+-]+(;.*)?$`)

func discoveryFormats(ctx context.Context, s *session) error {
	pages, err := s.pages(ctx, s.options.Discovery, "discovery")
	return each(pages, err, func(p page) error {
		for _, e := range geoReport(p) {
			all := ""
			for _, f := range e.list("formats") {
				if all += f.text + " "; !mimeType.MatchString(strings.TrimSpace(f.text)) {
					return p.deviates("a MIME type such as text/xml", "%q", f.text)
				}
			}
			if !strings.Contains(all, "text/xml") {
				return p.deviates("text/xml", "%q", all)
			}
			if !strings.Contains(all, "application/json") && s.offersJSON(ctx) {
				return p.deviates("application/json, because services.json is there", "%q", all)
			}
		}
		return nil
	})
}

func discoveryURL(s *session, p page) error {
	var found []string
	for _, e := range geoReport(p) {
		found = append(found, e.word("url"))
		if sameAddress(e.word("url"), s.client.base) {
			return nil
		}
	}
	return p.deviates(s.client.base, "%q", found)
}

func sameAddress(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && strings.EqualFold(x.Host, y.Host) && strings.TrimRight(x.Path, "/") == strings.TrimRight(y.Path, "/")
}

var beginsWithDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}`)

func discoveryChangeset(_ *session, p page) error {
	for _, c := range append(words(p.list("endpoints"), "changeset"), p.word("changeset")) {
		if !beginsWithDate.MatchString(c) {
			return p.deviates("a date such as 2011-02-03T14:18:00Z", "%q", c)
		}
	}
	return nil
}
