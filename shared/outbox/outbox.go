// Package outbox sends messages with a transaction: they are stored in it, sent after its commit, and sent by the relay
// function when the process ended before it could send them. A message may be delivered twice.
package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Outbox runs transactions that send messages. It is safe for concurrent use.
type Outbox struct {
	db     *database.DB
	sender queue.Sender
	log    *slog.Logger
}

// New returns an outbox that sends through s after each commit. With a nil s, relay sends every message.
func New(db *database.DB, s queue.Sender, log *slog.Logger) *Outbox {
	return &Outbox{db: db, sender: s, log: log}
}

// DB is the database of the transactions.
func (o *Outbox) DB() *database.DB { return o.db }

// Tx is a transaction together with the messages that are sent after its commit.
type Tx struct {
	*database.Tx
	pending     []pending // stored with the commit
	conditional []conditional
	sets        []*database.Ask[[]pending]
	last        []func(ctx context.Context) error
	after       []func(ctx context.Context)
}

// BeforeCommit runs f after everything else that the transaction does in Go: all statements are queued by then. What f
// queues or sends belongs to the transaction.
func (tx *Tx) BeforeCommit(f func(ctx context.Context) error) { tx.last = append(tx.last, f) }

// AfterCommit runs f once the transaction has committed, before its messages are sent and before the caller goes on. A process
// that ends in between never runs f: what f does must also be done by relay.
func (tx *Tx) AfterCommit(f func(ctx context.Context)) { tx.after = append(tx.after, f) }

// pending is a message that is not sent yet.
type pending struct {
	queue queue.Name
	out   queue.Outgoing
}

// conditional is a message that is sent only if its statement stored it.
type conditional struct {
	message pending
	stored  *database.Ask[int64] // rows stored: 1, or 0 when there is nothing to send
}

// Send adds a message to the transaction. Body is encoded as JSON.
func (tx *Tx) Send(ctx context.Context, name queue.Name, body any) error {
	return tx.SendAfter(ctx, name, body, 0)
}

// SendAfter is Send with a delay before the delivery: whole seconds, at most catalog.MaxDelay.
func (tx *Tx) SendAfter(_ context.Context, name queue.Name, body any, delay time.Duration) error {
	p, err := newPending(name, body, delay)
	if err != nil {
		return err
	}
	tx.pending = append(tx.pending, p)
	return nil
}

func newPending(name queue.Name, body any, delay time.Duration) (pending, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return pending{}, fmt.Errorf("encode message for %s: %w", name, err)
	}
	return pending{queue: name, out: queue.Outgoing{ID: database.NewID(), Body: raw, Delay: delay}}, nil
}

// SendIf runs insert with the next round trip and sends the message only if insert added a row. Insert adds at most one
// row and has a RETURNING clause; its parameters begin with $1.
func (tx *Tx) SendIf(name queue.Name, body any, insert string, args ...any) error {
	p, err := newPending(name, body, 0)
	if err != nil {
		return err
	}
	n := len(args)
	statement := fmt.Sprintf(`WITH added AS (%s) INSERT INTO outbox (id, queue, body) SELECT $%d, $%d, $%d FROM added`, insert, n+1, n+2, n+3)
	stored := database.AskAffected(tx, statement, append(args, p.out.ID, string(name), string(p.out.Body))...)
	tx.conditional = append(tx.conditional, conditional{p, stored})
	return nil
}

// maxOfSet is how many messages of one SendSet are sent after the commit. Relay sends the rest.
const maxOfSet = 100

// SendSet runs insert with the next round trip and sends a message for each row that insert added. Insert may add any number
// of rows and returns the bodies, as jsonb; its parameters begin with $1. The statement takes the same time for the client
// whatever the number of rows: at most maxOfSet messages are sent after the commit.
func (tx *Tx) SendSet(name queue.Name, insert string, args ...any) {
	tx.sendSet(tx, name, insert, args)
}

// SendSetLast is SendSet with an insert that runs after all other statements of the transaction: see database.Tx.Last.
func (tx *Tx) SendSetLast(name queue.Name, insert string, args ...any) {
	tx.sendSet(tx.Last(), name, insert, args)
}

func (tx *Tx) sendSet(p database.Pipeline, name queue.Name, insert string, args []any) {
	statement := fmt.Sprintf(`WITH added (body) AS (%s), stored AS (
		INSERT INTO outbox (id, queue, body) SELECT gen_random_uuid(), $%d, body FROM added RETURNING id, body)
		SELECT id, body FROM stored LIMIT %d`, insert, len(args)+1, maxOfSet)
	stored := database.AskRows(p, func(row pgx.CollectableRow) (pending, error) {
		m := pending{queue: name}
		err := row.Scan(&m.out.ID, &m.out.Body)
		return m, err
	}, statement, append(args, string(name))...)
	tx.sets = append(tx.sets, stored)
}

// store writes the pending messages with the commit. Those of SendIf and SendSet are stored by their own statements.
func (tx *Tx) store() {
	if len(tx.pending) == 0 {
		return
	}
	var (
		id     = make([]uuid.UUID, len(tx.pending))
		name   = make([]string, len(tx.pending))
		body   = make([]string, len(tx.pending))
		delays = make([]time.Duration, len(tx.pending))
	)
	for i, p := range tx.pending {
		id[i], name[i], body[i], delays[i] = p.out.ID, string(p.queue), string(p.out.Body), p.out.Delay
	}
	const insert = `
		INSERT INTO outbox (id, queue, body, not_before)
		SELECT id, queue, body::jsonb, now() + delay
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::interval[]) AS m (id, queue, body, delay)`
	tx.Queue(insert, id, name, body, delays)
}

// Once records that a consumer processed a message, in the transaction of the message's effect. It reports false when that
// was recorded before: the caller then does nothing.
func (tx *Tx) Once(ctx context.Context, consumer, key string) (bool, error) {
	const mark = `INSERT INTO processed_messages (consumer, message_key) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	tag, err := tx.Exec(ctx, mark, consumer, key)
	if err != nil {
		return false, fmt.Errorf("mark %s processed: %w", consumer, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Do runs f in a transaction and, after the commit, sends the messages that f added. It is no error when a message
// cannot be sent now: relay sends it later.
func (o *Outbox) Do(ctx context.Context, f func(tx *Tx) error) error {
	sent, err := o.commit(ctx, f)
	if err == nil {
		o.send(ctx, sent)
	}
	return err
}

// Round runs several transactions and sends their messages together at the end.
type Round struct {
	outbox *Outbox
	all    []pending
}

// Round returns an empty Round. The caller calls its Send after the last transaction.
func (o *Outbox) Round() *Round { return &Round{outbox: o} }

// Do is Outbox.Do without the sending. A transaction that fails does not affect the others.
func (r *Round) Do(ctx context.Context, f func(tx *Tx) error) error {
	more, err := r.outbox.commit(ctx, f)
	r.all = append(r.all, more...)
	return err
}

// Send sends the messages of the transactions that have committed.
func (r *Round) Send(ctx context.Context) { r.outbox.send(ctx, r.all) }

// commit runs f in a transaction and returns the messages to send.
func (o *Outbox) commit(ctx context.Context, f func(tx *Tx) error) ([]pending, error) {
	var done *Tx
	err := o.db.InTx(ctx, func(tx *database.Tx) error {
		done = &Tx{Tx: tx}
		if err := f(done); err != nil {
			return err
		}
		for _, finish := range done.last {
			if err := finish(ctx); err != nil {
				return err
			}
		}
		done.store()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(done.after) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterTimeout) // also when the client has disconnected
		defer cancel()
		for _, f := range done.after {
			f(ctx)
		}
	}
	sent := done.pending
	for _, c := range done.conditional {
		if c.stored.Get() > 0 {
			sent = append(sent, c.message)
		}
	}
	for _, s := range done.sets {
		sent = append(sent, s.Get()...)
	}
	return sent, nil
}

// afterTimeout is the longest that a client waits for what runs after the commit.
const afterTimeout = 5 * time.Second

// sendTimeout is the longest that a client waits for messages to be sent after the commit. Relay sends the rest.
const sendTimeout = 3 * time.Second

func (o *Outbox) send(ctx context.Context, all []pending) {
	if o.sender == nil || len(all) == 0 {
		return
	}
	// The messages are sent even when the client has disconnected after the commit.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	sent := o.deliver(ctx, all)
	if len(sent) == 0 {
		return
	}
	// The deletion does not wait for the disk. If a crash undoes it, a message is delivered twice.
	const remove = `DELETE FROM outbox WHERE id = ANY($1) AND set_config('synchronous_commit', 'off', true) = 'off'`
	if _, err := o.db.Exec(ctx, remove, sent); err != nil {
		o.log.WarnContext(ctx, "sent outbox messages are not deleted; they will be delivered twice", "error", err)
	}
}

// deliver sends to all queues at the same time and returns the ids of the messages that were sent.
func (o *Outbox) deliver(ctx context.Context, all []pending) []uuid.UUID {
	var (
		mu    sync.Mutex
		sent  []uuid.UUID
		calls sync.WaitGroup
	)
	for _, name := range queueNames(all) {
		if !o.sender.Knows(name) {
			continue
		}
		calls.Go(func() {
			for _, part := range batches(all, name) {
				ids, err := o.sender.Send(ctx, name, part)
				if err != nil {
					o.log.WarnContext(ctx, "outbox messages not sent; relay will send them", "queue", string(name), "error", err)
				}
				mu.Lock()
				sent = append(sent, ids...)
				mu.Unlock()
			}
		})
	}
	calls.Wait()
	return sent
}

// queueNames lists the queues of all, in order of first use.
func queueNames(all []pending) []queue.Name {
	var out []queue.Name
	for _, p := range all {
		if !slices.Contains(out, p.queue) {
			out = append(out, p.queue)
		}
	}
	return out
}

// batches are the messages for one queue, in parts of at most queue.MaxBatch.
func batches(all []pending, name queue.Name) [][]queue.Outgoing {
	var of []queue.Outgoing
	for _, p := range all {
		if p.queue == name {
			of = append(of, p.out)
		}
	}
	return slices.Collect(slices.Chunk(of, queue.MaxBatch))
}
