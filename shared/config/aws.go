package config

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// LoadAWS reads the SDK's own variables from env: AWS_REGION, the credentials that
// Lambda gives every function there, AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>.
// It does not read profiles or the metadata service, and it does not sign in. The code
// for that is a tenth of a function's binary, and Lambda does not need it. A person with a
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

// hideWriteTo hides the WriteTo method of request bodies from net/http. The SDK closes
// the body as soon as the answer begins. Net/http may read the body once more at that
// time, to see its end. WriteTo of a closed body returns io.EOF, which net/http takes
// for an error: it closes the connection in the middle of the answer, and the SDK sends
// the request again. Without WriteTo, net/http calls Read, where io.EOF is the end.
type hideWriteTo struct{}

// ID implements middleware.DeserializeMiddleware.
func (hideWriteTo) ID() string { return "HideWriteTo" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (hideWriteTo) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	if r, ok := in.Request.(*smithyhttp.Request); ok {
		if _, ok := r.GetStream().(io.WriterTo); ok {
			plain, err := r.SetStream(readOnly(r.GetStream()))
			if err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, fmt.Errorf("prepare the request's body: %w", err)
			}
			in.Request = plain
		}
	}
	return next.HandleDeserialize(ctx, in)
}

// readOnly is a body without its WriteTo.
func readOnly(body io.Reader) io.Reader {
	if s, ok := body.(io.ReadSeeker); ok {
		return struct{ io.ReadSeeker }{s}
	}
	return struct{ io.Reader }{body}
}

func withHiddenWriteTo(stack *middleware.Stack) error {
	return stack.Deserialize.Add(hideWriteTo{}, middleware.After)
}

// SecretsManager reads secrets of AWS Secrets Manager.
type SecretsManager struct {
	client *secretsmanager.Client
}

// NewSecretsManager uses the process's AWS configuration.
func NewSecretsManager(ctx context.Context) (Secrets, error) {
	cfg, err := LoadAWS(ctx, processEnvironment())
	if err != nil {
		return nil, err
	}
	return SecretsOf(cfg), nil
}

// SecretsOf reads the secrets of an AWS configuration.
func SecretsOf(cfg aws.Config) *SecretsManager {
	return &SecretsManager{client: secretsmanager.NewFromConfig(cfg)}
}

// Secret implements Secrets. A fragment of the ARN picks one key of a JSON secret.
func (s *SecretsManager) Secret(ctx context.Context, arn string) (string, error) {
	id, key, picks := strings.Cut(arn, "#")
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	if err != nil {
		return "", fmt.Errorf("get secret value: %w", err)
	}
	if !picks {
		return aws.ToString(out.SecretString), nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &members); err != nil {
		return "", fmt.Errorf("secret is not a JSON object")
	}
	value, ok := members[key]
	if !ok {
		return "", fmt.Errorf("secret has no key %q", key)
	}
	return fmt.Sprint(value), nil
}
