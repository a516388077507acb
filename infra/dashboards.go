package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

func (o *observability) dashboard(d catalog.Dashboard) {
	id := d.Name + "-dashboard"
	if d.Name == "system" {
		id = "dashboard" // another id would have CloudFormation remove the dashboard right after it has replaced it
	}
	board := awscloudwatch.NewDashboard(o.stack, jsii.String(id), &awscloudwatch.DashboardProps{DashboardName: jsii.String(o.name(d.Name))})
	for i, row := range d.Rows {
		var widgets []awscloudwatch.IWidget
		for _, g := range row {
			widgets = append(widgets, o.graph(g))
		}
		if i == 0 && d.ColdStarts {
			widgets = append(widgets, o.coldStarts())
		}
		board.AddWidgets(widgets...)
	}
}

func (o *observability) graph(g catalog.Graph) awscloudwatch.IWidget {
	var metrics []awscloudwatch.IMetric
	for _, s := range g.Signals {
		for _, l := range o.lines(s, 5*time.Minute) {
			if l.name != "" {
				l.metric = l.metric.With(&awscloudwatch.MetricOptions{Label: jsii.String(l.name)})
			}
			metrics = append(metrics, l.metric)
		}
	}
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(g.Title), Left: &metrics, Width: jsii.Number(8.0), Height: jsii.Number(6.0),
	})
}

// coldStarts is a table of cold starts by function, in milliseconds. Lambda writes each one to the function's log.
func (o *observability) coldStarts() awscloudwatch.IWidget {
	var logs []*string
	for _, f := range o.functions.list {
		logs = append(logs, jsii.String("/aws/lambda/"+o.name(f.spec.id())))
	}
	return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String("Cold starts, ms"), LogGroupNames: &logs, View: awscloudwatch.LogQueryVisualizationType_TABLE,
		Width: jsii.Number(8.0), Height: jsii.Number(6.0), QueryLines: jsii.Strings(
			`filter @type = "REPORT" and ispresent(@initDuration)`, `parse @log /-(?<function>[a-z]+)$/`,
			`stats count() as starts, pct(@initDuration, 50) as median, pct(@initDuration, 95) as p95 by function`),
	})
}
