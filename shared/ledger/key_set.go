package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// KeySet is all that a verifier of the log has to know beforehand.
type KeySet struct {
	_            struct{}   `schema:"LogKeys"`
	Origin       string     `json:"origin" doc:"Name of the log. It never changes"`
	LogVKey      *string    `json:"log_vkey" doc:"The key that signs checkpoints now (c2sp.org/signed-note); null before the first checkpoint"`
	ReceiptsVKey *string    `json:"receipts_vkey" doc:"The key that signs receipts now; null before the first receipt"`
	LogVKeys     []KeyRange `json:"log_vkeys" doc:"All keys of checkpoints, the newest first"`
	// A receipt of an earlier entry may be signed anew by a later key, so from bounds log keys alone.
	ReceiptsVKeys     []KeyRange    `json:"receipts_vkeys" doc:"All keys of receipts, the newest first. A key holds for every index below its until"`
	Ledger            *PublicLedger `json:"ledger" doc:"Where checkpoints are written as well; null while there is no account"`
	Witnesses         []string      `json:"witnesses" doc:"Keys of those that cosign checkpoints (c2sp.org/tlog-cosignature)"`
	MergeDelaySeconds int           `json:"merge_delay_seconds" doc:"Promise of a receipt: the entry is in the published log this long after its event, at the latest"`
}

// KeyRange is a key with the places it holds for.
type KeyRange struct {
	_     struct{} `schema:"LogKeyRange"`
	VKey  string   `json:"vkey"`
	From  int64    `json:"from" doc:"Log index of the KEY_CHANGED that named it; 0 for the first"`
	Until *int64   `json:"until,omitempty" doc:"Log index of the KEY_CHANGED that named the next"`
}

// PublicLedger is the topic of the public ledger with the checkpoints, and who writes them.
type PublicLedger struct {
	Network   string `json:"network"`
	TopicID   string `json:"topic_id" doc:"0.0.N"`
	AccountID string `json:"account_id" doc:"0.0.N. Messages that another account paid for are not ours"`
	PublicKey string `json:"public_key" doc:"Of the account: compressed secp256k1 point, hex"`
	MirrorURL string `json:"mirror_url" doc:"A mirror node. Any other one shows the same"`
}

// AskKeySet reads the keys that the log has named. The pipeline fails with ErrOtherOrigin if the log has another origin. The
// set has no witnesses: the database does not know them.
func AskKeySet(p database.Pipeline, c Config, origin string) *database.Ask[*KeySet] {
	const query = `
SELECT coalesce((SELECT origin FROM log_head), ''),
       ARRAY(SELECT json_build_object('role', role, 'vkey', vkey, 'from', from_index, 'until', until_index) FROM log_keys ORDER BY from_index DESC),
       ` + namedLedger
	return database.AskRow(p, func(row pgx.CollectableRow) (*KeySet, error) {
		var kept string
		var keys []json.RawMessage
		var ledger []byte
		if err := row.Scan(&kept, &keys, &ledger); err != nil {
			return nil, err
		}
		if kept != "" && kept != origin {
			return nil, fmt.Errorf("%w: %q is configured, %q is kept", ErrOtherOrigin, origin, kept)
		}
		s := &KeySet{Origin: origin, LogVKeys: []KeyRange{}, ReceiptsVKeys: []KeyRange{}, Witnesses: []string{}, MergeDelaySeconds: int(MergeDelay.Seconds())}
		for _, raw := range keys {
			if err := s.add(raw); err != nil {
				return nil, err
			}
		}
		return s, s.setLedger(c, ledger)
	}, query)
}

// add takes a row of log_keys.
func (s *KeySet) add(raw []byte) error {
	var k struct {
		KeyRange
		Role KeyRole `json:"role"`
	}
	if err := json.Unmarshal(raw, &k); err != nil {
		return fmt.Errorf("read key of the log: %w", err)
	}
	all, current := &s.LogVKeys, &s.LogVKey
	if k.Role == ReceiptsKey {
		all, current = &s.ReceiptsVKeys, &s.ReceiptsVKey
	}
	*all = append(*all, k.KeyRange)
	if k.Until == nil {
		*current = &k.VKey
	}
	return nil
}

// setLedger takes what the log has named. Without an account in the configuration nothing is written to the ledger.
func (s *KeySet) setLedger(c Config, raw []byte) error {
	var named *LedgerKey
	if raw == nil || len(c.Accounts) == 0 || c.Accounts[0] == "" {
		return nil
	}
	if err := json.Unmarshal(raw, &named); err != nil {
		return fmt.Errorf("read ledger of the log: %w", err)
	}
	if named != nil {
		s.Ledger = &PublicLedger{Network: named.Network, TopicID: named.TopicID, AccountID: named.AccountID, PublicKey: named.PublicKey, MirrorURL: c.MirrorURL}
	}
	return nil
}
