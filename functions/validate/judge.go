package validate

import "context"

// recorder records model calls. The worker writes them to the database; an
// evaluation only adds up their tokens.
type recorder interface {
	// find returns the raw usable answer of an earlier call with the same stage,
	// model and input. It returns nil if there is none.
	find(ctx context.Context, stage string, a answer) ([]byte, error)
	// pay is called before the model is. It returns a budgetError if no budget is left for this picture.
	pay(ctx context.Context) error
	// record stores one call and the parsed answer.
	record(ctx context.Context, c call) error
}

// call is one model call and its parsed answer. relevance and damage are both nil
// if the answer could not be parsed, and for an embedding.
type call struct {
	stage     string
	answer    answer
	relevance *relevance
	damage    *damage
}

// Stages of ai_analyses.
const (
	stageRelevance = "relevance"
	stageDamage    = "damage"
	stageEmbedding = "embedding"
	stageVerdict   = "verdict" // the result of one run over all stages; no model call of its own
)

// judge asks the models about one picture. After a malformed answer it asks once more.
type judge struct {
	models models
}

// attempts is the most times that one question is asked when its answers cannot be parsed.
const attempts = 2

func (j judge) relevance(ctx context.Context, rec recorder, jpeg []byte) (relevance, error) {
	return answerOf(ctx, rec, stageRelevance, answer{model: j.models.cfg.Model, inputHash: hashInput(j.models.cfg.Model, relevanceSystem, relevanceTask, jpeg)},
		func() answer { return j.models.ask(ctx, relevanceSystem, relevanceTask, relevanceTool(), jpeg) },
		parseRelevance, func(c *call, v *relevance) { c.relevance = v })
}

func (j judge) damage(ctx context.Context, rec recorder, s subject, of relevance, jpeg []byte) (damage, error) {
	task, err := damageTask(s)
	if err != nil {
		return damage{}, err
	}
	return answerOf(ctx, rec, stageDamage, answer{model: j.models.cfg.Model, inputHash: hashInput(j.models.cfg.Model, damageSystem, task, jpeg)},
		func() answer { return j.models.ask(ctx, damageSystem, task, damageTool(), jpeg) },
		parseDamage, func(c *call, v *damage) { c.damage, c.relevance = v, &of })
}

// answerOf returns the parsed answer of an earlier identical call. Without one it
// calls the model, at most attempts times, and records each call. Only a malformed
// answer is asked for again; every other error is returned at once, and the queue
// decides when to try again.
func answerOf[T any](ctx context.Context, rec recorder, stage string, key answer, ask func() answer,
	parse func([]byte) (T, error), keep func(*call, *T)) (T, error) {
	var none T
	if raw, err := rec.find(ctx, stage, key); err != nil {
		return none, err
	} else if raw != nil {
		if v, err := parse(raw); err == nil {
			return v, nil
		}
	}
	if err := rec.pay(ctx); err != nil {
		return none, err
	}
	var last error
	for range attempts {
		a := ask()
		c := call{stage: stage, answer: a}
		var v T
		if a.err == nil {
			if v, c.answer.err = parse(a.raw); c.answer.err == nil {
				keep(&c, &v)
			}
		}
		if err := rec.record(ctx, c); err != nil {
			return none, err
		}
		if last = c.answer.err; last == nil {
			return v, nil
		}
		if !malformed(last) {
			return none, last
		}
	}
	return none, last
}

// embedding returns the picture's embedding. If the model's answer was malformed
// twice, the error is errMalformed; the caller goes on without an embedding, because
// a verdict matters more than the search for duplicates.
func (j judge) embedding(ctx context.Context, rec recorder, jpeg []byte) ([]float32, error) {
	if err := rec.pay(ctx); err != nil {
		return nil, err
	}
	var last error
	for range attempts {
		v, a := j.models.embed(ctx, jpeg)
		if err := rec.record(ctx, call{stage: stageEmbedding, answer: a}); err != nil {
			return nil, err
		}
		if last = a.err; last == nil {
			return v, nil
		}
		if !malformed(last) {
			return nil, last
		}
	}
	return nil, last
}
