// Package openapi makes the OpenAPI document of all route groups. A function must not import another one, so the document
// is made here; functions/meta embeds and serves it.
package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// Paths of the documents in the repository: OpenAPI 3.1, and the same as 3.0.
const (
	Path      = "functions/meta/openapi.json"
	OlderPath = "functions/meta/openapi-3.0.json"
)

// Groups returns all route groups. They are described, not served: they have no database.
func Groups() []httpapi.Group {
	return []httpapi.Group{
		&auth.Group{}, &users.Group{}, &admin.Group{}, &reports.Group{}, &community.Group{}, &monitoring.Group{},
		&locations.Locations{}, &notifications.Group{}, &journeys.Group{}, &staff.Group{}, &public.Public{}, &open311.Group{}, &ogc.Group{}, &web.Web{}, &meta.Group{},
	}
}

// API returns the description of all operations, pages for people too, as a value of huma.
func API() *huma.OpenAPI {
	api := httpapi.Document(Groups()...)
	publish(api)
	return api
}

// Whole returns API as JSON. Tests read it that must find every operation.
func Whole() ([]byte, error) { return encode(API()) }

// Document returns the document that is served: the operations that programs call. It is JSON, in a stable order.
func Document() ([]byte, error) {
	api := API()
	if err := describeExamples(api); err != nil {
		return nil, err
	}
	maps.DeleteFunc(api.Paths, func(path string, _ *huma.PathItem) bool { return !forPrograms(path) })
	if err := shareParameters(api); err != nil {
		return nil, err
	}
	return encode(api)
}

// forPrograms reports whether the document describes a path. Of the others Open311 and OGC have documents of their own; pages for
// people and their files need no description.
func forPrograms(path string) bool {
	for _, root := range []string{"/api/v1/", "/health", "/log"} {
		if path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/") {
			return true
		}
	}
	return false
}

func encode(api *huma.OpenAPI) ([]byte, error) {
	raw, err := json.Marshal(api)
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	return lines(raw)
}
