package report

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
)

// blankWords takes the words out of reports, as the deletion of their reporter's account does. $2 has the names of the types.
const blankWords = `
UPDATE reports r SET title = coalesce($2::jsonb -> u.preferred_language ->> r.issue_type, ''), description = '', issue_type_raw = NULL, address = NULL, street = NULL,
       suco = CASE WHEN ` + KnownSucoSQL + ` THEN suco END, district = CASE WHEN ` + KnownDistrictSQL + ` THEN district END, municipality = ` + MunicipalityNameSQL + `,
       latitude = round(latitude::numeric, 4)::float8, longitude = round(longitude::numeric, 4)::float8,
       client_id = NULL, content_hash = '\x', accepted_hashes = NULL, dropped_uploads = NULL, device_info = NULL, appeal_reason = NULL,
       removal_note = CASE WHEN reason_code IS NOT NULL THEN removal_note END,
       original_words = CASE WHEN original_words IS NOT NULL THEN '{}'::jsonb END, version = version + 1, updated_at = now()
  FROM users u WHERE u.id = r.user_id AND r.id = ANY($1)`

// blankAnalyses removes what the AI said about the reports, since it can quote the words. Notes of staff stay.
const blankAnalyses = `
UPDATE ai_analyses SET title = NULL, description = NULL, relevance_reason = NULL, recommended_repair = NULL, hazards = '{}', raw = NULL, error = NULL
 WHERE stage <> 'override' AND report_id = ANY($1)`

// BlankWords takes the words out of these reports. A title becomes the name of the type, in the reporter's language. The type,
// the states, the dates, the processed pictures and the place to 4 decimals (about 11 metres) stay.
func BlankWords(p database.Pipeline, reports []uuid.UUID) error {
	labels := make(map[locale.Language]map[IssueType]string)
	for _, l := range locale.Languages() {
		labels[l] = make(map[IssueType]string)
		for _, t := range IssueTypes() {
			labels[l][t], _ = locale.Text(l, "label.issue_type."+string(t), nil)
		}
	}
	raw, err := json.Marshal(labels)
	if err != nil {
		return err
	}
	p.Queue(blankWords, reports, string(raw))
	p.Queue(blankAnalyses, reports)
	return nil
}
