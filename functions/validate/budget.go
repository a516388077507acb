package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// dailyBudget counts the pictures that the models look at in a day (UTC): in all, and for the reports of each person.
// A picture counts once a day, however often it is delivered or tried again. Earlier answers that are used again are free.
type dailyBudget struct {
	db      *database.DB
	clock   timestamp.Clock
	metrics *telemetry.Metrics
	all     int // pictures in all; 0 for no bound
	person  int // pictures of one person's reports; 0 for no bound
}

// budgetError says which budget is used up.
type budgetError struct{ ofPerson bool }

// Error implements error. The text is stored as the reason of the verdict.
func (e budgetError) Error() string {
	if e.ofPerson {
		return "the AI budget of this day for one person is used up"
	}
	return "the AI budget of this day is used up"
}

func (e budgetError) metric() catalog.Metric {
	if e.ofPerson {
		return catalog.ValidatePersonSpent
	}
	return catalog.ValidateBudgetSpent
}

// everybody is the account in ai_days that counts all pictures of a day.
var everybody = uuid.Nil

// pay counts a picture, unless it was counted today. It returns a budgetError, and counts nothing, if a budget is used up.
// Runs at the same time wait for each other, so that no budget is passed.
func (b dailyBudget) pay(ctx context.Context, report, image uuid.UUID) error {
	day := b.clock.Now().UTC().Truncate(24 * time.Hour)
	used := -1
	err := b.db.InTx(ctx, func(tx *database.Tx) error {
		used = -1
		counts, err := countPicture(ctx, tx, day, report, image)
		if err != nil || len(counts) == 0 {
			return err
		}
		used = counts[everybody]
		for account, n := range counts {
			if account != everybody && b.person > 0 && n > b.person {
				return budgetError{ofPerson: true}
			}
		}
		if b.all > 0 && used > b.all {
			return budgetError{}
		}
		return nil
	})
	var spent budgetError
	if err != nil && !errors.As(err, &spent) {
		return fmt.Errorf("count picture for the AI budget: %w", err)
	}
	if used >= 0 && b.all > 0 && !spent.ofPerson {
		b.metrics.Put(catalog.AIBudgetUsed, 100*float64(min(used, b.all))/float64(b.all))
	}
	return err
}

// countPicture adds a picture of a report to the day's numbers of everybody and of its author, in this order for every
// run, and returns the new numbers. It returns none, and adds nothing, if the picture was counted today.
func countPicture(ctx context.Context, tx *database.Tx, day time.Time, report, image uuid.UUID) (map[uuid.UUID]int, error) {
	const q = `
		WITH marked AS (INSERT INTO ai_pictures (day, image_id) VALUES ($1, $4) ON CONFLICT DO NOTHING RETURNING day)
		INSERT INTO ai_days AS d (day, account, pictures)
		SELECT marked.day, account, 1 FROM marked, (SELECT $2::uuid AS account UNION SELECT user_id FROM reports WHERE id = $3 AND user_id IS NOT NULL) a
		ORDER BY account
		ON CONFLICT (day, account) DO UPDATE SET pictures = d.pictures + 1
		RETURNING account, pictures`
	rows, err := tx.Query(ctx, q, day, everybody, report, image)
	if err != nil {
		return nil, err
	}
	counts := map[uuid.UUID]int{}
	var account uuid.UUID
	var n int
	_, err = pgx.ForEachRow(rows, []any{&account, &n}, func() error {
		counts[account] = n
		return nil
	})
	return counts, err
}
