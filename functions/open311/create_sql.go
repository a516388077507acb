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
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

// errKeyReused is the error for an Idempotency-Key that was sent with another request.
var errKeyReused = problem.New(problem.Invalid, "idempotency_key_reused")

// write writes a report in tx, or finds the one that the request repeats. The requests of one key wait for each other, so a request that
// is sent twice at the same time creates one report. One round trip reads what the decision needs; a second one writes everything and
// commits.
func (g *Group) write(ctx context.Context, tx *outbox.Tx, key apikey.Key, request createRequest, pictures []uuid.UUID, w *warning.Collector) (*repeat, reportcreate.Result, error) {
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
		return found, reportcreate.Result{}, found.compare(ctx, tx, request.Input, w)
	}
	if len(pictures) < len(request.files) {
		return nil, reportcreate.Result{}, errNotStored
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
