package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Operator has the operator's commands: to set up the ledger before the first event, and to act on an alarm.
type Operator struct {
	Config  Config
	Network *Network
	Signer  *Signer
	Mirror  *ledger.Mirror
	Clock   timestamp.Clock
	// DB is needed by State and Resume alone.
	DB *database.DB
}

const (
	topicFee       = 10 * 100_000_000 // tinybars offered for a topic; it costs about USD 0.01
	receiptTimeout = time.Minute
)

// CreateTopic makes a topic whose submit key is the KMS key, and which nobody
// can change or delete. It costs money each time: do it once, and keep the id.
func (o *Operator) CreateTopic(ctx context.Context, memo string) (string, error) {
	payer, err := parseEntity(o.Config.Ledger.Accounts[0])
	if err != nil {
		return "", err
	}
	key, err := o.Signer.PublicKey(ctx)
	if err != nil {
		return "", err
	}
	p, err := prepare(ctx, o.Signer, payer, o.Network.Pick(), topicFee, o.Clock.Now(), createTopic(memo, key, payer))
	if err != nil {
		return "", fmt.Errorf("create topic: %w", err)
	}
	code, err := o.Network.Submit(ctx, p.Signed)
	if err != nil {
		return "", fmt.Errorf("create topic by transaction %s: %w; look it up before you try again", p.ID, err)
	}
	if code != services.ResponseCodeEnum_OK && code != services.ResponseCodeEnum_DUPLICATE_TRANSACTION {
		return "", fmt.Errorf("create topic: the network answered %s", code)
	}
	receipt, err := o.awaitReceipt(ctx, p.ID)
	if err != nil {
		return "", fmt.Errorf("create topic by transaction %s: %w; look it up before you try again", p.ID, err)
	}
	if receipt.GetStatus() != services.ResponseCodeEnum_SUCCESS {
		return "", fmt.Errorf("create topic: it failed at consensus: %s", receipt.GetStatus())
	}
	return fmt.Sprintf("0.0.%d", receipt.GetTopicID().GetTopicNum()), nil
}

// awaitReceipt asks every second until nodes know the outcome.
func (o *Operator) awaitReceipt(ctx context.Context, id string) (*services.TransactionReceipt, error) {
	ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
	defer cancel()
	for {
		receipt, err := o.Network.Receipt(ctx, id)
		if err == nil {
			return receipt, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Second):
		}
	}
}

// CheckKey compares the KMS key with the account's key and the topic's submit
// key as the mirror node has them. Nil: the worker's signatures will be taken.
func (o *Operator) CheckKey(ctx context.Context) error {
	key, err := o.Signer.PublicKey(ctx)
	if err != nil {
		return err
	}
	account, err := o.Mirror.Account(ctx, o.Config.Ledger.Accounts[0])
	if err != nil {
		return fmt.Errorf("account %s: %w", o.Config.Ledger.Accounts[0], err)
	}
	var wrong []error
	if !bytes.Equal(account.Key, key) {
		wrong = append(wrong, fmt.Errorf("account %s has key %x (%s), KMS has %x", o.Config.Ledger.Accounts[0], account.Key, account.KeyType, key))
	}
	if topic := o.Config.Ledger.TopicReports; topic != "" {
		submit, err := o.Mirror.TopicKey(ctx, topic)
		switch {
		case err != nil:
			return fmt.Errorf("topic %s: %w", topic, err)
		case submit == nil:
			wrong = append(wrong, fmt.Errorf("topic %s has no submit key: anybody may write to it", topic))
		case !bytes.Equal(submit, key):
			wrong = append(wrong, fmt.Errorf("topic %s wants key %x, KMS has %x", topic, submit, key))
		}
	}
	return errors.Join(wrong...)
}

// State is what the command status shows.
type State struct {
	Origin      string        // of the log; empty before the first round
	Written     int64         // events in the database
	Published   int64         // events that the newest checkpoint covers
	SignedAgo   time.Duration // since the newest checkpoint; 0 without one
	Unpublished time.Duration // how long the oldest event has waited to be published
	LogHalted   string        // why no event may be written; empty while writing is allowed

	Ledger    bool          // there is an account; the rest is empty without one
	Tinybars  int64         // balance
	MirrorLag time.Duration // of the mirror node behind now
	Confirmed int64         // events that confirmed messages cover
	Messages  map[ledger.MessageState]int
	Budget    float64 // messages that were left after the last one
	Halted    string  // why the circuit is open; empty when it is closed
	HaltedFor time.Duration
	LastError string // of the message that is under way
}

// State reads database, account and mirror node.
func (o *Operator) State(ctx context.Context) (*State, error) {
	s := &State{Messages: map[ledger.MessageState]int{}, Ledger: o.Config.HasLedger()}
	now := o.Clock.Now()
	var signed, oldest, since *time.Time
	const query = `
SELECT coalesce(h.origin, ''), n.next, h.size, h.signed_at, coalesce(n.halted, ''), coalesce(h.budget, 0), coalesce(c.reason, ''), c.since,
       (SELECT created_at FROM ledger_events WHERE log_index >= h.size ORDER BY log_index LIMIT 1),
       coalesce((SELECT size FROM log_messages WHERE state = 'confirmed' ORDER BY size DESC LIMIT 1), 0),
       coalesce((SELECT last_error FROM log_messages WHERE state NOT IN ('confirmed', 'failed')), '')
FROM log_head h, log_counter n, ledger_circuit c`
	if err := o.DB.QueryRow(ctx, query).Scan(&s.Origin, &s.Written, &s.Published, &signed, &s.LogHalted, &s.Budget, &s.Halted, &since,
		&oldest, &s.Confirmed, &s.LastError); err != nil {
		return nil, fmt.Errorf("read state of the log: %w", err)
	}
	s.SignedAgo, s.Unpublished, s.HaltedFor = ago(now, signed), ago(now, oldest), ago(now, since)
	if err := o.count(ctx, s); err != nil || !s.Ledger {
		return s, err
	}
	account, err := o.Mirror.Account(ctx, o.Config.Ledger.Accounts[0])
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", o.Config.Ledger.Accounts[0], err)
	}
	horizon, err := o.Mirror.Horizon(ctx)
	if err != nil {
		return nil, err
	}
	s.Tinybars, s.MirrorLag = account.Tinybars, now.Sub(horizon)
	return s, nil
}

// ago is the time since at; 0 for nil.
func ago(now time.Time, at *time.Time) time.Duration {
	if at == nil {
		return 0
	}
	return now.Sub(*at)
}

func (o *Operator) count(ctx context.Context, s *State) error {
	rows, _ := o.DB.Query(ctx, `SELECT state, count(*) FROM log_messages GROUP BY state`)
	var state ledger.MessageState
	var n int
	_, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { s.Messages[state] = n; return nil })
	if err != nil {
		return fmt.Errorf("count ledger messages: %w", err)
	}
	return nil
}

// Resume makes the next round of the worker probe the ledger instead of a later one. Call it after the fault is fixed. If the
// probe fails, the circuit stays open.
func (o *Operator) Resume(ctx context.Context) error {
	const update = `UPDATE ledger_circuit SET probe_at = $1, failures = 0 WHERE reason IS NOT NULL`
	if _, err := o.DB.Exec(ctx, update, o.Clock.Now()); err != nil {
		return fmt.Errorf("resume ledger: %w", err)
	}
	return nil
}
