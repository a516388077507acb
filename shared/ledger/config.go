package ledger

import (
	"strings"
	"time"
)

// Config says which public ledger the events are on. Reading needs no secret.
type Config struct {
	// Network names it to people: mainnet, testnet, previewnet, local.
	Network string `env:"HEDERA_NETWORK" envDefault:"testnet"`
	// Accounts are those that have paid for our messages, 0.0.N, the current one first.
	Accounts []string `env:"HEDERA_ACCOUNT_ID"`
	// TopicReports is the topic of the checkpoints, 0.0.N.
	TopicReports string `env:"HEDERA_TOPIC_REPORTS"`
	// MirrorURL is a mirror node's base, without a trailing slash.
	MirrorURL string `env:"HEDERA_MIRROR_URL" envDefault:"https://testnet.mirrornode.hedera.com"`
	// MirrorTimeout bounds one call of it.
	MirrorTimeout time.Duration `env:"HEDERA_MIRROR_TIMEOUT" envDefault:"5s"`
	// ExplorerURL is where people see a transaction; {network} and {id} are filled in. Empty gives none.
	ExplorerURL string `env:"HEDERA_EXPLORER_URL" envDefault:"https://hashscan.io/{network}/transaction/{id}"`
}

// Anchored reports whether the log has an account and a topic on a public ledger.
func (c *Config) Anchored() bool {
	return c.TopicReports != "" && len(c.Accounts) > 0 && c.Accounts[0] != ""
}

// Explorer is the address of a transaction for people; nil without one.
func (c *Config) Explorer(transactionID string) *string {
	if transactionID == "" || c.ExplorerURL == "" {
		return nil
	}
	u := strings.NewReplacer("{network}", c.Network, "{id}", transactionID).Replace(c.ExplorerURL)
	return &u
}
