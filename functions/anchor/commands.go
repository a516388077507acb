package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// CommandRequest is what an operator sends to the function anchor instead of messages. Only anchor may sign with the key of
// the ledger.
type CommandRequest struct {
	Command string `json:"command"` // see RunCommand
	// Account takes the place of HEDERA_ACCOUNT_ID: the function does not know it before the topic is made.
	Account string `json:"account,omitempty"`
}

// CommandAnswer is the answer to a CommandRequest. Error is empty if the command succeeded.
type CommandAnswer struct {
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

// Command runs the CommandRequest in payload. A command that fails is an answer too, and no error.
func Command(ctx context.Context, env config.Env, payload json.RawMessage) (any, error) {
	var in CommandRequest
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("read command: %w", err)
	}
	if in.Account != "" {
		env = env.With("HEDERA_ACCOUNT_ID", in.Account)
	}
	var out strings.Builder
	answer := CommandAnswer{}
	if err := RunCommand(ctx, env, in.Command, &out); err != nil {
		answer.Error = err.Error()
	}
	answer.Output = out.String()
	return answer, nil
}

// RunCommand runs a command of the operator with the configuration of the function anchor, and writes for a person what came of it.
//
//	create-topic  creates the topic, once (also: create-topics)
//	check-key     compares the KMS key with the account and the topic
//	status        state of the log, balance, mirror lag, messages, reason of a halt
//	resume        sends a probe now, after the fault is fixed
func RunCommand(ctx context.Context, env config.Env, name string, out io.Writer) error {
	commands := map[string]func(context.Context, *Operator, io.Writer) error{
		"create-topic": showNewTopic, "create-topics": showNewTopic, "check-key": showKeyCheck, "status": showState, "resume": showResumed,
	}
	run := commands[name]
	if run == nil {
		return fmt.Errorf("%q is no command; there are %v", name, slices.Sorted(maps.Keys(commands)))
	}
	o, closeAll, err := openOperator(ctx, env, name == "status" || name == "resume")
	if err != nil {
		return err
	}
	defer closeAll()
	return run(ctx, o, out)
}

// openOperator opens what commands work with; the database for some of them alone.
func openOperator(ctx context.Context, env config.Env, withDB bool) (*Operator, func(), error) {
	c, err := config.Parse[Config](env)
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
	network, err := NewNetwork(c.Nodes, c.NodesPerTransaction, c.NodeTimeout)
	if err != nil {
		return nil, nil, err
	}
	o := &Operator{Config: c, Network: network, Signer: NewSigner(kms.NewFromConfig(aws), c.KeyID, c.KMSTimeout),
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

func showNewTopic(ctx context.Context, o *Operator, out io.Writer) error {
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

func showKeyCheck(ctx context.Context, o *Operator, out io.Writer) error {
	if err := o.CheckKey(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "the KMS key is the key of account %s and the submit key of the configured topic\n", o.Config.Ledger.Accounts[0])
	return nil
}

func showState(ctx context.Context, o *Operator, out io.Writer) error {
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

func showResumed(ctx context.Context, o *Operator, out io.Writer) error {
	if err := o.Resume(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, "the next round (within a minute) sends one message; if a node accepts it, the others follow")
	return nil
}
