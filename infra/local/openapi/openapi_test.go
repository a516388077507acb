package openapi_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
)

func TestEmbeddedOpenAPIDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../" + openapi.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run make openapi", openapi.Path)
	}
}
