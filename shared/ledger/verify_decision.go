package ledger

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"math"
	"time"

	"github.com/lafaekstreet/backend/shared/report"
)

// times compares when the report was first verified, and when it was fixed, with the moves that did it.
func (v *verifier) times(f *fold, r *records) {
	fixed := f.moved
	if fixed.status != string(report.Fixed) {
		fixed.at = ""
	}
	for _, t := range []struct {
		name string
		now  *time.Time
		said decision
	}{{"verified", r.VerifiedAt, f.verified}, {"fixed", r.ResolvedAt, fixed}} {
		now := deref(instant(t.now))
		switch {
		case t.said.version == 1:
			if now != "" {
				v.leaveOut("When the report was verified and when it was fixed before the public log.")
			}
		case now != t.said.at:
			v.fail("report", "it was %s at %s by its row, at %s by its events", t.name, orNever(now), orNever(t.said.at))
		}
	}
}

func orNever(at string) string {
	if at == "" {
		return "no time"
	}
	return at
}

// rejection compares why the report is rejected or removed with the newest event that says so.
func (v *verifier) rejection(f *fold, r *records) {
	if f.reason.version != 1 && r.ReasonCode != f.reason.code {
		v.fail("report", "its reason_code is %q now, its events say %q", r.ReasonCode, f.reason.code)
	}
	said := f.rejection
	if said.version == 1 {
		if r.ReasonCode != "" || r.RejectionReason != "" {
			v.leaveOut("Why the report was rejected or removed before the public log.")
		}
		return
	}
	if said.status != string(report.Rejected) {
		said.noteHash = ""
	}
	v.committed("report", "reason of a rejection", said.seq, said.noteHash, r.RejectionReason, f, r, func(salt []byte) ([]byte, error) {
		return NoteHash(salt, r.RejectionReason)
	})
}

// removal compares when the report was taken down, and in which capacity, with the event that did it. A row without them is of
// a function of an earlier version: what is shown then comes from the history, which is compared.
func (v *verifier) removal(f *fold, r *records) {
	said, by := f.takenDown, report.RemovedBy("")
	if said.version == 1 {
		return // the check of the status leaves it out
	}
	if said.version > 1 {
		by = removedBy(said.kind)
	}
	if now := deref(instant(r.RemovedAt)); now != "" && now != said.at {
		v.fail("report", "it was taken down at %s by its row, at %s by its events", now, orNever(said.at))
	}
	if r.RemovedBy != "" && r.RemovedBy != by {
		v.fail("report", "it was taken down by %q by its row, by %q by its events", r.RemovedBy, by)
	}
}

// removedBy is who takes down as an actor of that kind.
func removedBy(kind string) report.RemovedBy {
	switch report.ActorKind(kind) {
	case report.ActorAI:
		return report.RemovedByAI
	case report.ActorAdmin:
		return report.RemovedByAdmin
	case report.ActorCitizen:
		return report.RemovedByReporter
	}
	return report.RemovedByModerator
}

// analysisMembers are the members of an analysis that are compared one by one.
type analysisMembers struct {
	Relevant   *bool   `json:"is_relevant"`
	Confidence float64 `json:"relevance_confidence"`
	DamageType string  `json:"damage_type"`
	Title      string  `json:"title"`
	Text       string  `json:"description"`
	Repair     string  `json:"recommended_repair"`
}

// analysis compares the analysis that the report shows with the newest event that vouches for it.
func (v *verifier) analysis(f *fold, r *records) {
	v.leaveOut("Earlier analyses, whether the AI is still at work, and which of the pictures others see.")
	var shown analysisMembers
	if r.Analysis != "" {
		if err := json.Unmarshal([]byte(r.Analysis), &shown); err != nil {
			v.fail("report", "its analysis cannot be read")
			return
		}
	}
	if r.AIStatus == string(report.AIRejected) && (shown.Relevant == nil || *shown.Relevant) && (r.Analysis != "" || f.first > 1) {
		v.fail("report", "the AI found it irrelevant by its row, and the analysis that it shows does not say so")
	}
	switch said := f.analysis; {
	case f.erased[1] || said.hash == "" && said.ai != nil:
		if r.Analysis != "" || said.ai != nil {
			v.plainAnalysis(said, shown)
		}
	case said.seq == 0 && f.first == 1:
		if r.Analysis != "" {
			v.leaveOut("No event names what the AI found before the public log.")
		}
	case said.hash == "":
		if r.Analysis != "" {
			v.fail("report", "it shows an analysis, and no event vouches for it")
		}
	case r.salts[1] != nil: // the check of salts reports a missing one
		now, err := r.analysisHash(r.salts[1])
		recorded, hexErr := hex.DecodeString(said.hash)
		if err != nil || hexErr != nil || !hmac.Equal(now, recorded) {
			v.fail("report", "its analysis differs from that of event %d", said.seq)
		}
	}
}

// plainAnalysis compares the analysis with what the event says for everybody to read: that of a person has no words but the
// note, and the words of the AI are erased with those of the report.
func (v *verifier) plainAnalysis(said analysisEvent, shown analysisMembers) {
	if shown.Title+shown.Text+shown.Repair != "" {
		v.fail("report", "its analysis has words, and no event vouches for them")
	}
	if said.ai == nil {
		v.leaveOut("What the AI found: the words of the report were erased.")
		return
	}
	relevant := shown.Relevant != nil && *shown.Relevant
	if relevant != said.ai.Relevant || math.Abs(shown.Confidence-said.ai.Confidence) > 1e-4 || bounded(shown.DamageType, maxDamage) != said.ai.DamageType {
		v.fail("report", "its analysis differs from that of event %d", said.seq)
	}
}
