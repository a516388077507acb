// Package start runs a function as a Lambda. A function's main names its Open
// and nothing else.
package start

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/logging"
	"github.com/lafaekstreet/backend/shared/queue"
)

// HTTP serves a route group behind API Gateway (payload version 2).
func HTTP(open func(context.Context, config.Env) (*httpapi.Service, error)) {
	lambda.Start(NewGateway(opened(open)).Handle)
}

// Queue serves a consumer of SQS with partial batch responses.
func Queue(open func(context.Context, config.Env) (queue.Handler, error)) {
	lambda.Start(opened(open).Handle)
}

// Scheduled is a function a schedule calls.
type Scheduled interface {
	Run(ctx context.Context, e events.EventBridgeEvent) error
}

// Schedule serves a function that EventBridge calls.
func Schedule(open func(context.Context, config.Env) (Scheduled, error)) {
	lambda.Start(opened(open).Run)
}

// opened opens the function during init, where Lambda gives full CPU. A fault
// of configuration ends the process with one line: no invocation could work.
func opened[T any](open func(context.Context, config.Env) (T, error)) T {
	ctx := context.Background()
	slog.SetDefault(logging.New(os.Stderr, slog.LevelInfo))
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err == nil {
		var f T
		if f, err = open(ctx, env); err == nil {
			return f
		}
	}
	slog.Error("function cannot start", "error", err)
	os.Exit(1)
	var none T
	return none
}
