// Package start runs a function as a Lambda. The main of a function only passes its
// Open to one of HTTP, Queue, Schedule and CustomResource.
package start

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// HTTP serves a route group behind API Gateway (payload version 2).
func HTTP(open func(context.Context, config.Env) (*httpapi.Service, error)) {
	service, env := opened(open)
	lambda.Start(NewGateway(service, env[edgeKey]).Handle)
}

// Command runs what an operator asks of a function. The payload is a JSON object with a member "command"; no queue sends one. Who
// has the right to call the function may send it.
type Command func(ctx context.Context, env config.Env, payload json.RawMessage) (any, error)

// Queue serves a consumer of SQS with partial batch responses, and the commands that its function has.
func Queue(open func(context.Context, config.Env) (queue.Handler, error), commands ...Command) {
	worker, env := opened(open)
	if len(commands) == 0 {
		lambda.Start(worker.Handle)
		return
	}
	lambda.Start(batchOrCommand(worker, env, commands[0]))
}

// batchOrCommand gives each event to the worker, but a command to command.
func batchOrCommand(worker queue.Handler, env config.Env, command Command) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		var event struct {
			events.SQSEvent
			Command string `json:"command"`
		}
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		if event.Command != "" && len(event.Records) == 0 {
			return command(ctx, env, payload)
		}
		return worker.Handle(ctx, event.SQSEvent)
	}
}

// Scheduled is a function a schedule calls.
type Scheduled interface {
	Run(ctx context.Context, e events.EventBridgeEvent) error
}

// Verification is the detail type of an event that only asks whether a scheduled function has started.
const Verification = "LafaekStreet Verification"

// Schedule serves a function that EventBridge calls. It answers a Verification without doing its work.
func Schedule(open func(context.Context, config.Env) (Scheduled, error)) {
	task, _ := opened(open)
	lambda.Start(func(ctx context.Context, e events.EventBridgeEvent) error {
		if e.DetailType == Verification {
			return nil
		}
		return task.Run(ctx, e)
	})
}

// opened opens the function during init, where Lambda gives the full CPU. An error of
// the configuration is logged and ends the process, because no invocation could work.
func opened[T any](open func(context.Context, config.Env) (T, error)) (T, config.Env) {
	useMemory()
	ctx := context.Background()
	slog.SetDefault(telemetry.NewLogger(os.Stderr, slog.LevelInfo))
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err == nil {
		var f T
		if f, err = open(ctx, env); err == nil {
			return f, env
		}
	}
	slog.Error("function cannot start", "error", err)
	os.Exit(1)
	var none T
	return none, nil
}

// GCPercent is the GOGC of a function, in percent: how much the heap may grow before garbage is collected. It is high,
// because the memory of a Lambda costs the same whether it is used or not, and each collection costs CPU time.
const GCPercent = 300

// useMemory sets the memory limit of the runtime to four fifths of the memory of the Lambda; the rest is for what is
// not heap. Where GOGC and GOMEMLIMIT are set, they apply instead.
func useMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(GCPercent)
	}
	megabytes, err := strconv.ParseInt(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32)
	if err == nil && megabytes > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(megabytes << 20 / 5 * 4)
	}
}
