package open311

import (
	"context"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
)

// Call has what every operation reads of a request. Embed it in the input of an operation. It is exported because huma reads only
// exported embedded structs.
type Call struct {
	Jurisdiction string `query:"jurisdiction_id" doc:"Taken always where the setting open311_jurisdiction is empty, else it must be that"`

	path   string     // of the request, without the format
	format Format     // of the answer
	known  bool       // the path ends in a format
	query  url.Values // of the address
	// encodings is the header Accept-Encoding.
	encodings string
}

// Resolve implements huma.Resolver.
func (c *Call) Resolve(hc huma.Context) []error {
	u := hc.URL()
	c.path, c.format, c.known = cutFormat(u.Path)
	c.query = u.Query()
	c.encodings = hc.Header("Accept-Encoding")
	return nil
}

func (c *Call) call() *Call { return c }

// last is the last part of the path, without the format: an id or a code.
func (c *Call) last() string { return c.path[strings.LastIndexByte(c.path, '/')+1:] }

// text is a parameter of the address. An empty one counts as absent. The values of one that is sent several times are one list,
// with commas between them.
func (c *Call) text(name string) string {
	var sent []string
	for _, value := range c.query[name] {
		if value = strings.TrimSpace(value); value != "" {
			sent = append(sent, value)
		}
	}
	return strings.Join(sent, ",")
}

// words are the parts of a parameter that is a list with commas.
func (c *Call) words(name string) []string {
	var out []string
	for word := range strings.SplitSeq(c.text(name), ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

// errNoFormat is the 404 for a path that ends in no format.
var errNoFormat = problem.New(problem.NotFound, "not_found")

// notFound is the 404 for what a parameter names and does not exist. problem.InvalidField is the 400 for a parameter, and refused the
// 403 for a key. The messages are in shared/locale/catalog/field.json.
func notFound(name, message string) *problem.Error {
	return &problem.Error{Kind: problem.NotFound, Code: "not_found", Fields: []problem.Field{{Name: name, Message: message}}}
}

// refused is the 403 for a key that is missing or not valid.
func refused(name, message string) *problem.Error {
	return &problem.Error{Kind: problem.Forbidden, Code: "forbidden", Fields: []problem.Field{{Name: name, Message: message}}}
}

// checkJurisdiction returns a 404 when jurisdiction_id differs from the configured one. It accepts a request without a jurisdiction_id.
func (g *Group) checkJurisdiction(ctx context.Context, id string) error {
	if id = strings.TrimSpace(id); id == "" {
		return nil
	}
	s, err := g.settings.Current(ctx)
	if err != nil {
		return err
	}
	if s.Open311Jurisdiction != "" && !strings.EqualFold(s.Open311Jurisdiction, id) {
		return notFound("jurisdiction_id", "there is no such jurisdiction")
	}
	return nil
}
