// Package preflight checks an AWS account and a database before a deploy. It changes nothing. Each finding says what is wrong and
// what to do about it, in one line.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/lafaekstreet/backend/shared/config"
)

// Plan is what will be deployed, as the settings say.
type Plan struct {
	// Managed is true if the stage has a database and a network of its own.
	Managed bool
	// Account and Region are those that the settings name; empty: those of the credentials.
	Account, Region string

	// Names of secrets; empty: none.
	DatabaseSecret, MigrationSecret, CacheSecret, MailSecret, PushSecret string
	// DatabaseMode is the setting database_exec_mode.
	DatabaseMode string
	// CAFile is the file of certificates on this machine; empty: none. FunctionCA is its path in a function.
	CAFile, FunctionCA string

	// Zones are the names of availability zones; empty: the first two of the account. NatType is the instance type of the NAT
	// instance; empty: there is none.
	Zones   []string
	NatType string

	Domain, Certificate, HostedZone, PublicBaseURL string

	BedrockRegion string
	Models        []Model

	// MailFrom is the sender; it is set if MailSecret is.
	MailFrom   string
	AlarmEmail string
	// Workers is how many calls of workers may run at the same time.
	Workers int
}

// Model is a model of Bedrock that a setting names. Base is the model below an inference profile, or ID.
type Model struct{ Setting, ID, Base string }

// Level is how bad a finding is.
type Level string

// The levels. With a Failure the deploy would fail, or the stage would not work. A Warning says what will not work, or what could
// not be checked.
const (
	OK      Level = "ok"
	Warning Level = "WARN"
	Failure Level = "FAIL"
)

// Finding is the result of one check.
type Finding struct {
	Level       Level
	Topic, Text string
}

// ErrRefused is the error of Run if a finding is a Failure.
var ErrRefused = errors.New("the deploy would fail: see FAIL above")

// Run checks everything that the plan needs, and prints a line for each finding. env has the variables of the SDK.
func Run(ctx context.Context, p Plan, env map[string]string, out io.Writer) error {
	findings := Check(ctx, p, env)
	refused := false
	for _, f := range findings {
		refused = refused || f.Level == Failure
		if _, err := fmt.Fprintf(out, "%-4s  %-12s  %s\n", f.Level, f.Topic, f.Text); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	if refused {
		return ErrRefused
	}
	return nil
}

// Check returns the findings, in the order in which they should be mended.
func Check(ctx context.Context, p Plan, env map[string]string) []Finding {
	c := &checks{Plan: p, env: env}
	if !c.account(ctx) {
		return c.findings
	}
	c.bootstrap(ctx)
	c.concurrency(ctx)
	c.network(ctx)
	c.domain(ctx)
	values := c.secrets(ctx)
	c.database(ctx, values)
	c.mail(ctx, values[mailSecret])
	c.models(ctx)
	if p.AlarmEmail == "" {
		c.warn("alarms", "nobody gets a mail when something breaks: set alarm_email")
	}
	return c.findings
}

// checks collects findings.
type checks struct {
	Plan
	env      map[string]string
	aws      aws.Config
	findings []Finding
}

func (c *checks) add(l Level, topic, format string, args ...any) {
	c.findings = append(c.findings, Finding{l, topic, fmt.Sprintf(format, args...)})
}

func (c *checks) ok(topic, format string, args ...any)   { c.add(OK, topic, format, args...) }
func (c *checks) warn(topic, format string, args ...any) { c.add(Warning, topic, format, args...) }
func (c *checks) fail(topic, format string, args ...any) { c.add(Failure, topic, format, args...) }

// unknown says that a check was not possible, and why.
func (c *checks) unknown(topic, what string, err error) {
	c.warn(topic, "%s was not checked: %s", what, reason(err))
}

// reason is an error of AWS in a few words.
func reason(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return err.Error()
}

// isError reports whether AWS has answered with one of the codes.
func isError(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// inRegion is the configuration of the SDK for another region.
func (c *checks) inRegion(region string) aws.Config {
	cfg := c.aws.Copy()
	cfg.Region = region
	return cfg
}

func (c *checks) load(ctx context.Context, region string) error {
	cfg, err := config.LoadAWS(ctx, c.env)
	cfg.Region = region
	c.aws = cfg
	return err
}
