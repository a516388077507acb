package validate

import (
	"context"
)

// recorder keeps the account of calls. The worker's writes to the database; the
// evaluation's adds up.
type recorder interface {
	// earlier is a usable answer to the same question about the same input, nil without one.
	earlier(ctx context.Context, stage string, a answer) ([]byte, error)
	// record keeps one call and what was read out of it.
	record(ctx context.Context, c call) error
}

// call is one call with its verdict; both verdicts are nil when there is none.
type call struct {
	stage     string
	answer    answer
	relevance *relevance
	damage    *damage
}

// Stages of a judgement.
const (
	stageRelevance = "relevance"
	stageDamage    = "damage"
	stageEmbedding = "embedding"
	stageVerdict   = "verdict" // what the others came to
)

// judge asks the questions. A malformed answer is asked for once more.
type judge struct {
	models models
}

const attempts = 2

func (j judge) relevance(ctx context.Context, rec recorder, jpeg []byte) (relevance, error) {
	return asked(ctx, rec, stageRelevance, answer{model: j.models.cfg.Model, inputHash: hashOf(j.models.cfg.Model, relevanceSystem, relevanceTask, jpeg)},
		func() answer { return j.models.ask(ctx, relevanceSystem, relevanceTask, relevanceTool(), jpeg) },
		parseRelevance, func(c *call, v *relevance) { c.relevance = v })
}

func (j judge) damage(ctx context.Context, rec recorder, s subject, of relevance, jpeg []byte) (damage, error) {
	task, err := damageTask(s)
	if err != nil {
		return damage{}, err
	}
	return asked(ctx, rec, stageDamage, answer{model: j.models.cfg.Model, inputHash: hashOf(j.models.cfg.Model, damageSystem, task, jpeg)},
		func() answer { return j.models.ask(ctx, damageSystem, task, damageTool(), jpeg) },
		parseDamage, func(c *call, v *damage) { c.damage, c.relevance = v, &of })
}

// asked returns the verdict of an earlier identical call, or makes the call, up
// to twice when the answer is malformed, and records each. Any other error ends
// it: whether to come back is the caller's to say.
func asked[T any](ctx context.Context, rec recorder, stage string, key answer, ask func() answer,
	parse func([]byte) (T, error), keep func(*call, *T)) (T, error) {
	var none T
	if raw, err := rec.earlier(ctx, stage, key); err != nil {
		return none, err
	} else if raw != nil {
		if v, err := parse(raw); err == nil {
			return v, nil
		}
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

// embedding is nil when the model answered nonsense twice: a report is worth
// more than its place among others.
func (j judge) embedding(ctx context.Context, rec recorder, jpeg []byte) ([]float32, error) {
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
