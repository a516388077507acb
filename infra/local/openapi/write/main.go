// Command write writes the OpenAPI document into the source tree; `make openapi` runs it.
package main

import (
	"fmt"
	"os"

	"github.com/lafaekstreet/backend/infra/local/openapi"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	document, err := openapi.Document()
	if err != nil {
		return err
	}
	older, err := openapi.Older(document)
	if err != nil {
		return err
	}
	if err := os.WriteFile(openapi.OlderPath, older, 0o644); err != nil {
		return err
	}
	return os.WriteFile(openapi.Path, document, 0o644)
}
