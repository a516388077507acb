// Package awsconf makes the AWS configuration of a function from its environment.
package awsconf

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lafaekstreet/backend/shared/config"
)

// Load reads AWS_REGION, AWS_ENDPOINT_URL and, where given, static credentials
// from env; everything else (roles, AWS_ENDPOINT_URL_<SERVICE>) comes from the
// process's environment by the SDK's own rules.
func Load(ctx context.Context, env config.Env) (aws.Config, error) {
	var opts []func(*awsconfig.LoadOptions) error
	if region := env["AWS_REGION"]; region != "" {
		opts = append(opts, awsconfig.WithRegion(region))
	}
	if id := env["AWS_ACCESS_KEY_ID"]; id != "" {
		opts = append(opts, awsconfig.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(id, env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"])))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	if endpoint := env["AWS_ENDPOINT_URL"]; endpoint != "" {
		cfg.BaseEndpoint = aws.String(endpoint)
	}
	return cfg, nil
}
