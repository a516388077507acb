package main

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// newSchedules has EventBridge call each scheduled function at its interval.
func newSchedules(scope constructs.Construct, p *plan, f *functions) {
	stack := newStack(scope, p.settings, "schedules", "Scheduled functions")
	for _, fn := range f.list {
		if fn.spec.Kind != catalog.Schedule {
			continue
		}
		id := fn.spec.id()
		rule := awsevents.NewCfnRule(stack, jsii.String(id), &awsevents.CfnRuleProps{
			Name: jsii.String(p.name(id)), ScheduleExpression: jsii.String(rate(fn.spec.Every)), State: jsii.String("ENABLED"),
			Targets: []any{&awsevents.CfnRule_TargetProperty{
				Arn: fn.function.FunctionArn(), Id: jsii.String(id),
				// A call that fails is not repeated: the next one comes soon, and late calls would run at the same time.
				RetryPolicy: &awsevents.CfnRule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(0.0), MaximumEventAgeInSeconds: jsii.Number(60.0)},
			}},
		})
		awslambda.NewCfnPermission(stack, jsii.String(id+"-permission"), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: fn.function.FunctionArn(),
			Principal: jsii.String("events.amazonaws.com"), SourceArn: rule.AttrArn(),
		})
	}
}

// rate is an interval as EventBridge writes it: whole hours, else whole minutes.
func rate(every time.Duration) string {
	n, unit := int(every/time.Minute), "minute"
	if every%time.Hour == 0 {
		n, unit = int(every/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("rate(%d %s)", n, unit)
}
