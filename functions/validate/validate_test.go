package validate

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
)

const (
	verified   = "verified completed high REPORT_SUBMITTED+STATUS_CHANGED+AI_VALIDATED report_verified 1"
	rejected   = "rejected rejected medium REPORT_SUBMITTED+STATUS_CHANGED+AI_VALIDATED report_rejected 0"
	inReview   = "pending needs_review medium REPORT_SUBMITTED+AI_VALIDATED 0"
	relevant   = `{"is_relevant": true, "confidence": 0.9, "severity_score": 7, "title": "Deep pothole"}`
	irrelevant = `{"is_relevant": false, "confidence": 0.95, "reason": "A plate of food."}`
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		answers []string
		want    string
	}{
		{"relevant", []string{relevant}, verified},
		{"irrelevant, sure enough", []string{irrelevant}, rejected},
		{"irrelevant, not sure enough", []string{`{"is_relevant": false, "confidence": 0.94}`}, inReview},
		{"relevant, hardly", []string{`{"is_relevant": true, "confidence": 0.3, "severity_score": 7}`}, "pending needs_review high REPORT_SUBMITTED+AI_VALIDATED 1"},
		{"malformed, then relevant", []string{`{"_input": {"nonsense": 1}}`, relevant}, verified},
		{"words instead of a tool call, then irrelevant", []string{`{"_text": "It is food."}`, irrelevant}, rejected},
		{"malformed twice", []string{`{"_input": {"is_relevant": "perhaps"}}`, `{"_input": {}}`}, inReview},
		{"assessment malformed twice", []string{`{"is_relevant": true, "confidence": 0.9}`, `{"severity_score": "bad"}`, `{"severity_score": null}`}, inReview},
		{"sure beyond all measure", []string{`{"is_relevant": false, "confidence": 95}`, `{"is_relevant": false, "confidence": 1.01}`}, inReview},
		{"no confidence", []string{`{"_input": {"is_relevant": false}}`, `{"_input": {"is_relevant": false, "confidence": null}}`}, inReview},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.report(-8.55, 125.57)
			b.attach(id, "processed", 1)
			b.answers(c.answers...)
			for receives := range 2 { // the second delivery must change nothing
				if b.deliver(id, receives+1) {
					t.Fatal("the message returned to the queue")
				}
				if got := b.state(id); got != c.want {
					t.Errorf("delivery %d: %s, want %s", receives+1, got, c.want)
				}
			}
			b.requireLedger(id)
			// The log is for ever: it gives a reason for a rejection, and for nothing else.
			if n := one[int](b, `SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'STATUS_CHANGED'
				AND (convert_from(payload, 'UTF8')::jsonb ->> 'status' = 'rejected') <> (convert_from(payload, 'UTF8')::jsonb ? 'reason_code')`, id); n != 0 {
				t.Error("a reason code without a rejection, or a rejection without one")
			}
			if n := b.calls(stageVerdict); n != 1 {
				t.Errorf("%d verdicts, want 1", n)
			}
			if n := b.cloud.Bedrock.Scripted(); n != 0 {
				t.Errorf("%d scripted answers were never asked for", n)
			}
		})
	}
}

func TestEveryModelCallIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	b.answers(`{"_input": {"nonsense": "a\u0000b"}}`, relevant)
	b.deliver(id, 1)
	got := one[string](b, `SELECT string_agg(concat_ws(':', stage, status, input_tokens > 0 OR stage IN ('embedding', 'verdict'), error IS NULL), ' ' ORDER BY created_at, id) FROM ai_analyses`)
	if want := "relevance:failed:t:f relevance:completed:t:t damage:completed:t:t embedding:completed:t:t verdict:completed:t:t"; got != want {
		t.Errorf("calls %s\nwant  %s", got, want)
	}
	row := one[string](b, `SELECT concat_ws('|', n.is_relevant, n.damage_type, n.severity, n.severity_score, n.title, n.model)
		FROM reports r JOIN ai_analyses n ON n.id = r.ai_analysis_id WHERE r.id = $1`, id)
	contains(t, "the report's analysis", row, "t|pothole|high|7|Deep pothole|us.amazon.nova")
	if tokens := one[int](b, `SELECT input_tokens + output_tokens FROM ai_usage`); tokens < 100 {
		t.Errorf("%d tokens counted", tokens)
	}
	said := one[string](b, `SELECT concat_ws('|', n.translations #>> '{tet,title}', n.translations #>> '{pt,recommended_repair}', n.translations #>> '{tet,relevance_reason}')
		FROM reports r JOIN ai_analyses n ON n.id = r.ai_analysis_id WHERE r.id = $1`, id)
	if said != "Buraku iha estrada|Limpar, encher e compactar o buraco.|Foto hatudu estrada aat." {
		t.Errorf("translations %q", said)
	}
	if title := one[string](b, `SELECT title FROM reports WHERE id = $1`, id); title != "Buraco na estrada" { // the author reads Portuguese
		t.Errorf("title %q", title)
	}
}

func TestAVerdictKeepsTheTextOfTheAuthor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.exec(`UPDATE reports SET title = 'Kuak boot', description = 'Iha estrada' WHERE id = $1`, id)
	b.attach(id, "processed", 1)
	b.answers(`{"is_relevant": true, "confidence": 0.9, "severity_score": 2, "issue_type": "flooding", "description": "Water"}`)
	b.deliver(id, 1)
	if got := one[string](b, `SELECT concat_ws('|', title, description, issue_type) FROM reports`); got != "Kuak boot|Iha estrada|pothole" {
		t.Errorf("report says %s", got)
	}
}

func TestRejectionSaysWhyInTheAuthorsLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	b.answers(irrelevant)
	b.deliver(id, 1)
	contains(t, "reason", one[string](b, `SELECT rejection_reason FROM reports`), "A fotografia")
}

func TestReportsThatCannotBeJudged(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		prepare func(*bundle, uuid.UUID)
		want    string
	}{
		{"no picture", func(*bundle, uuid.UUID) {}, inReview},
		{"picture on its way", func(b *bundle, id uuid.UUID) { b.attach(id, "issued", 0) }, "pending queued medium REPORT_SUBMITTED 0"},
		{"picture refused", func(b *bundle, id uuid.UUID) { b.attach(id, "refused", 0) }, inReview},
		{"picture never came", func(b *bundle, id uuid.UUID) {
			b.attach(id, "issued", 0)
			b.exec(`UPDATE report_images SET created_at = now() - interval '25 hours'`)
		}, inReview},
		{"budget spent", func(b *bundle, id uuid.UUID) {
			b.attach(id, "processed", 0)
			b.exec(`INSERT INTO ai_usage VALUES (date_trunc('month', now() AT TIME ZONE 'UTC')::date, $1, 0)`, settings.Default().AIMonthlyTokens)
		}, inReview},
		{"staff was quicker", func(b *bundle, id uuid.UUID) {
			b.attach(id, "processed", 0)
			b.exec(`UPDATE reports SET status = 'verified'`)
			b.exec(report.JudgePicturesSQL, id, true)
		}, "verified completed medium REPORT_SUBMITTED 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.report(-8.55, 125.57)
			c.prepare(b, id)
			for range 2 {
				if b.deliver(id, 1) {
					t.Error("the message returned to the queue")
				}
			}
			if got := b.state(id); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if n := len(b.cloud.Bedrock.Calls()); n != 0 {
				t.Errorf("the model was asked %d times", n)
			}
		})
	}
}

func TestALatePictureIsJudged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.deliver(id, 1)
	b.attach(id, "processed", 1)
	b.answers(relevant)
	b.deliver(id, 1)
	if got := b.state(id); got != strings.Replace(verified, "+", "+AI_VALIDATED+", 1) {
		t.Errorf("%s", got)
	}
}

func TestDuplicatesAreFoundByPlaceThenPicture(t *testing.T) {
	t.Parallel()
	b := setup(t)
	judged := func(latitude, longitude float64, seed int) uuid.UUID {
		id := b.report(latitude, longitude)
		b.attach(id, "processed", seed)
		b.answers(relevant)
		if b.deliver(id, 1) {
			t.Fatal("failed")
		}
		return id
	}
	same := judged(-8.55, 125.57, 1)
	judged(-8.55, 125.571, 1)  // the same picture, 110 m away
	judged(-8.55, 125.57, 200) // here, another picture
	b.exec(`UPDATE reports SET created_at = now() - interval '91 days' WHERE id = $1`, judged(-8.55, 125.57, 1))
	mine := judged(-8.5501, 125.57, 1)
	if got := one[string](b, `SELECT string_agg(candidate_id::text, ' ') FROM duplicate_candidates WHERE report_id = $1`, mine); got != same.String() {
		t.Errorf("candidates %s, want %s alone", got, same)
	}
	if got := one[float64](b, `SELECT similarity FROM duplicate_candidates WHERE report_id = $1`, mine); got < 0.99 {
		t.Errorf("similarity %v of the same picture", got)
	}
}

// Timeouts, throttling and malformed answers never lose or wrongly reject a report.
func TestFaults(t *testing.T) {
	t.Parallel()
	const queuedAgain = "pending processing medium REPORT_SUBMITTED 0"
	cases := []struct {
		name  string
		fault faults.Fault
		back  bool   // the message returned to the queue
		under string // the report's state while the fault lasts
		after string
	}{
		{"model errs", faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.Error}, true, queuedAgain, verified},
		{"model throttles", faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.Throttle}, true, queuedAgain, verified},
		{"model is silent", faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.Timeout}, true, queuedAgain, verified},
		{"model's answer is lost", faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.DropReply}, true, queuedAgain, verified},
		{"model talks nonsense", faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.Malformed}, false, inReview, inReview},
		{"assessment errs", faults.Fault{Service: "bedrock", Operation: "Converse", Mode: faults.Error, Skip: 1}, true, queuedAgain, verified},
		{"embedding throttles", faults.Fault{Service: "bedrock", Operation: "InvokeModel", Mode: faults.Throttle}, true, queuedAgain, verified},
		{"embedding is nonsense", faults.Fault{Service: "bedrock", Operation: "InvokeModel", Mode: faults.Malformed}, false,
			strings.TrimSuffix(verified, "1") + "0", strings.TrimSuffix(verified, "1") + "0"},
		{"picture cannot be read", faults.Fault{Service: "s3", Operation: "GetObject", Mode: faults.Error}, true, queuedAgain, verified},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var aiTimeout []string
			if c.fault.Mode == faults.Timeout {
				aiTimeout = []string{"3s"}
			}
			b := setup(t, aiTimeout...)
			id := b.report(-8.55, 125.57)
			b.attach(id, "processed", 1)
			if c.fault.Mode != faults.Malformed || c.fault.Operation == "InvokeModel" {
				b.answers(relevant)
			}
			c.fault.Count = faults.Forever
			if err := b.faults.Add(c.fault); err != nil {
				t.Fatal(err)
			}
			if back := b.deliver(id, 1); back != c.back {
				t.Errorf("message returned to the queue: %v, want %v", back, c.back)
			}
			if len(b.faults.Taken()) == 0 {
				t.Error("the fault did not happen")
			}
			if got := b.state(id); got != c.under {
				t.Errorf("under the fault: %s, want %s", got, c.under)
			}
			b.faults.Clear()
			b.cloud.Bedrock.ClearScript()
			if one[int](b, `SELECT count(*) FROM ai_analyses WHERE status = 'completed' AND stage = 'relevance'`) == 0 {
				b.answers(relevant)
			} else {
				b.answers(`{"severity_score": 7}`)
			}
			if b.deliver(id, 2) {
				t.Error("afterwards the message still comes back")
			}
			if got := b.state(id); got != c.after {
				t.Errorf("afterwards: %s, want %s", got, c.after)
			}
			if n := one[int](b, `SELECT count(*) FROM ai_analyses WHERE stage = 'relevance' AND status = 'completed'`); n > 1 {
				t.Errorf("paid %d times for the same answer", n)
			}
		})
	}
}

// While the models do not answer, a report waits for them, then also for people, and it is judged when they answer again.
func TestAfterAnHourAReportAlsoWaitsForPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	if err := b.faults.Add(faults.Fault{Service: "bedrock", Mode: faults.Throttle, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	versions := func() int { return one[int](b, `SELECT version FROM reports`) }
	before := versions()
	for _, c := range []struct {
		receives int
		want     string
		changes  int
	}{{forPeople - 1, "pending processing", 0}, {forPeople, "pending failed", 1}, {forPeople + 1, "pending failed", 1}, {catalog.MaxReceives, "pending failed", 1}} {
		if !b.deliver(id, c.receives) {
			t.Errorf("delivery %d: the message does not come back", c.receives)
		}
		if got := b.state(id); got != c.want+" medium REPORT_SUBMITTED 0" {
			t.Errorf("after delivery %d: %s", c.receives, got)
		}
		if n := versions() - before; n != c.changes {
			t.Errorf("after delivery %d the report has changed %d times, want %d", c.receives, n, c.changes)
		}
	}
	b.faults.Clear()
	b.answers(relevant)
	if b.deliver(id, 1) { // sent again from the dead letters
		t.Error("the message returned to the queue")
	}
	if got := b.state(id); got != verified {
		t.Errorf("after the redrive: %s", got)
	}
}

// A message that goes to the dead letters before its last delivery leaves the report to staff.
func TestAParkedMessageLeavesTheReportToStaff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // its time is over
	b.w.parked(ctx, events.SQSMessage{Body: `{"report_id":"` + id.String() + `"}`})
	if got := b.state(id); got != "pending failed medium REPORT_SUBMITTED 0" {
		t.Errorf("%s", got)
	}
}

// A model that makes no embeddings delays the verdict for a while, and then no longer.
func TestAVerdictDoesNotWaitLongForAnEmbedding(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	b.answers(relevant)
	if err := b.faults.Add(faults.Fault{Service: "bedrock", Operation: "InvokeModel", Mode: faults.Throttle, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	if !b.deliver(id, withoutEmbedding-1) {
		t.Error("the verdict does not wait for an embedding")
	}
	if b.deliver(id, withoutEmbedding) {
		t.Error("the verdict waits for an embedding for a day")
	}
	if got := b.state(id); got != strings.TrimSuffix(verified, "1")+"0" {
		t.Errorf("%s", got)
	}
}

// Staff may decide about a report while the model is called. Their decision is kept, even if the model's verdict is another.
func TestADecisionOfStaffDuringAVerdictIsKept(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, decide string
		throttled    bool
		want         string
	}{
		{"rejected and appealed", "status = 'rejected', ai_status = 'needs_review', appealed_at = now()", false, "rejected needs_review medium REPORT_SUBMITTED 0"},
		{"overridden", "status = 'rejected', ai_status = 'rejected'", false, "rejected rejected medium REPORT_SUBMITTED 0"},
		{"verified", "status = 'verified'; UPDATE report_images SET verdict = 'relevant'", false, "verified completed medium REPORT_SUBMITTED 0"},
		{"verified, and no verdict", "status = 'verified'; UPDATE report_images SET verdict = 'relevant'", true, "verified completed medium REPORT_SUBMITTED 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.report(-8.55, 125.57)
			b.attach(id, "processed", 1)
			b.meanwhile(c.decide)
			if c.throttled {
				if err := b.faults.Add(faults.Fault{Service: "bedrock", Mode: faults.Throttle, Count: faults.Forever}); err != nil {
					t.Fatal(err)
				}
			} else {
				b.answers(relevant)
			}
			b.deliver(id, catalog.MaxReceives)
			if got := b.state(id); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// A message that is delivered twice is judged once. The second run may have read the report just before the first one
// stored its verdict: it must not remove a report that waits for a person from the queue of staff.
func TestASecondRunDoesNotChangeTheVerdict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	second, err := b.w.readSubject(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b.answers(`{"is_relevant": false, "confidence": 0.5}`)
	b.deliver(id, 1)
	if got := b.state(id); got != inReview {
		t.Fatalf("the first run's verdict: %s, want %s", got, inReview)
	}
	if err := b.w.markProcessing(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if got := b.state(id); got != inReview {
		t.Errorf("after the second run: %s, want %s", got, inReview)
	}
}
