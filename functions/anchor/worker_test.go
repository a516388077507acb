package anchor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

func TestEventsReachTheLedgerInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options, _ *anchor.Config) {
		o.ConsensusDelay, o.MirrorLag = 3*time.Second, 5*time.Second
	})
	id := b.report()
	b.move(id, "pending", "verified")
	b.move(id, "verified", "in_progress")
	b.settle()
	b.checkAnchored()
	h, err := ledger.History(t.Context(), b.db, b.config.Ledger, id)
	if err != nil {
		t.Fatal(err)
	}
	messages := b.net.Messages()
	if len(messages) != 3 || len(h.Entries) != 3 {
		t.Fatalf("got %d messages, %d entries, want 3 each", len(messages), len(h.Entries))
	}
	for i, e := range h.Entries {
		if string(e.Payload) != string(messages[i].Contents) || !e.Verified || e.Status != "confirmed" ||
			*e.TransactionID != messages[i].TransactionID || *e.SequenceNumber != int64(messages[i].SequenceNumber) ||
			*e.ExplorerURL != "https://example.org/local/"+messages[i].TransactionID ||
			!e.ConsensusTimestamp.Equal(messages[i].ConsensusTimestamp) {
			t.Errorf("entry %d: got %+v, message %+v", i, e, messages[i])
		}
	}
	if messages[0].TopicID != b.config.Ledger.TopicReports || messages[1].TopicID != b.config.Ledger.TopicStatus {
		t.Errorf("topics: got %s, %s", messages[0].TopicID, messages[1].TopicID)
	}
	if v := b.verify(id); !v.Verified {
		t.Errorf("verify: got %+v", v)
	}
	if n := scan[int](b, `SELECT count(*) FROM notifications WHERE type = 'blockchain_confirmed' AND user_id = $1`, b.user); n != 1 {
		t.Errorf("got %d notifications, want 1", n)
	}
	if n := scan[int](b, `SELECT count(*) FROM outbox WHERE queue = 'notify'`); n != 0 {
		t.Errorf("%d of them go by mail and push, want none", n)
	}
	batch := &database.Batch{}
	anchor := ledger.AskAnchor(batch, b.config.Ledger, report.AboutID(id))
	if err := batch.Send(t.Context(), b.db); err != nil {
		t.Fatal(err)
	}
	if where := anchor.Get(); where.Status != "confirmed" || *where.TransactionID != messages[0].TransactionID {
		t.Errorf("anchor: got %+v", where)
	}
}

func TestReportsShowTheStatusOfTheirEvents(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options, _ *anchor.Config) {
		o.ConsensusDelay, o.MirrorLag = 3*time.Second, 5*time.Second
	})
	id := b.report()
	var seen []string
	look := func() {
		s := scan[string](b, `SELECT blockchain_status FROM reports WHERE id = $1`, id)
		if len(seen) == 0 || seen[len(seen)-1] != s {
			seen = append(seen, s)
		}
	}
	look()
	for range 20 {
		due, next := b.queue.take()
		b.deliver(b.worker, due)
		look()
		if !next.IsZero() {
			b.clock.Advance(next.Sub(b.clock.Now()))
		}
	}
	b.move(id, "pending", "verified")
	look()
	b.settle()
	look()
	if got := strings.Join(seen, " "); got != "queued submitted confirmed queued confirmed" {
		t.Errorf("got %s", got)
	}
}

func TestDuplicatedReorderedDeliveriesToManyWorkers(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *hedera.Options, c *anchor.Config) { c.BatchThreshold = 1000 })
	for range 6 {
		id := b.report()
		b.move(id, "pending", "verified")
		b.move(id, "verified", "in_progress")
	}
	second := b.newWorker(b.open("lafaek_app", nil))
	for range 6 {
		b.shuffle(b.worker, second)
	}
	b.settle()
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 18 {
		t.Errorf("got %d messages for 18 events", n)
	}
	if n := scan[int](b, `SELECT count(*) FROM notifications`); n != 6 {
		t.Errorf("got %d notifications for 6 reports", n)
	}
}

func TestManyEventsShareOneMessage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *hedera.Options, c *anchor.Config) { c.BatchThreshold, c.MaxBatch = 5, 16 })
	var reports []uuid.UUID
	for i := range 40 {
		id := b.report()
		reports = append(reports, id)
		if i%2 == 0 {
			b.append(id, ledger.Event{Type: ledger.Amended}) // the same topic: may share the batch
		}
		if i%5 == 0 {
			b.move(id, "pending", "verified") // the other topic: must wait
		}
	}
	b.shuffle(b.worker, b.newWorker(b.open("lafaek_app", nil)))
	b.settle()
	b.checkAnchored()
	if n := len(b.net.Messages()); n < 4 || n > 12 {
		t.Errorf("got %d messages for 68 events, want a handful", n)
	}
	for _, id := range reports {
		if v := b.verify(id); !v.Verified {
			t.Fatalf("verify: got %+v", v)
		}
	}
	h, err := ledger.History(t.Context(), b.db, b.config.Ledger, reports[0])
	if err != nil || h.Entries[0].Batch == nil || len(h.Entries[0].Batch.Proof) == 0 || !h.Entries[0].Verified {
		t.Errorf("history of a batched report: got %+v, %v", h, err)
	}
	if n := scan[int](b, `SELECT count(*) FROM notifications`); n != 40 {
		t.Errorf("got %d notifications for 40 reports", n)
	}
}

func TestFewEventsAreSentOneByOne(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *hedera.Options, c *anchor.Config) { c.BatchThreshold = 5 })
	for range 5 {
		b.report()
	}
	b.settle()
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 5 {
		t.Errorf("got %d messages, want 5", n)
	}
}

func TestMessagesThatNameNoEventFail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var batch events.SQSEvent
	for i, body := range []string{`{`, `{}`, fmt.Sprintf(`{"event_id":%q}`, database.NewID())} {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: body})
	}
	resp, err := queue.Each(queue.Anchor, 2, b.worker.Log, b.worker.Message).Handle(t.Context(), batch)
	if err != nil || len(resp.BatchItemFailures) != 3 {
		t.Errorf("got %+v, %v, want all three to fail", resp, err)
	}
}

func TestSweepSendsLostMessagesAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.queue.lose = true
	for range 3 {
		id := b.report()
		b.move(id, "pending", "verified")
	}
	b.queue.lose = false
	if n := b.sweep(); n != 0 {
		t.Errorf("within the grace: got %d messages, want none", n)
	}
	for range 3 {
		b.clock.Advance(5 * time.Minute)
		b.sweep()
		b.settle()
	}
	b.checkAnchored()
	if n := b.sweep(); n != 0 {
		t.Errorf("with nothing left: got %d messages, want none", n)
	}
}
