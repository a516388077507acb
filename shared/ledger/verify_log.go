package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/lafaekstreet/backend/shared/translog"
)

// ErrLogUnavailable reports that the published log gave no usable answer. A later try may succeed.
var ErrLogUnavailable = errors.New("published log unavailable")

const (
	// maxProven is the most events of a report that are compared with the log and the ledger, since each can cost three files
	// of the log: the first, which a receipt promised to its reporter, and the newest. Nobody can replace one between in the
	// table: the chain of hashes leads from it to the newest.
	maxProven = 100
)

// newestCheckpoint opens the checkpoint of the published log. It is nil where there is none yet, or where it does not hold:
// then the check fails.
func (v *verifier) newestCheckpoint(ctx context.Context, h logHead) (*translog.Checkpoint, error) {
	signed, err := v.log.Get(ctx, translog.CheckpointKey, translog.MaxCheckpoint)
	if errors.Is(err, translog.ErrNotFound) {
		if h.Size > 0 {
			v.fail("checkpoint", "the published log has no checkpoint, the database has one of %d entries", h.Size)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogUnavailable, err)
	}
	c, err := translog.OpenCheckpoint(signed, h.Origin, h.VKeys...)
	if err != nil {
		v.fail("checkpoint", "%s", err)
		return nil, nil
	}
	return c, nil
}

// provenOf returns the events that are compared with the log and the ledger, and how many after the first are left out.
func provenOf(leaves []leaf) ([]leaf, int) {
	left := len(leaves) - maxProven
	if left <= 0 {
		return leaves, 0
	}
	return append([]leaf{leaves[0]}, leaves[left+1:]...), left
}

// proven compares the events with the published log: each must be the entry at its place.
func (v *verifier) proven(ctx context.Context, c *translog.Checkpoint, h logHead, leaves []leaf) error {
	var published []leaf
	for _, l := range leaves {
		if l.index < c.N {
			published = append(published, l)
		}
	}
	published, left := provenOf(published)
	if left > 0 {
		v.leaveOut(fmt.Sprintf("The places in the log of events 2 to %d: the events after them contain their hashes.", left+1))
	}
	indexes := make([]int64, len(published))
	for i, l := range published {
		indexes[i] = l.index
	}
	proofs, err := translog.Prove(ctx, v.log, c, indexes...)
	if errors.Is(err, translog.ErrTampered) || errors.Is(err, translog.ErrNotFound) {
		v.fail("inclusion", "%s", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLogUnavailable, err)
	}
	for i, p := range proofs {
		if LeafHash(p.Entry) != published[i].hash {
			v.fail("inclusion", "event %d: the log has another entry at place %d", published[i].seq, published[i].index)
		}
		if _, err := p.Verify(h.Origin, h.VKeys...); err != nil {
			v.expect("inclusion", published[i].seq, err)
		}
	}
	return nil
}

// continues checks that the checkpoint in a message of the ledger is an earlier head of the published log.
func (v *verifier) continues(ctx context.Context, c *translog.Checkpoint, h logHead, signed string) error {
	old, err := translog.OpenCheckpoint([]byte(signed), h.Origin, h.VKeys...)
	if err != nil {
		v.fail("message", "%s", err)
		return nil
	}
	proof, err := translog.ProveConsistency(ctx, v.log, c.Tree, old.N)
	if err == nil {
		err = translog.CheckConsistency(proof, c.Tree, old.Tree)
	}
	switch {
	case err == nil:
	case errors.Is(err, translog.ErrTampered), old.N > c.N:
		v.fail("message", "the checkpoint on the ledger, of %d entries, is none of the published log", old.N)
	default:
		return fmt.Errorf("%w: %w", ErrLogUnavailable, err)
	}
	return nil
}
