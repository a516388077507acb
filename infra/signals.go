package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

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
			return one(catalog.Namespace, s.Metric.Name(), map[string]*string{"function": jsii.String(string(s.Function))})
		}
		return one(catalog.Namespace, s.Metric.Name(), nil)
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
