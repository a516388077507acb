package service

import (
	"context"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// OpenReceipts prepares the signing of receipts for a function whose answers have them. Answers that kit stores for repeated
// requests are then without receipts. When the key changes, the process reads the secret again. A receipt that cannot be
// signed is counted.
func OpenReceipts(kit *Kit, c ledger.ReceiptsConfig) (*ledger.Receipts, error) {
	receipts, err := ledger.NewReceipts(c)
	if err != nil {
		return nil, err
	}
	secrets := config.SecretsOf(kit.AWS)
	receipts.Follow(ledger.KeyWatch{
		Clock: kit.Clock,
		Read: func(ctx context.Context) (string, error) {
			return kit.Env.ReadAgain(ctx, secrets, "RECEIPTS_KEY")
		},
		Missing: func(ctx context.Context, reason error) {
			kit.Log.WarnContext(ctx, "an answer has no receipt", "error", reason)
			kit.Metrics.Add(catalog.ReceiptsMissing)
		},
	})
	kit.receipts = receipts
	return receipts, nil
}
