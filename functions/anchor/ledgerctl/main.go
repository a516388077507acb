// Command ledgerctl is the operator's tool for the log and the ledger.
//
//	go run ./functions/anchor/ledgerctl create-topic   create the topic, once (also: create-topics)
//	go run ./functions/anchor/ledgerctl check-key      compare the KMS key with the account and the topic
//	go run ./functions/anchor/ledgerctl status         state of the log, balance, mirror lag, messages, reason of a halt
//	go run ./functions/anchor/ledgerctl resume         send a probe now, after the fault is fixed
//
// It has the configuration of the anchor function: HEDERA_NODES, HEDERA_ACCOUNT_ID, HEDERA_TOPIC_REPORTS,
// HEDERA_MIRROR_URL, AWS_KMS_KEY_ID, AWS_REGION, and DATABASE_URL for status and resume. Its exit status is 1 if the
// command fails, or if status finds the log or the ledger halted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, *anchor.Operator, io.Writer) error{
		"create-topic": createTopic, "create-topics": createTopic, "check-key": checkKey, "status": status, "resume": resume,
	}
	if len(args) != 1 || commands[args[0]] == nil {
		return fmt.Errorf("usage: ledgerctl %v", slices.Sorted(maps.Keys(commands)))
	}
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return err
	}
	o, closeAll, err := open(ctx, env, args[0] == "status" || args[0] == "resume")
	if err != nil {
		return err
	}
	defer closeAll()
	return commands[args[0]](ctx, o, out)
}

func open(ctx context.Context, env config.Env, withDB bool) (*anchor.Operator, func(), error) {
	c, err := config.Parse[anchor.Config](env)
	if err != nil {
		return nil, nil, err
	}
	if !withDB && (len(c.Ledger.Accounts) == 0 || c.Ledger.Accounts[0] == "") {
		return nil, nil, errors.New("HEDERA_ACCOUNT_ID is missing")
	}
	aws, err := config.LoadAWS(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	network, err := anchor.NewNetwork(c.Nodes, c.NodesPerTransaction, c.NodeTimeout)
	if err != nil {
		return nil, nil, err
	}
	o := &anchor.Operator{Config: c, Network: network, Signer: anchor.NewSigner(kms.NewFromConfig(aws), c.KeyID, c.KMSTimeout),
		Mirror: ledger.NewMirror(c.Ledger), Clock: timestamp.System{}}
	closeAll := func() { _ = network.Close() }
	if withDB {
		dbConfig, err := config.Parse[database.Config](env)
		if err != nil {
			return nil, nil, err
		}
		if o.DB, err = database.Open(ctx, dbConfig); err != nil {
			return nil, nil, err
		}
		closeAll = func() { _ = network.Close(); o.DB.Close() }
	}
	return o, closeAll, nil
}

func createTopic(ctx context.Context, o *anchor.Operator, out io.Writer) error {
	if o.Config.Ledger.TopicReports != "" {
		return fmt.Errorf("HEDERA_TOPIC_REPORTS (%s) is set: the topic exists", o.Config.Ledger.TopicReports)
	}
	id, err := o.CreateTopic(ctx, "LafaekStreet log")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "HEDERA_TOPIC_REPORTS=%s\n", id)
	return nil
}

func checkKey(ctx context.Context, o *anchor.Operator, out io.Writer) error {
	if err := o.CheckKey(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "the KMS key is the key of account %s and the submit key of the configured topic\n", o.Config.Ledger.Accounts[0])
	return nil
}

func status(ctx context.Context, o *anchor.Operator, out io.Writer) error {
	s, err := o.State(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "log         %s\npublished   %d of %d events, the oldest of the others for %s\ncheckpoint  %s ago\n",
		s.Origin, s.Published, s.Written, s.Unpublished.Round(time.Second), s.SignedAgo.Round(time.Second))
	if s.LogHalted != "" {
		return fmt.Errorf("no event may be written: %s", s.LogHalted)
	}
	if !s.Ledger {
		_, _ = fmt.Fprintln(out, "network     none: no ledger account is configured")
		return nil
	}
	_, _ = fmt.Fprintf(out, "network     %s, account %s\nbalance     %.2f hbar\nmirror      %s behind\nconfirmed   %d events\nbudget      %.1f messages\n",
		o.Config.Ledger.Network, o.Config.Ledger.Accounts[0], float64(s.Tinybars)/1e8, s.MirrorLag.Round(time.Millisecond), s.Confirmed, s.Budget)
	for _, state := range slices.Sorted(maps.Keys(s.Messages)) {
		_, _ = fmt.Fprintf(out, "%-11s %d messages\n", state, s.Messages[state])
	}
	if s.LastError != "" {
		_, _ = fmt.Fprintf(out, "last error  %s\n", s.LastError)
	}
	if s.Halted != "" {
		return fmt.Errorf("the ledger is halted for %s: %s", s.HaltedFor.Round(time.Second), s.Halted)
	}
	return nil
}

func resume(ctx context.Context, o *anchor.Operator, out io.Writer) error {
	if err := o.Resume(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "the next round (within a minute) sends one message; if a node accepts it, the others follow")
	return nil
}
