package start

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/smithy-go"

	"github.com/lafaekstreet/backend/shared/config"
)

// Resource is a function CloudFormation calls during a deploy, as a custom resource.
type Resource interface {
	// Apply creates, updates or deletes the resource that e names. It returns the id of the resource, which later events
	// contain, and the attributes that the template can read. It may be called again for the same event.
	Apply(ctx context.Context, e cfn.Event) (id string, data map[string]any, err error)
}

// CustomResource serves a custom resource. It opens the function with each event. So a fault of the configuration is
// the answer to that event; without an answer CloudFormation would wait an hour. A function that operators call too has a command.
func CustomResource(open func(context.Context, config.Env) (Resource, error), command ...Command) {
	if len(command) == 0 {
		lambda.Start(resource(open))
		return
	}
	lambda.Start(withCommands(resource(open), command[0]))
}

func withCommands(apply cfn.CustomResourceLambdaFunction, command Command) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var e cfn.Event
		if err := json.Unmarshal(raw, &e); err == nil && e.RequestType != "" {
			return apply(ctx, e)
		}
		env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
		if err != nil {
			return nil, err
		}
		return command(ctx, env, raw)
	}
}

func resource(open func(context.Context, config.Env) (Resource, error)) cfn.CustomResourceLambdaFunction {
	return cfn.LambdaWrap(func(ctx context.Context, e cfn.Event) (string, map[string]any, error) {
		if e.RequestType == cfn.RequestDelete {
			return e.PhysicalResourceID, nil, nil // keys and schema stay when the stack is deleted
		}
		return retryDenied(ctx, func() (string, map[string]any, error) {
			env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
			if err != nil {
				return e.PhysicalResourceID, nil, err
			}
			r, err := open(ctx, env)
			if err != nil {
				return e.PhysicalResourceID, nil, err
			}
			return r.Apply(ctx, e)
		})
	})
}

// How long AWS may deny what a new policy allows. A policy is in force everywhere some seconds after CloudFormation has made it.
const (
	policyDelay   = 90 * time.Second
	policyPause   = 3 * time.Second
	answerReserve = 10 * time.Second // of the function's time limit, kept for the answer to CloudFormation
)

// retryDenied calls apply again while AWS denies access, for policyDelay at most. Any other error ends it at once.
func retryDenied(ctx context.Context, apply func() (string, map[string]any, error)) (string, map[string]any, error) {
	end := time.Now().Add(policyDelay)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerReserve).Before(end) {
		end = deadline.Add(-answerReserve)
	}
	for {
		id, data, err := apply()
		if !denied(err) || !time.Now().Add(policyPause).Before(end) {
			return id, data, err
		}
		select {
		case <-ctx.Done():
			return id, data, err
		case <-time.After(policyPause):
		}
	}
}

// denied reports whether a service of AWS has refused a call for lack of a right.
func denied(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && slices.Contains([]string{"AccessDenied", "AccessDeniedException", "Forbidden"}, refused.ErrorCode())
}
