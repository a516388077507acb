package config

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

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
	return &SecretsManager{client: secretsmanager.NewFromConfig(cfg)}, nil
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
