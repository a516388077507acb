package openapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// The methods of the published client by class, with their parameters in order. The generator makes the names of classes from tags,
// those of methods from operation ids, those of parameters from parameters and from the name of the body's schema.
var publishedMethods = map[string]map[string]string{
	"authentication": {
		"login_api_v1_auth_token_post":     "username password grant_type scope client_id client_secret -> Tokens",
		"refresh_api_v1_auth_refresh_post": "refresh_token -> Tokens",
	},
	"users": {
		"delete_user_api_v1_users__user_id__delete":                     "user_id -> MessageResponse",
		"get_active_journey_api_v1_users__user_id__journeys_active_get": "user_id -> Journey",
		"get_current_user_api_v1_users_me_get":                          " -> User",
		"get_user_by_id_api_v1_users__user_id__get":                     "user_id -> User",
		"get_user_journeys_api_v1_users__user_id__journeys_get":         "user_id -> []Journey",
		"register_user_api_v1_users_register_post":                      "User -> any",
		"reset_password_api_v1_users_reset_password_post":               "email -> any",
		"update_password_api_v1_users_update_password_post":             "token new_password -> MessageResponse",
		"update_user_api_v1_users__user_id__put":                        "user_id User -> User",
		"verify_email_api_v1_users_verify_email_get":                    "token -> MessageResponse",
	},
	"journeys": {
		"add_marker_to_journey_api_v1_journeys__journey_id__markers_post":               "journey_id Marker -> Marker",
		"create_journey_api_v1_journeys__post":                                          "Journey -> Journey",
		"delete_journey_api_v1_journeys__journey_id__delete":                            "journey_id -> none",
		"delete_journey_marker_api_v1_journeys__journey_id__markers__marker_id__delete": "journey_id marker_id -> none",
		"get_journey_api_v1_journeys__journey_id__get":                                  "journey_id -> Journey",
		"get_journey_markers_api_v1_journeys__journey_id__markers_get":                  "journey_id -> []Marker",
		"get_nearby_journeys_api_v1_journeys__journey_id__journeys_nearby_get":          "journey_id -> []string",
		"set_completed_journey_api_v1_journeys__journey_id__patch":                      "journey_id -> none",
		"toggle_active_journey_api_v1_journeys__journey_id__active_patch":               "journey_id -> none",
		"update_journey_marker_api_v1_journeys__journey_id__markers__marker_id__put":    "journey_id marker_id Marker -> Marker",
	},
	"": {
		"ping_api_v1__get":                " -> string",
		"ping_mongodb_api_v1_mongodb_get": " -> string",
	},
}

type clientOperation struct {
	OperationID string
	Tags        []string
	Parameters  []struct{ Name string }
	RequestBody clientContent
	Responses   map[string]clientContent
}

type clientContent struct {
	Content map[string]struct{ Schema clientSchema }
}

type clientSchema struct {
	Ref        string `json:"$ref"`
	Type       string
	Format     string
	Items      *clientSchema
	Properties json.RawMessage
}

type clientDocument struct {
	Paths      map[string]map[string]clientOperation
	Components struct{ Schemas map[string]clientSchema }
}

func TestJourneyClientKeepsItsMethods(t *testing.T) {
	t.Parallel()
	document := journeyClient(t)
	got := map[string]map[string]string{}
	for _, item := range document.Paths {
		for _, op := range item {
			class := strings.Join(op.Tags, " ")
			if got[class] == nil {
				got[class] = map[string]string{}
			}
			got[class][op.OperationID] = document.signature(t, op)
		}
	}
	for class, methods := range publishedMethods {
		if !maps.Equal(got[class], methods) {
			t.Errorf("class %q has the methods\n%q, want\n%q", class, got[class], methods)
		}
	}
	if len(got) != len(publishedMethods) {
		t.Errorf("classes %v", slices.Sorted(maps.Keys(got)))
	}
}

// The document of the journey client says nothing that the document of the code does not say.
func TestJourneyClientIsServed(t *testing.T) {
	t.Parallel()
	whole := served(t)
	for path, item := range journeyClient(t).Paths {
		for method, op := range item {
			ours := at(whole, "paths", path, method)
			if ours["operationId"] != op.OperationID {
				t.Errorf("%s %s is %v, want %s", method, path, ours["operationId"], op.OperationID)
			}
			for status := range op.Responses {
				if at(ours, "responses", status) == nil {
					t.Errorf("%s answers no %s", op.OperationID, status)
				}
			}
		}
	}
	for name, ours := range map[string]string{"User": "User", "Journey": "Journey", "Marker": "Marker", "Tokens": "Tokens",
		"Coordinates": "Coordinates", "MessageResponse": "Message", "HTTPValidationError": "Problem", "ValidationError": "ProblemField"} {
		sameMembers(t, journeyClient(t).Components.Schemas[name], at(whole, "components", "schemas", ours, "properties"), name)
	}
	sameMembers(t, journeyClient(t).Components.Schemas["Body_login_api_v1_auth_token_post"],
		at(whole, "components", "schemas", "PasswordGrant", "properties"), "login")
}

// onlySent are members that no answer has, and members of the login form that do not count.
var onlySent = []string{"User.password", "login.scope", "login.client_id", "login.client_secret"}

func sameMembers(t *testing.T, schema clientSchema, ours map[string]any, name string) {
	t.Helper()
	var members map[string]clientSchema
	if err := json.Unmarshal(schema.Properties, &members); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for member, s := range members {
		theirs := at(ours, member)
		if theirs == nil && !slices.Contains(onlySent, name+"."+member) {
			t.Errorf("%s.%s is not in the document of the code", name, member)
		}
		if types := fmt.Sprint(theirs["type"]); theirs["type"] != nil && !strings.Contains(types, s.Type) {
			t.Errorf("%s.%s is of type %s, in the code %s", name, member, s.Type, types)
		}
	}
}

func (d clientDocument) signature(t *testing.T, op clientOperation) string {
	t.Helper()
	var parameters []string
	for _, p := range op.Parameters {
		parameters = append(parameters, p.Name)
	}
	for media, content := range op.RequestBody.Content {
		name := content.Schema.name()
		if media == "application/json" {
			parameters = append(parameters, name)
			continue
		}
		parameters = append(parameters, inOrder(t, d.Components.Schemas[name].Properties)...)
	}
	for status, response := range op.Responses {
		if status == "204" {
			return strings.Join(parameters, " ") + " -> none"
		}
		if status < "300" {
			return strings.Join(parameters, " ") + " -> " + response.Content["application/json"].Schema.name()
		}
	}
	return "no success"
}

func (s clientSchema) name() string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case s.Items != nil:
		return "[]" + s.Items.name()
	case s.Type == "":
		return "any"
	}
	return s.Type
}

// inOrder are the names of an object's members as they are written. A generator makes the parameters of a form from them.
func inOrder(t *testing.T, object []byte) []string {
	t.Helper()
	var names []string
	decoder := json.NewDecoder(bytes.NewReader(object))
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'):
			depth++
		case json.Delim('}'):
			depth--
		default:
			if name, is := token.(string); is && depth == 1 {
				names = append(names, name)
			}
		}
	}
}

func journeyClient(t *testing.T) clientDocument {
	t.Helper()
	raw, err := os.ReadFile("../../../functions/meta/journey-client.json")
	if err != nil {
		t.Fatal(err)
	}
	var document clientDocument
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	return document
}
