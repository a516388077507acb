// Package config reads a function's configuration: environment variables into
// tagged structs, with values kept in Secrets Manager resolved first.
package config

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Env is what a function is configured with, by variable name.
type Env map[string]string

// secretSuffix marks a variable whose value names a secret: DATABASE_URL_SECRET_ARN
// holds where DATABASE_URL is kept. A fragment picks one key of a JSON secret:
// "arn:…#password".
const secretSuffix = "_SECRET_ARN"

// Secrets reads secret values.
type Secrets interface {
	Secret(ctx context.Context, arn string) (string, error)
}

// FromEnvironment is the process's environment with secrets resolved. newSecrets
// is only called when a variable names a secret.
func FromEnvironment(ctx context.Context, newSecrets func(context.Context) (Secrets, error)) (Env, error) {
	e := make(Env)
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		e[name] = value
	}
	return e, e.resolve(ctx, newSecrets)
}

func (e Env) resolve(ctx context.Context, newSecrets func(context.Context) (Secrets, error)) error {
	var secrets Secrets
	for name, arn := range e {
		target, ok := strings.CutSuffix(name, secretSuffix)
		if !ok || arn == "" {
			continue
		}
		if secrets == nil {
			var err error
			if secrets, err = newSecrets(ctx); err != nil {
				return fmt.Errorf("open secrets: %w", err)
			}
		}
		value, err := secrets.Secret(ctx, arn)
		if err != nil {
			return fmt.Errorf("read the secret of %s: %w", target, err)
		}
		e[target] = value
	}
	return nil
}

// Parse fills a struct with `env` tags from e. The error names every variable
// that is missing or malformed, never a value.
func Parse[T any](e Env) (T, error) {
	cfg, err := env.ParseAsWithOptions[T](env.Options{Environment: e})
	if err != nil {
		return cfg, fmt.Errorf("configuration: %w", withoutValues(err))
	}
	return cfg, nil
}

// With is e with one variable set to value.
func (e Env) With(name, value string) Env {
	c := maps.Clone(e)
	c[name] = value
	return c
}
