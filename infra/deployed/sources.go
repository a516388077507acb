package deployed

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/infra/local/eventsource"
)

// Handle implements queue.Handler. It sends the batch to the real binary, as Lambda does.
func (f *function) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	var out events.SQSEventResponse
	raw, err := json.Marshal(batch)
	if err != nil {
		return out, fmt.Errorf("encode batch: %w", err)
	}
	answer, err := f.Invoke(ctx, raw)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("%s answers a batch with %.200s", f.Name, answer)
	}
	return out, nil
}

// startSources consumes each queue for its function, as the event source mappings of the templates say.
func (d *Deployment) startSources(ctx context.Context) error {
	for _, s := range d.assembly.Sources() {
		f := d.functions[s.Function.Key()]
		if f == nil || !s.Enabled {
			continue
		}
		if !f.Allows("sqs:ReceiveMessage", d.world.Attributes[s.Queue.Key()]["Arn"]) || !f.Allows("sqs:DeleteMessage", d.world.Attributes[s.Queue.Key()]["Arn"]) {
			return fmt.Errorf("%s may not consume its queue", f.Name)
		}
		source := eventsource.Mapping{Queue: d.world.Attributes[s.Queue.Key()]["Ref"], ARN: d.world.Attributes[s.Queue.Key()]["Arn"], Region: region,
			Handler: f, Batch: s.Batch, Concurrency: min(s.Concurrency, cap(f.idle)), Timeout: f.timeout + time.Second, Window: s.Window}
		d.tasks.Go(func() { source.Run(ctx, d.standIn.sqs, d.log) })
	}
	return nil
}

// interval is the time between two calls of a scheduled function. It replaces the interval of the rule, because a test
// cannot wait for an hour.
const interval = 2 * time.Second

// startSchedules calls the target of each rule, as EventBridge does.
func (d *Deployment) startSchedules(ctx context.Context) error {
	for _, rule := range d.assembly.OfType("AWS::Events::Rule") {
		targets, _ := rule.Properties["Targets"].([]any)
		for _, t := range targets {
			m, _ := t.(map[string]any)
			alias, ok := d.assembly.Find(rule.Stack, m["Arn"])
			target, _ := d.assembly.Called(rule.Stack, m["Arn"])
			f := d.functions[target.Key()]
			if !ok || f == nil || !d.mayCall("events.amazonaws.com", alias.Key()) {
				return fmt.Errorf("rule %s has no target that it may call", rule.ID)
			}
			d.tasks.Go(func() { d.follow(ctx, f) })
		}
	}
	return nil
}

// follow calls a function at once and then at each interval.
func (d *Deployment) follow(ctx context.Context, f *function) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		event, err := json.Marshal(events.EventBridgeEvent{Version: "0", ID: "00000000-0000-4000-a000-000000000000", DetailType: "Scheduled Event",
			Source: "aws.events", AccountID: account, Region: region, Time: time.Now().UTC(), Detail: json.RawMessage("{}")})
		if err == nil {
			_, err = f.Invoke(ctx, event)
		}
		if err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "scheduled function failed", "name", f.Name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// mayCall reports whether a service has the permission to call a function or an alias.
func (d *Deployment) mayCall(service, key string) bool {
	for _, p := range d.assembly.OfType("AWS::Lambda::Permission") {
		f, ok := d.assembly.Find(p.Stack, p.Properties["FunctionName"])
		if ok && f.Key() == key && p.Properties["Principal"] == service {
			return true
		}
	}
	return false
}
