package preflight

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	// bootstrapStack is what `cdk bootstrap` makes. The templates ask for at least this version of it.
	bootstrapStack      = "CDKToolkit"
	minBootstrapVersion = 6
	// requestsAtOnce is how many calls the HTTP functions need beside the workers: a page makes up to a dozen calls at once.
	requestsAtOnce = 50
)

// account checks who calls, and where. It returns false if nothing else can be checked.
func (c *checks) account(ctx context.Context) bool {
	if c.env["AWS_ACCESS_KEY_ID"] == "" || c.env["AWS_SECRET_ACCESS_KEY"] == "" {
		c.fail("credentials", `there are none in the environment: run eval "$(aws configure export-credentials --format env)"`)
		return false
	}
	region := cmp.Or(c.Region, c.env["AWS_REGION"], c.env["AWS_DEFAULT_REGION"])
	if region == "" {
		c.fail("region", `none is named: run export AWS_REGION=us-east-1, or set "region"`)
		return false
	}
	if err := c.load(ctx, region); err != nil {
		c.fail("credentials", "%s", reason(err))
		return false
	}
	who, err := sts.NewFromConfig(c.aws).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	var refused smithy.APIError
	if errors.As(err, &refused) {
		c.fail("credentials", "AWS refuses them (%s): sign in again and export them again", reason(err))
		return false
	}
	if err != nil {
		c.fail("credentials", "AWS does not answer: %s", reason(err))
		return false
	}
	if id := aws.ToString(who.Account); c.Account != "" && id != c.Account {
		c.fail("account", `the credentials are of account %s, the setting "account" names %s: change one of them`, id, c.Account)
		return false
	}
	c.ok("account", "%s in %s, as %s", aws.ToString(who.Account), region, aws.ToString(who.Arn))
	return true
}

// bootstrap checks that `cdk bootstrap` has run in the region.
func (c *checks) bootstrap(ctx context.Context) {
	out, err := cloudformation.NewFromConfig(c.aws).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(bootstrapStack)})
	if isError(err, "ValidationError") { // the answer for a stack that does not exist
		c.fail("bootstrap", "the stack %s is missing in %s: run npx cdk bootstrap", bootstrapStack, c.aws.Region)
		return
	}
	if err != nil || len(out.Stacks) == 0 {
		c.unknown("bootstrap", "the stack "+bootstrapStack, err)
		return
	}
	switch s := out.Stacks[0]; s.StackStatus {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete, types.StackStatusUpdateCompleteCleanupInProgress:
		c.bootstrapVersion(s.Outputs)
	default:
		c.fail("bootstrap", "the stack %s is in the state %s: delete it if it says ROLLBACK or FAILED, then run npx cdk bootstrap", bootstrapStack, s.StackStatus)
	}
}

func (c *checks) bootstrapVersion(outputs []types.Output) {
	for _, o := range outputs {
		if aws.ToString(o.OutputKey) != "BootstrapVersion" {
			continue
		}
		if v, err := strconv.Atoi(aws.ToString(o.OutputValue)); err == nil && v >= minBootstrapVersion {
			c.ok("bootstrap", "version %d", v)
			return
		}
	}
	c.fail("bootstrap", "the stack %s is older than version %d: run npx cdk bootstrap", bootstrapStack, minBootstrapVersion)
}

// concurrency checks how many calls of functions may run at the same time. New accounts have ten.
func (c *checks) concurrency(ctx context.Context) {
	out, err := lambda.NewFromConfig(c.aws).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || out.AccountLimit == nil {
		c.unknown("concurrency", "the limit of Lambda", err)
		return
	}
	limit, need := int(out.AccountLimit.ConcurrentExecutions), c.Workers+requestsAtOnce
	if limit >= need {
		c.ok("concurrency", "%d calls of functions at the same time", limit)
		return
	}
	c.warn("concurrency", "%d calls of functions at the same time, of which workers may take %d; requests above it get 503. Ask for 1000: "+
		"aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000 --region %s",
		limit, c.Workers, c.aws.Region)
}
