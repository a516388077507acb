package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
)

// evidence is what the mirror node holds about one submission.
type evidence struct {
	message     *TopicMessage
	previous    []byte // running hash before the message
	transaction *MirrorTransaction
	payerKey    []byte
}

// evidenceOf returns the evidence for the event's submission. It asks the mirror node once for each submission.
func (v *verifier) evidenceOf(ctx context.Context, l *link) (*evidence, error) {
	if e := v.evidence[*l.SubmissionID]; e != nil {
		return e, nil
	}
	if l.TopicID == nil || l.Sequence == nil || l.Transaction == nil || *l.Sequence < 1 {
		return nil, errors.New("its submission has no place on the ledger")
	}
	seq := uint64(*l.Sequence)
	found, err := v.mirror.Messages(ctx, *l.TopicID, max(seq, 2)-1, 2)
	if err != nil {
		return nil, fmt.Errorf("message %d of topic %s: %w", seq, *l.TopicID, err)
	}
	e := &evidence{previous: make([]byte, 48)}
	for _, m := range found {
		switch m.Sequence {
		case seq:
			e.message = m
		case seq - 1:
			e.previous = m.RunningHash
		}
	}
	if e.message == nil {
		return nil, fmt.Errorf("the mirror node has no message %d on topic %s", seq, *l.TopicID)
	}
	if e.transaction, err = v.mirror.Transaction(ctx, *l.Transaction); err != nil && !errors.Is(err, ErrNotOnMirror) {
		return nil, fmt.Errorf("transaction: %w", err)
	}
	if e.payerKey, err = v.keyOf(ctx, e.message.Payer); err != nil {
		return nil, err
	}
	v.evidence[*l.SubmissionID] = e
	return e, nil
}

func (v *verifier) keyOf(ctx context.Context, account string) ([]byte, error) {
	if key, known := v.keys[account]; known {
		return key, nil
	}
	a, err := v.mirror.Account(ctx, account)
	if errors.Is(err, ErrNotOnMirror) {
		a, err = &MirrorAccount{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", account, err)
	}
	v.keys[account] = a.Key
	return a.Key, nil
}

// compare checks one confirmed event against the evidence.
func (v *verifier) compare(l *link, e *evidence) {
	m := e.message
	if !bytes.Equal(m.Contents, l.Message) {
		v.fail("message", "event %d: message %d of topic %s holds other bytes", l.Seq, m.Sequence, m.TopicID)
	}
	if want := v.config.TopicID(l.Topic); m.TopicID != want {
		v.fail("message", "event %d: it is on topic %s, ours is %s", l.Seq, m.TopicID, want)
	}
	if l.Consensus == nil || *l.Consensus != m.ConsensusNanos {
		v.fail("message", "event %d: recorded consensus time is not the message's", l.Seq)
	}
	if !slices.Contains(v.config.Accounts, m.Payer) {
		v.fail("payer", "event %d: message %d was paid for by %s, which is not ours", l.Seq, m.Sequence, m.Payer)
	}
	v.expect("signature", l.Seq, v.signature(l, e))
	v.expect("running_hash", l.Seq, runningHashOf(l, e))
}

func (v *verifier) signature(l *link, e *evidence) error {
	if e.transaction == nil {
		return fmt.Errorf("the mirror node does not know transaction %s", *l.Transaction)
	}
	if e.transaction.Result != "SUCCESS" || e.transaction.ConsensusNanos != e.message.ConsensusNanos {
		return fmt.Errorf("transaction %s did not make this message", *l.Transaction)
	}
	current, err := provenBy(l.Signed, e.transaction.Hash, e.payerKey)
	if err == nil && !current {
		v.notes["signature"] = "signed by us, with a key the account has replaced since"
	}
	return err
}

func runningHashOf(l *link, e *evidence) error {
	want, err := RunningHash(e.previous, e.message)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, e.message.RunningHash) {
		return errors.New("the mirror node's running hash does not follow from its messages")
	}
	if !bytes.Equal(want, l.Running) {
		return errors.New("the recorded running hash is not the topic's")
	}
	return nil
}
