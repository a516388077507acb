package ogc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Media types of answers.
const (
	mediaJSON    = "application/json"
	mediaGeoJSON = "application/geo+json"
	mediaOpenAPI = "application/vnd.oai.openapi+json;version=3.0"
	mediaHTML    = "text/html"
)

// Format chooses the encoding of an answer. Embed it in the input of an operation. It is exported because huma reads only exported
// embedded structs.
type Format struct {
	F      string `query:"f" doc:"json or html. Without it the header Accept decides" example:"json"`
	Accept string `header:"Accept" hidden:"true"`
}

// view is how one request sees this API.
type view struct {
	base string // address of the landing page
	lang locale.Language
	html bool
	f    string // as sent; "" where Accept decided
}

// view returns how to answer a request. It fails for an unknown encoding.
func (g *Group) view(ctx context.Context, in Format) (view, error) {
	v := view{base: g.weblinks.Or(httpapi.Origin(ctx)).String() + root, lang: locale.FromContext(ctx), f: in.F}
	switch in.F {
	case "":
		v.html = prefersHTML(in.Accept)
	case "json":
	case "html":
		v.html = true
	default:
		return view{}, problem.InvalidField("f", "expected json or html")
	}
	return v, nil
}

// prefersHTML reports whether an Accept header (RFC 9110, 12.5.1) likes HTML better than every JSON type.
func prefersHTML(accept string) bool {
	page, data := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				q = 0
			}
		}
		switch {
		case mediaType == mediaHTML || mediaType == "text/*":
			page = max(page, q)
		case strings.HasSuffix(mediaType, "json") || mediaType == "application/*" || mediaType == "*/*":
			data = max(data, q)
		}
	}
	return page > data
}

// Link leads to another resource, as the schema link.yaml of the standard says.
type Link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type"`
	Title string `json:"title"`
}

// link is a link to a path of this API, without a parameter f: the reader's Accept header decides there too.
func (v view) link(rel, mediaType, path, title string) Link {
	return Link{v.base + path, rel, mediaType, v.t(title)}
}

// asHTML is a link to a page.
func (v view) asHTML(rel, path, title string) Link {
	return Link{v.base + path + "?f=html", rel, mediaHTML, v.t(title)}
}

// self returns the links to this answer and to the same in the other encoding. query is what the request asked for, without f.
func (v view) self(mediaType, path string, query url.Values) []Link {
	own, other := Link{Rel: "self", Type: mediaType, Title: v.t("self")}, Link{Rel: "alternate", Type: mediaHTML, Title: v.t("as_page")}
	f := "html"
	if v.html {
		own.Type, other.Type, other.Title, f = mediaHTML, mediaType, v.t("as_json"), "json"
	}
	own.Href, other.Href = v.address(path, query, v.f), v.address(path, query, f)
	return []Link{own, other}
}

// address returns the absolute address of a path with a query. It sets the parameter f, unless f is empty.
func (v view) address(path string, query url.Values, f string) string {
	all := url.Values{}
	for name, values := range query {
		all[name] = values
	}
	if f != "" {
		all.Set("f", f)
	}
	if len(all) == 0 {
		return v.base + path
	}
	return v.base + path + "?" + all.Encode()
}

// t is a text of these pages in the reader's language.
func (v view) t(key string) string {
	text, _ := locale.Text(v.lang, "page.ogc."+key, nil)
	return text
}

type output struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Tag         string `header:"ETag"`
	Body        []byte
}

// timePlace stands in a document or a page where the time of the answer comes. The ETag does not depend on that time.
const timePlace = "{{time of the answer}}"

// answer encodes a document, or has page make a page.
func (g *Group) answer(v view, mediaType string, document any, page func() content) (*output, error) {
	out := &output{ContentType: mediaType}
	if v.html {
		out.ContentType, out.Policy, out.Body = mediaHTML+"; charset=utf-8", pagePolicy(), v.render(page())
	} else {
		raw, err := json.Marshal(document)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", mediaType, err)
		}
		out.Body = raw
	}
	sum := sha256.Sum256(out.Body)
	out.Tag = `W/"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
	out.Body = bytes.Replace(out.Body, []byte(timePlace), []byte(timestamp.Of(g.clock.Now()).String()), 1)
	return out, nil
}
