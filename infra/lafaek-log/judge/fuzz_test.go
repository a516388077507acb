package judge_test

import (
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
)

// FuzzJudge: no text ends the judge in a panic, and under a key that signed nothing everything is unproven.
func FuzzJudge(f *testing.F) {
	for i, c := range cases(f) {
		if i%4 == 0 && c.Repeat == 0 {
			f.Add(c.Material["receipt"], c.Material["proof"], c.Material["checkpoint"], c.Material["keys"], c.Material["content"])
		}
	}
	idle := newSigner(origin+"/receipts", 1, 'z') // signs nothing
	other := newWorld(f).withKeys(object{"log_vkey": "", "receipts_vkey": idle.vkey(), "log_vkeys": nil, "receipts_vkeys": nil})
	verdicts := []judge.Verdict{judge.Accepted, judge.Kept, judge.Dropped, judge.Differs, judge.Unproven}
	f.Fuzz(func(t *testing.T, receipt, proof, checkpoint, keys, content string) {
		m := judge.Material{Receipt: receipt, Proof: proof, Checkpoint: checkpoint, Keys: keys, Content: content}
		got := judge.Judge(m)
		if !slices.Contains(verdicts, got.Verdict) || len(got.Findings) == 0 || got.Findings[0].String() == "" {
			t.Errorf("%+v", got)
		}
		for _, text := range []string{receipt, proof, checkpoint, keys, content} {
			_ = judge.FormOf(text) // no panic
		}
		m.Keys = other
		if got := judge.Judge(m); got.Verdict != judge.Unproven {
			t.Errorf("under foreign keys: %+v", got)
		}
	})
}
