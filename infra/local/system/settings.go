package system

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// settingsFile holds what the functions are configured with, for commands a
// person runs beside the system: `set -a; . .run/env`. It holds secrets of this
// machine's system, so only its owner may read it.
const settingsFile = "env"

// writeSettings writes what this run has set; what the caller's environment named is the caller's to name again.
func (s *System) writeSettings(context.Context) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		if value := s.env[name]; s.options.Env[name] != value {
			fmt.Fprintf(&b, "%s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		}
	}
	if err := os.WriteFile(s.dir(settingsFile), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}
