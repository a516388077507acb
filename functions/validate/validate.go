// Package validate is the worker that lets AI models judge a report. It asks whether
// the picture shows a real problem and how bad the damage is, and it looks for
// reports of the same problem.
//
// Only an answer of the required form can verify or reject a report. In every other
// case (timeout, throttling, malformed answer, no budget left, no picture) the report
// stays pending, and a person decides if no retry helps.
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
	// Concurrency is how many reports one process judges at the same time. The queue's maximum concurrency keeps all
	// processes together within the quota of the models.
	Concurrency int `env:"VALIDATE_CONCURRENCY" envDefault:"2"`
}

// Objects holds the S3 calls that the worker makes.
type Objects interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
}

// Worker consumes the validate queue.
type Worker struct {
	db      *database.DB
	outbox  *outbox.Outbox
	objects Objects
	// renditions takes pictures out of public reach that were public before their verdict.
	renditions *upload.Renditions
	judge      judge
	settings   *settings.Reader
	clock      timestamp.Clock
	log        *slog.Logger
	metrics    *telemetry.Metrics
	cfg        Config
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
	return kit.Queue(queue.Validate, w.cfg.Concurrency, w.handleMessage, queue.WhenParked(w.parked)), nil
}

func newWorker(kit *service.Kit) (*Worker, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open validate: %w", err)
	}
	store := storage.New(kit.AWS, cfg.Storage)
	return &Worker{
		db: kit.DB, outbox: kit.Outbox, objects: store, renditions: upload.NewRenditions(store, kit.Log),
		judge:    judge{models{bedrock: newBedrock(kit.AWS), cfg: cfg.Models}},
		settings: settings.NewReader(kit.DB, kit.Clock), clock: kit.Clock, log: kit.Log, metrics: kit.Metrics, cfg: cfg,
	}, nil
}

// newBedrock makes a client with few retries. A throttled message waits in the queue for some seconds,
// because a Lambda that sleeps costs money.
func newBedrock(cfg aws.Config) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 2 })
}

// Numbers of deliveries from which a report does not wait for the models alone. Between the first and the tenth delivery are
// about 13 minutes, between the first and the fourteenth about an hour (see queue.Each).
const (
	withoutEmbedding = 10 // a verdict does without the embedding of the picture
	forPeople        = 14 // a report without a verdict is in the staff queue; the models are still asked
)

func (w *Worker) handleMessage(ctx context.Context, m events.SQSMessage) error {
	id, err := reportOf(m)
	if err != nil {
		return queue.Permanent(err)
	}
	n := queue.Receives(m)
	err = w.judgeReport(ctx, id, n >= withoutEmbedding)
	if err == nil || errors.Is(err, report.ErrNotFound) || errors.Is(err, report.ErrRemoved) {
		return nil
	}
	if n >= forPeople { // this is written even if the time of ctx is over
		err = errors.Join(err, w.markFailed(context.WithoutCancel(ctx), id))
	}
	return err
}

func reportOf(m events.SQSMessage) (uuid.UUID, error) {
	var in queue.ValidateMessage
	if err := json.Unmarshal([]byte(m.Body), &in); err != nil || in.ReportID == uuid.Nil {
		return uuid.Nil, errors.New("message names no report")
	}
	return in.ReportID, nil
}

// parked leaves the report of a message that goes to the dead letters to staff.
func (w *Worker) parked(ctx context.Context, m events.SQSMessage) {
	w.metrics.Add(catalog.ValidateDead)
	id, err := reportOf(m)
	if err != nil {
		return
	}
	if err := w.markFailed(context.WithoutCancel(ctx), id); err != nil {
		w.log.WarnContext(ctx, "a report whose message is a dead letter is not in the staff queue", "report_id", id, "error", err)
	}
}

// maxRounds is how often one delivery judges a report whose pictures or words change meanwhile.
const maxRounds = 3

// errChanged reports that no verdict saw the pictures and words that the report has.
var errChanged = errors.New("the report changed while it was judged")

// judgeReport judges one report if it is ready. With lenient, a verdict may do without an embedding.
//
// A verdict counts for the pictures and words that it saw. If the report has others when the verdict is written, they are judged;
// the answers about pictures that stayed are used again.
func (w *Worker) judgeReport(ctx context.Context, id uuid.UUID, lenient bool) error {
	for range maxRounds {
		settled, err := w.judgeOnce(ctx, id, lenient)
		if settled || err != nil {
			return err
		}
	}
	return errChanged
}

// judgeOnce reads the report and judges it. It returns false if the report changed meanwhile, so that nothing was written.
func (w *Worker) judgeOnce(ctx context.Context, id uuid.UUID, lenient bool) (bool, error) {
	s, err := w.readSubject(ctx, id)
	if err != nil {
		return false, err
	}
	switch s.readiness(w.clock.Now()) {
	case alreadyJudged, pictureNotReady:
		return true, nil
	case decidedByStaff:
		return true, w.endWait(ctx, s)
	case noPicture:
		return w.applyVerdict(ctx, s, verdict{status: report.AINeedsReview, why: s.missingPictureReason()})
	}
	current, err := w.settings.Current(ctx)
	if err != nil {
		return false, err
	}
	tokens, err := tokensUsed(ctx, w.db, w.clock)
	if err != nil {
		return false, err
	}
	if current.AIMonthlyTokens > 0 {
		w.metrics.Put(catalog.AIBudgetUsed, 100*float64(tokens)/float64(current.AIMonthlyTokens))
		if tokens >= current.AIMonthlyTokens {
			w.metrics.Add(catalog.ValidateBudgetSpent)
			return w.applyVerdict(ctx, s, s.unsure("the AI budget of this month is used up"))
		}
	}
	if err := w.markProcessing(ctx, s); err != nil {
		return false, err
	}
	v, err := w.judgePictures(ctx, s, current, lenient)
	if err != nil {
		return false, err
	}
	return w.applyVerdict(ctx, s, v)
}

// judgePictures judges each picture that waits, and combines the results.
func (w *Worker) judgePictures(ctx context.Context, s subject, current settings.Settings, lenient bool) (verdict, error) {
	v := verdict{settings: current}
	for _, p := range s.awaited() {
		jpeg, err := w.objects.Read(ctx, p.displayKey(), upload.MaxStored)
		if err != nil {
			return verdict{}, fmt.Errorf("read picture: %w", err)
		}
		j, err := w.judgePicture(ctx, s, p, current, jpeg, lenient)
		if err != nil {
			return verdict{}, err
		}
		v.pictures = append(v.pictures, j)
	}
	return v.combined(s), nil
}

// judgePicture asks the models about one picture. If a budget ends meanwhile, a person decides.
func (w *Worker) judgePicture(ctx context.Context, s subject, p picture, current settings.Settings, jpeg []byte, lenient bool) (judgement, error) {
	rec := &callLog{db: w.db, clock: w.clock, log: w.log, reportID: s.id, imageID: p.id, runID: database.NewID(),
		budget: dailyBudget{db: w.db, clock: w.clock, metrics: w.metrics, all: current.AIDailyPictures, person: current.AIDailyPicturesPerson}}
	unjudged := judgement{picture: p, outcome: report.PictureUnsure, calls: rec}
	j, err := w.askModels(ctx, s, unjudged, current, jpeg, lenient)
	var spent budgetError
	if errors.As(err, &spent) {
		w.metrics.Add(spent.metric())
		unjudged.why = spent.Error()
		return unjudged, nil
	}
	return j, err
}

// askModels asks about relevance first, because an irrelevant picture then costs
// one call only, then about the damage and the embedding. With lenient it goes on if
// there is no embedding.
func (w *Worker) askModels(ctx context.Context, s subject, j judgement, current settings.Settings, jpeg []byte, lenient bool) (judgement, error) {
	rec := j.calls
	r, err := w.judge.relevance(ctx, rec, jpeg)
	if malformed(err) {
		w.metrics.Add(catalog.ValidateMalformed)
		j.why = "the model's answer about relevance could not be read"
		return j, nil
	}
	if err != nil {
		return judgement{}, err
	}
	j.relevance = &r
	switch {
	case !r.Relevant && r.Confidence >= current.RejectConfidence:
		j.outcome = report.PictureIrrelevant
		return j, nil
	case !r.Relevant:
		j.why = "probably not relevant"
		return j, nil
	}
	d, err := w.judge.damage(ctx, rec, s, r, jpeg)
	if malformed(err) {
		w.metrics.Add(catalog.ValidateMalformed)
		j.why = "the model's answer about the damage could not be read"
		return j, nil
	}
	if err != nil {
		return judgement{}, err
	}
	j.damage = &d
	if j.embedding, err = w.judge.embedding(ctx, rec, jpeg); err != nil && !malformed(err) && !lenient {
		return judgement{}, err
	}
	if r.Confidence < current.AcceptConfidence {
		j.why = "probably relevant, but the model is not sure"
		return j, nil
	}
	j.outcome = report.PictureRelevant
	return j, nil
}
