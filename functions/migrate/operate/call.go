package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lafaekstreet/backend/shared/config"
)

// Caller runs a command somewhere.
type Caller func(ctx context.Context, r Request) (Answer, error)

// Here runs commands in this process.
func Here(env config.Env) Caller {
	return func(ctx context.Context, r Request) (Answer, error) { return Run(ctx, env, r), nil }
}

// Deployed runs commands in the function migrate of a stage, which it calls once: a command that failed half way is not repeated.
func Deployed(ctx context.Context, env config.Env, stage string) (Caller, error) {
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return nil, err
	}
	client := lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	name := "lafaekstreet-" + stage + "-migrate"
	return func(ctx context.Context, r Request) (Answer, error) {
		payload, err := json.Marshal(r)
		if err != nil {
			return Answer{}, fmt.Errorf("encode the command: %w", err)
		}
		out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(name), Payload: payload})
		if err != nil {
			return Answer{}, fmt.Errorf("call %s: %w", name, err)
		}
		if out.FunctionError != nil {
			return Answer{}, fmt.Errorf("%s failed: %s", name, out.Payload)
		}
		var a Answer
		if err := json.Unmarshal(out.Payload, &a); err != nil {
			return Answer{}, fmt.Errorf("read the answer of %s: %w", name, err)
		}
		return a, nil
	}, nil
}

// Import sends the file where the function reads it, and has it imported.
func Import(ctx context.Context, call Caller, path string, r Request) (Answer, error) {
	file, err := os.Open(path)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = file.Close() }()
	about, err := file.Stat()
	if err != nil {
		return Answer{}, fmt.Errorf("read the size of the file: %w", err)
	}
	a, err := call(ctx, Request{Command: "upload", Size: about.Size()})
	if err != nil || a.Status != 0 {
		return a, err
	}
	if a.Upload == nil {
		return a, errors.New("the function names no place for the file")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, a.Upload.URL, file)
	if err != nil {
		return a, fmt.Errorf("send the file: %w", err)
	}
	request.Header, request.ContentLength = a.Upload.Headers, about.Size()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return a, fmt.Errorf("send the file: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return a, fmt.Errorf("send the file: S3 answers %s", answer.Status)
	}
	r.Key = a.Upload.Key
	return call(ctx, r)
}
