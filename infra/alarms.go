package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// observability makes the alarms and dashboards of the catalogue, and the budget.
type observability struct {
	stack awscdk.Stack
	*resources
	functions *functions
	api       *api
}

func newObservability(scope constructs.Construct, r *resources, f *functions, a *api) {
	o := &observability{
		stack: newStack(scope, r.settings, "observability", "Alarms, dashboards, budget"), resources: r, functions: f, api: a,
	}
	for _, a := range catalog.Alarms() {
		o.alarm(a)
	}
	for _, d := range catalog.Dashboards() {
		o.dashboard(d)
	}
	if r.BudgetUSD > 0 {
		o.budget()
	}
}

// alarm makes an alarm, or one for each queue or function of its scope.
func (o *observability) alarm(a catalog.Alarm) {
	if a.Formula != "" {
		terms := make(map[string]awscloudwatch.IMetric)
		for name, s := range a.Terms {
			for _, l := range o.lines(s, a.Period) {
				terms[name] = l.metric
			}
		}
		newAlarm(o.stack, o.functions.alarmTopic, a, awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String(a.Formula), Period: minutes(a.Period), Label: jsii.String(a.Name), UsingMetrics: &terms,
		}))
		return
	}
	for _, l := range o.lines(a.Signal, a.Period) {
		newAlarm(o.stack, o.functions.alarmTopic, a.For(l.name), l.metric)
	}
}

// newAlarm makes an alarm that publishes to topic when it begins and when it is over.
func newAlarm(stack awscdk.Stack, topic *string, a catalog.Alarm, metric awscloudwatch.IMetric) awscloudwatch.Alarm {
	comparison := awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD
	if a.Below {
		comparison = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	missing := awscloudwatch.TreatMissingData_NOT_BREACHING
	if a.Missing == catalog.Breaching {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	alarm := awscloudwatch.NewAlarm(stack, jsii.String(a.Name), &awscloudwatch.AlarmProps{
		AlarmName:        jsii.String(*stack.StackName() + "-" + a.Name),
		AlarmDescription: jsii.String(a.Description + " See infra/RUNBOOK.md, \"" + a.Name + "\"."),
		Metric:           metric, Threshold: jsii.Number(a.Threshold), EvaluationPeriods: jsii.Number(float64(a.Periods)),
		ComparisonOperator: comparison, TreatMissingData: missing,
	})
	if raw, ok := alarm.Node().DefaultChild().(awscloudwatch.CfnAlarm); ok {
		raw.SetAlarmActions(&[]*string{topic})
		raw.SetOkActions(&[]*string{topic})
	}
	return alarm
}
