package anchor

import (
	"context"
	"fmt"

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
