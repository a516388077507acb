package report

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
)

// BlankReports and BlankAnalyses take the words out of reports r, and out of what the AI said about them, since it can quote
// the words. A condition on r follows. The address and the street go too: they can name a house. A district or suco stays only
// if it is a name of the imported boundaries, and the municipality is named by its code: the person may have typed anything
// there. What an administrator wrote about a removal stays, and so do notes of staff. $2 has the names of the types.
const (
	BlankReports = `
UPDATE reports r SET title = coalesce($2::jsonb -> u.preferred_language ->> r.issue_type, ''), description = '', issue_type_raw = NULL, address = NULL, street = NULL,
       suco = CASE WHEN ` + KnownSucoSQL + ` THEN suco END, district = CASE WHEN ` + KnownDistrictSQL + ` THEN district END, municipality = ` + MunicipalityNameSQL + `,
       latitude = round(latitude::numeric, 4)::float8, longitude = round(longitude::numeric, 4)::float8,
       client_id = NULL, content_hash = '\x', accepted_hashes = NULL, dropped_uploads = NULL, device_info = NULL, appeal_reason = NULL,
       removal_note = CASE WHEN reason_code IS NOT NULL THEN removal_note END,
       original_words = CASE WHEN original_words IS NOT NULL THEN '{}'::jsonb END, version = version + 1, updated_at = now()
  FROM users u WHERE r.user_id = u.id AND `
	// ErasedSQL is true for a report r whose words went with its reporter's account. Nothing writes words, an address or a street to
	// it again. Lock the report in a statement before: an erasure that commits meanwhile is not seen otherwise.
	ErasedSQL     = `NOT EXISTS (SELECT FROM report_salts s WHERE s.report_id = r.id AND s.seq = 1)`
	BlankAnalyses = `
UPDATE ai_analyses a SET title = NULL, description = NULL, relevance_reason = NULL, recommended_repair = NULL, translations = NULL, hazards = '{}', raw = NULL, error = NULL
  FROM reports r WHERE r.id = a.report_id AND a.stage <> 'override' AND `
)

// ForgetNames takes names of places out of erased reports that are no names of the boundaries any more.
const ForgetNames = `
UPDATE reports r SET suco = CASE WHEN ` + KnownSucoSQL + ` THEN suco END, district = CASE WHEN ` + KnownDistrictSQL + ` THEN district END, updated_at = now()
 WHERE (r.suco IS NOT NULL AND NOT ` + KnownSucoSQL + ` OR r.district IS NOT NULL AND NOT ` + KnownDistrictSQL + `) AND ` + ErasedSQL

// Blank says what of a report is as an erasure leaves it: see SelectBlank.
type Blank struct {
	Words   bool // no words, no address, no street
	Names   bool // suco and district are names of the boundaries, the municipality is that of its code
	Place   bool // 4 decimals
	Account bool // its reporter has no account
	Score   bool // the score is one of its severity
}

// SelectBlank reads the Blank of report $1.
const SelectBlank = `
SELECT r.description = '' AND r.issue_type_raw IS NULL AND r.address IS NULL AND r.street IS NULL AND r.appeal_reason IS NULL
         AND (r.removal_note IS NULL OR r.reason_code IS NOT NULL),
       (r.suco IS NULL OR ` + KnownSucoSQL + `) AND (r.district IS NULL OR ` + KnownDistrictSQL + `) AND r.municipality IS NOT DISTINCT FROM ` + MunicipalityNameSQL + `,
       r.latitude = round(r.latitude::numeric, 4)::float8 AND r.longitude = round(r.longitude::numeric, 4)::float8,
       NOT EXISTS (SELECT FROM users u WHERE u.id = r.user_id AND u.deleted_at IS NULL),
       r.severity_score IS NULL OR r.severity = CASE WHEN r.severity_score <= 3 THEN 'low' WHEN r.severity_score <= 6 THEN 'medium'
                                                     WHEN r.severity_score <= 8 THEN 'high' ELSE 'critical' END
FROM reports r WHERE r.id = $1`

// BlankWords takes the words out of these reports. A title becomes the name of the type, in the reporter's language. The type,
// the states, the dates, the processed pictures and the place to 4 decimals (about 11 metres) stay.
func BlankWords(p database.Pipeline, reports []uuid.UUID) error {
	return blank(p, `r.id = ANY($1)`, reports)
}

// BlankWordsOf is BlankWords for all reports of a person, of every state.
func BlankWordsOf(p database.Pipeline, user uuid.UUID) error { return blank(p, `r.user_id = $1`, user) }

// blank blanks the reports r for which the condition holds; $1 of it is which.
func blank(p database.Pipeline, condition string, which any) error {
	labels := make(map[locale.Language]map[IssueType]string)
	for _, l := range locale.Languages() {
		labels[l] = make(map[IssueType]string)
		for _, t := range IssueTypes() {
			labels[l][t], _ = locale.Text(l, "label.issue_type."+string(t), nil)
		}
	}
	raw, err := json.Marshal(labels)
	if err != nil {
		return fmt.Errorf("encode labels: %w", err)
	}
	p.Queue(BlankReports+condition, which, string(raw))
	p.Queue(BlankAnalyses+condition, which)
	return nil
}
