// Command infra is the CDK app: everything that runs in AWS. `go run ./infra` writes the CloudFormation templates to
// cdk.out without an AWS account or a network; the CDK CLI deploys them. `go run ./infra preflight` checks the account first,
// and `go run ./infra after-deploy` says what to do next. See README.md, "Deploy".
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/migrations"
)

// contextKey holds the operator's settings.
const contextKey = "lafaekstreet"

// flags are the feature flags that CDK recommends. They are embedded, so that a plain run and the CLI write the same
// templates.
//
//go:embed flags.json
var flags []byte

func main() {
	defer jsii.Close()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		jsii.Close()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := binary.Root()
	if err != nil {
		return err
	}
	if len(os.Args) > 1 {
		return command(ctx, root, os.Args[1])
	}
	s, err := operatorSettings(root)
	if err != nil {
		return err
	}
	in, err := readInputs(ctx, root)
	if err != nil {
		return err
	}
	outdir := os.Getenv("CDK_OUTDIR")
	if outdir == "" {
		outdir = filepath.Join(root, "cdk.out")
	}
	if err := placeCA(root, s, in); err != nil {
		return err
	}
	app, err := newApp(s, in, outdir)
	if err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

// command does what the Makefile does before and after a deploy.
func command(ctx context.Context, root, name string) error {
	switch name {
	case "preflight":
		return runPreflight(ctx, root)
	case "after-deploy":
		return afterDeploy(ctx, root)
	}
	return fmt.Errorf("%q is neither preflight nor after-deploy", name)
}

// operatorSettings returns the settings of the operator: the member contextKey of the context. A revision beside it, as
// -c revision=WORD gives it, takes the place of the setting.
func operatorSettings(root string) (settings, error) {
	context, err := operatorContext(root)
	if err != nil {
		return settings{}, err
	}
	raw, err := unquoted(context[contextKey])
	if err != nil {
		return settings{}, err
	}
	if word := context["revision"]; len(word) > 0 {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return settings{}, fmt.Errorf("context \"lafaekstreet\": %w", err)
		}
		members["revision"] = word
		if raw, err = json.Marshal(members); err != nil {
			return settings{}, fmt.Errorf("context \"lafaekstreet\": %w", err)
		}
	}
	return readSettings(raw)
}

// operatorContext returns the context as the CLI has merged it from cdk.json and -c, else as it is in cdk.json.
func operatorContext(root string) (map[string]json.RawMessage, error) {
	var context map[string]json.RawMessage
	if merged := os.Getenv("CDK_CONTEXT_JSON"); merged != "" {
		if err := json.Unmarshal([]byte(merged), &context); err != nil {
			return nil, fmt.Errorf("read CDK_CONTEXT_JSON: %w", err)
		}
		return context, nil
	}
	raw, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	if err != nil {
		return nil, fmt.Errorf("read cdk.json: %w", err)
	}
	var file struct {
		Context map[string]json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read cdk.json: %w", err)
	}
	return file.Context, nil
}

// unquoted returns a JSON object that is given as an object (in cdk.json) or as a string that contains it (by -c).
func unquoted(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 {
		return nil, errors.New("the context has no \"lafaekstreet\"; see cdk.json")
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text), nil
	}
	return raw, nil
}

// inputs has what the stacks are made from, in addition to the settings.
type inputs struct {
	// schema is the hash of the migrations.
	schema string
	// asset is the folder with the bootstrap of a function.
	asset func(name string) string
}

// readInputs builds every function. Building again what has not changed costs little.
func readInputs(ctx context.Context, root string) (inputs, error) {
	in := inputs{asset: func(name string) string { return filepath.Join(root, "dist", name) }}
	functions, err := binary.Functions(root)
	if err != nil {
		return in, err
	}
	if in.schema, err = migrations.Hash(); err != nil {
		return in, err
	}
	bootstrap := func(name string) string { return filepath.Join(in.asset(name), "bootstrap") }
	return in, binary.BuildAll(ctx, root, functions, "arm64", bootstrap)
}

// newApp makes all stacks; main and the tests both call it.
func newApp(s settings, in inputs, outdir string) (awscdk.App, error) {
	context, err := flagContext()
	if err != nil {
		return nil, err
	}
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: jsii.String(outdir), Context: &context, AnalyticsReporting: jsii.Bool(false), TreeMetadata: jsii.Bool(false),
	})
	return app, newStacks(app, s, in)
}

func flagContext() (map[string]any, error) {
	out := make(map[string]any)
	if err := json.Unmarshal(flags, &out); err != nil {
		return nil, fmt.Errorf("read flags.json: %w", err)
	}
	// This flag would add a function in another language. Nothing uses the default security group.
	out["@aws-cdk/aws-ec2:restrictDefaultSecurityGroup"] = false
	// The CLI prints annotations itself and stops at an error. With this flag the synthesis stops at the first finding of cdk-nag, before
	// the tests can read all of them.
	out["@aws-cdk/core:annotationsInValidationReport"] = false
	// "strong" makes exports: CloudFormation refuses to remove a value that another stack uses.
	out["@aws-cdk/core:defaultCrossStackReferences"] = "strong"
	return out, nil
}
