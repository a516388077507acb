package anchor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/ledger"
)

func (b *bundle) operator() *anchor.Operator {
	b.t.Helper()
	network, err := anchor.NewNetwork(b.config.Nodes, b.config.NodesPerTransaction, b.config.NodeTimeout)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = network.Close() })
	return &anchor.Operator{Config: b.config, Network: network, Signer: anchor.NewSigner(b.kms(), b.config.KeyID, b.config.KMSTimeout),
		Mirror: ledger.NewMirror(b.config.Ledger), Clock: b.clock, DB: b.db}
}

func TestOperatorCreatesATopicTheWorkerCanUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator()
	var err error
	if b.config.Ledger.TopicReports, err = o.CreateTopic(t.Context(), "reports"); err != nil {
		t.Fatal(err)
	}
	b.worker = b.newWorker(b.db)
	id := b.report()
	b.move(id, "pending", "verified")
	b.settle()
	b.checkAnchored()
	if m := b.net.Messages(); len(m) != 1 || m[0].TopicID != b.config.Ledger.TopicReports {
		t.Errorf("got %+v", m)
	}
	if err := b.operator().CheckKey(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheOperatorsCheckFindsAWrongKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.operator().CheckKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.net.SetAccount(account, b.newKey("alias/other", types.KeySpecEccSecgP256k1), 100*hedera.TinybarsPerHbar); err != nil {
		t.Fatal(err)
	}
	if err := b.operator().CheckKey(t.Context()); err == nil || !strings.Contains(err.Error(), account) {
		t.Errorf("account with another key: got %v", err)
	}
	open, err := b.net.EnsureTopic("open to all", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.config.Ledger.TopicReports = open
	if err := b.operator().CheckKey(t.Context()); err == nil || !strings.Contains(err.Error(), "anybody may write") {
		t.Errorf("topic without a submit key: got %v", err)
	}
}

func TestOperatorSeesAndEndsAHalt(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options, _ *anchor.Config) { o.MirrorLag = 3 * time.Second })
	if err := b.net.SetAccount(account, b.key(), 7); err != nil {
		t.Fatal(err)
	}
	b.report()
	b.pass(5 * time.Second)
	b.report()
	s, err := b.operator().State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Tinybars != 7 || s.MirrorLag != 3*time.Second || s.Written != 5 || s.Published != 4 || s.SignedAgo.Round(time.Second) != 5*time.Second || s.Origin != origin ||
		s.Messages["prepared"] != 1 || !strings.Contains(s.Halted, "INSUFFICIENT_PAYER_BALANCE") || s.Budget != 199 {
		t.Errorf("got %+v", s)
	}
	if err := b.net.SetAccount(account, b.key(), hedera.TinybarsPerHbar); err != nil {
		t.Fatal(err)
	}
	if err := b.operator().Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	b.checkAnchored()
}
