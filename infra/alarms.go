package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
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
		newAlarm(o.stack, o.alarmTopic(o.stack), a, awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String(a.Formula), Period: minutes(a.Period), Label: jsii.String(a.Name), UsingMetrics: &terms,
		}))
		return
	}
	for _, l := range o.lines(a.Signal, a.Period) {
		newAlarm(o.stack, o.alarmTopic(o.stack), a.For(l.name), l.metric)
	}
}

// alarmTopic is the ARN of the topic that every alarm publishes to. It is made of the topic's name: a stack that is deployed before
// that of the topic may use it too.
func (p *plan) alarmTopic(stack awscdk.Stack) *string {
	return stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("sns"), Resource: jsii.String(p.name("alarms"))})
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
	periods := max(a.Periods, a.Of)
	alarm := awscloudwatch.NewAlarm(stack, jsii.String(a.Name), &awscloudwatch.AlarmProps{
		AlarmName:        jsii.String(*stack.StackName() + "-" + a.Name),
		AlarmDescription: jsii.String(a.Description + " See infra/RUNBOOK.md, \"" + a.Name + "\"."),
		Metric:           metric, Threshold: jsii.Number(a.Threshold), EvaluationPeriods: jsii.Number(float64(periods)), DatapointsToAlarm: jsii.Number(float64(a.Periods)),
		ComparisonOperator: comparison, TreatMissingData: missing,
	})
	if raw, ok := alarm.Node().DefaultChild().(awscloudwatch.CfnAlarm); ok {
		actions := []*string{topic}
		if a.Repair != "" {
			actions = append(actions, stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("automate"), Account: jsii.String("ec2"),
				Resource: jsii.String(string(a.Repair)), ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME}))
		}
		raw.SetAlarmActions(&actions)
		raw.SetOkActions(&[]*string{topic})
	}
	return alarm
}

// line is the metric of one queue or function, or of the one thing its scope has; then name is empty.
type line struct {
	name   string
	metric awscloudwatch.Metric
}

// lines are the metrics of a signal. The scope EachRelease has none here: its alarms are made beside the versions, see
// functions.go.
func (o *observability) lines(s catalog.Signal, period time.Duration) []line {
	options := &awscloudwatch.MetricOptions{Period: minutes(period), Statistic: jsii.String(string(s.Statistic))}
	one := func(namespace, name string, dimensions map[string]*string) []line {
		props := &awscloudwatch.MetricProps{Namespace: jsii.String(namespace), MetricName: jsii.String(name),
			Statistic: jsii.String(string(s.Statistic)), Period: minutes(period)}
		if dimensions != nil {
			props.DimensionsMap = &dimensions
		}
		return []line{{metric: awscloudwatch.NewMetric(props)}}
	}
	switch s.Scope {
	case catalog.System:
		if s.Function != "" {
			return one(catalog.Namespace(o.Stage), s.Metric.Name(), map[string]*string{"function": jsii.String(string(s.Function))})
		}
		return one(catalog.Namespace(o.Stage), s.Metric.Name(), nil)
	case catalog.API:
		return one("AWS/ApiGateway", s.AWS, map[string]*string{"ApiId": o.api.id})
	case catalog.Account:
		return one("AWS/Lambda", s.AWS, nil)
	case catalog.Database:
		if !o.managed() {
			return nil
		}
		return []line{{metric: o.data.cluster.Metric(jsii.String(s.AWS), options)}}
	case catalog.EachQueue:
		return linesOfQueues(o.queues.live, s.AWS, options)
	case catalog.EachDead:
		return linesOfQueues(o.queues.dead, s.AWS, options)
	case catalog.EachWorker, catalog.EachFunction:
		var out []line
		for _, f := range o.functions.list {
			if s.Scope == catalog.EachFunction || f.spec.Kind != catalog.HTTP {
				out = append(out, line{f.spec.id(), f.function.Metric(jsii.String(s.AWS), options)})
			}
		}
		return out
	default:
		return nil
	}
}

func linesOfQueues(queues map[catalog.QueueName]awssqs.Queue, metric string, options *awscloudwatch.MetricOptions) []line {
	var out []line
	for _, name := range catalog.QueueNames() {
		out = append(out, line{string(name), queues[name].Metric(jsii.String(metric), options)})
	}
	return out
}
