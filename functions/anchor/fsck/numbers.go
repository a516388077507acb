package fsck

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// numbers checks that every report number that was given out has its report. Numbers have no gaps.
func (c *Check) numbers(ctx context.Context) error {
	const query = `
SELECT number
FROM report_numbers y, generate_series(1, y.last) n,
     LATERAL (SELECT 'LS-' || lpad(y.year::text, 4, '0') || '-' || lpad(n::text, greatest(6, length(n::text)), '0') AS number) x
WHERE NOT EXISTS (SELECT FROM reports WHERE report_number = x.number)
ORDER BY y.year, n`
	rows, err := c.DB.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("fsck: list missing numbers: %w", err)
	}
	var number string
	_, err = pgx.ForEachRow(rows, []any{&number}, func() error {
		c.find(number, "number", "the number was given out, and no report has it")
		return nil
	})
	if err != nil {
		return fmt.Errorf("fsck: list missing numbers: %w", err)
	}
	return nil
}
