package public

import "github.com/lafaekstreet/backend/shared/httpapi"

func (p *Public) registerMap(a *httpapi.API) {
	data := read("/api/v1/public/map", "Reports in a box, as GeoJSON",
		"Single reports from zoom 13 on where there are at most 1000, else clusters with `point_count`. Never a rejected or withdrawn report.")
	content(&data, "A GeoJSON FeatureCollection (RFC 7946)", mediaGeoJSON)
	httpapi.Register(a, data, p.mapData)

	tile := read("/api/v1/public/tiles/{z}/{x}/{y}", "A vector tile of the map",
		"Mapbox Vector Tile 2.1 with the layers `reports` and `boundaries`. `reports` has single reports from zoom 13 on; below it, and where there are too many, clusters with `point_count`.")
	content(&tile, "The tile; empty where nothing is to show", mediaMVT)
	httpapi.Register(a, tile, p.tile)
}
