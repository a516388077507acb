package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// examplesFile has the example of each body, by method and path. The examples work as they stand, but for the members that Own names.
//
//go:embed examples.json
var examplesFile []byte

// Own reports whether a member of an example stands for a value that only the caller has: an id of something that exists, a code
// or token that the caller was sent, an address, or an id that the app makes anew for each request.
func Own(member string) bool {
	switch member {
	case "agency_id", "challenge_id", "client_id", "code", "duplicate_of", "email", "id_token", "otp", "recovery_code", "refresh_token",
		"report_id", "setup_token", "token", "upload_id", "user_id", "username":
		return true
	}
	return false
}

// describeExamples gives the bodies their examples: JSON, and forms with the same members. A body that is a file has none.
func describeExamples(api *huma.OpenAPI) error {
	var examples map[string]map[string]any
	if err := json.Unmarshal(examplesFile, &examples); err != nil {
		return fmt.Errorf("read examples: %w", err)
	}
	for path, item := range api.Paths {
		for method, op := range httpapi.Operations(item) {
			example, known := examples[method+" "+path]
			if !known {
				continue
			}
			delete(examples, method+" "+path)
			if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
				return fmt.Errorf("%s %s has an example and takes no JSON", method, path)
			}
			body := op.RequestBody.Content["application/json"]
			for _, media := range op.RequestBody.Content {
				if media.Schema.Ref != "" && media.Schema.Ref == body.Schema.Ref {
					media.Example = example
				}
			}
		}
	}
	for name := range examples {
		return fmt.Errorf("%s has an example and is no operation", name)
	}
	return nil
}
