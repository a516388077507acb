package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// judged is a report that the AI rejected, as the validate worker writes it.
func (b *bundle) judged() uuid.UUID {
	b.t.Helper()
	id, analysis := b.report(), database.NewID()
	b.exec(`UPDATE reports SET created_at = $2, location_accuracy = 6.3 WHERE id = $1`, id, at(1))
	b.must(id, ledger.Event{Type: ledger.Submitted, At: at(1)})
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, created_at, seq) VALUES ($1, $2, 'pending', 'citizen', $3, 1)`, database.NewID(), id, at(1))
	b.exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, is_relevant, relevance_confidence, damage_type, recommended_repair, created_at)
		VALUES ($1, $2, $1, 'verdict', 'm', '', '', 'rejected', false, 0.93, 'crack', 'Fill it.', $3)`, analysis, id, at(2))
	b.exec(`UPDATE reports SET status = 'rejected', rejection_reason = 'A cat.', reason_code = 'irrelevant', ai_status = 'rejected', ai_analysis_id = $2,
		removed_at = $3, removed_by = 'ai' WHERE id = $1`, id, analysis, at(2))
	b.must(id, ledger.Event{Type: ledger.StatusMoved, OldStatus: "pending", Note: "A cat.", ReasonCode: "irrelevant", At: at(2), Actor: ledger.Actor{Kind: "ai"}})
	b.exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, note, created_at, seq) VALUES ($1, $2, 'pending', 'rejected', 'ai', 'A cat.', $3, 2)`,
		database.NewID(), id, at(2))
	b.must(id, ledger.Event{Type: ledger.AIValidated, AI: &ledger.Assessment{Confidence: 0.93, DamageType: "crack", Model: "m"}, At: at(2), Actor: ledger.Actor{Kind: "ai"}})
	return id
}

// fixed is a report that was verified and fixed, with a picture of the repair.
func (b *bundle) fixed() uuid.UUID {
	b.t.Helper()
	id := b.full()
	b.exec(`UPDATE reports SET status = 'fixed', resolved_at = $2 WHERE id = $1`, id, at(7))
	b.exec(`UPDATE report_images SET kind = 'resolution' WHERE report_id = $1`, id)
	b.must(id, ledger.Event{Type: ledger.StatusMoved, OldStatus: "verified", At: at(7), Actor: ledger.Actor{Kind: "moderator"}})
	b.exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, created_at, seq) VALUES ($1, $2, 'verified', 'fixed', 'moderator', $3, 7)`,
		database.NewID(), id, at(7))
	return id
}

// The decisions about a report, their times and reasons, and what the AI found are vouched for too.
func TestVerifyFindsEveryChangeOfADecision(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`ALTER TABLE reports DISABLE TRIGGER USER`)
	for _, tc := range []struct {
		made          func() uuid.UUID
		check, change string
	}{
		{b.full, "report", `UPDATE reports SET verified_at = NULL WHERE id = $1`},
		{b.full, "report", `UPDATE reports SET verified_at = verified_at - interval '1 day' WHERE id = $1`},
		{b.full, "report", `UPDATE reports SET resolved_at = now() WHERE id = $1`},
		{b.full, "report", `UPDATE reports SET reason_code = 'other' WHERE id = $1`},
		{b.full, "report", `UPDATE reports SET rejection_reason = 'x' WHERE id = $1`},
		{b.full, "report", `UPDATE reports SET ai_status = 'rejected' WHERE id = $1`},
		{b.full, "report", `UPDATE reports SET ai_analysis_id = (SELECT id FROM ai_analyses LIMIT 1) WHERE id = $1`},
		{b.fixed, "report", `UPDATE reports SET resolved_at = resolved_at - interval '1 day' WHERE id = $1`},
		{b.fixed, "report", `UPDATE reports SET resolved_at = NULL WHERE id = $1`},
		{b.fixed, "images", `UPDATE report_images SET kind = 'evidence' WHERE report_id = $1`},
		{b.judged, "content", `UPDATE reports SET location_accuracy = 500 WHERE id = $1`},
		{b.judged, "report", `UPDATE reports SET rejection_reason = 'Spam.' WHERE id = $1`},
		{b.judged, "report", `UPDATE reports SET rejection_reason = NULL WHERE id = $1`},
		{b.judged, "report", `UPDATE reports SET reason_code = 'other' WHERE id = $1`},
		{b.judged, "report", `UPDATE reports SET removed_at = removed_at - interval '1 day' WHERE id = $1`},
		{b.judged, "report", `UPDATE reports SET removed_by = 'moderator' WHERE id = $1`},
		{b.judged, "report", `UPDATE reports SET ai_analysis_id = NULL, ai_status = 'completed' WHERE id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET is_relevant = true WHERE report_id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET relevance_confidence = 0.99 WHERE report_id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET damage_type = 'pothole' WHERE report_id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET severity = 'low' WHERE report_id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET recommended_repair = 'Nothing.' WHERE report_id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET translations = '{"pt": {"recommended_repair": "Nada."}}' WHERE report_id = $1`},
		{b.judged, "report", `UPDATE ai_analyses SET created_at = created_at - interval '1 day' WHERE report_id = $1`},
		{b.judgedErased, "report", `UPDATE ai_analyses SET is_relevant = true WHERE report_id = $1`},
		{b.judgedErased, "report", `UPDATE ai_analyses SET relevance_confidence = 0.99 WHERE report_id = $1`},
		{b.judgedErased, "report", `UPDATE ai_analyses SET damage_type = 'pothole' WHERE report_id = $1`},
		{b.judgedErased, "report", `UPDATE ai_analyses SET recommended_repair = 'Nothing.' WHERE report_id = $1`},
	} {
		t.Run(tc.check+" "+strings.Join(strings.Fields(tc.change)[:4], " "), func(t *testing.T) {
			b.judged() // so that there is an analysis of another report
			id := tc.made()
			if got, _ := b.broken(id); got != nil {
				t.Fatalf("before: %q", got)
			}
			b.exec(tc.change, id)
			if got, _ := b.broken(id); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, tc.check+": ") }) {
				t.Errorf("%s\nfound %q, want %s", tc.change, got, tc.check)
			}
		})
	}
}

// judgedErased is a judged report whose words went with its author's account.
func (b *bundle) judgedErased() uuid.UUID {
	b.t.Helper()
	id := b.judged()
	b.exec(`UPDATE users SET email = NULL, full_name = '', deleted_at = now() WHERE id = $1`, b.user)
	b.exec(`UPDATE reports SET title = '', description = '', latitude = -8.5569, longitude = 125.5603, captured_at = NULL WHERE id = $1`, id)
	b.exec(`UPDATE ai_analyses SET recommended_repair = NULL WHERE report_id = $1`, id)
	b.exec(`DELETE FROM report_salts WHERE report_id = $1 AND seq = 1`, id)
	b.must(id, ledger.Event{Type: ledger.Erased, Erased: []int{1}, At: at(20)})
	return id
}

// What the AI found has no event of its own where an earlier version recorded it: verify says so.
func TestVerifySaysWhatItCannotCompareOfAnAnalysis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.judged()
	_, v := b.broken(id)
	if !notChecked(v, "Earlier analyses, ") {
		t.Errorf("not checked: %q", v.NotChecked)
	}
}
