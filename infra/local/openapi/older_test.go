package openapi_test

import (
	"bytes"
	"encoding/json"
	"os"
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
	raw, err := os.ReadFile("../../../" + openapi.OlderPath)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
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
