package system

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// settingsFile holds the configuration of the functions, for commands that a person runs while the system runs:
// `set -a; . .run/env`. It contains secrets, so only its owner may read it.
const settingsFile = "env"

// writeSettings writes the settings that this run has chosen. Settings from the environment are not in the file.
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
