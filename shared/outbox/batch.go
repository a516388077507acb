package outbox

import (
	"slices"

	"github.com/lafaekstreet/backend/shared/queue"
)

// names lists the queues of all, in order of first use.
func names(all []pending) []queue.Name {
	var out []queue.Name
	for _, p := range all {
		if !slices.Contains(out, p.queue) {
			out = append(out, p.queue)
		}
	}
	return out
}

// batches are the messages for one queue in parts of what one call takes.
func batches(all []pending, name queue.Name) [][]queue.Outgoing {
	var of []queue.Outgoing
	for _, p := range all {
		if p.queue == name {
			of = append(of, p.out)
		}
	}
	return slices.Collect(slices.Chunk(of, queue.MaxBatch))
}
