package report

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
)

// numberLength is the length in bytes of the numbers of the first 999,999 reports of a year.
const numberLength = len("LS-2026-000001")

// NewNumber is the number of a report that a transaction creates. Go knows it only after the commit; until then it uses a
// placeholder. The SQL of NextNumber assigns the number. The SQL of KeepNumber keeps it for later statements. See
// database.Late.
func NewNumber() database.Late { return database.NewLate("report_number", numberLength) }

// KeepNumber is an SQL expression: the column report_number, kept as the value of NewNumber.
const KeepNumber = `set_config('late.report_number', report_number, true)`

// WaitForNumber makes a transaction wait for its turn to use NextNumber. Transactions get it in the order in which they asked, one after the other. The
// row of the year alone would keep numbers right, but PostgreSQL wakes all who wait for it at each commit, and only one of them gets it.
func WaitForNumber(p database.Pipeline) {
	p.Queue(`SELECT pg_advisory_xact_lock(hashtextextended('report_numbers', 0))`)
}

// NextNumber is a part of WITH named "number": one row with the next report_number of the year $1, LS-YYYY-NNNNNN.
// Numbers have no gaps, because a gap would look like a deleted report. So the row of the year stays locked until the
// transaction ends. WaitForNumber goes before this statement. From there until its commit the transaction must wait for nothing else.
const NextNumber = `number AS (
	INSERT INTO report_numbers AS n (year, last) VALUES ($1, 1)
	ON CONFLICT (year) DO UPDATE SET last = n.last + 1
	RETURNING 'LS-' || lpad(year::text, 4, '0') || '-' || lpad(last::text, greatest(6, length(last::text)), '0') AS report_number)`

// numberForm is a whole report number: a year of four digits, and at least six digits. The hyphens are optional.
const numberForm = `^LS-?[0-9]{4}-?[0-9]{6,9}$`

// ParseNumber reads a report number, ignoring case, hyphens and outer space; false for another text.
func ParseNumber(s string) (string, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if ok, err := regexp.MatchString(numberForm, s); err != nil || !ok {
		return "", false
	}
	digits := strings.ReplaceAll(s[2:], "-", "")
	return "LS-" + digits[:4] + "-" + digits[4:], true
}

// typedForm is what people type of a number: "ls 2026 123", "2026/123", "000123", "123".
var typedForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:LS)?[\s/-]*(?:([0-9]{4})[\s/-]+)?0*([0-9]{1,7})$`)
})

// TypedNumber returns the report numbers that somebody may mean by what they typed into a search box: one where the year is
// named; else that of this year in Dili and that of the year before. It returns nil for anything else.
func TypedNumber(typed string, now time.Time) []string {
	if number, ok := ParseNumber(typed); ok {
		return []string{number}
	}
	parts := typedForm().FindStringSubmatch(strings.ToUpper(strings.TrimSpace(typed)))
	if parts == nil {
		return nil
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n == 0 {
		return nil
	}
	if parts[1] != "" {
		return []string{fmt.Sprintf("LS-%s-%06d", parts[1], n)}
	}
	year := now.In(Zone()).Year()
	return []string{fmt.Sprintf("LS-%d-%06d", year, n), fmt.Sprintf("LS-%d-%06d", year-1, n)}
}

// ErrNotFound is the error for a report that is unknown or withdrawn, or that the caller may not see.
var ErrNotFound = problem.New(problem.NotFound, "report_not_found")

// Ref names a report in a path: its id or its number.
type Ref string

// RefInput is the part of an operation's input that names a report. Embed it in an input struct.
type RefInput struct {
	ID Ref `path:"id" doc:"Id or report number" example:"LS-2026-000123"`
}

// About is a report by its id or its number, for statements about it.
type About struct {
	id     *uuid.UUID
	number *string // where id is nil
}

// AboutID is the report with an id.
func AboutID(id uuid.UUID) About { return About{id: &id} }

// About reads a reference. One that is neither form is a 422.
func (r Ref) About() (About, error) {
	if id, err := uuid.Parse(string(r)); err == nil && len(r) == 36 {
		return About{id: &id}, nil
	}
	number, ok := ParseNumber(string(r))
	if !ok {
		return About{}, problem.InvalidField("id", "expected a report's id or number")
	}
	return About{number: &number}, nil
}

// IDSQL is the id of a report as an SQL expression over the arguments of About.Args. A number is looked up within the
// statement, which costs no round trip.
const IDSQL = `report_id($1, $2)`

// Args are the arguments of a statement with IDSQL: $1 and $2 name the report, more follow from $3 on.
func (a About) Args(more ...any) []any { return append([]any{a.id, a.number}, more...) }

// Names reports whether a is the report with the id and number.
func (a About) Names(id uuid.UUID, number string) bool {
	return a.id != nil && *a.id == id || a.number != nil && *a.number == number
}

// Resolve finds the id behind a reference. A reference that is neither form is
// a 422, one to nothing ErrNotFound. It does not check who may see the report.
func (r Ref) Resolve(ctx context.Context, q database.Querier) (uuid.UUID, error) {
	a, err := r.About()
	if err != nil {
		return uuid.Nil, err
	}
	if a.id != nil {
		return *a.id, nil
	}
	var id uuid.UUID
	err = q.QueryRow(ctx, `SELECT id FROM reports WHERE report_number = $1`, a.number).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, ErrNotFound
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find report by number: %w", err)
	}
	return id, nil
}
