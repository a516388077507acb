package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// eraseAtOnce is the most reports whose chains are in memory at a time. Of each event about 1.5 KB stay until the commit.
const eraseAtOnce = 100

// writtenOn is a report that a person wrote on.
type writtenOn struct {
	ID    uuid.UUID
	Prior bool // words of theirs are in rows that no event of their own vouches for
}

// theirs are the words of the person $1 in comments c and rows h of the status history. Notes as staff stay.
const (
	theirComment = `c.author_id = $1`
	theirNote    = `h.actor_id = $1 AND h.actor_kind = 'citizen' AND h.note IS NOT NULL`
)

// lockWritten locks the reports that the person $1 wrote on, in the order of their ids, which prevents deadlocks.
const lockWritten = `
SELECT r.id, EXISTS (SELECT FROM report_comments c WHERE c.report_id = r.id AND c.seq IS NULL AND ` + theirComment + `)
          OR EXISTS (SELECT FROM report_status_history h WHERE h.report_id = r.id AND h.seq IS NULL AND ` + theirNote + `)
FROM reports r WHERE r.user_id = $1 OR r.id IN (SELECT report_id FROM report_comments c WHERE ` + theirComment + `
   UNION SELECT report_id FROM report_status_history h WHERE ` + theirNote + `)
ORDER BY r.id FOR NO KEY UPDATE OF r`

// deleteSalts deletes the salts of the words of the person $1, while the words are there: of reports, comments, notes, and of
// the reason why a report was withdrawn.
const deleteSalts = `
WITH gone AS (
  SELECT r.id AS report_id, 1 AS seq FROM reports r WHERE r.user_id = $1
  UNION SELECT e.report_id, e.seq FROM reports r JOIN ledger_events e ON e.report_id = r.id
    WHERE r.user_id = $1 AND r.removal_note IS NOT NULL AND r.reason_code IS NULL AND e.event_type = '` + string(Withdrawn) + `'
  UNION SELECT c.report_id, c.seq FROM report_comments c WHERE ` + theirComment + `
  UNION SELECT h.report_id, h.seq FROM report_status_history h WHERE ` + theirNote + `)
DELETE FROM report_salts s USING gone g WHERE s.report_id = g.report_id AND s.seq = g.seq RETURNING s.report_id, s.seq`

// ErasePerson deletes the salts of everything that a person wrote, and appends an Erased that names them to each report. Without
// the salt nobody can confirm a guess of the words by their hash. The proofs that the events existed stay valid. It cannot be
// undone. blank queues the statements that take the words out of the tables.
//
// All of it is one transaction. Every other change of the log waits from the last statements to the commit, not before.
func ErasePerson(ctx context.Context, tx *outbox.Tx, user uuid.UUID, blank func(p database.Pipeline) error) error {
	locked := database.AskRows(tx, pgx.RowToStructByPos[writtenOn], lockWritten, user)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("lock reports to erase: %w", err)
	}
	type salt struct {
		Report uuid.UUID
		Seq    int
	}
	deleted := database.AskRows(tx, pgx.RowToStructByPos[salt], deleteSalts, user)
	if err := blank(tx); err != nil {
		return fmt.Errorf("blank words: %w", err)
	}
	var gone map[uuid.UUID][]int
	for some := range slices.Chunk(locked.Get(), eraseAtOnce) {
		chains, rows := make([]*database.Ask[*Chain], len(some)), make([]*database.Ask[PriorRows], len(some))
		for i, r := range some {
			chains[i] = AskChain(tx, report.AboutID(r.ID), nil)
			if r.Prior {
				rows[i] = AskPriorRows(tx, report.AboutID(r.ID))
			}
		}
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("erase reports: %w", err)
		}
		if gone == nil {
			gone = make(map[uuid.UUID][]int)
			for _, s := range deleted.Get() {
				gone[s.Report] = append(gone[s.Report], s.Seq)
			}
		}
		for i, r := range some {
			if err := chains[i].Get().erase(ctx, tx, gone[r.ID], rows[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// erase appends the events that name the salts that went. Rows are those of an earlier version, as they are now, where words
// in them went; nil where none did.
func (c *Chain) erase(ctx context.Context, tx *outbox.Tx, seqs []int, rows *database.Ask[PriorRows]) error {
	slices.Sort(seqs)
	first := Event{Type: Erased, Actor: Actor{Kind: string(report.ActorCitizen)}}
	if rows != nil && c.salt != nil {
		var err error
		if first.RowsHash, err = rows.Get().Hash(c.salt); err != nil {
			return err
		}
	}
	first.Erased = seqs[:min(len(seqs), MaxErased)]
	if _, err := c.Append(ctx, tx, first); err != nil {
		return err
	}
	for more := range slices.Chunk(seqs[len(first.Erased):], MaxErased) {
		if _, err := c.Append(ctx, tx, Event{Type: Erased, Actor: first.Actor, Erased: more}); err != nil {
			return err
		}
	}
	return nil
}
