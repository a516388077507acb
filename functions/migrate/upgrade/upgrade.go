// Package upgrade brings the reports of the first version into the public log. That version wrote each event to the ledger by
// itself; its payloads do not name all that people see. Events of before are entries of the log as they are.
//
// Each report of before is verified once more, by the rules of that version. Then it gets one event: CONTENT_AMENDED with
// "baseline": true, which vouches for all that is shown of it now; INCIDENT where the verification found a difference, which
// stays a finding of every later one; or CONTENT_ERASED where its reporter had deleted the account.
package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const (
	// pageSize is the number of reports of one transaction, unless Upgrade.Page says otherwise.
	pageSize = 100
	// margin is how long before the deadline no page is begun.
	margin = time.Minute
)

// ErrMoreTime reports that the deadline came before the last report. What is done stays done: the next run goes on.
var ErrMoreTime = errors.New("the upgrade of the reports needs more time: run it again")

// Upgrade brings reports into the log. The role of its database owns the tables.
type Upgrade struct {
	DB    *database.DB
	Clock timestamp.Clock
	Log   *slog.Logger
	// Page is the number of reports of one transaction; 0 is 100.
	Page int
	// Pictures may be nil: then nothing vouches for the small renditions of before.
	Pictures Pictures
}

// Result is what a run did.
type Result struct{ Reports, Incidents, Erased int }

// Run upgrades the reports that no earlier run has upgraded, in the order of their ids. It fails with ErrMoreTime when the
// deadline of ctx is near. A run after the last report does nothing. Two runs at once wait for each other after each page.
func (u *Upgrade) Run(ctx context.Context) (Result, error) {
	var all Result
	var left bool
	if err := u.DB.QueryRow(ctx, `SELECT finished_at IS NULL FROM log_upgrade`).Scan(&left); err != nil || !left {
		return all, err
	}
	if err := u.thumbnails(ctx); err != nil {
		return all, err
	}
	for {
		if late(ctx) {
			return all, ErrMoreTime
		}
		done, err := u.page(ctx)
		if err != nil {
			return all, fmt.Errorf("upgrade reports: %w", err)
		}
		if done == nil {
			u.Log.InfoContext(ctx, "upgraded reports", "reports", all.Reports, "incidents", all.Incidents, "erased", all.Erased)
			return all, nil
		}
		all.Reports, all.Incidents, all.Erased = all.Reports+done.Reports, all.Incidents+done.Incidents, all.Erased+done.Erased
		u.Log.DebugContext(ctx, "upgraded reports", "reports", all.Reports)
	}
}

// late reports that the deadline is too near to begin something.
func late(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < margin
}

// page upgrades the next reports. The result is nil after the last one.
func (u *Upgrade) page(ctx context.Context) (*Result, error) {
	var done *Result
	err := outbox.New(u.DB, nil, u.Log).Do(ctx, func(tx *outbox.Tx) error {
		done = nil
		var after uuid.UUID
		err := tx.QueryRow(ctx, `SELECT after FROM log_upgrade WHERE finished_at IS NULL FOR UPDATE`).Scan(&after)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read progress: %w", err)
		}
		records, err := readRecords(ctx, tx, after, cmp.Or(u.Page, pageSize))
		if err != nil {
			return err
		}
		if len(records) == 0 {
			tx.Queue(`UPDATE log_upgrade SET finished_at = $1`, u.Clock.Now())
			return nil
		}
		done = &Result{}
		tx.Queue(`UPDATE log_upgrade SET after = $1`, records[len(records)-1].ID)
		return u.appendTo(ctx, tx, records, done)
	})
	return done, err
}

// appendTo verifies the records and appends the events of those that are from before.
func (u *Upgrade) appendTo(ctx context.Context, tx *outbox.Tx, records []record, done *Result) error {
	found, err := verdicts(ctx, tx, records)
	if err != nil {
		return err
	}
	ids, erased := pending(records, found)
	if err := blank(tx, ids, erased); err != nil {
		return err
	}
	chains := make([]*database.Ask[*ledger.Chain], len(ids))
	rows := make([]*database.Ask[ledger.PriorRows], len(ids))
	for i, id := range ids {
		v := found[id]
		if code := v.reasonCode(); code != "" {
			tx.Queue(`UPDATE reports SET reason_code = $2 WHERE id = $1 AND reason_code IS NULL`, id, code)
		}
		chains[i], rows[i] = ledger.AskChain(tx, report.AboutID(id), nil), ledger.AskPriorRows(tx, report.AboutID(id))
	}
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("read reports: %w", err)
	}
	var without []string // reports without events: they have no chain, so the log's own events name them
	for i, id := range ids {
		if err := u.report(ctx, tx, found[id], chains[i].Get(), rows[i].Get(), done); err != nil {
			return fmt.Errorf("report %s: %w", found[id].Number, err)
		}
		if found[id].events == 0 {
			without = append(without, found[id].Number)
		}
	}
	return u.nameWithout(ctx, tx, without)
}

// pending are the reports that have to be upgraded, and those of them whose reporter deleted the account.
func pending(records []record, found map[uuid.UUID]*verdict) ([]uuid.UUID, []uuid.UUID) {
	var ids, erased []uuid.UUID
	for i := range records {
		v := found[records[i].ID]
		if !v.pending() {
			continue
		}
		ids = append(ids, v.ID)
		if v.AuthorErased {
			erased = append(erased, v.ID)
		}
	}
	return ids, erased
}

// report appends the events of one report.
func (u *Upgrade) report(ctx context.Context, tx *outbox.Tx, v *verdict, chain *ledger.Chain, rows ledger.PriorRows, done *Result) error {
	done.Reports++
	e := ledger.Event{Actor: ledger.Actor{Kind: "system"}, At: u.Clock.Now()}
	if v.broken != "" {
		done.Incidents++
		u.Log.ErrorContext(ctx, "report does not agree with its events", "report", v.Number, "difference", v.broken)
		if v.events == 0 {
			return nil
		}
		e.Type, e.Detail = ledger.Incident, v.broken
		if _, err := chain.Append(ctx, tx, e); err != nil {
			return err
		}
		e.Detail = ""
	}
	switch {
	case v.AuthorErased:
		done.Erased++
		e.Type, e.Erased = ledger.Erased, []int{1}
	case v.broken != "":
		return nil
	default:
		hash, err := rows.Hash(v.Salt)
		if err != nil {
			return err
		}
		e.Type, e.Baseline, e.RowsHash, e.ReasonCode = ledger.Amended, true, hash, string(v.reasonCode())
	}
	_, err := chain.Append(ctx, tx, e)
	return err
}

// nameWithout appends an INCIDENT of the log itself for each number.
func (u *Upgrade) nameWithout(ctx context.Context, tx *outbox.Tx, numbers []string) error {
	if len(numbers) == 0 {
		return nil
	}
	chain := ledger.AskLogChain(tx)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("read the log's own events: %w", err)
	}
	for _, number := range numbers {
		e := ledger.LogEvent{Type: ledger.Incident, At: u.Clock.Now(), Detail: number + " has no events"}
		if _, err := chain.Get().Append(tx, e); err != nil {
			return err
		}
	}
	return nil
}

// reasonCode is why the report was rejected or removed: the first version did not ask.
func (v *verdict) reasonCode() report.ReasonCode {
	switch {
	case v.newest == nil:
	case v.Gone && v.removed:
		return report.ReasonOther
	case v.Gone:
	case v.Status == string(report.Rejected) && v.rejectedBy == "ai":
		return report.ReasonIrrelevant
	case v.Status == string(report.Rejected):
		return report.ReasonOther
	}
	return ""
}
