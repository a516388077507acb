package fsck

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
)

type reportRow struct {
	ID     uuid.UUID
	Number string
}

// records checks every report with ledger.VerifyRecords.
func (c *Check) records(ctx context.Context) error {
	var last uuid.UUID
	for {
		const query = `SELECT id, report_number FROM reports WHERE id > $1 ORDER BY id LIMIT $2`
		rows, err := c.DB.Query(ctx, query, last, pageSize)
		if err != nil {
			return fmt.Errorf("fsck: list reports: %w", err)
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[reportRow])
		if err != nil {
			return fmt.Errorf("fsck: list reports: %w", err)
		}
		for _, r := range page {
			if err := c.report(ctx, r); err != nil {
				return err
			}
			last = r.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (c *Check) report(ctx context.Context, r reportRow) error {
	v, err := ledger.VerifyRecords(ctx, c.DB, c.Config, r.ID)
	if err != nil {
		return fmt.Errorf("fsck: report %s: %w", r.Number, err)
	}
	c.result.Reports++
	for _, check := range v.Checks {
		switch {
		case check.OK:
		case check.Waiting:
			c.result.Waiting++
		default:
			c.find(r.Number, check.Name, "%s", check.Detail)
		}
	}
	return nil
}
