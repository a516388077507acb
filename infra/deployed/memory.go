package deployed

import (
	"fmt"

	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// memory is an execution environment and the room it has.
type memory struct {
	name  string
	limit int // MiB
	env   *runtimeapi.Function
}

// Memory is what an execution environment took so far.
type Memory struct {
	Function string
	Limit    int   // MiB it may take
	Peak     int64 // bytes resident
	Starts   int   // more than one: it died, or was ended at its timeout
}

// Memories lists every execution environment that was called.
func (d *Deployment) Memories() ([]Memory, error) {
	var out []Memory
	for _, m := range d.memories {
		peak, starts, err := m.env.Memory()
		if err != nil {
			return nil, fmt.Errorf("memory of %s: %w", m.name, err)
		}
		if starts > 0 {
			out = append(out, Memory{Function: m.name, Limit: m.limit, Peak: peak, Starts: starts})
		}
	}
	return out, nil
}
