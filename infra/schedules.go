package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/binary"
)

// newSchedules calls the scheduled functions.
func newSchedules(scope constructs.Construct, p *plan, f *functions) {
	stack := newStack(scope, p.settings, "schedules", "What runs by the clock")
	for _, fn := range f.list {
		if !fn.job.of(binary.Schedule) {
			continue
		}
		rule := awsevents.NewCfnRule(stack, jsii.String(fn.job.name), &awsevents.CfnRuleProps{
			Name: jsii.String(p.name(fn.job.name)), ScheduleExpression: jsii.String(fn.job.every), State: jsii.String("ENABLED"),
			Targets: []any{&awsevents.CfnRule_TargetProperty{
				Arn: fn.function.FunctionArn(), Id: jsii.String(fn.job.name),
				// The next call comes soon enough; a pile of late ones helps nobody.
				RetryPolicy: &awsevents.CfnRule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(0.0), MaximumEventAgeInSeconds: jsii.Number(60.0)},
			}},
		})
		awslambda.NewCfnPermission(stack, jsii.String(fn.job.name+"-permission"), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: fn.function.FunctionArn(),
			Principal: jsii.String("events.amazonaws.com"), SourceArn: rule.AttrArn(),
		})
	}
}
