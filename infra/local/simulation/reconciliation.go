package simulation

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
)

// Account compares what the people know with what the system holds.
type Account struct {
	// Mails is how many about reports arrived; nil where they cannot be counted.
	Mails func() (int, error)

	out    io.Writer
	crowd  *Crowd
	env    config.Env
	db     *pgxpool.Pool
	ledger ledger.Config
	users  []string
	// differences, in the order they were found.
	differences []string
}

// Open opens the account of a crowd, by the settings of the functions it has used. It is written to out.
func Open(ctx context.Context, env config.Env, d *Crowd, out io.Writer) (*Account, error) {
	a := &Account{crowd: d, env: env, out: out}
	var err error
	if a.ledger, err = config.Parse[ledger.Config](env); err != nil {
		return nil, err
	}
	if a.db, err = pgxpool.New(ctx, env["DATABASE_URL"]); err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	for _, c := range d.people {
		a.users = append(a.users, c.id)
	}
	return a, nil
}

// Close gives the connections back.
func (a *Account) Close() { a.db.Close() }

// Differs notes a difference that somebody else has found.
func (a *Account) Differs(format string, args ...any) {
	a.differences = append(a.differences, fmt.Sprintf(format, args...))
}

// waits are what is still under way, with what tells how much of it there is.
var waits = []struct{ name, query string }{
	{"messages in the outbox", `SELECT count(*) FROM outbox WHERE not_before < now()`},
	{"pictures without renditions", `SELECT count(*) FROM uploads u JOIN report_images i ON i.upload_id = u.id WHERE u.state IN ('issued', 'stored')`},
	{"reports AI has not judged", `SELECT count(*) FROM reports WHERE ai_status IN ('queued', 'processing')`},
	{"events the ledger has not confirmed", `SELECT count(*) FROM ledger_events e LEFT JOIN ledger_anchors a ON a.event_id = e.id
		LEFT JOIN ledger_submissions s ON s.id = a.submission_id WHERE s.state IS DISTINCT FROM 'confirmed'`},
	{"mails not yet sent", `SELECT count(*) FROM notification_deliveries WHERE state NOT IN ('sent', 'failed', 'skipped', 'unknown')`},
}

// Left says what is still under way; nothing is when it is empty.
func (a *Account) Left(ctx context.Context) (string, error) {
	left := ""
	for _, w := range waits {
		var n int
		if err := a.db.QueryRow(ctx, w.query).Scan(&n); err != nil {
			return "", fmt.Errorf("account: %s: %w", w.name, err)
		}
		if n > 0 {
			left += fmt.Sprintf("; %d %s", n, w.name)
		}
	}
	return strings.TrimPrefix(left, "; "), nil
}

// Balance writes the account and reports whether there is no difference.
func (a *Account) Balance(ctx context.Context) (bool, error) {
	faulty := a.crowd.tally.print(a.out)
	fmt.Fprintln(a.out, "\naccount")
	for _, part := range []func(context.Context) error{a.reports, a.histories, a.comments, a.notifications, a.messages, a.leftOver, a.check} {
		if err := part(ctx); err != nil {
			return false, err
		}
	}
	for _, r := range a.crowd.book.refusals {
		a.Differs("refused: %s", r)
	}
	if faulty > 0 {
		a.Differs("%d answers were not as they should be", faulty)
	}
	if a.crowd.HeldBack > 0 {
		fmt.Fprintf(a.out, "  %d actions were not begun: %d were under way\n", a.crowd.HeldBack, MostUnderWay)
	}
	for i, d := range a.differences {
		if i == 40 {
			fmt.Fprintf(a.out, "  … and %d more\n", len(a.differences)-i)
			break
		}
		fmt.Fprintln(a.out, "  DIFFERENCE:", d)
	}
	if len(a.differences) == 0 {
		fmt.Fprintln(a.out, "  nothing lost, nothing twice, nothing wrong")
	}
	return len(a.differences) == 0, nil
}

// line writes a figure of the account.
func (a *Account) line(n int, what string) { fmt.Fprintf(a.out, "  %7d %s\n", n, what) }

// check runs fsck over everything.
func (a *Account) check(ctx context.Context) error {
	type settings struct {
		Database database.Config
		Storage  storage.Config
	}
	s, err := config.Parse[settings](a.env)
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, s.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	aws, err := config.LoadAWS(ctx, a.env)
	if err != nil {
		return err
	}
	fmt.Fprint(a.out, "  fsck: ")
	result, err := (&fsck.Check{DB: db, Mirror: ledger.NewMirror(a.ledger), Config: a.ledger, Signatures: true, Out: a.out,
		Pictures: storage.New(aws, s.Storage)}).Run(ctx)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if len(result.Findings) > 0 || result.Waiting > 0 {
		a.Differs("fsck has %d findings, and %d reports wait", len(result.Findings), result.Waiting)
	}
	return nil
}

// rows collects a query's rows of one shape.
func rows[T any](ctx context.Context, a *Account, query string, args ...any) ([]T, error) {
	found, err := a.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	out, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return out, nil
}
