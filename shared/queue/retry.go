package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// backoff is how long a message stays hidden after its n-th delivery failed: 2 s after the first, doubled with each further
// one up to catalog.MaxBackoff, less a random part of up to one half. So messages that failed together come back apart.
func backoff(n int) time.Duration {
	longest := catalog.MaxBackoff
	if n < 10 { // 2 s doubled ten times is more than the maximum
		longest = min(longest, catalog.FirstBackoff<<(n-1))
	}
	return longest - rand.N(longest/2)
}

// delayed is an error with the time of the next delivery.
type delayed struct {
	error
	after time.Duration
}

// Unwrap gives the cause.
func (d delayed) Unwrap() error { return d.error }

// RetryAfter marks err as a fault after which the message is delivered again after the given time, at most
// catalog.MaxBackoff, whatever its number of deliveries. RetryAfter(nil, d) is nil.
func RetryAfter(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return delayed{err, min(after, catalog.MaxBackoff)}
}

// waitAfter is how long a message stays hidden whose n-th delivery failed with err. After the last delivery it is not hidden:
// SQS then moves it to the dead letters when it is asked for messages the next time.
func waitAfter(n int, err error) time.Duration {
	var d delayed
	switch {
	case n >= catalog.MaxReceives:
		return 0
	case errors.As(err, &d):
		return d.after
	}
	return backoff(n)
}

// Wait says how long a received message stays hidden, from now on.
type Wait struct {
	Receipt string // handle of its delivery
	For     time.Duration
}

// Postponer decides when messages of a queue are delivered again; *Client is one.
type Postponer interface {
	// Postpone hides at most MaxBatch received messages for their times. Those for which it fails stay hidden for the
	// visibility timeout of the queue.
	Postpone(ctx context.Context, name Name, waits []Wait) error
}

// Postpone implements Postponer. SQS takes whole seconds: a part of a second counts as one.
func (c *Client) Postpone(ctx context.Context, name Name, waits []Wait) error {
	url := c.own
	if url == "" {
		url = c.urls[string(name)]
	}
	if url == "" {
		return fmt.Errorf("postpone messages of %s: QUEUE_URL is not configured", name)
	}
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(waits))
	for i, w := range waits {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: aws.String(w.Receipt),
			VisibilityTimeout: int32((w.For + time.Second - 1) / time.Second)}
	}
	out, err := c.sqs.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(url), Entries: entries})
	if err != nil {
		return fmt.Errorf("postpone messages of %s: %w", name, err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("postpone messages of %s: %d of %d refused: %s", name, len(out.Failed), len(waits), aws.ToString(out.Failed[0].Code))
	}
	return nil
}

// postponeTime is the longest that a batch waits for SQS to hide its messages. It is part of answerTime.
const postponeTime = 2 * time.Second

// postpone hides the messages that failed for their times. If that fails, they come back later than they could.
func (e *each) postpone(ctx context.Context, waits []Wait) {
	if e.postponer == nil || len(waits) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), postponeTime)
	defer cancel()
	if err := e.postponer.Postpone(ctx, e.name, waits); err != nil {
		e.log.WarnContext(ctx, "messages that failed come back only after the visibility timeout", "queue", string(e.name), "error", err)
	}
}
