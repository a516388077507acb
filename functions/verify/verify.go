// Package verify stops an update if the new version of a function does not
// work. CloudFormation calls it after the versions are made and before they get any
// traffic. Its failure rolls the whole update back. The function may invoke other
// functions and read their aliases, and nothing else.
package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/start"
)

// How versions are checked.
const (
	mostAtOnce = 4                // versions at the same time
	pause      = 2 * time.Second  // between two requests to one version
	reserve    = 10 * time.Second // of the function's time limit, kept for the answer to CloudFormation
)

// Config of the function.
type Config struct {
	// Patience is how long a version may fail before it counts as broken: a new policy takes effect late, and a paused
	// database has to start. Each version is asked at least once, however short it is.
	Patience time.Duration `env:"VERIFY_PATIENCE" envDefault:"2m"`
}

// Functions is the part of the Lambda client that a Verifier uses.
type Functions interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, opts ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
	GetAlias(ctx context.Context, in *lambda.GetAliasInput, opts ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
}

// Verifier implements the custom resource Custom::Verified.
type Verifier struct {
	functions Functions
	pause     time.Duration
	patience  time.Duration
}

// New returns a Verifier that calls versions with f. It waits pause between two
// requests to a version, which must succeed within patience or at the first request.
func New(f Functions, pause, patience time.Duration) *Verifier {
	return &Verifier{functions: f, pause: pause, patience: patience}
}

// Open makes the function out of its configuration.
func Open(ctx context.Context, env config.Env) (start.Resource, error) {
	c, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open verify: %w", err)
	}
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("open verify: %w", err)
	}
	return New(lambda.NewFromConfig(cfg), pause, c.Patience), nil
}

// Apply implements start.Resource. Properties: Versions, the ARNs of versions, and
// Alias, the alias whose traffic they will get. A version that the alias names
// already is not checked, so that a broken version cannot block a rollback.
func (v *Verifier) Apply(ctx context.Context, e cfn.Event) (string, map[string]any, error) {
	const id = "verified"
	alias, _ := e.ResourceProperties["Alias"].(string)
	versions, ok := e.ResourceProperties["Versions"].([]any)
	if !ok || len(versions) == 0 || alias == "" {
		return id, nil, errors.New("properties name no Versions or no Alias")
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	patient, cancel := context.WithTimeout(ctx, v.patience)
	defer cancel()
	arns := make([]string, len(versions))
	for i, version := range versions {
		arns[i], _ = version.(string)
		if _, _, ok := cut(arns[i]); !ok {
			return id, nil, fmt.Errorf("%q is not the ARN of a version", arns[i])
		}
	}
	failures := make([]error, len(arns))
	// First each version is asked once. Otherwise broken versions, which are asked again and again, would leave no time for the others.
	atOnce(len(arns), func(i int) { failures[i] = v.first(ctx, arns[i], alias) })
	atOnce(len(arns), func(i int) {
		if failures[i] = v.again(patient, arns[i], failures[i]); failures[i] != nil {
			function, _, _ := cut(arns[i])
			failures[i] = fmt.Errorf("%s: %w", arns[i][strings.LastIndex(function, ":")+1:], failures[i])
		}
	})
	return id, nil, errors.Join(failures...)
}

// atOnce calls f for 0 to n-1, for some at the same time.
func atOnce(n int, f func(int)) {
	var group errgroup.Group
	group.SetLimit(mostAtOnce)
	for i := range n {
		group.Go(func() error {
			f(i)
			return nil
		})
	}
	_ = group.Wait() // f returns no error
}

// first asks a version, unless the alias names it.
func (v *Verifier) first(ctx context.Context, arn, alias string) error {
	function, version, _ := cut(arn)
	live, err := v.functions.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &alias})
	if err == nil && aws.ToString(live.FunctionVersion) == version {
		return nil
	}
	if ctx.Err() != nil {
		return errors.New("not asked: no time was left")
	}
	return v.ask(ctx, arn)
}

// again asks a version that failed until it works or ctx ends, and returns its last failure.
func (v *Verifier) again(ctx context.Context, arn string, failure error) error {
	for failure != nil {
		select {
		case <-ctx.Done():
			return failure
		case <-time.After(v.pause):
		}
		// A request that the limit cuts short does not say what is wrong.
		if err := v.ask(ctx, arn); err == nil || ctx.Err() == nil {
			failure = err
		}
	}
	return nil
}

// cut splits the ARN of a version into the ARN of the function and the number of the
// version. It reports false for any other text.
func cut(arn string) (string, string, bool) {
	i := strings.LastIndex(arn, ":")
	if i < 0 || strings.Count(arn, ":") != 7 {
		return "", "", false
	}
	return arn[:i], arn[i+1:], true
}

// ask calls a version with an event of its kind, and returns what is wrong with the answer.
func (v *Verifier) ask(ctx context.Context, arn string) error {
	payload, check, err := eventFor(arn)
	if err != nil {
		return err
	}
	out, err := v.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, InvocationType: types.InvocationTypeRequestResponse, Payload: payload})
	if err != nil {
		return fmt.Errorf("invoke: %w", err)
	}
	if out.FunctionError != nil {
		return fmt.Errorf("fails: %.300s", out.Payload)
	}
	return check(out.Payload)
}
