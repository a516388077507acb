package anchor_test

import (
	"testing"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// Two workers that get the same event at once: the second waits until the first has claimed it, and does nothing.
func TestClaimsOfOneEventDoNotCollide(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	due, _ := b.queue.take()
	event := due[0].event
	hold, err := b.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.Exec(t.Context(), `SELECT FROM ledger_anchors WHERE event_id = $1 FOR UPDATE`, event); err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 2)
	for _, w := range []*anchor.Worker{b.worker, b.newWorker(b.open("lafaek_app", nil))} {
		go func() { answers <- w.Work(t.Context(), event, false) }()
	}
	testdb.AwaitLocked(t, b.owner.Pool, 2)
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-answers; err != nil {
			t.Errorf("a worker failed: %v", err)
		}
	}
	b.settle()
	b.checkAnchored()
	if n := len(b.net.Messages()); n != 1 {
		t.Errorf("%d messages for one event", n)
	}
}
