package open311

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var formats = []string{"xml", "json"}

// page is an answer of 200 whose body could be read.
type page struct {
	*answer
	value
}

// page reads path in one format.
func (s *session) page(ctx context.Context, path string, params url.Values, root string) (page, error) {
	a, err := s.client.get(ctx, path, params)
	if err != nil {
		return page{}, err
	}
	if a.status != http.StatusOK {
		return page{}, a.deviates("200", "%s", a.summary())
	}
	v, err := a.document(root)
	return page{a, v}, err
}

// pages reads path in each format in which that is possible, XML first.
func (s *session) pages(ctx context.Context, path, root string) ([]page, error) {
	var out []page
	for _, f := range formats {
		if p, err := s.page(ctx, path+"."+f, nil, root); err == nil {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, notTried(path + " could be read in no format")
	}
	return out, ctx.Err()
}

// readable is the check that path can be read in a format.
func readable(path, format, root string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		if format == "json" && !s.offersJSON(ctx) {
			return errNoJSON
		}
		_, err := s.page(ctx, path+"."+format, nil, root)
		return err
	}
}

const errNoJSON = notTried("JSON is optional, and this server does not offer it")

// offersJSON reports whether the server names JSON in its discovery document, or answers in JSON.
func (s *session) offersJSON(ctx context.Context) bool {
	if found, err := s.pages(ctx, s.options.Discovery, "discovery"); err == nil {
		for _, e := range found[0].list("endpoints") {
			if slices.ContainsFunc(e.list("formats"), func(f value) bool { return strings.Contains(f.text, "json") }) {
				return true
			}
		}
	}
	a, err := s.client.get(ctx, "/services.json", nil)
	return err == nil && a.status == http.StatusOK
}

// each runs check for every page. It returns the first deviation.
func each(pages []page, err error, check func(p page) error) error {
	if err != nil {
		return err
	}
	for _, p := range pages {
		if err := check(p); err != nil {
			return err
		}
	}
	return nil
}

// missing returns the names of members that are absent or have no value.
func missing(v value, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		m, ok := v.get(n)
		return ok && (m.kind == kindList || m.kind == kindObject || strings.TrimSpace(m.text) != "")
	})
}

// absent returns the names of members that are not there, not even without a value.
func absent(v value, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		_, ok := v.get(n)
		return ok
	})
}

// wantMembers is the deviation that an item of a list lacks members; nil if it lacks none.
func (p page) wantMembers(of value, name string, without []string) error {
	if len(without) == 0 {
		return nil
	}
	return p.deviates(strings.Join(without, ", "), "%s %q without them", name, of.word(name))
}

// words returns the texts of a member of each item.
func words(items []value, name string) []string {
	out := make([]string, len(items))
	for i, v := range items {
		out[i] = v.word(name)
	}
	return out
}

// double returns a word that is in the list twice; "" if there is none.
func double(list []string) string {
	sorted := slices.Sorted(slices.Values(list))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return sorted[i]
		}
	}
	return ""
}

// same is the deviation that XML and JSON do not have the same words.
func same(pages []page, err error, list func(p page) []string) error {
	if err != nil {
		return err
	}
	if len(pages) < 2 {
		return notTried("it could be read in one format only")
	}
	inXML, inJSON := list(pages[0]), list(pages[1])
	if slices.Equal(inXML, inJSON) {
		return nil
	}
	for i := range min(len(inXML), len(inJSON)) {
		if inXML[i] != inJSON[i] {
			return pages[1].deviates("as in XML: "+inXML[i], "%s", inJSON[i])
		}
	}
	return pages[1].deviates("the same items in XML and JSON", "%d in XML, %d in JSON", len(inXML), len(inJSON))
}

// wantStatus is the deviation that an answer has another status.
func (a *answer) wantStatus(status int) error {
	if a.status == status {
		return nil
	}
	return a.deviates(http.StatusText(status)+" (as the HTTP status)", "%s", a.summary())
}

// refused is the check that path is answered with a status in every format that the server has.
func refused(path string, params url.Values, status int) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		for _, f := range formats {
			if f == "json" && !s.offersJSON(ctx) {
				continue
			}
			a, err := s.client.get(ctx, path+"."+f, params)
			if err != nil {
				return err
			}
			if err := a.wantStatus(status); err != nil {
				return err
			}
		}
		return nil
	}
}
