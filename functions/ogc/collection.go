package ogc

import (
	"context"
	"slices"
)

// collection is a feature collection: what its features have, by what they can be filtered, and how they are read.
type collection struct {
	id      string
	level   string // of the table boundaries; empty for reports
	fields  []field
	filters []string // names of the query parameters beside limit, bbox and datetime
}

// field is a property that every feature of a collection has, maybe with null.
type field struct {
	name, kind, format string // kind is a type of JSON Schema
	description        string
}

// Ids of the collections.
const (
	reportsID        = "reports"
	municipalitiesID = "municipalities"
	postsID          = "posts"
	sucosID          = "sucos"
)

// known are all collections. Those of posts and sucos are there where their boundaries were imported.
func known() []collection {
	return []collection{
		{id: reportsID, fields: reportFields(), filters: []string{"issue_type", "status", "severity", "municipality", "district", "suco", "source"}},
		{id: municipalitiesID, level: "municipality", fields: municipalityFields(), filters: []string{"name", "code"}},
		{id: postsID, level: "district", fields: areaFields(), filters: []string{"name", "code", "parent"}},
		{id: sucosID, level: "suco", fields: areaFields(), filters: []string{"name", "code", "parent"}},
	}
}

// find returns a collection. errNotFound is for an unknown id.
func find(id string) (collection, error) {
	all := known()
	if i := slices.IndexFunc(all, func(c collection) bool { return c.id == id }); i >= 0 {
		return all[i], nil
	}
	return collection{}, errNotFound
}

// viewOf returns view, and the collection with this id. errNotFound is for an unknown id.
func (g *Group) viewOf(ctx context.Context, in Format, id string) (view, collection, error) {
	v, err := g.view(ctx, in)
	if err != nil {
		return view{}, collection{}, err
	}
	c, err := find(id)
	return v, c, err
}

// imported reports whether the features of the collection come from imported boundaries. Without an import it has none.
func (c collection) imported() bool { return c.id == postsID || c.id == sucosID }

// Collection describes a feature collection, as the schema collection.yaml of the standard says.
type Collection struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Extent      *Extent  `json:"extent,omitempty"`
	ItemType    string   `json:"itemType"`
	CRS         []string `json:"crs"`
	Links       []Link   `json:"links"`
}

// crs84 is WGS 84 with the longitude first, in degrees: the reference system of everything here.
const crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

func (c collection) path() string { return "/collections/" + c.id }

// describe returns the description of c as one of all collections.
func (v view) describe(c collection, e extents) Collection {
	return Collection{ID: c.id, Title: v.t(c.id), Description: v.t(c.id + "_what"), Extent: e.of(c), ItemType: "feature", CRS: []string{crs84}, Links: []Link{
		v.link("items", mediaGeoJSON, c.path()+"/items", "items"), v.asHTML("items", c.path()+"/items", "items_page"),
	}}
}

// Collections is what collections there are, as the schema collections.yaml of the standard says.
type Collections struct {
	Links       []Link       `json:"links"`
	Collections []Collection `json:"collections"`
}

func (g *Group) collections(ctx context.Context, in *describedInput) (*output, error) {
	v, err := g.view(ctx, in.Format)
	if err != nil {
		return nil, err
	}
	e, err := g.extents(ctx)
	if err != nil {
		return nil, err
	}
	out := Collections{Links: v.self(mediaJSON, "/collections", nil), Collections: []Collection{}}
	for _, c := range e.present() {
		out.Collections = append(out.Collections, v.describe(c, e))
	}
	return g.answer(v, mediaJSON, out, func() content { return v.pageOfCollections(out) })
}

type collectionInput struct {
	Collection string `path:"collection" doc:"The id of a collection" example:"reports"`
	Format
}

func (g *Group) collection(ctx context.Context, in *collectionInput) (*output, error) {
	v, c, err := g.viewOf(ctx, in.Format, in.Collection)
	if err != nil {
		return nil, err
	}
	e, err := g.extents(ctx)
	if err != nil {
		return nil, err
	}
	if !e.has(c) {
		return nil, errNotFound
	}
	out := v.describe(c, e)
	out.Links = slices.Concat(v.self(mediaJSON, c.path(), nil), out.Links)
	return g.answer(v, mediaJSON, out, func() content { return v.pageOfCollection(c, out) })
}
