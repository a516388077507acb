package config

import (
	"context"
	"errors"
	"strings"
	"testing"
)

type sample struct {
	URL   string `env:"SAMPLE_URL,required,notEmpty"`
	Key   string `env:"SAMPLE_KEY,required"`
	Count int    `env:"SAMPLE_COUNT" envDefault:"3"`
}

func TestParseNamesEverythingMissingAndNoValue(t *testing.T) {
	t.Parallel()
	_, err := Parse[sample](Env{"SAMPLE_COUNT": "hunter2"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"SAMPLE_URL", "SAMPLE_KEY", "Count"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error holds a value: %v", err)
	}
}

func TestParseFillsDefaults(t *testing.T) {
	t.Parallel()
	got, err := Parse[sample](Env{"SAMPLE_URL": "u", "SAMPLE_KEY": "k"})
	if err != nil || got != (sample{"u", "k", 3}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

type vault map[string]string

func (v vault) Secret(_ context.Context, arn string) (string, error) {
	if s, ok := v[arn]; ok {
		return s, nil
	}
	return "", errors.New("no such secret")
}

func TestSecretsAreResolved(t *testing.T) {
	t.Parallel()
	open := func(context.Context) (Secrets, error) { return vault{"arn:one": "s3cret"}, nil }
	e := Env{"DATABASE_URL_SECRET_ARN": "arn:one", "PLAIN": "x"}
	if err := e.resolve(t.Context(), open); err != nil || e["DATABASE_URL"] != "s3cret" || e["PLAIN"] != "x" {
		t.Errorf("got %v, %v", e, err)
	}
	broken := Env{"A_SECRET_ARN": "arn:none"}
	if err := broken.resolve(t.Context(), open); err == nil || !strings.Contains(err.Error(), "A") {
		t.Errorf("a missing secret: got %v", err)
	}
	none := Env{"PLAIN": "x"}
	if err := none.resolve(t.Context(), func(context.Context) (Secrets, error) { return nil, errors.New("must not open") }); err != nil {
		t.Errorf("without secrets nothing is opened: %v", err)
	}
}

func TestValuesQuoteSecrets(t *testing.T) {
	t.Parallel()
	open := func(context.Context) (Secrets, error) {
		return vault{"arn:password": "p4ss${PLAIN}", "arn:one": "1", "arn:two": "2"}, nil
	}
	e := Env{
		"DATABASE_PASSWORD_SECRET_ARN": "arn:password", "DATABASE_URL": "postgres://app:${DATABASE_PASSWORD}@host/db",
		"KEY_1_SECRET_ARN": "arn:one", "KEY_2_SECRET_ARN": "arn:two", "KEYS": "${KEY_1},${KEY_2}",
		"PLAIN": "${UNKNOWN} stays",
	}
	if err := e.resolve(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"DATABASE_URL": "postgres://app:p4ss${PLAIN}@host/db", "KEYS": "1,2", "PLAIN": "${UNKNOWN} stays",
		"DATABASE_PASSWORD": "p4ss${PLAIN}", // what a secret holds is never read as a quotation
	} {
		if e[name] != want {
			t.Errorf("%s: got %q, want %q", name, e[name], want)
		}
	}
}
