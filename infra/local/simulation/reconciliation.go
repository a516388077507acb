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
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Reconciliation compares the writes that the users know with what the system holds.
type Reconciliation struct {
	// Mails counts the mails about reports that arrived. Nil where they cannot be counted.
	Mails func() (int, error)

	out         io.Writer
	simulation  *Simulation
	env         config.Env
	db          *pgxpool.Pool
	ledger      ledger.Config
	users       []string // ids of the citizens
	daily       int      // daily mails that arrived
	differences []string // in the order found
}

// NewReconciliation connects to the database that env names, with the settings of the system's functions. It writes its
// results to out.
func NewReconciliation(ctx context.Context, env config.Env, s *Simulation, out io.Writer) (*Reconciliation, error) {
	a := &Reconciliation{simulation: s, env: env, out: out}
	var err error
	if a.ledger, err = config.Parse[ledger.Config](env); err != nil {
		return nil, err
	}
	if a.db, err = pgxpool.New(ctx, env["DATABASE_URL"]); err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	for _, u := range s.citizens {
		a.users = append(a.users, u.id)
	}
	return a, nil
}

// Close closes the database connections.
func (a *Reconciliation) Close() { a.db.Close() }

// AddDifference adds a difference that the caller found.
func (a *Reconciliation) AddDifference(format string, args ...any) {
	a.differences = append(a.differences, fmt.Sprintf(format, args...))
}

// pending counts work that is not finished, by kind.
var pending = []struct{ name, query string }{
	{"messages in the outbox", `SELECT count(*) FROM outbox WHERE not_before < now()`},
	{"pictures without renditions", `SELECT count(*) FROM uploads u JOIN report_images i ON i.upload_id = u.id WHERE u.state IN ('issued', 'stored')`},
	{"reports without an AI result", `SELECT count(*) FROM reports WHERE ai_status IN ('queued', 'processing')`},
	{"reports without a geocoder's answer", `SELECT count(*) FROM reports WHERE geocoded_at IS NULL AND deleted_at IS NULL`}, // it writes an event
	{"events that are not published", `SELECT n.next - h.size FROM log_counter n, log_head h`},
	{"events that no confirmed message covers", `SELECT n.next - coalesce((SELECT max(size) FROM log_messages WHERE state = 'confirmed'), 0) FROM log_counter n`},
	{"messages that reports do not show", `SELECT count(*) FROM log_messages WHERE shown < size`},
	{"calls of webhooks", `SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'`},
	{"mails not yet sent", `SELECT count(*) FROM notification_deliveries WHERE state NOT IN ('sent', 'failed', 'skipped', 'unknown', 'waiting', 'gathered')`},
	{"gathered comments without their mail", `SELECT count(*) FROM notification_deliveries d WHERE state = 'gathered' AND NOT EXISTS (
		SELECT FROM notification_deliveries h WHERE h.notification_id = d.gathered_by AND h.channel = d.channel AND h.state IN ('sent', 'failed', 'unknown'))`},
	// A comment may wait until the hour of the last mail about its report is over.
	{"comments that wait for longer than an hour", `SELECT count(*) FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
		WHERE d.state = 'waiting' AND NOT EXISTS (SELECT FROM comment_mails m
			WHERE m.user_id = n.user_id AND m.report_id = n.report_id AND m.begun_at > now() - interval '1 hour')`},
}

// Pending describes the work that is not finished. It is empty when all is.
func (a *Reconciliation) Pending(ctx context.Context) (string, error) {
	out := ""
	for _, w := range pending {
		var n int
		if err := a.db.QueryRow(ctx, w.query).Scan(&n); err != nil {
			return "", fmt.Errorf("reconcile: %s: %w", w.name, err)
		}
		if n > 0 {
			out += fmt.Sprintf("; %d %s", n, w.name)
		}
	}
	return strings.TrimPrefix(out, "; "), nil
}

// Reconcile compares everything, writes the result and reports whether there is no difference.
func (a *Reconciliation) Reconcile(ctx context.Context) (bool, error) {
	faulty := a.simulation.outcomes.print(a.out)
	fmt.Fprintln(a.out, "\nreconciliation")
	for _, part := range []func(context.Context) error{a.reports, a.histories, a.comments, a.webhooks, a.tracks, a.alerts, a.digests, a.notifications, a.messages, a.receipts, a.deadLetters, a.fsck} {
		if err := part(ctx); err != nil {
			return false, err
		}
	}
	for _, r := range a.simulation.accepted.refusals {
		a.AddDifference("refused: %s", r)
	}
	if faulty > 0 {
		a.AddDifference("%d responses were faulty", faulty)
	}
	if a.simulation.Skipped > 0 {
		fmt.Fprintf(a.out, "  %d actions were skipped: %d were in progress\n", a.simulation.Skipped, MaxConcurrent)
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

// line writes a number and what it counts.
func (a *Reconciliation) line(n int, what string) { fmt.Fprintf(a.out, "  %7d %s\n", n, what) }

// fsck runs the checks of make fsck.
func (a *Reconciliation) fsck(ctx context.Context) error {
	type settings struct {
		Database database.Config
		Storage  storage.Config
		Log      storage.LogConfig
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
	log, err := storage.NewLog(aws, s.Log, timestamp.System{})
	if err != nil {
		return err
	}
	fmt.Fprint(a.out, "  fsck: ")
	result, err := (&fsck.Check{DB: db, Mirror: ledger.NewMirror(a.ledger), Config: a.ledger, Signatures: true, Out: a.out,
		Log: log, Pictures: storage.New(aws, s.Storage)}).Run(ctx)
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if result.Found > 0 || result.Waiting > 0 {
		a.AddDifference("fsck has %d findings, %d reports are not confirmed", result.Found, result.Waiting)
	}
	return nil
}

// rows reads the rows of a query.
func rows[T any](ctx context.Context, a *Reconciliation, query string, args ...any) ([]T, error) {
	found, err := a.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	out, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	return out, nil
}
