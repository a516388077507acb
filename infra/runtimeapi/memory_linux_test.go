//go:build !race

// The race detector takes more memory for itself than any function is given.

package runtimeapi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

func TestMemoryHasAnEnd(t *testing.T) {
	t.Parallel()
	f := limited(t, "ok", time.Minute, 256)
	for range 2 {
		if _, err := invoke(t, f, `{"Text":"bondia"}`); err != nil {
			t.Fatalf("a small function: %v", err)
		}
	}
	if peak, starts, err := f.Memory(); err != nil || starts != 1 || peak < 1<<20 || peak > 256<<20 {
		t.Errorf("%d bytes in %d starts, %v", peak, starts, err)
	}
	var died *runtimeapi.Error
	if _, err := invoke(t, f, `{"Do":"grow"}`); !errors.As(err, &died) || died.Type != "Runtime.ExitError" {
		t.Errorf("a function without measure: %v", err)
	}
	if _, err := invoke(t, f, `{"Text":"bondia"}`); err != nil {
		t.Errorf("after it died: %v", err)
	}
	if _, starts, _ := f.Memory(); starts != 2 {
		t.Errorf("%d starts", starts)
	}
}
