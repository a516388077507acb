package anchor_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/translog"
)

// sent is a message as the network has it.
type sent struct {
	Checkpoint string
	Entries    []struct {
		Index  int64   `json:"i"`
		Number *string `json:"n"`
		Event  string  `json:"e"`
	}
}

// messages are those of the network, in order, each opened with the log's key.
func (b *bundle) messages() ([]sent, []*translog.Checkpoint) {
	b.t.Helper()
	var out []sent
	var heads []*translog.Checkpoint
	for _, m := range b.net.Messages() {
		var s sent
		if err := json.Unmarshal(m.Contents, &s); err != nil {
			b.t.Fatal(err)
		}
		c, err := translog.OpenCheckpoint([]byte(s.Checkpoint), origin, scan[string](b, `SELECT vkey FROM log_keys WHERE role = 'log'`))
		if err != nil {
			b.t.Fatal(err)
		}
		out, heads = append(out, s), append(heads, c)
	}
	return out, heads
}

// pass lets time pass, with relay's message each minute.
func (b *bundle) pass(d time.Duration) {
	b.t.Helper()
	end, relay := b.clock.Now().Add(d), b.clock.Now()
	for b.clock.Now().Before(end) {
		if !b.clock.Now().Before(relay) {
			b.queue.put(letter{due: relay})
			relay = relay.Add(time.Minute)
		}
		due, next := b.queue.take()
		if len(due) > 0 {
			b.deliver(b.worker, due)
			continue
		}
		to := relay
		for _, at := range []time.Time{next, end} {
			if !at.IsZero() && at.Before(to) {
				to = at
			}
		}
		b.clock.Advance(to.Sub(b.clock.Now()))
	}
}

func TestAReportIsPublishedAndSentAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options, _ *anchor.Config) {
		o.ConsensusDelay, o.MirrorLag = 3*time.Second, 5*time.Second
	})
	id := b.report()
	b.settle()
	b.checkAnchored()
	messages, heads := b.messages()
	if len(messages) != 1 || heads[0].N != 4 {
		t.Fatalf("got %d messages, the first of %d entries", len(messages), heads[0].N)
	}
	var named []string
	for _, e := range messages[0].Entries {
		number := "null"
		if e.Number != nil {
			number = *e.Number
		}
		named = append(named, fmt.Sprint(e.Index, " ", number, " ", e.Event))
	}
	if got := strings.Join(named, ", "); got != "0 LS-2026-000001 REPORT_SUBMITTED, 1 null KEY_CHANGED, 2 null KEY_CHANGED, 3 null KEY_CHANGED" {
		t.Errorf("the message names %s", got)
	}
	m := b.net.Messages()[0]
	if m.TopicID != b.config.Ledger.TopicReports {
		t.Errorf("topic %s", m.TopicID)
	}
	if p := b.place(id); p.Status != "confirmed" || *p.TransactionID != m.TransactionID || *p.SequenceNumber != int64(m.SequenceNumber) ||
		*p.ExplorerURL != "https://example.org/local/"+m.TransactionID || !p.ConsensusTimestamp.Equal(m.ConsensusTimestamp) {
		t.Errorf("place on the ledger: %+v", p)
	}
	b.move(id, "pending", "verified")
	b.settle()
	b.checkAnchored()
	if p := b.place(id); *p.TransactionID != m.TransactionID {
		t.Errorf("after a second message the report's place is %+v", p)
	}
	if n := scan[int](b, `SELECT count(*) FROM notifications WHERE type = 'blockchain_confirmed' AND user_id = $1`, b.user); n != 1 {
		t.Errorf("got %d notifications, want 1", n)
	}
	if n := scan[int](b, `SELECT count(*) FROM outbox WHERE queue = 'notify'`); n != 0 {
		t.Errorf("%d of them go by mail and push, want none", n)
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

// A message confirms its own events only: an event that came meanwhile keeps its report queued.
func TestAReportWithALaterEventStaysQueued(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options, _ *anchor.Config) { o.MirrorLag = 5 * time.Second })
	id := b.report()
	due, _ := b.queue.take()
	b.deliver(b.worker, due) // sent, not confirmed
	b.queue.lose = true
	b.move(id, "pending", "verified")
	b.queue.lose = false
	for range 3 {
		b.clock.Advance(3 * time.Second) // less than publishEvery: the move is not published
		due, _ := b.queue.take()
		b.deliver(b.worker, due)
	}
	if s := scan[string](b, `SELECT state FROM log_messages`); s != "confirmed" {
		t.Fatalf("the message is %s", s)
	}
	if s := b.place(id).Status; s != "queued" {
		t.Errorf("the report shows %s", s)
	}
	b.settle()
	b.pass(time.Minute)
	b.checkAnchored()
}

func TestManyReportsShareOneMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 600 { // more than one page of reports
		b.bare()
	}
	b.shuffle(b.worker, b.newWorker(b.open("lafaek_app", nil)))
	b.settle()
	b.checkAnchored()
	messages, heads := b.messages()
	if len(messages) != 1 || heads[0].N != 603 || len(messages[0].Entries) < 10 {
		t.Errorf("got %d messages, of %d entries, %d named", len(messages), heads[0].N, len(messages[0].Entries))
	}
	for _, m := range b.net.Messages() {
		if len(m.Contents) > ledger.MaxMessage || len(m.Contents) < ledger.MaxMessage-60 {
			t.Errorf("message of %d bytes", len(m.Contents))
		}
	}
	if n := scan[int](b, `SELECT count(*) FROM notifications`); n != 600 {
		t.Errorf("got %d notifications for 600 reports", n)
	}
}

// While many reports come, a checkpoint is signed every ten seconds.
func TestUnderLoadACheckpointIsSignedEveryTenSeconds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var signed []time.Time
	for range 60 {
		b.report()
		due, _ := b.queue.take()
		b.deliver(b.worker, due)
		if at := scan[time.Time](b, `SELECT signed_at FROM log_head`); len(signed) == 0 || !at.Equal(signed[len(signed)-1]) {
			signed = append(signed, at)
		}
		b.clock.Advance(time.Second)
	}
	if len(signed) != 6 {
		t.Errorf("%d checkpoints in a minute: %v", len(signed), signed)
	}
	b.settle()
	b.checkAnchored()
}

// While the budget lasts each publication is a message; below half only new reports are sent at once; then one an interval.
func TestMessagesKeepToTheBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.settings(func(s *settings.Settings) { s.LedgerBurst, s.LedgerIntervalSeconds = 4, 600 })
	count := func() int { return len(b.net.Messages()) }
	id := b.report()
	b.pass(time.Minute)
	for i, act := range []struct {
		what string
		do   func()
		want int // messages within a minute
	}{
		{"a move", func() { b.move(id, "pending", "verified") }, 1},
		{"a move, half of the budget is left", func() { b.move(id, "verified", "in_progress") }, 1},
		{"a move below half", func() { b.move(id, "in_progress", "fixed") }, 0},
		{"a report below half", func() { b.report() }, 1},
		{"a report when the budget is used up", func() { b.report() }, 0},
	} {
		before := count()
		act.do()
		b.pass(time.Minute)
		if got := count() - before; got != act.want {
			t.Errorf("%d %s: %d messages, want %d (budget %v)", i, act.what, got, act.want, scan[float64](b, `SELECT budget FROM log_head`))
		}
	}
	before := count()
	b.pass(12 * time.Minute)
	if got := count() - before; got != 1 {
		t.Errorf("%d messages after an interval, want one", got)
	}
	b.checkAnchored()
}

// Without an account nothing goes to the ledger, and the log is published.
func TestWithoutAnAccountTheLogIsPublished(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *hedera.Options, c *anchor.Config) { c.Ledger.Accounts = nil })
	b.config.Ledger.TopicReports, b.config.Nodes = "", nil
	b.worker = b.newWorker(b.db)
	id := b.report()
	b.pass(3 * time.Minute)
	if c := b.published(); c.N != 3 {
		t.Errorf("%d entries", c.N)
	}
	if s := b.place(id); s.Status != string(report.LedgerQueued) || s.TransactionID != nil || scan[int](b, `SELECT count(*) FROM log_messages`) != 0 {
		t.Errorf("got %+v", s)
	}
	if strings.Contains(b.metrics.String(), "anchor_lag") {
		t.Error("an alarm would say that events wait for a ledger that there is not")
	}
}

// A message that was lost is made up for by the next that comes, each minute.
func TestALostMessageDelaysTheEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.queue.lose = true
	for range 3 {
		id := b.report()
		b.move(id, "pending", "verified")
	}
	b.queue.lose = false
	b.pass(time.Minute)
	b.checkAnchored()
}

// What waits makes one delayed message, not one for each message that came meanwhile.
func TestOneMessageWakesTheWorker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	b.settle()
	for range 20 {
		b.report()
		due, _ := b.queue.take()
		b.deliver(b.worker, due)
	}
	if n := len(b.queue.mail); n != 1 {
		t.Errorf("%d messages are on their way, want one", n)
	}
	b.settle()
	b.checkAnchored()
}

// The bucket keeps no partial tile that a full one has taken the place of.
func TestPartialTilesAreCleared(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 5 {
		for range 60 {
			b.bare()
		}
		b.pass(time.Minute)
	}
	b.checkAnchored()
	keys, err := b.store().List(t.Context(), "tile/")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.DeleteFunc(keys, func(k string) bool { return !strings.Contains(k, "/000.p/") || strings.HasPrefix(k, "tile/1/") }); len(got) > 0 {
		t.Errorf("the first tile is full, and there are %v", got)
	}
}

// bare is a report without a picture, quickly made.
func (b *bundle) bare() uuid.UUID {
	b.t.Helper()
	b.number++
	id := uuid.Must(uuid.NewV7())
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, title, description, latitude, longitude)
		VALUES ($1, $2, $3, 'x', 'pothole', 'Kuak boot', 'Iha dalan klaran', -8.556856, 125.560314)`, id, fmt.Sprintf("LS-2026-%06d", b.number), b.user)
	b.append(id, ledger.Event{Type: ledger.Submitted})
	return id
}

// settings changes the administrators' settings.
func (b *bundle) settings(change func(*settings.Settings)) {
	b.t.Helper()
	s := settings.Default()
	change(&s)
	raw, err := json.Marshal(s)
	if err != nil {
		b.t.Fatal(err)
	}
	b.exec(`INSERT INTO app_settings (key, value) VALUES ('settings', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, string(raw))
}
