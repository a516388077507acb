package anchor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
)

// Open makes the consumer of the queue "anchor" out of its configuration. Nothing connects before the first message.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "anchor", env)
	if err != nil {
		return nil, err
	}
	w, err := FromKit(kit)
	if err != nil {
		return nil, err
	}
	return kit.Queue(queue.Anchor, w.config.Concurrency, w.Message), nil
}

// FromKit makes the worker with what kit has opened.
func FromKit(kit *service.Kit) (*Worker, error) {
	c, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open anchor: %w", err)
	}
	network, err := NewNetwork(c.Nodes, c.NodesPerTransaction, c.NodeTimeout)
	if err != nil {
		return nil, fmt.Errorf("open anchor: %w", err)
	}
	return NewWorker(Deps{
		DB: kit.DB, Outbox: kit.Outbox, Network: network, Mirror: ledger.NewMirror(c.Ledger),
		Signer: NewSigner(kms.NewFromConfig(kit.AWS), c.KeyID, c.KMSTimeout),
		Clock:  kit.Clock, Log: kit.Log, Metrics: kit.Metrics,
	}, c)
}

// Config of the worker and of the operator's commands.
type Config struct {
	Ledger ledger.Config
	// KeyID names the KMS key (ECC_SECG_P256K1, SIGN_VERIFY) that is the account's key.
	KeyID string `env:"AWS_KMS_KEY_ID,required,notEmpty"`
	// Nodes are consensus nodes, host:port=0.0.N. No address book is ever fetched.
	Nodes map[string]string `env:"HEDERA_NODES,required" envKeyValSeparator:"="`
	// NodesPerTransaction is how many nodes a transaction is signed for: each costs a KMS call.
	NodesPerTransaction int `env:"HEDERA_NODES_PER_TRANSACTION" envDefault:"2"`
	// NodeTimeout bounds one call of a node, KMSTimeout one of KMS.
	NodeTimeout time.Duration `env:"HEDERA_NODE_TIMEOUT" envDefault:"6s"`
	KMSTimeout  time.Duration `env:"KMS_TIMEOUT" envDefault:"5s"`
	// MaxFee is what a message may cost, in tinybars. A message costs about USD 0.0008.
	MaxFee int64 `env:"HEDERA_MAX_FEE_TINYBARS" envDefault:"200000000"`
	// BatchThreshold is how many events may wait, on a topic, before they share one message.
	BatchThreshold int `env:"LEDGER_BATCH_THRESHOLD" envDefault:"20"`
	// MaxBatch bounds the events of one message.
	MaxBatch int `env:"LEDGER_MAX_BATCH" envDefault:"1000"`
	// Concurrency is how many messages of a delivery are worked on at once.
	Concurrency int `env:"LEDGER_CONCURRENCY" envDefault:"2"`
	// ReceiptDelay and ConfirmDelay are the waits before a receipt and the mirror are asked again.
	ReceiptDelay time.Duration `env:"LEDGER_RECEIPT_DELAY" envDefault:"2s"`
	ConfirmDelay time.Duration `env:"LEDGER_CONFIRM_DELAY" envDefault:"4s"`
	// ProbeEvery is the first wait after a halt; it doubles up to maxProbe.
	ProbeEvery time.Duration `env:"LEDGER_PROBE_EVERY" envDefault:"1m"`
}

func (c *Config) check() error {
	switch {
	case len(c.Nodes) == 0:
		return errors.New("HEDERA_NODES names no node")
	case len(c.Ledger.Accounts) == 0:
		return errors.New("HEDERA_ACCOUNT_ID is missing")
	case c.Ledger.TopicReports == "" || c.Ledger.TopicStatus == "":
		return errors.New("HEDERA_TOPIC_REPORTS or HEDERA_TOPIC_STATUS is missing; ledgerctl create-topics makes them")
	case c.BatchThreshold < 1 || c.MaxBatch < 2 || c.NodesPerTransaction < 1:
		return errors.New("batch threshold, batch size or nodes per transaction out of range")
	}
	for _, id := range slices.Concat([]string{c.Ledger.TopicReports, c.Ledger.TopicStatus}, c.Ledger.Accounts) {
		if _, err := parseEntity(id); err != nil {
			return err
		}
	}
	return nil
}

// parseEntity reads 0.0.N.
func parseEntity(id string) (int64, error) {
	var n int64
	if _, err := fmt.Sscanf(id, "0.0.%d", &n); err != nil || n < 1 || fmt.Sprintf("0.0.%d", n) != id {
		return 0, fmt.Errorf("entity id %q is not 0.0.N", id)
	}
	return n, nil
}
