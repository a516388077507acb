package ogc

// commonSchemas are the schemas of answers that no collection changes, by the names that the standard has for them.
func commonSchemas() object {
	return object{
		"landingPage": withMembers(object{"title": text(), "description": text(), "links": listOf("link")}, "links"),
		"confClasses": withMembers(object{"conformsTo": object{"type": "array", "items": text()}, "links": listOf("link")}, "conformsTo"),
		"collections": withMembers(object{"links": listOf("link"), "collections": listOf("collection")}, "links", "collections"),
		"collection": withMembers(object{"id": text(), "title": text(), "description": text(), "links": listOf("link"), "extent": reference("extent"),
			"itemType": object{"type": "string", "default": "feature"}, "crs": object{"type": "array", "items": text()}}, "id", "links"),
		"link": withMembers(object{"href": text(), "rel": text(), "type": text(), "title": text()}, "href", "rel", "type"),
		"extent": object{"type": "object", "properties": object{
			"spatial":  object{"type": "object", "properties": object{"bbox": arrays(object{"type": "number"}, 4), "crs": word(crs84)}},
			"temporal": object{"type": "object", "properties": object{"interval": arrays(object{"type": "string", "format": "date-time", "nullable": true}, 2), "trs": word(gregorian)}},
		}},
		"geometry": object{"type": "object", "description": "GeoJSON (RFC 7946) in CRS84: a Point of a report, the MultiPolygon of an area, or the Point in the middle of a municipality whose boundary was not imported",
			"required":   []string{"type", "coordinates"},
			"properties": object{"type": object{"type": "string", "enum": []string{"Point", "MultiPolygon"}}, "coordinates": object{"type": "array", "items": object{}}}},
		"problem": withMembers(object{"type": text(), "title": text(), "status": object{"type": "integer"}, "detail": text(), "code": text(), "request_id": text(),
			"errors": object{"type": "array", "items": withMembers(object{"field": text(), "message": text()}, "field", "message")}}, "type", "title", "status", "code"),
	}
}

// withMembers returns the schema of an object with these members. Those in required are always there.
func withMembers(members object, required ...string) object {
	return object{"type": "object", "required": required, "properties": members}
}

func listOf(schema string) object { return object{"type": "array", "items": reference(schema)} }

// word is the schema of a text that is always the same.
func word(s string) object { return object{"type": "string", "enum": []string{s}} }

// arrays is the schema of a list of lists, each with n items.
func arrays(item object, n int) object {
	return object{"type": "array", "minItems": 1, "items": object{"type": "array", "minItems": n, "maxItems": n, "items": item}}
}
