package main

import (
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/shared/catalog"
)

func TestEveryQueueHasItsDeadLettersAndItsConsumer(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		live := make(map[string]assembly.Named)
		dead := make(map[string]bool)
		for _, q := range w.OfType("AWS::SQS::Queue") {
			name := strings.TrimPrefix(w.Text(q.Stack, q.Properties["QueueName"]), w.settings.name(""))
			if base, ok := strings.CutSuffix(name, "-dead"); ok {
				dead[base] = true
				continue
			}
			live[name] = q
			redrive, _ := q.Properties["RedrivePolicy"].(map[string]any)
			target, ok := w.Find(q.Stack, redrive["deadLetterTargetArn"])
			if !ok || w.Text(target.Stack, target.Properties["QueueName"]) != w.settings.name(name+"-dead") {
				t.Errorf("%s has no dead letters of its own", name)
			}
			if n, _ := redrive["maxReceiveCount"].(float64); int(n) != catalog.MaxReceives { // the worker counts them too
				t.Errorf("%s gives up after %v deliveries", name, n)
			}
			if q.Properties["SqsManagedSseEnabled"] != true {
				t.Errorf("%s is not encrypted", name)
			}
		}
		for _, name := range catalog.QueueNames() {
			if _, ok := live[string(name)]; !ok || !dead[string(name)] {
				t.Errorf("queue %s or its dead letters are missing", name)
			}
		}
		sources := make(map[string]bool)
		timeouts := make(map[string]int)
		for _, f := range w.Functions() {
			timeouts[f.Key()] = f.Timeout
		}
		for _, s := range w.Sources() {
			name := strings.TrimPrefix(w.Text(s.Queue.Stack, s.Queue.Properties["QueueName"]), w.settings.name(""))
			sources[name] = true
			if f := w.Text(s.Function.Stack, s.Function.Properties["FunctionName"]); f != w.settings.name(name) {
				t.Errorf("%s is consumed by %s", name, f)
			}
			if !s.Partial || s.Concurrency < 2 {
				t.Errorf("%s: partial failures %v, concurrency %d", name, s.Partial, s.Concurrency)
			}
			visibility, _ := s.Queue.Properties["VisibilityTimeout"].(float64)
			if int(visibility) < 6*timeouts[s.Function.Key()] {
				t.Errorf("%s is visible again after %v s; its function may take %d", name, visibility, timeouts[s.Function.Key()])
			}
			// anchor publishes the log also without an account of the ledger.
			waits := name == "notify" && w.settings.MailSecret == ""
			if s.Enabled == waits {
				t.Errorf("%s: enabled %v", name, s.Enabled)
			}
		}
		if len(sources) != len(live) {
			t.Errorf("%d queues, %d with a consumer", len(live), len(sources))
		}
	})
}
