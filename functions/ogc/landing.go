package ogc

import (
	"context"
)

// describedInput is the input of resources whose only parameter is f.
type describedInput struct{ Format }

// Landing is the landing page, as the schema landingPage.yaml of the standard says.
type Landing struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Links       []Link `json:"links"`
}

func (g *Group) landing(ctx context.Context, in *describedInput) (*output, error) {
	v, err := g.view(ctx, in.Format)
	if err != nil {
		return nil, err
	}
	out := Landing{v.t("title"), v.t("what"), append(v.self(mediaJSON, "", nil),
		v.link("service-desc", mediaOpenAPI, "/api", "api"),
		v.asHTML("service-doc", "/api", "api_page"),
		v.link("conformance", mediaJSON, "/conformance", "conformance"),
		v.link("data", mediaJSON, "/collections", "collections"))}
	return g.answer(v, mediaJSON, out, func() content {
		return content{title: out.Title, what: out.Description, links: out.Links}
	})
}

// classes are the conformance classes of this API.
func classes() []string {
	const of = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
	return []string{of + "core", of + "oas30", of + "html", of + "geojson"}
}

// Conformance is the conformance declaration, as the schema confClasses.yaml of the standard says.
type Conformance struct {
	Links      []Link   `json:"links"`
	ConformsTo []string `json:"conformsTo"`
}

func (g *Group) conformance(ctx context.Context, in *describedInput) (*output, error) {
	v, err := g.view(ctx, in.Format)
	if err != nil {
		return nil, err
	}
	out := Conformance{v.self(mediaJSON, "/conformance", nil), classes()}
	return g.answer(v, mediaJSON, out, func() content {
		return content{title: v.t("conformance"), links: out.Links, main: list(out.ConformsTo)}
	})
}
