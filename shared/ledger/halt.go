package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/translog"
)

// HaltedByRestore is what log_counter.halted says while the published log has places that the table does not: a backup was
// restored. Events written now would get places that others were promised. The function halt_log of the database says the same.
const HaltedByRestore = "the published log has more events than the database: a backup was restored; run make log-recover"

// HaltIfBehind halts the log in db if the published log has more events than the table: a backup was restored. It reports whether
// the log is halted now. It does not check the signature of the checkpoint: to halt is the safe side.
func HaltIfBehind(ctx context.Context, db database.Querier, published translog.Reader) (bool, error) {
	raw, err := published.Get(ctx, translog.CheckpointKey, translog.MaxCheckpoint)
	size := int64(-1)
	switch {
	case errors.Is(err, translog.ErrNotFound): // nothing is published yet
	case err != nil:
		return false, fmt.Errorf("read published checkpoint: %w", err)
	default:
		if size, err = sizeOf(string(raw)); err != nil {
			return false, err
		}
	}
	const halt = `UPDATE log_counter SET halted = CASE WHEN next < $1 THEN coalesce(halted, $2) ELSE halted END RETURNING halted IS NOT NULL`
	var halted bool
	if err := db.QueryRow(ctx, halt, size, HaltedByRestore).Scan(&halted); err != nil {
		return false, fmt.Errorf("halt the log: %w", err)
	}
	return halted, nil
}

// sizeOf is the second line of a checkpoint.
func sizeOf(checkpoint string) (int64, error) {
	lines := strings.SplitN(checkpoint, "\n", 3)
	if len(lines) < 3 {
		return 0, errors.New("the published checkpoint cannot be read")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, errors.New("the published checkpoint has no size")
	}
	return size, nil
}
