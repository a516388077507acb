package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
)

func TestAlarmsAreThoseOfTheCatalogue(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		got := make(map[string]bool)
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			name := w.Text(a.Stack, a.Properties["AlarmName"])
			actions, _ := a.Properties["AlarmActions"].([]any)
			topics := w.OfType("AWS::SNS::Topic")
			if len(topics) != 1 || w.Text(a.Stack, first(actions)) != w.Text(topics[0].Stack, map[string]any{"Ref": topics[0].ID}) {
				t.Errorf("%s publishes to %s", name, w.Text(a.Stack, first(actions)))
			}
			got[entryOf(t, strings.TrimPrefix(name, a.Stack+"-"))] = true
		}
		for _, a := range catalog.Alarms() {
			absent := (a.Signal.Scope == catalog.Database || a.Signal.Scope == catalog.Nat) && !w.settings.managed() ||
				a.Signal.Scope == catalog.EachRelease && w.settings.Deployment == "all-at-once"
			if got[a.Name] == absent {
				t.Errorf("%s: made %v", a.Name, got[a.Name])
			}
		}
	})
}

// entryOf is the name that the catalogue gives an alarm, with a placeholder for its queue or function.
func entryOf(t *testing.T, name string) string {
	t.Helper()
	if slices.ContainsFunc(catalog.Alarms(), func(a catalog.Alarm) bool { return a.Name == name }) {
		return name
	}
	for _, a := range catalog.Alarms() {
		for _, f := range catalog.Functions() {
			if a.For(string(f.Name)).Name == name {
				return a.Name
			}
		}
	}
	t.Errorf("%s is no alarm of the catalogue", name)
	return name
}

// A schedule that is switched off and a function that never finishes a run cause too few errors for an alarm. So an alarm
// watches the metric that ends each run.
func TestAScheduleThatStopsHasAnAlarm(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		watched := make(map[string]bool)
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			metric, _ := a.Properties["MetricName"].(string)
			period, _ := a.Properties["Period"].(float64)
			periods, _ := a.Properties["EvaluationPeriods"].(float64)
			below := a.Properties["ComparisonOperator"] == "LessThanThreshold" && a.Properties["Threshold"] == 1.0
			if below && a.Properties["TreatMissingData"] == "breaching" && a.Properties["Statistic"] == "SampleCount" {
				watched[fmt.Sprintf("%s %v", metric, period*periods/60)] = true
			}
		}
		for _, want := range []string{"outbox_age 15", "export_duration 240", "digest_duration 1560"} {
			if !watched[want] {
				t.Errorf("no alarm when %s minutes pass without a value: %v", want, watched)
			}
		}
	})
}

// At night there may be five requests in five minutes, and all of them may fail.
func TestAnOutageWithFewRequestsHasAnAlarm(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			if !strings.HasSuffix(w.Text(a.Stack, a.Properties["AlarmName"]), "-api-errors") {
				continue
			}
			raw, err := json.Marshal(a.Properties["Metrics"])
			if err != nil || !strings.Contains(string(raw), "IF(all \\u003e= 50, 100 * faults / all, IF(faults \\u003e= 5, 100, 0))") {
				t.Errorf("%s, %v", raw, err)
			}
			return
		}
		t.Error("no alarm about errors of the API")
	})
}

// A dashboard of at most 50 metrics costs nothing.
func TestDashboards(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		boards := w.OfType("AWS::CloudWatch::Dashboard")
		if len(boards) == 0 || len(boards) > 3 {
			t.Errorf("%d dashboards", len(boards))
		}
		for _, b := range boards {
			text := w.Text(b.Stack, b.Properties["DashboardBody"])
			var body struct {
				Widgets []struct {
					Type       string
					Properties struct {
						Metrics []any
						Query   string
					}
				}
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				t.Errorf("%s: %v", b.ID, err)
			}
			metrics, starts := 0, 0
			for _, widget := range body.Widgets {
				metrics += len(widget.Properties.Metrics)
				if strings.Contains(widget.Properties.Query, "@initDuration") {
					starts++
				}
			}
			if metrics == 0 || metrics > 50 {
				t.Errorf("%s shows %d metrics", b.ID, metrics)
			}
			if strings.HasPrefix(b.ID, "functions") && starts != 1 {
				t.Errorf("%s does not show cold starts", b.ID)
			}
			if strings.Contains(text, `"InitDuration"`) {
				t.Errorf("%s shows a metric that Lambda does not have", b.ID)
			}
		}
	})
}

// A topic with a policy of its own admits nobody but those whom the policy names: without an Allow no alarm is heard.
func TestAlarmsMayPublish(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		var policy []assembly.PolicyStatement
		for _, p := range w.OfType("AWS::SNS::TopicPolicy") {
			policy = append(policy, w.PolicyOf(p)...)
		}
		topic := "arn:aws:sns:us-east-1:000000000000:" + w.settings.name("alarms")
		for name, c := range map[string]struct {
			service, action, resource, account, tls string
			want                                    bool
		}{
			"an alarm":                   {"cloudwatch.amazonaws.com", "sns:Publish", topic, "000000000000", "true", true},
			"an alarm without TLS":       {"cloudwatch.amazonaws.com", "sns:Publish", topic, "000000000000", "false", false},
			"an alarm of somebody else":  {"cloudwatch.amazonaws.com", "sns:Publish", topic, "111122223333", "true", false},
			"another service":            {"events.amazonaws.com", "sns:Publish", topic, "000000000000", "true", false},
			"an alarm that subscribes":   {"cloudwatch.amazonaws.com", "sns:Subscribe", topic, "000000000000", "true", false},
			"an alarm for another topic": {"cloudwatch.amazonaws.com", "sns:Publish", topic + "2", "000000000000", "true", false},
		} {
			got := assembly.Admits(policy, assembly.Request{Service: c.service, Action: c.action, Resource: c.resource,
				Context: map[string]string{"aws:SourceAccount": c.account, "aws:SecureTransport": c.tls}})
			if got != c.want {
				t.Errorf("%s: admitted %v", name, got)
			}
		}
	})
}

// Two stages in one account do not share a metric: the one that is quiet would hide that the other has stopped.
func TestMetricsAreThoseOfTheStage(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		for _, f := range w.Functions() {
			if !strings.HasSuffix(f.Name, "-keys") && !strings.HasSuffix(f.Name, "-verify") && f.Env["STAGE"] != w.settings.Stage {
				t.Errorf("%s emits for the stage %q", f.Name, f.Env["STAGE"])
			}
		}
		own := 0
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			if space, _ := a.Properties["Namespace"].(string); strings.HasPrefix(space, "LafaekStreet") {
				own++
				if space != catalog.Namespace(w.settings.Stage) {
					t.Errorf("%s watches %s", a.ID, space)
				}
			}
		}
		if own == 0 {
			t.Error("no alarm watches a metric of the functions")
		}
		for _, b := range w.OfType("AWS::CloudWatch::Dashboard") {
			text := w.Text(b.Stack, b.Properties["DashboardBody"])
			if strings.Count(text, `"LafaekStreet`) != strings.Count(text, `"`+catalog.Namespace(w.settings.Stage)+`"`) {
				t.Errorf("%s shows metrics of other stages", b.ID)
			}
		}
	})
}

// EC2 repairs the NAT instance by itself.
func TestTheNATIsRepaired(t *testing.T) {
	w, nat, _ := managedNetwork(t, synthesized)
	repairs := map[string]string{"StatusCheckFailed_System": "recover", "StatusCheckFailed_Instance": "reboot"}
	watched := 0
	for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
		metric, _ := a.Properties["MetricName"].(string)
		if !strings.HasPrefix(metric, "StatusCheckFailed") {
			continue
		}
		watched++
		if a.Stack != nat.Stack || !strings.Contains(properties(t, a), `"Ref":"`+nat.ID+`"`) {
			t.Errorf("%s is not about the NAT, or another stack imports its id", a.ID)
		}
		actions := w.Texts(a.Stack, a.Properties["AlarmActions"])
		if repair := repairs[metric]; repair != "" && !slices.Contains(actions, "arn:aws:automate:us-east-1:ec2:"+repair) {
			t.Errorf("%s does %v", a.ID, actions)
		}
		if (metric == "StatusCheckFailed") != (a.Properties["TreatMissingData"] == "breaching") {
			t.Errorf("%s: missing data is %v", a.ID, a.Properties["TreatMissingData"])
		}
	}
	if watched != 3 {
		t.Errorf("%d alarms about the NAT", watched)
	}
}

// The alarm promise-broken fires when the promise of a receipt is broken, and log-lag at half of that time.
func TestThePromiseOfReceiptsHasAnAlarm(t *testing.T) {
	t.Parallel()
	thresholds := make(map[string]float64)
	for _, a := range catalog.Alarms() {
		if a.Signal.Scope == catalog.System && a.Signal.Metric == catalog.LogLag && a.Formula == "" {
			thresholds[a.Name] = a.Threshold
		}
	}
	promise := ledger.MergeDelay.Seconds()
	if thresholds["promise-broken"] != promise || thresholds["log-lag"] != promise/2 {
		t.Errorf("thresholds %v; the promise is %v s", thresholds, promise)
	}
}
