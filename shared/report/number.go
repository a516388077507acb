package report

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
)

// NextNumber gives the next report number of a year, LS-YYYY-NNNNNN, without
// gaps: it holds the year's row until the transaction ends, so ask for it late.
func NextNumber(ctx context.Context, tx database.Querier, year int) (string, error) {
	const q = `INSERT INTO report_numbers AS n (year, last) VALUES ($1, 1)
		ON CONFLICT (year) DO UPDATE SET last = n.last + 1 RETURNING last`
	var last int
	if err := tx.QueryRow(ctx, q, year).Scan(&last); err != nil {
		return "", fmt.Errorf("number report: %w", err)
	}
	return fmt.Sprintf("LS-%04d-%06d", year, last), nil
}

// numberForm is anchored; the year has four digits, the rest at least six.
const numberForm = `^LS-?[0-9]{4}-?[0-9]{6,9}$`

// ParseNumber reads a report number tolerantly of case and surrounding space.
func ParseNumber(s string) (string, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if ok, err := regexp.MatchString(numberForm, s); err != nil || !ok {
		return "", false
	}
	digits := strings.ReplaceAll(s[2:], "-", "")
	return "LS-" + digits[:4] + "-" + digits[4:], true
}

// Ref names a report in a path: its id or its number.
type Ref string

// Resolve finds the id behind a reference. A reference that is neither form is
// a 422, one to nothing ErrNotFound. It does not look at who asks.
func (r Ref) Resolve(ctx context.Context, q database.Querier) (uuid.UUID, error) {
	if id, err := uuid.Parse(string(r)); err == nil && len(r) == 36 {
		return id, nil
	}
	number, ok := ParseNumber(string(r))
	if !ok {
		return uuid.Nil, problem.InvalidField("id", "expected a report's id or number")
	}
	var id uuid.UUID
	err := q.QueryRow(ctx, `SELECT id FROM reports WHERE report_number = $1`, number).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, ErrNotFound
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find report by number: %w", err)
	}
	return id, nil
}
