package testenv

import "github.com/lafaekstreet/backend/shared/report"

// Verify gives a report and its processed pictures the verdict relevant, without history and events.
func (w *System) Verify(reportID string) {
	w.Helper()
	w.Exec(`UPDATE reports SET status = 'verified', verified_at = now(), version = version + 1, updated_at = now() WHERE id = $1`, reportID)
	w.Exec(report.JudgePicturesSQL, reportID, true)
}

// PublishBeforeVerdict switches the setting publish_before_verdict on.
func (w *System) PublishBeforeVerdict() {
	w.Helper()
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"publish_before_verdict": true}')`)
}
