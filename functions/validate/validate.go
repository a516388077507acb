// Package validate is the worker that has a report judged by AI: is the picture
// of a real problem at all, how bad is the damage, has it been reported before.
//
// A verdict only ever comes from an answer of the demanded form. Whatever else
// happens (silence, throttling, nonsense, no budget, no picture) the report
// stays pending, and at worst a person decides.
package validate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Config of the worker.
type Config struct {
	Storage storage.Config
	Models  ModelConfig
	// Concurrency is how many reports are judged at once by one process; the queue's own cap holds the models' quota.
	Concurrency int `env:"VALIDATE_CONCURRENCY" envDefault:"2"`
}

// Objects is what the worker needs of S3.
type Objects interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
}

// Worker judges reports.
type Worker struct {
	db       *database.DB
	outbox   *outbox.Outbox
	objects  Objects
	judge    judge
	settings *settings.Reader
	clock    timestamp.Clock
	log      *slog.Logger
	metrics  *telemetry.Metrics
	cfg      Config
}

// Open makes the consumer of the validate queue.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "validate", env)
	if err != nil {
		return nil, err
	}
	w, err := newWorker(kit)
	if err != nil {
		return nil, err
	}
	return kit.Queue(queue.Validate, w.cfg.Concurrency, w.message), nil
}

func newWorker(kit *service.Kit) (*Worker, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open validate: %w", err)
	}
	return &Worker{
		db: kit.DB, outbox: kit.Outbox, objects: storage.New(kit.AWS, cfg.Storage),
		judge:    judge{models{bedrock: newBedrock(kit.AWS), cfg: cfg.Models}},
		settings: settings.NewReader(kit.DB, kit.Clock), clock: kit.Clock, log: kit.Log, metrics: kit.Metrics, cfg: cfg,
	}, nil
}

// newBedrock leaves waiting out a throttle to the queue: a worker that sleeps costs money.
func newBedrock(cfg aws.Config) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 2 })
}

func (w *Worker) message(ctx context.Context, m events.SQSMessage) error {
	var in queue.ValidateMessage
	if err := json.Unmarshal([]byte(m.Body), &in); err != nil || in.ReportID == uuid.Nil {
		return queue.Permanent(errors.New("message names no report"))
	}
	last := queue.Receives(m) >= catalog.MaxReceives
	err := w.report(ctx, in.ReportID, last)
	if err == nil || errors.Is(err, report.ErrNotFound) {
		return nil
	}
	if last {
		// The message goes to the dead letters; the report shows it to staff. What was
		// cut off with ctx must still be said.
		w.metrics.Add(catalog.ValidateDead)
		return errors.Join(err, w.fail(context.WithoutCancel(ctx), in.ReportID))
	}
	return err
}

// report judges one report as far as it is ready to be judged.
func (w *Worker) report(ctx context.Context, id uuid.UUID, last bool) error {
	s, err := w.subject(ctx, id)
	if err != nil {
		return err
	}
	switch s.readiness(w.clock.Now()) {
	case settled, notYet:
		return nil
	case overtaken:
		return w.overtaken(ctx, s)
	case hopeless:
		return w.settle(ctx, s, verdict{status: report.AINeedsReview, why: s.hopelessness()})
	}
	known, err := w.settings.Current(ctx)
	if err != nil {
		return err
	}
	tokens, err := spent(ctx, w.db, w.clock)
	if err != nil {
		return err
	}
	if known.AIMonthlyTokens > 0 && tokens >= known.AIMonthlyTokens {
		w.metrics.Add(catalog.ValidateBudgetSpent)
		return w.settle(ctx, s, verdict{status: report.AINeedsReview, why: "the month's AI budget is spent"})
	}
	if err := w.processing(ctx, s); err != nil {
		return err
	}
	jpeg, err := w.objects.Read(ctx, s.displayKey(), upload.MaxBytes)
	if err != nil {
		return fmt.Errorf("read picture: %w", err)
	}
	v, err := w.ask(ctx, s, known, jpeg, last)
	if err != nil {
		return err
	}
	return w.settle(ctx, s, v)
}

// verdict is what a run concluded.
type verdict struct {
	status    report.AIStatus
	why       string // of needs_review, for the record
	relevance *relevance
	damage    *damage
	embedding []float32
	settings  settings.Settings
	calls     *ledgerOfCalls
}

// ask goes through the questions, cheapest rejection first.
func (w *Worker) ask(ctx context.Context, s subject, known settings.Settings, jpeg []byte, last bool) (verdict, error) {
	rec := &ledgerOfCalls{db: w.db, clock: w.clock, log: w.log, report: s.id, image: s.imageID, run: database.NewID(), last: map[string]uuid.UUID{}}
	v := verdict{status: report.AINeedsReview, settings: known, calls: rec}
	r, err := w.judge.relevance(ctx, rec, jpeg)
	if malformed(err) {
		w.metrics.Add(catalog.ValidateMalformed)
		v.why = "the model's verdict could not be read"
		return v, nil
	}
	if err != nil {
		return verdict{}, err
	}
	v.relevance = &r
	switch {
	case !r.Relevant && r.Confidence >= known.RejectConfidence:
		v.status = report.AIRejected
		return v, nil
	case !r.Relevant:
		v.why = "probably not relevant"
		return v, nil
	}
	d, err := w.judge.damage(ctx, rec, s, r, jpeg)
	if malformed(err) {
		w.metrics.Add(catalog.ValidateMalformed)
		v.why = "the model's assessment could not be read"
		return v, nil
	}
	if err != nil {
		return verdict{}, err
	}
	v.damage = &d
	if v.embedding, err = w.judge.embedding(ctx, rec, jpeg); err != nil && !malformed(err) && !last {
		return verdict{}, err
	}
	if r.Confidence < known.AcceptConfidence {
		v.why = "probably relevant, but the model is not sure"
		return v, nil
	}
	v.status = report.AICompleted
	return v, nil
}
