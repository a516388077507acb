package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

func TestAlarmsAreThoseOfTheCatalogue(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		got := make(map[string]bool)
		for _, a := range w.OfType("AWS::CloudWatch::Alarm") {
			name := w.Text(a.Stack, a.Properties["AlarmName"])
			actions, _ := a.Properties["AlarmActions"].([]any)
			if topic, ok := w.Find(a.Stack, first(actions)); !ok || topic.Type != "AWS::SNS::Topic" {
				t.Errorf("%s has no action", name)
			}
			got[entryOf(t, strings.TrimPrefix(name, a.Stack+"-"))] = true
		}
		for _, a := range catalog.Alarms() {
			absent := a.Signal.Scope == catalog.Database && !w.settings.managed() ||
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
