package fsck

import (
	"context"
	"fmt"
	"slices"

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
	var broken []ledger.Check
	for _, check := range v.Checks {
		switch {
		case check.OK:
		case check.Waiting:
			c.result.Waiting++
		default:
			broken = append(broken, check)
		}
	}
	if i := slices.IndexFunc(broken, func(check ledger.Check) bool { return check.Name == "incident" }); i >= 0 {
		c.incident(r.Number, i, broken)
		return nil
	}
	for _, check := range broken {
		c.find(r.Number, check.Name, "%s", check.Detail)
	}
	return nil
}

// incident adds one finding for a report with an INCIDENT, which is the check at place i. What was lost then makes other checks
// fail for ever. The finding says what these say: something else may have been changed as well.
func (c *Check) incident(number string, i int, broken []ledger.Check) {
	detail := "known incident: " + broken[i].Detail
	for n, other := range broken {
		if n != i {
			detail += fmt.Sprintf("; %s: %s", other.Name, other.Detail)
		}
	}
	c.find(number, "incident", "%s", detail)
}
