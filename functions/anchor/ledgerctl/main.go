// Command ledgerctl is the operator's tool for the log and the ledger.
//
//	go run ./functions/anchor/ledgerctl [-stage staging] [-account 0.0.N] create-topic
//	go run ./functions/anchor/ledgerctl [-stage staging] [-account 0.0.N] check-key
//	go run ./functions/anchor/ledgerctl [-stage staging] status
//	go run ./functions/anchor/ledgerctl [-stage staging] resume
//
// anchor.RunCommand says what each does. With -stage, the function anchor of that stage runs the command: it needs AWS_REGION and
// credentials that may invoke the function. Without, the command runs here, with the configuration of the function in the
// environment. Its exit status is 1 if the command fails, or if status finds the log or the ledger halted.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/shared/config"
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
	flags := flag.NewFlagSet("ledgerctl", flag.ContinueOnError)
	stage := flags.String("stage", "", "deployment whose function anchor runs the command; empty: run it here")
	account := flags.String("account", "", "account of the ledger, 0.0.N, while hedera_account is not set")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one command: create-topic, check-key, status or resume")
	}
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return err
	}
	if *stage != "" {
		return invoke(ctx, env, *stage, anchor.CommandRequest{Command: flags.Arg(0), Account: *account}, out)
	}
	if *account != "" {
		env = env.With("HEDERA_ACCOUNT_ID", *account)
	}
	return anchor.RunCommand(ctx, env, flags.Arg(0), out)
}

// invoke has the live version of the function anchor of a stage run the command. It sends the command once: a topic costs money.
func invoke(ctx context.Context, env config.Env, stage string, in anchor.CommandRequest, out io.Writer) error {
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode command: %w", err)
	}
	client := lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String("lafaekstreet-" + stage + "-anchor"), Qualifier: aws.String("live"), Payload: payload})
	if err != nil {
		return fmt.Errorf("call the function anchor of %s: %w", stage, err)
	}
	if answer.FunctionError != nil {
		return fmt.Errorf("the function anchor of %s failed: %.300s", stage, answer.Payload)
	}
	var got anchor.CommandAnswer
	if err := json.Unmarshal(answer.Payload, &got); err != nil {
		return fmt.Errorf("the function anchor of %s answers with %.300s", stage, answer.Payload)
	}
	_, _ = io.WriteString(out, got.Output)
	if got.Error != "" {
		return errors.New(got.Error)
	}
	return nil
}
