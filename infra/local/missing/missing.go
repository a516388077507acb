// Package missing ends tests that need a program which this machine lacks.
package missing

import (
	"os"
	"testing"
)

// Program ends a test. what names the program and what is not tested without it. In CI the test fails, because the set-up
// installs all programs there; elsewhere it is skipped.
func Program(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
