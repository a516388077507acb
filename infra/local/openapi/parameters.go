package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/casing"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// sharedFrom is how many operations have to take a parameter, described in the same words, for it to be described once.
const sharedFrom = 3

// shareParameters describes parameters of several operations once, as components. It also leaves out the description of a
// parameter's schema, which is that of the parameter. A name with several descriptions stands for the most frequent one.
func shareParameters(api *huma.OpenAPI) error {
	uses := make(map[string][]*huma.Param) // by what they say
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		for _, op := range httpapi.Operations(api.Paths[path]) {
			for _, p := range op.Parameters {
				if p.Schema != nil && p.Schema.Description == p.Description {
					schema := *p.Schema // parameters of embedded inputs share it
					schema.Description = ""
					p.Schema = &schema
				}
				text, err := json.Marshal(p)
				if err != nil {
					return fmt.Errorf("encode parameter %s: %w", p.Name, err)
				}
				uses[string(text)] = append(uses[string(text)], p)
			}
		}
	}
	api.Components.Parameters = make(map[string]*huma.Param)
	most := func(a, b string) int {
		if n := len(uses[b]) - len(uses[a]); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	}
	for _, text := range slices.SortedFunc(maps.Keys(uses), most) {
		all := uses[text]
		name := casing.Camel(all[0].Name) + "Parameter" // generators for Go make a type of it, beside those of schemas
		if len(all) < sharedFrom || api.Components.Parameters[name] != nil {
			continue
		}
		once := *all[0]
		api.Components.Parameters[name] = &once
		for _, p := range all {
			*p = huma.Param{Ref: "#/components/parameters/" + name}
		}
	}
	return nil
}
