package validate

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// limits sets the daily budgets, in all and of a person, and returns what the worker emits from now on.
func (b *bundle) limits(all, person string) *bytes.Buffer {
	b.exec(`INSERT INTO app_settings (key, value) VALUES ('settings', jsonb_build_object('ai_daily_pictures', $1::int, 'ai_daily_pictures_person', $2::int))`, all, person)
	var out bytes.Buffer
	b.w.metrics = telemetry.NewMetrics(&out, "test", "validate", b.kit.Clock)
	return &out
}

// judged makes a report with a picture, delivers its message and returns its state.
func (b *bundle) judged(seed int) string {
	b.t.Helper()
	id := b.report(-8.55+float64(seed)/100, 125.57)
	b.attach(id, "processed", seed)
	b.answers(relevant)
	if b.deliver(id, 1) {
		b.t.Error("the message returned to the queue")
	}
	return b.state(id)
}

// Past it, a person decides about the reports of this author. The reports of others
// are judged, and the alarm of the whole budget stays quiet.
func TestAPersonHasADailyBudgetOfTheAI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out := b.limits("100", "2")
	for seed, want := range []string{verified, verified, inReview, inReview} {
		if got := b.judged(seed); got != want {
			t.Errorf("report %d: %s, want %s", seed, got, want)
		}
	}
	if n := b.calls(stageRelevance); n != 2 {
		t.Errorf("the model was asked about %d pictures, want 2", n)
	}
	b.person = database.NewID()
	b.exec(`INSERT INTO users (id, email) VALUES ($1, 'rui@example.tl')`, b.person)
	if got := b.judged(9); got != verified {
		t.Errorf("somebody else's report: %s", got)
	}
	if n := strings.Count(out.String(), `"validate_person_spent":1`); n != 2 || strings.Contains(out.String(), `"validate_budget_spent":`) {
		t.Errorf("metrics: %s", out)
	}
	if reason := one[string](b, `SELECT error FROM ai_analyses WHERE stage = 'verdict' AND error IS NOT NULL LIMIT 1`); !strings.Contains(reason, "one person") {
		t.Errorf("staff read %q", reason)
	}
}

// Past it, no model is asked. The alarm sees four fifths before everything is used up.
func TestTheAIHasADailyBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out := b.limits("5", "0")
	for seed := range 6 {
		want := verified
		if seed == 5 {
			want = inReview
		}
		if seed == 4 && !strings.Contains(out.String(), `"ai_budget_used":80`) {
			t.Errorf("after four of five: %s", out)
		}
		if got := b.judged(seed); got != want {
			t.Errorf("report %d: %s, want %s", seed, got, want)
		}
	}
	if !strings.Contains(out.String(), `"ai_budget_used":100`) || strings.Count(out.String(), `"validate_budget_spent":1`) != 1 {
		t.Errorf("metrics: %s", out)
	}
}

// A picture counts once a day, however often its message comes and the model fails.
func TestAPictureCountsOnceForTheDailyBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limits("100", "100")
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	if err := b.faults.Add(faults.Fault{Service: "bedrock", Mode: faults.Error, Count: 4}); err != nil {
		t.Fatal(err)
	}
	for b.deliver(id, 1) {
	}
	if n := one[int](b, `SELECT sum(pictures) FROM ai_days`); n != 2 { // once in all, and once for the author
		t.Errorf("counted %d times, want 2", n)
	}
}

// Forty runs ask for a budget of seven.
func TestRunsAtTheSameTimeDoNotPassTheDailyBudget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	report := b.report(-8.55, 125.57)
	var paid, refused atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				err := dailyBudget{db: b.kit.DB, clock: b.kit.Clock, metrics: b.w.metrics, all: 7}.pay(t.Context(), report, uuid.New())
				var spent budgetError
				switch {
				case err == nil:
					paid.Add(1)
				case errors.As(err, &spent):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if paid.Load() != 7 || refused.Load() != 33 {
		t.Errorf("%d paid and %d refused, want 7 and 33", paid.Load(), refused.Load())
	}
	if n := one[int](b, `SELECT count(*) FROM ai_pictures`); n != 7 {
		t.Errorf("%d pictures are marked, want 7", n)
	}
}
