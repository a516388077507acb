// Package outbox ties messages to the transaction they belong to: written with
// it, sent once it has committed, and swept up by relay when a crash came between.
package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Sender puts bodies on a queue and reports which ids arrived.
type Sender interface {
	// Send puts messages on the named queue, at most ten a call.
	Send(ctx context.Context, name queue.Name, messages []queue.Outgoing) (sent []uuid.UUID, err error)
	// Knows reports whether this process may send to the queue.
	Knows(name queue.Name) bool
}

// Outbox runs units of work.
type Outbox struct {
	db     *database.DB
	sender Sender
	log    *slog.Logger
}

// New sends through s after each commit. A nil s leaves every message to relay.
func New(db *database.DB, s Sender, log *slog.Logger) *Outbox {
	return &Outbox{db: db, sender: s, log: log}
}

// Work is a transaction and the messages that go out when it has committed.
type Work struct {
	pgx.Tx
	pending []pending
}

type pending struct {
	queue queue.Name
	out   queue.Outgoing
	delay time.Duration
}

// Send adds a message to the unit of work. Body is encoded as JSON.
func (w *Work) Send(ctx context.Context, name queue.Name, body any) error {
	return w.SendAfter(ctx, name, body, 0)
}

// SendAfter is Send with a delay before the message may be delivered; whole
// seconds, at most 15 minutes (the limit of SQS).
func (w *Work) SendAfter(ctx context.Context, name queue.Name, body any, delay time.Duration) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode message for %s: %w", name, err)
	}
	id := ids.New()
	const insert = `INSERT INTO outbox (id, queue, body, not_before) VALUES ($1, $2, $3, now() + $4::interval)`
	if _, err := w.Exec(ctx, insert, id, string(name), raw, delay); err != nil {
		return fmt.Errorf("add message for %s: %w", name, err)
	}
	w.pending = append(w.pending, pending{queue: name, out: queue.Outgoing{ID: id, Body: raw, Delay: delay}, delay: delay})
	return nil
}

// Do runs f in a transaction and, once it has committed, sends the messages f
// added. A message that cannot be sent stays for relay; that is no error.
func (o *Outbox) Do(ctx context.Context, f func(w *Work) error) error {
	var done *Work
	err := o.db.InTx(ctx, func(tx pgx.Tx) error {
		done = &Work{Tx: tx}
		return f(done)
	})
	if err != nil {
		return err
	}
	o.send(ctx, done.pending)
	return nil
}

// sendTimeout bounds what a citizen waits for after the commit; relay has the rest.
const sendTimeout = 3 * time.Second

func (o *Outbox) send(ctx context.Context, all []pending) {
	if o.sender == nil || len(all) == 0 {
		return
	}
	// The client may hang up right after the commit; the messages still go out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	var sent []uuid.UUID
	for _, name := range names(all) {
		if !o.sender.Knows(name) {
			continue
		}
		for _, part := range batches(all, name) {
			ids, err := o.sender.Send(ctx, name, part)
			if err != nil {
				o.log.WarnContext(ctx, "outbox messages left for relay", "queue", string(name), "error", err)
			}
			sent = append(sent, ids...)
		}
	}
	if len(sent) == 0 {
		return
	}
	if _, err := o.db.Exec(ctx, `DELETE FROM outbox WHERE id = ANY($1)`, sent); err != nil {
		o.log.WarnContext(ctx, "sent outbox messages not marked; they will be delivered twice", "error", err)
	}
}
