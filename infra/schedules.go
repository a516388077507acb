package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// newSchedules has EventBridge call each scheduled function at its interval or its times.
func newSchedules(scope constructs.Construct, p *plan, f *functions) {
	stack := newStack(scope, p.settings, "schedules", "Scheduled functions")
	for _, fn := range f.list {
		if fn.spec.Kind != catalog.Schedule {
			continue
		}
		id, live := fn.spec.id(), f.aliases[fn.spec.Name].FunctionArn()
		f.stack.ExportValue(fn.function.FunctionArn(), nil) // schedules of earlier deployments import it
		rule := awsevents.NewCfnRule(stack, jsii.String(id), &awsevents.CfnRuleProps{
			Name: jsii.String(p.name(id)), ScheduleExpression: jsii.String(expression(fn.spec.Function)), State: jsii.String("ENABLED"),
			Targets: []any{&awsevents.CfnRule_TargetProperty{
				Arn: live, Id: jsii.String(id),
				// A call that fails is not repeated: the next one comes soon, and late calls would run at the same time.
				RetryPolicy: &awsevents.CfnRule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(0.0), MaximumEventAgeInSeconds: jsii.Number(60.0)},
			}},
		})
		awslambda.NewCfnPermission(stack, jsii.String(id+"-permission"), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: live,
			Principal: jsii.String("events.amazonaws.com"), SourceArn: rule.AttrArn(),
		})
	}
}

// expression says when EventBridge calls a scheduled function.
func expression(f catalog.Function) string {
	if f.Every > 0 {
		return rate(f.Every)
	}
	var minutes []string
	for _, at := range f.Daily {
		minutes = append(minutes, strconv.Itoa(int(at%time.Hour/time.Minute)))
	}
	return fmt.Sprintf("cron(%s %d * * ? *)", strings.Join(minutes, ","), f.Daily[0]/time.Hour)
}

// rate is an interval as EventBridge writes it: whole hours, else whole minutes. Intervals of several minutes begin with the hour, so
// that functions of the same interval wake a sleeping database together, and with relay.
func rate(every time.Duration) string {
	if every > time.Minute && every < time.Hour {
		return fmt.Sprintf("cron(0/%d * * * ? *)", every/time.Minute)
	}
	n, unit := int(every/time.Minute), "minute"
	if every%time.Hour == 0 {
		n, unit = int(every/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("rate(%d %s)", n, unit)
}
