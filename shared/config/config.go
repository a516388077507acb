// Package config reads a function's configuration: environment variables into
// tagged structs, with values kept in Secrets Manager resolved first.
package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/caarlos0/env/v11"
	"golang.org/x/sync/errgroup"
)

// Env has the configuration of a function: values by the names of variables.
type Env map[string]string

// secretSuffix marks a variable whose value names a secret: DATABASE_URL_SECRET_ARN
// holds the ARN of the secret with the value of DATABASE_URL. A fragment picks one key of a JSON secret:
// "arn:…#password".
const secretSuffix = "_SECRET_ARN"

// Secrets reads secret values.
type Secrets interface {
	Secret(ctx context.Context, arn string) (string, error)
}

// FromEnvironment is the process's environment with secrets resolved. newSecrets
// is only called when a variable names a secret.
func FromEnvironment(ctx context.Context, newSecrets func(context.Context) (Secrets, error)) (Env, error) {
	e := processEnvironment()
	return e, e.resolve(ctx, newSecrets)
}

func processEnvironment() Env {
	e := make(Env)
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		e[name] = value
	}
	return e
}

// resolve reads all secrets at the same time, because each takes a round trip of the cold start.
// Then it replaces references to them in other values: DATABASE_URL may be
// "postgres://app:${DATABASE_PASSWORD}@host/db" beside DATABASE_PASSWORD_SECRET_ARN.
func (e Env) resolve(ctx context.Context, newSecrets func(context.Context) (Secrets, error)) error {
	wanted := make(map[string]string)
	for name, arn := range e {
		if target, ok := strings.CutSuffix(name, secretSuffix); ok && arn != "" {
			wanted[target] = arn
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	secrets, err := newSecrets(ctx)
	if err != nil {
		return fmt.Errorf("open secrets: %w", err)
	}
	var references []string
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for target, arn := range wanted {
		group.Go(func() error {
			value, err := secrets.Secret(ctx, arn)
			if err != nil {
				return fmt.Errorf("read the secret of %s: %w", target, err)
			}
			mu.Lock()
			defer mu.Unlock()
			e[target] = value
			references = append(references, "${"+target+"}", value)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	replacer := strings.NewReplacer(references...)
	for name, value := range e {
		if _, secret := wanted[name]; !secret && strings.Contains(value, "${") {
			e[name] = replacer.Replace(value)
		}
	}
	return nil
}

// ReadAgain returns the present value of a variable that names a secret, and the value in e of any other. The value in e is
// that of the start of the process.
func (e Env) ReadAgain(ctx context.Context, secrets Secrets, name string) (string, error) {
	arn := e[name+secretSuffix]
	if arn == "" {
		return e[name], nil
	}
	value, err := secrets.Secret(ctx, arn)
	if err != nil {
		return "", fmt.Errorf("read the secret of %s: %w", name, err)
	}
	return value, nil
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

// withoutValues keeps the names of malformed variables and drops their values, because
// a malformed secret must not be logged.
func withoutValues(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return errors.New("malformed")
	}
	var safe []error
	for _, e := range all.Errors {
		var parse env.ParseError
		switch {
		case errors.As(e, &parse):
			safe = append(safe, fmt.Errorf("field %s is malformed", parse.Name))
		default:
			safe = append(safe, e)
		}
	}
	return errors.Join(safe...)
}
