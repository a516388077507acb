// Package verify holds an update back until the new version of every HTTP function
// works: CloudFormation calls it after the versions are made and before any traffic
// goes to them, and a failure rolls the whole update back. It may call functions
// and do nothing else.
package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/start"
)

// How versions are asked.
const (
	atOnce  = 4
	pause   = 2 * time.Second  // between two questions to one version
	reserve = 10 * time.Second // of the function's time limit, to answer CloudFormation
)

// Config of the function.
type Config struct {
	// Patience is how long a version may fail first: a policy takes effect late, a database that slept wakes.
	Patience time.Duration `env:"VERIFY_PATIENCE" envDefault:"2m"`
}

// Functions are what it calls.
type Functions interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, opts ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
	GetAlias(ctx context.Context, in *lambda.GetAliasInput, opts ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
}

// Verifier is the custom resource "the new versions work".
type Verifier struct {
	functions Functions
	pause     time.Duration
	patience  time.Duration
}

// New asks f, waits pause between two questions, and gives a version up after patience.
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
// Alias, the name their traffic comes by. A version that has the traffic already is
// not asked: when an update is rolled back, nothing that fails may stand in the way.
func (v *Verifier) Apply(ctx context.Context, e cfn.Event) (string, map[string]any, error) {
	const id = "verified"
	alias, _ := e.ResourceProperties["Alias"].(string)
	versions, ok := e.ResourceProperties["Versions"].([]any)
	if !ok || len(versions) == 0 || alias == "" {
		return id, nil, errors.New("properties name no Versions or no Alias")
	}
	limit := v.patience
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)-reserve)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(atOnce)
	failures := make([]error, len(versions))
	for i, version := range versions {
		group.Go(func() error {
			arn, _ := version.(string)
			failures[i] = v.verify(ctx, arn, alias)
			return nil
		})
	}
	_ = group.Wait() // every failure is told, not the first alone
	return id, nil, errors.Join(failures...)
}

func (v *Verifier) verify(ctx context.Context, arn, alias string) error {
	function, version, ok := cut(arn)
	if !ok {
		return fmt.Errorf("%q is no ARN of a version", arn)
	}
	live, err := v.functions.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &alias})
	if err == nil && aws.ToString(live.FunctionVersion) == version {
		return nil
	}
	for {
		err := v.ask(ctx, arn)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", arn[strings.LastIndex(function, ":")+1:], err)
		case <-time.After(v.pause):
		}
	}
}

// cut is the function and the number of a version's ARN, if it is one.
func cut(arn string) (string, string, bool) {
	i := strings.LastIndex(arn, ":")
	if i < 0 || strings.Count(arn, ":") != 7 {
		return "", "", false
	}
	return arn[:i], arn[i+1:], true
}

// ask sends one request for the function's readiness, as the API would. The
// function that has the route answers 200 or 503. Any other says that it does not
// know the address: to say so it had to start with its configuration and secrets.
func (v *Verifier) ask(ctx context.Context, arn string) error {
	const path = "/health/ready"
	request := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "GET " + path, RawPath: path,
		Headers: map[string]string{"host": "verify", "accept": "application/json", "x-forwarded-proto": "https"}}
	request.RequestContext.Stage, request.RequestContext.RequestID = "$default", "verify"
	request.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: http.MethodGet, Path: path, Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "verify"}
	payload, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode question: %w", err)
	}
	out, err := v.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, InvocationType: types.InvocationTypeRequestResponse, Payload: payload})
	if err != nil {
		return fmt.Errorf("cannot be called: %w", err)
	}
	if out.FunctionError != nil {
		return fmt.Errorf("fails: %.300s", out.Payload)
	}
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out.Payload, &answer); err != nil || answer.StatusCode == 0 {
		return fmt.Errorf("answers nonsense: %.300s", out.Payload)
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("answers %d: %.300s", answer.StatusCode, answer.Body)
	}
	return nil
}
