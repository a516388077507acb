package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// observability is what tells people how the system is: alarms and a dashboard.
// Each alarm has its entry in infra/RUNBOOK.md, by name.
type observability struct {
	stack awscdk.Stack
	*means
	functions *functions
	api       *api
}

func newObservability(scope constructs.Construct, m *means, f *functions, a *api) {
	o := &observability{
		stack: newStack(scope, m.settings, "observability", "Alarms, dashboard, budget"), means: m, functions: f, api: a,
	}
	o.alarmsOfAPI()
	o.alarmsOfQueues()
	o.alarmsOfWorkers()
	o.alarmsOfTheSystem()
	if m.managed() {
		o.alarmsOfData()
	}
	o.dashboard()
	if m.BudgetUSD > 0 {
		o.budget()
	}
}

func (o *observability) alarm(id, description string, metric awscloudwatch.IMetric, threshold, periods float64) {
	newAlarm(o.stack, o.functions.action, id, description, metric, threshold, periods)
}

func (o *observability) alarmsOfAPI() {
	o.alarm("api-errors", "More than 2 % of requests end in a 5xx, or five where few ask.", awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String("IF(all >= 50, 100 * faults / all, IF(faults >= 5, 100, 0))"), Period: minutes(5), Label: jsii.String("5xx in percent"),
		UsingMetrics: &map[string]awscloudwatch.IMetric{"faults": o.ofAPI("5xx", "Sum"), "all": o.ofAPI("Count", "Sum")},
	}), 2, 2)
	o.alarm("api-latency", "One request in a hundred takes longer than 3 seconds.", o.ofAPI("Latency", "p99"), 3000, 3)
}

func (o *observability) alarmsOfQueues() {
	for _, name := range queue.Names() {
		dead := o.queues.dead[name].MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Maximum")})
		o.alarm(string(name)+"-dead-letters", "Messages of "+string(name)+" were given up.", dead, 1, 1)
		waiting := o.queues.live[name].MetricApproximateAgeOfOldestMessage(&awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Maximum")})
		o.alarm(string(name)+"-waiting", "A message of "+string(name)+" has waited for half an hour.", waiting, 1800, 2)
	}
}

// alarmsOfWorkers are about functions nobody waits for: an error there is seen by nobody else.
func (o *observability) alarmsOfWorkers() {
	for _, f := range o.functions.list {
		if f.job.of(binary.HTTP) {
			continue
		}
		errors := f.function.MetricErrors(&awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Sum")})
		o.alarm(f.job.name+"-errors", "The worker "+f.job.name+" crashes or times out.", errors, 3, 1)
	}
}

// alarmsOfTheSystem watch what the functions measure of themselves.
func (o *observability) alarmsOfTheSystem() {
	for _, a := range []struct {
		id, metric, statistic string
		threshold, periods    float64
		description           string
	}{
		{"server-errors", "server_errors", "Sum", 10, 1, "Functions answered with errors of their own."},
		{"outbox-age", "outbox_age", "Maximum", 300, 2, "Messages have waited in the outbox for five minutes: relay does not get them out."},
		{"ledger-lag", "anchor_lag", "Maximum", 1800, 2, "An event has waited half an hour for its confirmation by the ledger."},
		{"ai-lag", "validate_lag", "Maximum", 1800, 2, "A report has waited half an hour for its verdict."},
		{"ledger-halted", "LedgerHalted", "Sum", 1, 1, "The ledger refuses our messages: wrong key or no funds. Nothing is lost; nothing is anchored."},
		{"ledger-contradicted", "LedgerContradicted", "Sum", 1, 1, "The mirror node shows something else than what we sent."},
		{"ai-budget", "validate_budget_spent", "Sum", 1, 1, "The month's AI budget is spent: new reports wait for people."},
		{"cache-unavailable", "cache_unavailable", "Sum", 100, 2, "The cache does not answer; limits are kept by each function for itself."},
		{"export-failing", "export_failures", "Sum", 2, 1, "The open data files are not renewed."},
	} {
		o.alarm(a.id, a.description, own(a.metric, a.statistic, 5), a.threshold, a.periods)
	}
	o.silence("relay-silent", "outbox_age", 5, 3, "relay has not come to the end of a run for a quarter of an hour: nothing sweeps, wakes or expires, and the other alarms know nothing.")
	// An hour's run may last a quarter of the next one.
	o.silence("export-silent", "export_duration", 60, 4, "The open data files have not been renewed for hours: nothing has run, or it did not come to its end.")
	o.alarm("throttles", "Lambda refuses invocations: the account's concurrency is used up.", awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("Throttles"), Statistic: jsii.String("Sum"), Period: minutes(5),
	}), 10, 1)
}

// silence fires when a metric that every run of a scheduled function ends with has not come for so many periods of minutes.
func (o *observability) silence(id, metric string, period, periods float64, description string) {
	alarm := newAlarm(o.stack, o.functions.action, id, description, own(metric, "SampleCount", period), 1, periods)
	if raw, ok := alarm.Node().DefaultChild().(awscloudwatch.CfnAlarm); ok {
		raw.SetComparisonOperator(jsii.String("LessThanThreshold"))
		raw.SetTreatMissingData(jsii.String("breaching"))
	}
}

func (o *observability) alarmsOfData() {
	o.alarm("database-full", "The database has been at its largest capacity for 15 minutes.", o.data.cluster.Metric(
		jsii.String("ACUUtilization"), &awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Average")}), 95, 3)
	o.alarm("database-connections", "The database has many connections open.", o.data.cluster.MetricDatabaseConnections(
		&awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Maximum")}), 150, 3)
}

func (o *observability) ofAPI(metric, statistic string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/ApiGateway"), MetricName: jsii.String(metric), Statistic: jsii.String(statistic), Period: minutes(5),
		DimensionsMap: &map[string]*string{"ApiId": o.api.id},
	})
}

// own is a metric the functions write to their logs, over all of them.
func own(name, statistic string, period float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(telemetry.Namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic), Period: minutes(period),
	})
}

func minutes(n float64) awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(n)) }

// newAlarm fires when metric is at least threshold for so many periods in a row. Silence is no fault, but where silence says so.
func newAlarm(stack awscdk.Stack, action *string, id, description string, metric awscloudwatch.IMetric, threshold, periods float64) awscloudwatch.Alarm {
	alarm := awscloudwatch.NewAlarm(stack, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmName: jsii.String(*stack.StackName() + "-" + id), AlarmDescription: jsii.String(description + " See infra/RUNBOOK.md, \"" + id + "\"."),
		Metric: metric, Threshold: jsii.Number(threshold), EvaluationPeriods: jsii.Number(periods),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	if raw, ok := alarm.Node().DefaultChild().(awscloudwatch.CfnAlarm); ok {
		raw.SetAlarmActions(&[]*string{action})
		raw.SetOkActions(&[]*string{action})
	}
	return alarm
}

func (o *observability) dashboard() {
	widget := func(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
		return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
			Title: jsii.String(title), Left: &metrics, Width: jsii.Number(8.0), Height: jsii.Number(6.0),
		})
	}
	var errors, durations, dead, waiting []awscloudwatch.IMetric
	var logs []*string
	for _, f := range o.functions.list {
		errors = append(errors, f.function.MetricErrors(&awscloudwatch.MetricOptions{Label: jsii.String(f.job.name), Statistic: jsii.String("Sum")}))
		durations = append(durations, f.function.MetricDuration(&awscloudwatch.MetricOptions{Label: jsii.String(f.job.name), Statistic: jsii.String("p95")}))
		logs = append(logs, jsii.String("/aws/lambda/"+o.name(f.job.name)))
	}
	for _, name := range queue.Names() {
		label := &awscloudwatch.MetricOptions{Label: jsii.String(string(name)), Statistic: jsii.String("Maximum")}
		dead = append(dead, o.queues.dead[name].MetricApproximateNumberOfMessagesVisible(label))
		waiting = append(waiting, o.queues.live[name].MetricApproximateAgeOfOldestMessage(label))
	}
	// Two, each of at most 50 metrics: so many are free.
	board := awscloudwatch.NewDashboard(o.stack, jsii.String("functions-dashboard"), &awscloudwatch.DashboardProps{DashboardName: jsii.String(o.name("functions"))})
	// Lambda has no metric of cold starts, but tells each in its log.
	starts := awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String("Cold starts, ms"), LogGroupNames: &logs, View: awscloudwatch.LogQueryVisualizationType_TABLE,
		Width: jsii.Number(8.0), Height: jsii.Number(6.0), QueryLines: jsii.Strings(
			`filter @type = "REPORT" and ispresent(@initDuration)`, `parse @log /-(?<function>[a-z]+)$/`,
			`stats count() as starts, pct(@initDuration, 50) as median, pct(@initDuration, 95) as p95 by function`),
	})
	board.AddWidgets(widget("Errors", errors...), widget("Duration p95, ms", durations...), starts)

	board = awscloudwatch.NewDashboard(o.stack, jsii.String("dashboard"), &awscloudwatch.DashboardProps{DashboardName: jsii.String(o.name("system"))})
	board.AddWidgets(
		widget("Requests", o.ofAPI("Count", "Sum"), o.ofAPI("4xx", "Sum"), o.ofAPI("5xx", "Sum")),
		widget("Latency, ms", o.ofAPI("Latency", "p50"), o.ofAPI("Latency", "p95"), o.ofAPI("Latency", "p99")))
	board.AddWidgets(widget("Dead letters", dead...), widget("Oldest message, s", waiting...))
	board.AddWidgets(
		widget("Outbox, AI and ledger: oldest, s", own("outbox_age", "Maximum", 5), own("validate_lag", "Maximum", 5), own("anchor_lag", "Maximum", 5)),
		widget("Ledger", own("LedgerSubmitted", "Sum", 5), own("LedgerConfirmed", "Sum", 5), own("LedgerRetry", "Sum", 5)),
		widget("AI", own("validate_retry", "Sum", 5), own("validate_malformed", "Sum", 5), own("validate_budget_spent", "Sum", 5)))
}

// budget mails when the month's cost passes four fifths of the budget, or will pass all of it.
func (o *observability) budget() {
	notify := func(kind string, percent float64) any {
		return &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType: jsii.String(kind), ComparisonOperator: jsii.String("GREATER_THAN"),
				Threshold: jsii.Number(percent), ThresholdType: jsii.String("PERCENTAGE"),
			},
			Subscribers: []any{&awsbudgets.CfnBudget_SubscriberProperty{SubscriptionType: jsii.String("EMAIL"), Address: jsii.String(o.AlarmEmail)}},
		}
	}
	awsbudgets.NewCfnBudget(o.stack, jsii.String("budget"), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetName: jsii.String(strings.TrimSuffix(o.name("month"), "-")), BudgetType: jsii.String("COST"), TimeUnit: jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(o.BudgetUSD), Unit: jsii.String("USD")},
		},
		NotificationsWithSubscribers: []any{notify("ACTUAL", 80), notify("FORECASTED", 100)},
	})
}
