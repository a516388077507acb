package deployed

import (
	"fmt"

	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// memory is an execution environment with the memory it may take.
type memory struct {
	name  string
	limit int // MiB
	env   *runtimeapi.Function
}

// Memory is the memory that an execution environment has taken so far.
type Memory struct {
	Function string
	Limit    int   // MiB it may take
	Peak     int64 // bytes resident
	Starts   int   // more than one if it died or was ended at its timeout
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
