package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/shared/awsconf"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
)

// account compares what the people know with what the system holds.
type account struct {
	driver *driver
	env    config.Env
	db     *pgxpool.Pool
	ledger ledger.Config
	users  []string
	// mailbox is the file of the mails that arrived; empty where it cannot be seen.
	mailbox string
	// differences, in the order they were found.
	differences []string
}

func openAccount(ctx context.Context, env config.Env, d *driver) (*account, error) {
	a := &account{driver: d, env: env}
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

// close gives the connections back.
func (a *account) close() { a.db.Close() }

func (a *account) differs(format string, args ...any) {
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

// settle waits for the work under way, without helping it along, at most as long as told.
func (a *account) settle(ctx context.Context, most time.Duration) error {
	began := time.Now()
	quiet := 0
	for {
		left := ""
		for _, w := range waits {
			var n int
			if err := a.db.QueryRow(ctx, w.query).Scan(&n); err != nil {
				return fmt.Errorf("account: %s: %w", w.name, err)
			}
			if n > 0 {
				left += fmt.Sprintf("; %d %s", n, w.name)
			}
		}
		if left == "" {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 3 { // a message may be between two queues for a moment
			say("everything has come to its end after %s", time.Since(began).Round(time.Second))
			return nil
		}
		if time.Since(began) > most {
			a.differs("after %s there are still%s", most, left[1:])
			return nil
		}
		if left != "" && quiet == 0 && int(time.Since(began).Seconds())%20 < 2 {
			say("  still%s", left[1:])
		}
		pause(ctx, 2*time.Second)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// balance prints the account and reports whether there is no difference.
func (a *account) balance(ctx context.Context) (bool, error) {
	faulty := a.driver.tally.print()
	fmt.Println("\naccount")
	for _, part := range []func(context.Context) error{a.reports, a.histories, a.comments, a.notifications, a.messages, a.leftOver, a.check} {
		if err := part(ctx); err != nil {
			return false, err
		}
	}
	for _, r := range a.driver.book.refusals {
		a.differs("refused: %s", r)
	}
	if faulty > 0 {
		a.differs("%d answers were not as they should be", faulty)
	}
	if a.driver.heldBack > 0 {
		fmt.Printf("  %d actions were not begun: %d were under way\n", a.driver.heldBack, maxUnderWay)
	}
	for i, d := range a.differences {
		if i == 40 {
			fmt.Printf("  … and %d more\n", len(a.differences)-i)
			break
		}
		fmt.Println("  DIFFERENCE:", d)
	}
	if len(a.differences) == 0 {
		fmt.Println("  nothing lost, nothing twice, nothing wrong")
	}
	return len(a.differences) == 0, nil
}

// line prints a figure of the account.
func line(n int, what string) { fmt.Printf("  %7d %s\n", n, what) }

// check runs fsck over everything.
func (a *account) check(ctx context.Context) error {
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
	aws, err := awsconf.Load(ctx, a.env)
	if err != nil {
		return err
	}
	fmt.Print("  fsck: ")
	result, err := (&fsck.Check{DB: db, Mirror: ledger.NewMirror(a.ledger), Config: a.ledger, Signatures: true, Out: os.Stdout,
		Pictures: storage.New(aws, s.Storage)}).Run(ctx)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if len(result.Findings) > 0 || result.Waiting > 0 {
		a.differs("fsck has %d findings, and %d reports wait", len(result.Findings), result.Waiting)
	}
	return nil
}

// rows collects a query's rows of one shape.
func rows[T any](ctx context.Context, a *account, query string, args ...any) ([]T, error) {
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
