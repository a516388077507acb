package catalog_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// unique reports names that are there twice.
func unique[T ~string](t *testing.T, kind string, names []T) {
	t.Helper()
	seen := make(map[T]bool)
	for _, n := range names {
		if seen[n] || n == "" {
			t.Errorf("%s %q is there twice, or empty", kind, n)
		}
		seen[n] = true
	}
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	var functions []catalog.FunctionName
	for _, f := range catalog.Functions() {
		functions = append(functions, f.Name)
	}
	unique(t, "function", functions)
	queues := catalog.QueueNames()
	for _, q := range catalog.QueueNames() {
		queues = append(queues, q.Dead())
	}
	unique(t, "queue", queues)
	var metrics, alarms, routes []string
	for _, m := range catalog.Metrics() {
		metrics = append(metrics, m.Name())
	}
	unique(t, "metric", metrics)
	for _, a := range catalog.Alarms() {
		alarms = append(alarms, a.Name)
	}
	unique(t, "alarm", alarms)
	for _, r := range catalog.Routes() {
		for _, method := range r.Methods {
			routes = append(routes, method+" "+r.Path)
		}
	}
	unique(t, "route", routes)
}

func TestLimitsOfFunctionsFitWhatCallsThem(t *testing.T) {
	t.Parallel()
	for _, f := range catalog.Functions() {
		if f.Kind == catalog.HTTP && f.Timeout >= catalog.GatewayTimeout {
			t.Errorf("%s may take %v, and the gateway waits for %v", f.Name, f.Timeout, catalog.GatewayTimeout)
		}
		if (f.Kind == catalog.Schedule) != (f.Every > 0 || len(f.Daily) > 0) || f.Every > 0 && len(f.Daily) > 0 || f.Every > 0 && f.Timeout >= f.Every {
			t.Errorf("%s may take %v and is called every %v, daily at %v", f.Name, f.Timeout, f.Every, f.Daily)
		}
		for i, at := range f.Daily {
			if at/time.Hour != f.Daily[0]/time.Hour || at%time.Minute != 0 || at >= 24*time.Hour || i > 0 && at-f.Daily[i-1] <= f.Timeout {
				t.Errorf("%s may take %v and is called daily at %v", f.Name, f.Timeout, f.Daily)
			}
		}
		if f.Timeout < time.Second || f.Timeout > 15*time.Minute || f.Timeout%time.Second != 0 || f.Memory < 128 || f.Memory > 10240 {
			t.Errorf("%s: Lambda offers no timeout of %v with %d MiB", f.Name, f.Timeout, f.Memory)
		}
		consumes := slices.Contains(catalog.QueueNames(), catalog.QueueName(f.Name))
		if (f.Kind == catalog.Queue) != consumes {
			t.Errorf("%s is %s; a queue of its name: %v", f.Name, f.Kind, consumes)
		}
	}
	for _, q := range catalog.Queues() {
		if q.Consumer().Kind != catalog.Queue {
			t.Errorf("the queue %s has no function", q.Name)
		}
		if q.Batch < 1 || q.Batch > catalog.MaxBatch || q.Concurrency < 2 || q.Window < 0 {
			t.Errorf("%s: SQS offers no batch of %d for %d calls at once", q.Name, q.Batch, q.Concurrency)
		}
	}
}

// While a message may still be delivered, nothing else may send another one for the same work.
func TestMessageLifeCoversEveryDelivery(t *testing.T) {
	t.Parallel()
	for _, q := range catalog.Queues() {
		f := q.Consumer()
		if q.Visibility() < 6*(f.Timeout+q.Window) {
			t.Errorf("%s: visible again after %v; Lambda asks for six times %v", q.Name, q.Visibility(), f.Timeout+q.Window)
		}
		for what, each := range map[string]time.Duration{"without an answer": q.Visibility(), "that fail": f.Timeout + catalog.MaxBackoff} {
			if life := catalog.MaxDelay + catalog.MaxReceives*each; catalog.MessageLife() < life {
				t.Errorf("%s: deliveries %s take %v; the life of a message is said to be %v", q.Name, what, life, catalog.MessageLife())
			}
		}
	}
	if got := catalog.MessageLife(); got != 35*time.Hour+15*time.Minute { // validate: 15 minutes and 120 times 17.5
		t.Errorf("a message lives %v", got)
	}
}

func TestMetricsHaveOneStyle(t *testing.T) {
	t.Parallel()
	style := regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)
	for _, m := range catalog.Metrics() {
		if !style.MatchString(m.Name()) || m.Unit() == "" {
			t.Errorf("metric %d: name %q, unit %q", m, m.Name(), m.Unit())
		}
	}
	if none := catalog.Metric(-1); none.Name() != "" || none.Unit() != "" {
		t.Error("a number that is no metric has a name")
	}
}

func TestAlarmsAreComplete(t *testing.T) {
	t.Parallel()
	for _, a := range catalog.Alarms() {
		signals := []catalog.Signal{a.Signal}
		if a.Formula != "" {
			signals = nil
			for name, s := range a.Terms {
				signals = append(signals, s)
				if !strings.Contains(a.Formula, name) {
					t.Errorf("%s: %s is not in its formula", a.Name, name)
				}
			}
		}
		for _, s := range signals {
			if s.Scope != catalog.EachRelease && (s.Scope == catalog.System) == (s.AWS != "") || s.Statistic == "" {
				t.Errorf("%s watches %+v", a.Name, s)
			}
		}
		p := a.Signal.Scope.Placeholder()
		if p != "" && (!strings.Contains(a.Name, p) || strings.Contains(a.For("x").Name+a.For("x").Description, p)) {
			t.Errorf("%s does not name its %s", a.Name, p)
		}
		if a.Period < time.Minute || a.Periods < 1 || a.Threshold <= 0 || a.Description == "" || a.Below && a.Missing != catalog.Breaching {
			t.Errorf("%s: %+v", a.Name, a)
		}
	}
}
