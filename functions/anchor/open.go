package anchor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
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
	return kit.Queue(queue.Anchor, 1, w.Message, queue.Alike()), nil
}

// FromKit makes the worker with what kit has opened.
func FromKit(kit *service.Kit) (*Worker, error) {
	c, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open anchor: %w", err)
	}
	store, err := config.Parse[storage.LogConfig](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open anchor: %w", err)
	}
	bucket, err := storage.NewLog(kit.AWS, store, kit.Clock)
	if err != nil {
		return nil, fmt.Errorf("open anchor: %w", err)
	}
	network, err := NewNetwork(c.Nodes, c.NodesPerTransaction, c.NodeTimeout)
	if err != nil {
		return nil, fmt.Errorf("open anchor: %w", err)
	}
	keys := kms.NewFromConfig(kit.AWS)
	return NewWorker(Deps{
		DB: kit.DB, Outbox: kit.Outbox, Store: bucket, LogKey: NewLogKey(keys, c.Log.KeyID, c.Log.Origin, c.KMSTimeout),
		HTTP: &http.Client{}, Network: network, Mirror: ledger.NewMirror(c.Ledger), Signer: NewSigner(keys, c.KeyID, c.KMSTimeout),
		Settings: kit.Settings, Clock: kit.Clock, Log: kit.Log, Metrics: kit.Metrics,
	}, c)
}

// Config of the worker and of the operator's commands.
type Config struct {
	Ledger ledger.Config
	Log    LogConfig
	// KeyID names the KMS key (ECC_SECG_P256K1, SIGN_VERIFY) that is the account's key.
	KeyID string `env:"AWS_KMS_KEY_ID"`
	// Nodes are consensus nodes, host:port=0.0.N. No address book is ever fetched.
	Nodes map[string]string `env:"HEDERA_NODES" envKeyValSeparator:"="`
	// NodesPerTransaction is how many nodes a transaction is signed for: each costs a KMS call.
	NodesPerTransaction int `env:"HEDERA_NODES_PER_TRANSACTION" envDefault:"2"`
	// NodeTimeout bounds one call of a node, KMSTimeout one of KMS.
	NodeTimeout time.Duration `env:"HEDERA_NODE_TIMEOUT" envDefault:"6s"`
	KMSTimeout  time.Duration `env:"KMS_TIMEOUT" envDefault:"5s"`
	// MaxFee is what a message may cost, in tinybars. A message costs about USD 0.0008.
	MaxFee int64 `env:"HEDERA_MAX_FEE_TINYBARS" envDefault:"200000000"`
	// ReceiptDelay and ConfirmDelay are the waits before a receipt and the mirror are asked again.
	ReceiptDelay time.Duration `env:"LEDGER_RECEIPT_DELAY" envDefault:"2s"`
	ConfirmDelay time.Duration `env:"LEDGER_CONFIRM_DELAY" envDefault:"4s"`
	// ProbeEvery is the first wait after a halt; it doubles up to maxProbe.
	ProbeEvery time.Duration `env:"LEDGER_PROBE_EVERY" envDefault:"1m"`
}

// LogConfig is what publishing the log needs.
type LogConfig struct {
	// Origin is the name of the log. It never changes.
	Origin string `env:"LOG_ORIGIN"`
	// KeyID names the KMS key (ECC_NIST_EDWARDS25519, SIGN_VERIFY) that signs checkpoints.
	KeyID string `env:"LOG_KMS_KEY_ID"`
	// ReceiptsKey is the seed of the receipts key, in base64. The log names its public key.
	ReceiptsKey string `env:"RECEIPTS_KEY"`
	// Timeout bounds one call of the bucket.
	Timeout time.Duration `env:"LOG_BUCKET_TIMEOUT" envDefault:"10s"`
	// Witnesses are others who confirm checkpoints: VKEY=URL, with commas between them.
	Witnesses string `env:"LOG_WITNESSES"`
}

// HasLedger reports whether checkpoints go to a public ledger. Without an account they wait, and the log is published.
func (c *Config) HasLedger() bool {
	return len(c.Ledger.Accounts) > 0 && c.Ledger.Accounts[0] != "" && c.Ledger.TopicReports != ""
}

func (c *Config) check() error {
	if c.Log.Origin == "" || c.Log.KeyID == "" {
		return errors.New("LOG_ORIGIN or LOG_KMS_KEY_ID is missing")
	}
	if !c.HasLedger() {
		return nil
	}
	switch {
	case len(c.Nodes) == 0:
		return errors.New("HEDERA_NODES names no node")
	case c.KeyID == "":
		return errors.New("AWS_KMS_KEY_ID is missing")
	case c.NodesPerTransaction < 1:
		return errors.New("HEDERA_NODES_PER_TRANSACTION is less than 1")
	}
	for _, id := range append([]string{c.Ledger.TopicReports}, c.Ledger.Accounts...) {
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
