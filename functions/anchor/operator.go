package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"

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

// CheckKey compares the KMS key with the account's key and the topics' submit
// keys as the mirror node has them. Nil: the worker's signatures will be taken.
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
	for _, topic := range []string{o.Config.Ledger.TopicReports, o.Config.Ledger.TopicStatus} {
		if topic == "" {
			continue
		}
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
	Tinybars   int64
	MirrorLag  time.Duration // of the mirror node behind now
	Waiting    int           // events without a submission
	OldestWait time.Duration // of an event without a submission
	Open       map[ledger.SubmissionState]int
	Confirmed  int
	Halted     string // why the circuit is open; empty when it is closed
	HaltedFor  time.Duration
	LastError  string // of the submission that failed last and is still open
}

// State reads account, mirror node and database.
func (o *Operator) State(ctx context.Context) (*State, error) {
	s := &State{Open: map[ledger.SubmissionState]int{}}
	account, err := o.Mirror.Account(ctx, o.Config.Ledger.Accounts[0])
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", o.Config.Ledger.Accounts[0], err)
	}
	s.Tinybars = account.Tinybars
	horizon, err := o.Mirror.Horizon(ctx)
	if err != nil {
		return nil, err
	}
	now := o.Clock.Now()
	s.MirrorLag = now.Sub(horizon)
	var oldest, since *time.Time
	var reason, last *string
	const query = `
SELECT (SELECT count(*) FROM ledger_anchors WHERE submission_id IS NULL),
       (SELECT min(created_at) FROM ledger_anchors WHERE submission_id IS NULL),
       (SELECT count(*) FROM ledger_submissions WHERE state = 'confirmed'),
       (SELECT last_error FROM ledger_submissions WHERE state <> 'confirmed' AND last_error IS NOT NULL ORDER BY updated_at DESC LIMIT 1),
       c.reason, c.since
FROM ledger_circuit c`
	if err := o.DB.QueryRow(ctx, query).Scan(&s.Waiting, &oldest, &s.Confirmed, &last, &reason, &since); err != nil {
		return nil, fmt.Errorf("read ledger state: %w", err)
	}
	if oldest != nil {
		s.OldestWait = now.Sub(*oldest)
	}
	if reason != nil {
		s.Halted, s.HaltedFor = *reason, now.Sub(*since)
	}
	if last != nil {
		s.LastError = *last
	}
	return s, o.open(ctx, s)
}

func (o *Operator) open(ctx context.Context, s *State) error {
	rows, err := o.DB.Query(ctx, `SELECT state, count(*) FROM ledger_submissions WHERE state <> 'confirmed' GROUP BY state`)
	if err != nil {
		return fmt.Errorf("count submissions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state ledger.SubmissionState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return fmt.Errorf("count submissions: %w", err)
		}
		s.Open[state] = n
	}
	return rows.Err()
}

// Resume makes the worker probe the ledger at the next sweep instead of later. Call it after the fault is fixed. If the
// probe fails, the circuit stays open.
func (o *Operator) Resume(ctx context.Context) error {
	const update = `UPDATE ledger_circuit SET probe_at = $1, failures = 0 WHERE reason IS NOT NULL`
	if _, err := o.DB.Exec(ctx, update, o.Clock.Now()); err != nil {
		return fmt.Errorf("resume ledger: %w", err)
	}
	return nil
}
