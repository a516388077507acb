package queue

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
)

// Config holds the addresses of the queues that the function may send to.
type Config struct {
	// URLs by queue name: "validate=https://…,anchor=https://…".
	URLs map[string]string `env:"QUEUE_URLS" envKeyValSeparator:"="`
	// Own is the address of the queue that a worker consumes. It may not send there, so URLs need not name it.
	Own string `env:"QUEUE_URL"`
}

// SQSClient is what a Client needs of SQS.
type SQSClient interface {
	SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput,
		opts ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

// Client sends to SQS, and postpones messages that were received.
type Client struct {
	sqs  SQSClient
	urls map[string]string
	own  string // of the queue that this process consumes; may be empty
}

// NewClient returns a client of the queues of c.
func NewClient(client SQSClient, c Config) *Client {
	return &Client{sqs: client, urls: c.URLs, own: c.Own}
}

// Knows reports whether the queue's address is configured.
func (c *Client) Knows(name Name) bool { return c.urls[string(name)] != "" }

// skipChecksums turns off the SDK's comparison of MD5 sums, which panics at an entry without an id. TLS protects the answer.
func skipChecksums(o *sqs.Options) { o.DisableMessageChecksumValidation = true }

// Send implements Sender. Its error names the codes of SQS for the messages that were not sent.
func (c *Client) Send(ctx context.Context, name Name, messages []Outgoing) ([]uuid.UUID, error) {
	url := c.urls[string(name)]
	if url == "" {
		return nil, fmt.Errorf("send to %s: its URL is not configured", name)
	}
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.SendMessageBatchRequestEntry{
			Id: aws.String(m.ID.String()), MessageBody: aws.String(string(m.Body)), DelaySeconds: int32(m.Delay.Seconds()),
		}
	}
	out, err := c.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(url), Entries: entries}, skipChecksums)
	if err != nil {
		return nil, fmt.Errorf("send to %s: %w", name, err)
	}
	missing := make(map[uuid.UUID]bool, len(messages))
	for _, m := range messages {
		missing[m.ID] = true
	}
	sent := make([]uuid.UUID, 0, len(messages))
	for _, s := range out.Successful {
		if id, err := uuid.Parse(aws.ToString(s.Id)); err == nil && missing[id] {
			sent = append(sent, id)
			delete(missing, id)
		}
	}
	if len(missing) > 0 {
		causes := make([]string, len(out.Failed))
		for i, f := range out.Failed {
			causes[i] = aws.ToString(f.Code)
		}
		return sent, fmt.Errorf("send to %s: %d messages were not sent: [%s]", name, len(missing), strings.Join(causes, ", "))
	}
	return sent, nil
}
