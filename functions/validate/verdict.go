package validate

import (
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
)

// judgement is the result for one picture.
type judgement struct {
	picture   picture
	outcome   report.PictureVerdict
	why       string // why the outcome is unsure; empty for others
	relevance *relevance
	damage    *damage
	embedding []float32
	calls     *callLog // nil if no model was asked
}

// status is the outcome as an analysis has it.
func (j judgement) status() report.AIStatus {
	switch j.outcome {
	case report.PictureRelevant:
		return report.AICompleted
	case report.PictureIrrelevant:
		return report.AIRejected
	}
	return report.AINeedsReview
}

// verdict is the result of one run for a report.
//
// A report is relevant if one of its pictures is. It is irrelevant if all of them surely are. Else a person decides. A
// picture is published only if it is relevant itself; one about which the models are unsure brings even a relevant
// report before a person.
type verdict struct {
	status   report.AIStatus
	why      string // why the status is needs_review; empty for others
	review   bool   // a person has to look at a picture
	pictures []judgement
	deciding *judgement // whose relevance and damage are the report's; nil if no picture was judged
	settings settings.Settings
}

// combined sets the members of v that follow from its pictures, and from the verdicts that other pictures of s had before.
func (v verdict) combined(s subject) verdict {
	irrelevant := true
	for i := range v.pictures {
		j := &v.pictures[i]
		irrelevant = irrelevant && j.outcome == report.PictureIrrelevant
		v.review = v.review || j.outcome == report.PictureUnsure
		if v.deciding == nil || j.outweighs(v.deciding) {
			v.deciding = j
		}
	}
	for _, p := range s.pictures {
		irrelevant = irrelevant && p.verdict != report.PictureUnsure && p.verdict != report.PictureRelevant
		v.review = v.review || p.verdict == report.PictureUnsure
	}
	switch {
	case v.deciding == nil:
		v.status = report.AINeedsReview
	case v.deciding.outcome == report.PictureRelevant:
		v.status = report.AICompleted
	case irrelevant:
		v.status = report.AIRejected
	default:
		v.status, v.why = report.AINeedsReview, v.deciding.why
	}
	return v
}

// outweighs reports whether j decides rather than other: relevant before unsure before irrelevant, then the worse damage.
func (j judgement) outweighs(other *judgement) bool {
	weight := func(j judgement) int {
		w := map[report.PictureVerdict]int{report.PictureRelevant: 200, report.PictureUnsure: 100}[j.outcome]
		if j.damage != nil {
			w += j.damage.Score
		}
		return w
	}
	return weight(j) > weight(*other)
}

// unsure is the verdict if no model was asked about the pictures that wait.
func (s subject) unsure(why string) verdict {
	var v verdict
	for _, p := range s.awaited() {
		v.pictures = append(v.pictures, judgement{picture: p, outcome: report.PictureUnsure, why: why})
	}
	return v.combined(s)
}

// damage is the damage by which the report is graded, nil if there is none.
func (v verdict) damage() *damage {
	if v.deciding == nil {
		return nil
	}
	return v.deciding.damage
}
