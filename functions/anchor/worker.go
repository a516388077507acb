// Package anchor publishes the log of events, and writes its checkpoints to the Hedera Consensus Service.
//
// # Life of a round
//
// A message on the queue only wakes the worker; the database says what is to be done. One round works at a time: it holds a
// lease in log_head, and no transaction is open while it calls another service. A round may end anywhere, and a later one
// goes on:
//
//	publish  the table's new events become tiles and bundles in the bucket; what is written follows from the table alone
//	sign     KMS signs the checkpoint; it is stored in log_head by compare-and-swap on the size, and then put into the bucket
//	cosign   witnesses confirm it, or not; nothing waits for them
//	send     a checkpoint goes to the ledger as a message, as the budget allows; one message at a time
//	show     the reports of the events that a message covers first show how far it is
//
// # Life of a message
//
//	claimed    the message is made                      → sign with KMS, store id and bytes
//	prepared   a signed transaction is stored           → send it; each attempt sends the same bytes
//	submitted  a node accepted it, now or before        → ask for the receipt
//	reached    sequence number and running hash known   → compare with the mirror node
//	confirmed  the mirror shows our bytes from our account
//
// A second transaction for a message is made only after proof that the first had no effect: the network refused it at
// consensus, or it expired and a mirror node that is past its expiry does not have it.
//
// A failure that may go away is tried again for ever, with growing delays. A failure that only an operator can fix opens the
// circuit: nothing is sent to the ledger, and the log is published all the same.
package anchor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// MirrorNode is the part of ledger.Mirror that the worker uses.
type MirrorNode interface {
	Message(ctx context.Context, topicID string, sequence uint64) (*ledger.TopicMessage, error)
	MessageAt(ctx context.Context, consensusNanos int64) (*ledger.TopicMessage, error)
	Transaction(ctx context.Context, id string) (*ledger.MirrorTransaction, error)
	Horizon(ctx context.Context) (time.Time, error)
}

// Settings are those of administrators.
type Settings interface {
	Current(ctx context.Context) (settings.Settings, error)
}

// Deps are what a Worker works with.
type Deps struct {
	DB       *database.DB
	Outbox   *outbox.Outbox
	Store    translog.Store // of the published log
	LogKey   *LogKey
	HTTP     *http.Client // for witnesses
	Network  *Network
	Mirror   MirrorNode
	Signer   *Signer // of ledger transactions
	Settings Settings
	Clock    timestamp.Clock
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
}

// Worker is the consumer of the queue "anchor". It is safe for concurrent use, in one process and in many.
type Worker struct {
	Deps
	config    Config
	payer     int64
	witnesses []translog.Witness
	receipts  string // verifier key; empty if the process does not have the key
}

// NewWorker returns a worker. It fails if c is not valid.
func NewWorker(d Deps, c Config) (*Worker, error) {
	d.Store = timed{d.Store, c.Log.Timeout}
	w := &Worker{Deps: d, config: c}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("anchor: %w", err)
	}
	var err error
	if c.HasLedger() {
		if w.payer, err = parseEntity(c.Ledger.Accounts[0]); err != nil {
			return nil, fmt.Errorf("anchor: %w", err)
		}
	}
	if w.witnesses, err = translog.ParseWitnesses(c.Log.Witnesses); err != nil {
		return nil, fmt.Errorf("anchor: LOG_WITNESSES: %w", err)
	}
	if c.Log.ReceiptsKey != "" {
		receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: c.Log.Origin, Key: c.Log.ReceiptsKey})
		if err != nil {
			return nil, fmt.Errorf("anchor: %w", err)
		}
		w.receipts = receipts.VKey()
	}
	return w, nil
}

// Message runs a round. The message of the queue has no content: it only wakes the worker.
func (w *Worker) Message(ctx context.Context, _ events.SQSMessage) error { return w.Round(ctx) }

// Round does all that can be done now. It does nothing while another round works. It returns an error of the database, and
// ledger.ErrOtherOrigin. Every other failure is logged, and a later message tries again.
func (w *Worker) Round(ctx context.Context) error {
	for {
		r, err := w.begin(ctx)
		if err != nil || r == nil {
			return err
		}
		if err := errors.Join(r.work(ctx), r.end(ctx)); err != nil {
			return err
		}
		// An event that was written while the lease was held: the message about it found the lease taken.
		if more, err := r.behind(ctx); err != nil || !more {
			return err
		}
	}
}
