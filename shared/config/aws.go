package config

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// LoadAWS reads the SDK's own variables from env: AWS_REGION, the credentials that
// Lambda gives every function there, AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>.
// It does not read profiles or the metadata service and does not sign in: the code for
// that is a tenth of a function's binary, and none of it runs in Lambda. A person with a
// profile runs `eval "$(aws configure export-credentials --format env)"` first.
func LoadAWS(_ context.Context, env map[string]string) (aws.Config, error) {
	cfg := aws.Config{Region: env["AWS_REGION"], ConfigSources: []any{endpoints(env)},
		APIOptions: []func(*middleware.Stack) error{withHiddenWriteTo}}
	if env["AWS_ACCESS_KEY_ID"] != "" {
		cfg.Credentials = aws.NewCredentialsCache(staticCredentials(env))
	}
	if endpoint := env["AWS_ENDPOINT_URL"]; endpoint != "" {
		cfg.BaseEndpoint = aws.String(endpoint)
	}
	return cfg, nil
}

// staticCredentials are the credentials in the environment.
type staticCredentials map[string]string

// Retrieve implements aws.CredentialsProvider.
func (c staticCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID: c["AWS_ACCESS_KEY_ID"], SecretAccessKey: c["AWS_SECRET_ACCESS_KEY"],
		SessionToken: c["AWS_SESSION_TOKEN"], Source: "environment",
	}, nil
}

// endpoints tells the SDK's clients where single services are. The SDK looks for
// a source with this method.
type endpoints map[string]string

// GetServiceBaseEndpoint returns the address of a service; the SDK calls it by this name.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	name := "AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_")
	return e[name], e[name] != "", nil
}
