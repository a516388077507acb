package open311

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/upload"
)

// errKeyReused is the error for an Idempotency-Key that was sent with another request.
var errKeyReused = problem.New(problem.Invalid, "idempotency_key_reused")

// repeat is the report of the key that a request repeats, with what the receipt of its first event needs.
type repeat struct {
	ContentHash []byte
	Keyed       bool // it was created under the same Idempotency-Key
	ledger.Logged
}

// write writes a report in tx, or finds the one that the request repeats. The requests of one key wait for each other, so a request that
// is sent twice at the same time creates one report. One round trip reads what the decision needs; a second one writes everything and
// commits.
func (g *Group) write(ctx context.Context, tx *outbox.Tx, key apikey.Key, request createRequest, pictures []uuid.UUID) (*repeat, reportcreate.Result, error) {
	tx.Queue(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:key:"+key.ID.String())
	earlier := askRepeat(tx, key, request)
	locked := upload.Lock(tx, upload.OfKey(key.ID), pictures)
	at := database.AskRow(tx, pgx.RowTo[time.Time], `SELECT now()`)
	if err := tx.Flush(ctx); err != nil {
		return nil, reportcreate.Result{}, fmt.Errorf("read before creating a report: %w", err)
	}
	if found := earlier.Get(); found != nil {
		if found.Keyed && !bytes.Equal(found.ContentHash, request.ContentHash[:]) {
			return nil, reportcreate.Result{}, errKeyReused
		}
		return found, reportcreate.Result{}, nil
	}
	usable, err := upload.InOrder(pictures, locked.Get())
	if err != nil {
		return nil, reportcreate.Result{}, err
	}
	now := g.clock.Now()
	for _, u := range usable {
		if err := u.Usable(now); err != nil { // the images worker has refused it meanwhile
			return nil, reportcreate.Result{}, err
		}
	}
	for _, address := range request.urls {
		awaited := upload.Await(tx, key.ID, now)
		if err := tx.Send(ctx, queue.Fetch, queue.FetchMessage{UploadID: awaited.ID, URL: address}); err != nil {
			return nil, reportcreate.Result{}, err
		}
		usable = append(usable, awaited)
	}
	owner := reportcreate.Owner{Key: &key.ID}
	result, err := reportcreate.Insert(ctx, tx, owner, request.Input, reportcreate.New(owner, request.Input, usable, at.Get()), nil, now)
	return nil, result, err
}

// askRepeat finds the report that the key created under the same Idempotency-Key, else with the same content within 24 hours. A report that
// was taken down since is found too: the retry of a system that did not get its answer must not bring it back.
func askRepeat(p database.Pipeline, key apikey.Key, request createRequest) *database.Ask[*repeat] {
	const q = `
		SELECT f.content_hash, f.keyed, f.report_number, e.seq, e.log_index, e.payload,
		       (SELECT salt FROM report_salts s WHERE s.report_id = f.id AND s.seq = 1), (SELECT receipts_vkey FROM log_counter)
		  FROM (SELECT id, report_number, content_hash, created_at, true AS keyed FROM reports WHERE api_key_id = $1 AND client_id = $2
		        UNION ALL
		        SELECT id, report_number, content_hash, created_at, false FROM reports
		         WHERE api_key_id = $1 AND created_at > now() - interval '24 hours' AND content_hash = $3) f
		  JOIN ledger_events e ON e.report_id = f.id AND e.seq = 1
		 ORDER BY f.keyed DESC, f.created_at, f.id LIMIT 1`
	return database.AskOptional(p, func(row pgx.CollectableRow) (repeat, error) {
		var r repeat
		err := row.Scan(&r.ContentHash, &r.Keyed, &r.Number, &r.Seq, &r.Index, &r.Payload, &r.Salt, &r.Key)
		return r, err
	}, q, key.ID, request.ClientID, request.ContentHash[:])
}
