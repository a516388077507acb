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

// Unnumbered stands for the number of a report that is just being filed.
const Unnumbered = "LS-0000-000000"

// NextNumber is a part of WITH named "number": one row with the next report_number of the year $1, LS-YYYY-NNNNNN.
// Numbers have no gaps, for a gap would look like a report that was dropped: the year's row stays locked until the
// transaction ends. So nothing may be waited for between this and the commit.
const NextNumber = `number AS (
	INSERT INTO report_numbers AS n (year, last) VALUES ($1, 1)
	ON CONFLICT (year) DO UPDATE SET last = n.last + 1
	RETURNING 'LS-' || lpad(year::text, 4, '0') || '-' || lpad(last::text, greatest(6, length(last::text)), '0') AS report_number)`

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

// ErrNotFound is what everybody gets for a report that is unknown, withdrawn or not theirs to see.
var ErrNotFound = problem.New(problem.NotFound, "report_not_found")

// Ref names a report in a path: its id or its number.
type Ref string

// About is a report by its reference, for statements about it.
type About struct {
	arg      any
	byNumber bool
}

// Arg is the argument of the placeholder that SQL was given: a UUID, or a report number.
func (a About) Arg() any { return a.arg }

// AboutID is the report with an id.
func AboutID(id uuid.UUID) About { return About{arg: id} }

// About reads a reference. One that is neither form is a 422.
func (r Ref) About() (About, error) {
	if id, err := uuid.Parse(string(r)); err == nil && len(r) == 36 {
		return About{arg: id}, nil
	}
	number, ok := ParseNumber(string(r))
	if !ok {
		return About{}, problem.InvalidField("id", "expected a report's id or number")
	}
	return About{arg: number, byNumber: true}, nil
}

// Queue adds a statement to b in which "$1 ", with a space after it, is the report's id; a number is looked up within it, so that naming a report
// by that costs no round trip. The other arguments are counted from $2.
func (a About) Queue(b *pgx.Batch, sql string, args ...any) *pgx.QueuedQuery {
	return b.Queue(strings.ReplaceAll(sql, "$1 ", a.SQL("$1")+" "), append([]any{a.arg}, args...)...)
}

// SQL is the id of the report as an SQL expression; place is the placeholder of Arg, such as $1.
func (a About) SQL(place string) string {
	if a.byNumber {
		return `(SELECT id FROM reports WHERE report_number = ` + place + `)`
	}
	return place
}

// Resolve finds the id behind a reference. A reference that is neither form is
// a 422, one to nothing ErrNotFound. It does not look at who asks.
func (r Ref) Resolve(ctx context.Context, q database.Querier) (uuid.UUID, error) {
	a, err := r.About()
	if err != nil {
		return uuid.Nil, err
	}
	if id, ok := a.arg.(uuid.UUID); ok {
		return id, nil
	}
	var id uuid.UUID
	err = q.QueryRow(ctx, `SELECT id FROM reports WHERE report_number = $1`, a.arg).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, ErrNotFound
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find report by number: %w", err)
	}
	return id, nil
}
