package anchor

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/translog"
)

// cosign asks the witnesses that have not confirmed the newest checkpoint. It shows the checkpoint again with the lines that
// came. A witness that fails is asked again by the next round.
func (r *round) cosign(ctx context.Context) error {
	if len(r.witnesses) == 0 || r.head.Checkpoint == nil {
		return nil
	}
	c, err := r.openCheckpoint(ctx, []byte(*r.head.Checkpoint))
	if err != nil {
		return err
	}
	missing, err := r.notYetOn(c)
	if err != nil || len(missing) == 0 {
		return err
	}
	known, err := r.knownSizes(ctx)
	if err != nil {
		return err
	}
	var lines []translog.Cosignature
	sizes := &database.Batch{}
	for _, a := range translog.Cosign(ctx, r.HTTP, r.Store, c, missing, known) {
		const keep = `INSERT INTO log_witnesses (vkey, size) VALUES ($1, $2) ON CONFLICT (vkey) DO UPDATE SET size = excluded.size`
		sizes.Queue(keep, a.Witness.VKey, a.Size)
		if a.Err != nil {
			r.Log.WarnContext(ctx, "witness has not confirmed the checkpoint", "error", a.Err)
			continue
		}
		lines = append(lines, *a.Cosignature)
	}
	if err := sizes.Send(ctx, r.DB); err != nil {
		return fmt.Errorf("keep sizes of witnesses: %w", err)
	}
	if len(lines) == 0 {
		return nil
	}
	return r.addLines(ctx, c, lines)
}

// notYetOn lists the witnesses without a line on c.
func (r *round) notYetOn(c *translog.Checkpoint) ([]translog.Witness, error) {
	var vkeys []string
	for _, w := range r.witnesses {
		vkeys = append(vkeys, w.VKey)
	}
	have, err := translog.Cosignatures(c.Signed, vkeys...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(r.witnesses), func(w translog.Witness) bool {
		return slices.ContainsFunc(have, func(s translog.Cosignature) bool { return s.Witness == w.VKey })
	}), nil
}

func (r *round) knownSizes(ctx context.Context) (map[string]int64, error) {
	rows, _ := r.DB.Query(ctx, `SELECT vkey, size FROM log_witnesses`)
	out := map[string]int64{}
	var vkey string
	var size int64
	_, err := pgx.ForEachRow(rows, []any{&vkey, &size}, func() error { out[vkey] = size; return nil })
	if err != nil {
		return nil, fmt.Errorf("read sizes of witnesses: %w", err)
	}
	return out, nil
}

func (r *round) addLines(ctx context.Context, c *translog.Checkpoint, lines []translog.Cosignature) error {
	text := string(translog.AddCosignatures(c.Signed, lines...))
	const add = `UPDATE log_head SET checkpoint = $3 WHERE leased_by = $1 AND checkpoint = $2`
	tag, err := r.DB.Exec(ctx, add, r.lease, string(c.Signed), text)
	if err != nil {
		return fmt.Errorf("store cosignatures: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	r.head.Checkpoint = &text
	return r.putCheckpoint(ctx)
}
