package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
)

func TestOlderDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	document, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	want, err := openapi.Older(document)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../" + openapi.OlderPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run make openapi", openapi.OlderPath)
	}
}

// OpenAPI 3.0 has no list of types, no null, no const, no examples of a schema, no numbers as exclusive bounds, nothing beside a
// reference. nullable counts beside a type alone.
func TestOlderDocumentHasNothingNewer(t *testing.T) {
	t.Parallel()
	document := older(t)
	if document["openapi"] != "3.0.3" {
		t.Errorf("openapi: %v", document["openapi"])
	}
	eachObject(t, document, func(at string, o map[string]any) {
		if types, is := o["type"].([]any); is || o["type"] == "null" {
			t.Errorf("%s has the type %v", at, types)
		}
		for _, word := range []string{"const", "contentMediaType", "contentEncoding", "_id"} {
			if o[word] != nil {
				t.Errorf("%s has %s", at, word)
			}
		}
		if _, is := o["examples"].([]any); is {
			t.Errorf("%s has a list of examples", at)
		}
		if _, is := o["exclusiveMaximum"].(float64); is {
			t.Errorf("%s has a number as exclusiveMaximum", at)
		}
		if o["$ref"] != nil && len(o) > 1 {
			t.Errorf("%s has something beside $ref", at)
		}
		if o["nullable"] == true && o["type"] == nil {
			t.Errorf("%s is nullable without a type", at)
		}
		if required, _ := o["required"].([]any); slices.Contains(required, any("_id")) {
			t.Errorf("%s requires _id", at)
		}
	})
}

// Errors are one response of an operation. Their codes are those of the 3.1 document.
func TestOlderDocumentHasOneErrorForEachOperation(t *testing.T) {
	t.Parallel()
	newer, document := served(t), older(t)
	for path, item := range at(document, "paths") {
		for method := range item.(map[string]any) {
			op := at(document, "paths", path, method)
			if op["responses"] == nil {
				continue // parameters of the path
			}
			codes := op["x-problem-codes"]
			if want := at(newer, "paths", path, method)["x-problem-codes"]; codes == nil || !reflect.DeepEqual(codes, want) {
				t.Errorf("%s %s has the codes %v, want %v", method, path, codes, want)
			}
			if ref := at(op, "responses", "default")["$ref"]; ref != "#/components/responses/Problem" {
				t.Errorf("%s %s: default is %v", method, path, ref)
			}
			for status := range at(op, "responses") {
				if at(op, "x-problem-codes")[status] != nil {
					t.Errorf("%s %s %s is described twice", method, path, status)
				}
			}
		}
	}
	for _, header := range []string{"Retry-After", "WWW-Authenticate", "X-Request-Id"} {
		if at(document, "components", "responses", "Problem", "headers", header) == nil {
			t.Errorf("the error has no %s", header)
		}
	}
}

// No member has words of its own: OpenAPI Generator writes invalid Dart of them. No body is null: ogen makes "any" of it.
func TestOlderDocumentSuitsItsGenerators(t *testing.T) {
	t.Parallel()
	document := older(t)
	eachObject(t, at(document, "components", "schemas"), func(place string, o map[string]any) {
		properties, _ := o["properties"].(map[string]any)
		for name := range properties {
			if at(properties, name)["enum"] != nil {
				t.Errorf("%s.%s has words of its own", place, name)
			}
		}
	})
	eachObject(t, document, func(place string, o map[string]any) {
		if words, _ := o["enum"].([]any); slices.Contains(words, nil) && len(words) == 1 {
			t.Errorf("%s is null", place)
		}
	})
	status := at(document, "components", "schemas", "StatusStep", "properties", "old_status")
	if got := fmt.Sprint(status["allOf"], status["nullable"], status["type"]); got != "[map[$ref:#/components/schemas/ReportStatus]] truestring" {
		t.Errorf("old_status is %s", got)
	}
	if kind := at(document, "components", "schemas", "Tokens", "properties", "kind"); kind["description"] != "Tells this answer from a challenge. Always tokens" {
		t.Errorf("kind is %v", kind)
	}
}

// older is the 3.0 document as clients get it.
func older(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("../../../" + openapi.OlderPath)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	return document
}
