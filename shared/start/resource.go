package start

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
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
		delay, err := policyDelay(os.Getenv("POLICY_DELAY"))
		if err != nil {
			return e.PhysicalResourceID, nil, err
		}
		id, data, err := retryDenied(ctx, delay, func() (string, map[string]any, error) {
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
		return id, data, brief(ctx, err)
	})
}

// maxReason is the most bytes of an error in the answer to CloudFormation. Of an answer of more than 4,096 bytes it says only that it is too
// long.
const maxReason = 3000

// brief returns the beginning of an error that does not fit into the answer to CloudFormation. The log has all of it.
func brief(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	text, size := strings.ToValidUTF8(err.Error(), "?"), 0
	for i, r := range text {
		encoded, _ := json.Marshal(string(r)) // text can always be encoded
		if size += len(encoded) - len(`""`); size > maxReason {
			slog.ErrorContext(ctx, "custom resource failed", "error", err)
			return errors.New(text[:i] + " …")
		}
	}
	return err
}

const (
	defaultPolicyDelay = 90 * time.Second
	policyPause        = 3 * time.Second  // between two calls that are denied
	answerReserve      = 10 * time.Second // of the function's time limit, kept for the answer to CloudFormation
)

// policyDelay is how long AWS may deny what a new policy allows: a policy is in force everywhere some seconds after
// CloudFormation has made it. set is the value of POLICY_DELAY. Only tests set it: their policies are in force at once.
func policyDelay(set string) (time.Duration, error) {
	if set == "" {
		return defaultPolicyDelay, nil
	}
	delay, err := time.ParseDuration(set)
	if err != nil {
		return 0, fmt.Errorf("read POLICY_DELAY: %w", err)
	}
	return delay, nil
}

// retryDenied calls apply again while AWS denies access, for delay at most. Any other error ends it at once.
func retryDenied(ctx context.Context, delay time.Duration, apply func() (string, map[string]any, error)) (string, map[string]any, error) {
	end := time.Now().Add(delay)
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
