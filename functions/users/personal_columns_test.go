package users

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/report"
)

// Why columns of tables about people are not in the export. A table stands for all its columns.
var notExported = map[string]string{
	"settings of the installation": "app_settings",
	"the acts are there; before and after are about the person who was acted upon": "audit_log.before audit_log.after audit_log.actor_role audit_log.request_id",
	"secrets and their hashes":                                    "invitations.token_hmac journeys.ends_seed recovery_codes login_challenges uploads.sha256 uploads.original_sha256 uploads.display_sha256 uploads.thumbnail_sha256 reports.content_hash reports.accepted_hashes",
	"answers that the person got, for two days":                   "idempotency_keys",
	"of other systems; nobody is the reporter of what they send":  "reports.api_key_id uploads.api_key_id report_comments.api_key_id",
	"bookkeeping, which says nothing about the person":            "report_changes comment_mails devices.session_id reports.dropped_uploads reports.version journeys.version markers.version report_comments.client_id",
	"computed from columns that are exported":                     "markers.position markers.shown markers.blur_m markers.updated_at journeys.plan_precision_m reports.position reports.severity_rank reports.municipality_code reports.comments_count reports.confirmations_count reports.followers_count uploads.blurhash uploads.perceptual_hash uploads.s3_key",
	"what others did with the report; the report itself shows it": "reports.ai_analysis_id reports.ai_status reports.assigned_agency_id reports.assigned_at reports.assigned_user_id reports.blockchain_status reports.disputed_at reports.due_at reports.due_paused_at reports.overdue_told reports.duplicate_of reports.geocode_source reports.geocoded_at reports.rejection_reason reports.verified_at reports.started_at reports.reopened_count",
	"what became of the file; state tells it":                     "uploads.attached_at uploads.processed_at uploads.refusal uploads.deletion uploads.generation uploads.generation_taken uploads.stale_from",
	"words of staff for everybody; the acts are in the audit log": "staff_templates announcements",
	"keys of other systems; the acts are in the audit log":        "api_keys",
	"the verdict of the AI; the reporter is told":                 "report_images.verdict",
	"told by reports and comments":                                "report_followers.via_report report_comments.is_official report_status_history.actor_kind report_status_history.agency_id",
	"of moderators and the rules of flags":                        "reports.moderated_at reports.flags_count report_comments.moderated_at report_flags.counted report_flags.settled_by",
	"told by second_factor_since":                                 "sessions.second_factor_at",
	"of staff: the agency, which the administrator gives":         "users.agency_id",
	"secrets; the export has no secrets":                          "users.totp_secret users.totp_pending users.totp_last_step",
}

// Why columns of tables about people stay when a person is erased. A table stands for all its columns.
var notErased = map[string]string{
	"settings of the installation":                                                                    "app_settings",
	"what was done, by whom and when; the id in it leads to an empty row":                             "audit_log.id audit_log.at audit_log.actor_id audit_log.actor_role audit_log.action audit_log.request_id",
	"the id of the person leads to an empty row in users":                                             "report_changes",
	"deleted with its journey":                                                                        "markers",
	"the person's own rows are deleted; of others' rows the answer is emptied, and these say nothing": "idempotency_keys",
	"of moderators and the rules of flags":                                                            "reports.words_hidden reports.words_hidden_reason reports.moderated_at reports.flags_count report_comments.hidden report_comments.hidden_reason report_comments.moderated_at",
	"that somebody flagged something stays, without the person and the note":                          "report_flags.id report_flags.report_id report_flags.comment_id report_flags.reason_code report_flags.created_at report_flags.settled_at report_flags.outcome report_flags.settled_by",
	"that a repair was disputed stays, without the person":                                            "report_disputes.id report_disputes.report_id report_disputes.fixed_at report_disputes.on_behalf_of report_disputes.comment_id report_disputes.image_id report_disputes.seq report_disputes.created_at reports.disputed_at",
	"words of staff for everybody":                                                                    "staff_templates announcements",
	"keys of other systems; the id of who made one leads to an empty row":                             "api_keys",
	"that a report was filed for somebody; the ids lead to empty rows":                                "report_contacts.report_id report_contacts.filed_by report_contacts.client_id report_contacts.preferred_language report_contacts.muted_at report_contacts.claimed_at report_contacts.created_at",
	"that another system named somebody":                                                              "open311_contacts.report_id open311_contacts.preferred_language open311_contacts.created_at",
	"notes of staff stay, without the name":                                                           "report_notes",
	"which pictures a report has; the pictures stay":                                                  "report_images",
	"the row of a comment stays without its words":                                                    "report_comments.id report_comments.report_id report_comments.created_at report_comments.deleted_at report_comments.is_official report_comments.seq",
	"states and dates stay, and notes as staff":                                                       "report_status_history.id report_status_history.report_id report_status_history.old_status report_status_history.new_status report_status_history.created_at report_status_history.agency_id report_status_history.seq",
	"type, states and dates of a report stay":                                                         "reports.id reports.report_number reports.issue_type reports.status reports.severity reports.severity_guess reports.severity_rank reports.severity_score reports.priority reports.created_at reports.captured_at reports.created_offline reports.is_anonymous reports.appealed_at reports.verified_at reports.resolved_at reports.deleted_at reports.removed_at reports.removed_by reports.source reports.reason_code reports.rejection_reason reports.comments_count reports.ai_status reports.ai_analysis_id reports.blockchain_status reports.duplicate_of",
	"of other systems; nobody is the reporter of what they send":                                      "reports.api_key_id uploads.api_key_id report_comments.api_key_id",
	"the work of staff":              "reports.assigned_agency_id reports.assigned_at reports.assigned_user_id reports.due_at reports.due_paused_at reports.overdue_told reports.started_at reports.reopened_count",
	"the place stays, to 4 decimals": "reports.location_accuracy reports.position reports.municipality_code reports.geocoded_at reports.geocode_source",
	"the processed picture stays; hashes recognise the same file when it is sent again": "uploads.id uploads.s3_key uploads.content_type uploads.size_bytes uploads.state uploads.refusal uploads.width uploads.height uploads.blurhash uploads.sha256 uploads.original_sha256 uploads.display_sha256 uploads.thumbnail_sha256 uploads.perceptual_hash uploads.created_at uploads.processed_at uploads.attached_at uploads.deletion uploads.generation uploads.generation_taken uploads.stale_from",
	"language of the answers until the end, and counts; no personal data":               "users.preferred_language users.created_at users.reports_count users.fixed_reports_count",
}

// column is a column of a table that refers to people.
type column struct{ Table, Name string }

// personalColumns are the columns of users, of open311_contacts (people by their e-mail address) and of each table that has a column with
// the id of a person.
const personalColumns = `
	SELECT c.table_name, c.column_name FROM information_schema.columns c
	  JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
	 WHERE c.table_schema = 'public' AND (c.table_name IN ('users', 'open311_contacts') OR EXISTS (
	       SELECT FROM information_schema.columns o WHERE o.table_schema = 'public' AND o.table_name = c.table_name
	          AND o.column_name ~ '^(user_id|person_id|author_id|actor_id|owner_id|owner|added_by|updated_by|assigned_user_id|filed_by|invited_by|created_by|settled_by)$'))
	 ORDER BY 1, 2`

// A new column about people is exported and erased, or a list here says why not.
func TestEveryPersonalColumnIsExportedAndErased(t *testing.T) {
	t.Parallel()
	rows, err := testdb.Pool(t).Query(t.Context(), personalColumns)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil || len(columns) < 100 {
		t.Fatalf("%d columns, %v", len(columns), err)
	}
	unexported, unerased := listed(notExported), listed(notErased)
	for _, c := range columns {
		if !isExported(c) && !unexported.has(c) {
			t.Errorf("%s.%s is not in the export", c.Table, c.Name)
		}
		if !isErased(c) && !unerased.has(c) {
			t.Errorf("%s.%s stays when a person is erased", c.Table, c.Name)
		}
	}
	for name, used := range unexported {
		if !used {
			t.Errorf("%s is exported, or is not there: notExported needs no reason", name)
		}
	}
	for name, used := range unerased {
		if !used {
			t.Errorf("%s is erased, or is not there: notErased needs no reason", name)
		}
	}
}

// reasons are the names in a list of reasons, and whether a column needed them.
type reasons map[string]bool

func listed(by map[string]string) reasons {
	out := reasons{}
	for _, columns := range by {
		for _, name := range strings.Fields(columns) {
			out[name] = false
		}
	}
	return out
}

// has reports whether the list names the column or its table.
func (r reasons) has(c column) bool {
	for _, name := range []string{c.Table + "." + c.Name, c.Table} {
		if _, there := r[name]; there {
			r[name] = true
			return true
		}
	}
	return false
}

// isExported reports whether a query of the export reads the column. Of users it also counts what the profile shows.
func isExported(c column) bool {
	for _, e := range exported {
		if names(e.query, `FROM `+c.Table, c.Name) {
			return true
		}
	}
	return c.Table == "users" && names(account.Columns, "u", c.Name)
}

// isErased reports whether a statement of the erasure deletes the rows of the table or writes the column.
func isErased(c column) bool {
	for _, statement := range slices.Concat([]string{emptyRow, report.BlankReports, report.BlankAnalyses}, eraseVouched, erasures) {
		if strings.Contains(statement, `DELETE FROM `+c.Table+` `) {
			return true
		}
		if names(statement, `UPDATE `+c.Table, c.Name+` =`) {
			return true
		}
	}
	return false
}

// names reports whether a statement contains about, and then name as a word of its own.
func names(statement, about, name string) bool {
	is := func(text string) bool { return regexp.MustCompile(`\b` + text + `(\W|$)`).MatchString(statement) }
	return is(about) && is(name)
}
