package pipeline_test

import (
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/queue"
)

// outage is a service that does not work, and what becomes of a report.
type outage struct {
	fault faults.Fault
	hours int    // fewer where the SDK itself waits before it tries a call again
	until string // the report meanwhile
	dead  string // dead letters after the last delivery
}

func outages() []outage {
	return []outage{
		{faults.Fault{Service: "s3", Operation: "GetObject", Mode: faults.Error}, 2, "pending", "images 1"},
		{faults.Fault{Service: "s3", Operation: "PutObject", Mode: faults.Throttle}, 2, "pending", "images 1"},
		{faults.Fault{Service: "bedrock", Mode: faults.Throttle}, 8, "pending", "validate 1"},
		{faults.Fault{Service: "smtp", Mode: faults.Error}, 8, "verified", "notify 2"},
		{faults.Fault{Service: "fcm", Operation: "Token", Mode: faults.Error}, 8, "verified", "notify 2"},
		{faults.Fault{Service: "sqs", Operation: "SendMessageBatch", Mode: faults.Error}, 1, "pending", ""}, // the outbox keeps them
		{faults.Fault{Service: "kms", Mode: faults.Error}, 2, "verified", ""},                               // the ledger's worker keeps its own time
		{faults.Fault{Service: "hedera", Mode: faults.Error}, 8, "verified", ""},
		{faults.Fault{Service: "mirror", Mode: faults.Error}, 8, "verified", ""},
		{faults.Fault{Service: "nominatim", Mode: faults.Error}, 8, "verified", ""},
	}
}

// An outage of many hours makes neither dead letters nor second messages, and ends as usual. Only the last delivery makes a
// dead letter, and sending that again ends as usual too.
func TestLongOutagesLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	for _, c := range outages() {
		t.Run(c.fault.Service+" "+string(c.fault.Mode), func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			upload, picture := s.photo(1)
			s.put(upload, picture)
			c.fault.Count = faults.Forever
			s.must(s.faults.Add(c.fault))
			s.create(upload)
			for range c.hours {
				s.hour()
			}
			if dead := s.dead(); dead != "" {
				t.Errorf("after %d hours dead letters %q", c.hours, dead)
			}
			for _, q := range s.cloud.SQS.Overview(0) {
				if n := q.Visible + q.InFlight + q.Delayed; n > 3 { // a report has at most so many messages for one worker
					t.Errorf("after %d hours %d messages on %s", c.hours, n, q.Name)
				}
			}
			s.wearOut()
			s.hour()
			if dead := s.dead(); dead != c.dead {
				t.Errorf("dead letters %q, want %q", dead, c.dead)
			}
			for _, end := range s.ends() {
				if !strings.HasPrefix(end, c.until) {
					t.Errorf("meanwhile %s, want %s", end, c.until)
				}
			}
			s.faults.Clear()
			s.redrive()
			s.settle()
			s.finishedAll(1)
			s.everybodyTold(2, false)
			s.anchored()
		})
	}
}

// hour delivers what there is, and skips an hour.
func (s *system) hour() {
	s.Helper()
	for range 6 { // while it goes on, what failed comes back
		if !s.deliver(order()...) {
			break
		}
	}
	s.later()
	s.sweep()
}

// wearOut receives each message that waits on a queue until one delivery is left, and hands it to nobody.
func (s *system) wearOut() {
	s.Helper()
	s.clock.by.Add(int64(catalog.MaxBackoff)) // none is hidden any more
	for name := range workers() {
		for batch := s.take(name); len(batch) > 0; batch = s.take(name) {
			for _, m := range batch {
				hidden := int32(0)
				if queue.Receives(m) >= catalog.MaxReceives-1 {
					hidden = int32(catalog.MaxBackoff.Seconds())
				}
				_, err := s.sqs.ChangeMessageVisibility(s.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: awssdk.String(s.urls[name]),
					ReceiptHandle: awssdk.String(m.ReceiptHandle), VisibilityTimeout: hidden})
				s.must(err)
			}
		}
	}
	s.clock.by.Add(int64(catalog.MaxBackoff))
}

// redrive moves all dead letters back to their queues.
func (s *system) redrive() {
	s.Helper()
	for name := range workers() {
		_, err := s.cloud.SQS.Redrive(string(name.Dead()))
		s.must(err)
	}
}

// A throttle of the model is over in seconds: the message comes back after the first waits of its backoff, not after the
// visibility timeout of the queue.
func TestAThrottleIsOverInSeconds(t *testing.T) {
	t.Parallel()
	s := setup(t)
	upload, picture := s.photo(1)
	s.put(upload, picture)
	s.must(s.faults.Add(faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.Throttle, Count: 5})) // a delivery calls twice
	s.create(upload)
	began := s.clock.by.Load()
	for s.left() != "" {
		if s.deliver(order()...) {
			continue
		}
		if s.judged() {
			break
		}
		if s.clock.by.Add(int64(time.Second)) > began+int64(15*time.Second) {
			t.Fatalf("after 15 seconds there is no verdict:%s", s.left())
		}
	}
	if n := len(s.faults.Taken()); n != 5 {
		t.Errorf("%d calls were throttled", n)
	}
	if dead := s.dead(); dead != "" {
		t.Errorf("dead letters %q", dead)
	}
	s.settle()
	s.finishedAll(1)
}

// judged reports whether the only report has a verdict.
func (s *system) judged() bool {
	s.Helper()
	var done bool
	s.must(s.owner.QueryRow(s.Context(), `SELECT ai_status = 'completed' FROM reports`).Scan(&done))
	return done
}
