// Package outbox ties messages to the transaction they belong to: written with
// it, sent once it has committed, and swept up by relay when a crash came between.
package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
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

// Tx is a transaction and the messages that go out when it has committed.
type Tx struct {
	*database.Tx
	pending []pending // to be stored with the commit
	perhaps []conditional
}

// conditional is a message that is sent only where its statement stored it.
type conditional struct {
	message pending
	stored  *database.Ask[int64] // 0 where it did not
}

type pending struct {
	queue queue.Name
	out   queue.Outgoing
	delay time.Duration
}

// Send adds a message to the unit of work. Body is encoded as JSON.
func (w *Tx) Send(ctx context.Context, name queue.Name, body any) error {
	return w.SendAfter(ctx, name, body, 0)
}

// SendAfter is Send with a delay before the message may be delivered; whole
// seconds, at most 15 minutes (the limit of SQS).
func (w *Tx) SendAfter(_ context.Context, name queue.Name, body any, delay time.Duration) error {
	p, err := newPending(name, body, delay)
	if err != nil {
		return err
	}
	w.pending = append(w.pending, p)
	return nil
}

func newPending(name queue.Name, body any, delay time.Duration) (pending, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return pending{}, fmt.Errorf("encode message for %s: %w", name, err)
	}
	return pending{queue: name, out: queue.Outgoing{ID: database.NewID(), Body: raw, Delay: delay}, delay: delay}, nil
}

// SendIf has insert, a statement that adds one row and returns something of it, run with the next round trip, and
// sends the message when it did add one. Its arguments are numbered from $1.
func (w *Tx) SendIf(name queue.Name, body any, insert string, args ...any) error {
	p, err := newPending(name, body, 0)
	if err != nil {
		return err
	}
	n := len(args)
	statement := fmt.Sprintf(`WITH added AS (%s) INSERT INTO outbox (id, queue, body) SELECT $%d, $%d, $%d FROM added`, insert, n+1, n+2, n+3)
	stored := database.AskAffected(w, statement, append(args, p.out.ID, string(name), string(p.out.Body))...)
	w.perhaps = append(w.perhaps, conditional{p, stored})
	return nil
}

// store writes the messages that have no row yet, with the commit.
func (w *Tx) store() {
	if len(w.pending) == 0 {
		return
	}
	var (
		id     = make([]uuid.UUID, len(w.pending))
		name   = make([]string, len(w.pending))
		body   = make([]string, len(w.pending))
		delays = make([]time.Duration, len(w.pending))
	)
	for i, p := range w.pending {
		id[i], name[i], body[i], delays[i] = p.out.ID, string(p.queue), string(p.out.Body), p.delay
	}
	const insert = `
		INSERT INTO outbox (id, queue, body, not_before)
		SELECT id, queue, body::jsonb, now() + delay
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::interval[]) AS m (id, queue, body, delay)`
	w.Queue(insert, id, name, body, delays)
}

// Do runs f in a transaction and, once it has committed, sends the messages f
// added. A message that cannot be sent stays for relay; that is no error.
func (o *Outbox) Do(ctx context.Context, f func(tx *Tx) error) error {
	sent, err := o.commit(ctx, f)
	if err == nil {
		o.send(ctx, sent)
	}
	return err
}

// Round collects the messages of several units of work, so that they go out together.
type Round struct {
	outbox *Outbox
	all    []pending
}

// Round begins one; its Send must be called in the end.
func (o *Outbox) Round() *Round { return &Round{outbox: o} }

// Do is Outbox.Do but for the sending. A unit that fails changes nothing about the others.
func (r *Round) Do(ctx context.Context, f func(tx *Tx) error) error {
	more, err := r.outbox.commit(ctx, f)
	r.all = append(r.all, more...)
	return err
}

// Send sends what the committed units of work added.
func (r *Round) Send(ctx context.Context) { r.outbox.send(ctx, r.all) }

func (o *Outbox) commit(ctx context.Context, f func(tx *Tx) error) ([]pending, error) {
	var done *Tx
	err := o.db.InTx(ctx, func(tx *database.Tx) error {
		done = &Tx{Tx: tx}
		if err := f(done); err != nil {
			return err
		}
		done.store()
		return nil
	})
	if err != nil {
		return nil, err
	}
	sent := done.pending
	for _, c := range done.perhaps {
		if c.stored.Get() > 0 {
			sent = append(sent, c.message)
		}
	}
	return sent, nil
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
	sent := o.deliver(ctx, all)
	if len(sent) == 0 {
		return
	}
	// Nobody waits for the disk here: a deletion that is lost has a message delivered twice.
	const forget = `DELETE FROM outbox WHERE id = ANY($1) AND set_config('synchronous_commit', 'off', true) = 'off'`
	if _, err := o.db.Exec(ctx, forget, sent); err != nil {
		o.log.WarnContext(ctx, "sent outbox messages not marked; they will be delivered twice", "error", err)
	}
}

// deliver sends to all queues at once and returns which messages arrived.
func (o *Outbox) deliver(ctx context.Context, all []pending) []uuid.UUID {
	var (
		mu    sync.Mutex
		sent  []uuid.UUID
		calls sync.WaitGroup
	)
	for _, name := range names(all) {
		if !o.sender.Knows(name) {
			continue
		}
		calls.Go(func() {
			for _, part := range batches(all, name) {
				ids, err := o.sender.Send(ctx, name, part)
				if err != nil {
					o.log.WarnContext(ctx, "outbox messages left for relay", "queue", string(name), "error", err)
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
