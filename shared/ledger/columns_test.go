package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// aColumn is a column that the public or the reporter sees.
type aColumn struct{ Table, Name string }

// changeIn are the statements that change a column of each table in the rows of the report $1.
var changeIn = map[string]string{
	"reports":               `UPDATE reports SET %s WHERE id = $1`,
	"report_comments":       `UPDATE report_comments SET %s WHERE report_id = $1 AND seq = 4`,
	"report_status_history": `UPDATE report_status_history SET %s WHERE report_id = $1 AND seq = 2`,
	"report_images":         `UPDATE report_images SET %s WHERE report_id = $1`,
	"uploads":               `UPDATE uploads SET %s WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`,
}

// vouched says of each column which member of a payload vouches for it, which check compares it, and a value that the check
// has to find.
var vouched = map[string]struct{ member, check, change string }{
	"reports.report_number":            {"report_number", "hash", `report_number = 'LS-2026-' || substr(md5(id::text), 1, 8)`},
	"reports.user_id":                  {"content_hash", "content", `user_id = NULL`},
	"reports.api_key_id":               {"content_hash", "content", `user_id = NULL, api_key_id = (SELECT id FROM api_keys LIMIT 1)`},
	"reports.issue_type":               {"issue_type", "report", `issue_type = 'drainage'`},
	"reports.issue_type_raw":           {"content_hash", "content", `issue_type_raw = 'kuak'`},
	"reports.title":                    {"content_hash", "content", `title = 'Nothing to see'`},
	"reports.description":              {"content_hash", "content", `description = ''`},
	"reports.severity":                 {"severity", "report", `severity = 'low'`},
	"reports.severity_score":           {"content_hash", "content", `severity_score = 1`},
	"reports.priority":                 {"priority", "report", `priority = 'high'`},
	"reports.status":                   {"status", "report", `status = 'fixed'`},
	"reports.latitude":                 {"location", "report", `latitude = latitude + 0.0002`},
	"reports.longitude":                {"location", "report", `longitude = longitude + 0.0002`},
	"reports.address":                  {"content_hash", "content", `address = 'Rua 2'`},
	"reports.street":                   {"content_hash", "content", `street = 'Rua 2'`},
	"reports.suco":                     {"content_hash", "content", `suco = 'Becora'`},
	"reports.district":                 {"content_hash", "content", `district = 'Cristo Rei'`},
	"reports.municipality":             {"content_hash", "content", `municipality = 'Baucau'`},
	"reports.municipality_code":        {"municipality", "report", `municipality_code = 'TL-BA'`},
	"reports.assigned_agency_id":       {"agency", "report", `assigned_agency_id = NULL`},
	"reports.assigned_user_id":         {"assignment_hash", "assignment", `assigned_user_id = NULL`},
	"reports.due_at":                   {"due_at", "report", `due_at = due_at + interval '1 day'`},
	"reports.duplicate_of":             {"duplicate_of", "report", `status = 'duplicate', duplicate_of = (SELECT o.id FROM reports o WHERE o.id <> $1 LIMIT 1)`},
	"reports.is_anonymous":             {"anonymous", "report", `is_anonymous = true`},
	"reports.captured_at":              {"content_hash", "content", `captured_at = captured_at + interval '1 minute'`},
	"reports.created_at":               {"created_at", "report", `created_at = created_at - interval '30 days'`},
	"reports.deleted_at":               {"event REPORT_WITHDRAWN", "report", `deleted_at = now()`},
	"reports.verified_at":              {"ts", "report", `verified_at = now()`},
	"reports.rejection_reason":         {"note_hash", "report", `rejection_reason = 'x'`},
	"reports.location_accuracy":        {"content_hash", "content", `location_accuracy = 500`},
	"reports.ai_status":                {"ai", "report", `ai_status = 'rejected'`},
	"reports.ai_analysis_id":           {"ai_hash", "report", `ai_analysis_id = (SELECT id FROM ai_analyses LIMIT 1)`},
	"report_images.kind":               {"resolution_images", "images", `kind = 'resolution'`},
	"reports.reason_code":              {"reason_code", "report", `reason_code = 'other'`},
	"reports.resolved_at":              {"ts", "report", `resolved_at = now()`},
	"reports.removed_at":               {"ts", "report", `removed_at = now()`},
	"reports.removed_by":               {"changed_by", "report", `removed_by = 'admin'`},
	"reports.source":                   {"source", "report", `source = 'web'`},
	"report_comments.id":               {"comment", "comments", `id = gen_random_uuid()`},
	"report_comments.report_id":        {"comment", "comments", `report_id = (SELECT o.id FROM reports o WHERE o.id <> $1 LIMIT 1)`},
	"report_comments.author_id":        {"comment", "comments", `author_id = NULL`},
	"report_comments.api_key_id":       {"comment", "comments", `author_id = NULL, api_key_id = (SELECT id FROM api_keys LIMIT 1)`},
	"report_comments.content":          {"comment", "comments", `content = 'Ladi''ak.'`},
	"report_comments.is_official":      {"changed_by", "comments", `is_official = true`},
	"report_comments.created_at":       {"ts", "comments", `created_at = created_at - interval '3 days'`},
	"report_comments.deleted_at":       {"event COMMENT_REMOVED", "comments", `deleted_at = now()`},
	"report_comments.seq":              {"seq", "comments", `seq = 3`},
	"report_status_history.report_id":  {"report_number", "history", `report_id = (SELECT o.id FROM reports o WHERE o.id <> $1 LIMIT 1)`},
	"report_status_history.old_status": {"old_status", "history", `old_status = 'verified'`},
	"report_status_history.new_status": {"status", "history", `new_status = 'rejected'`},
	"report_status_history.actor_kind": {"changed_by", "history", `actor_kind = 'ai'`},
	"report_status_history.agency_id":  {"changed_by", "history", `agency_id = (SELECT id FROM agencies WHERE code LIKE 'works-%' LIMIT 1)`},
	"report_status_history.note":       {"note_hash", "history", `note = 'Never seen.'`},
	"report_status_history.created_at": {"ts", "history", `created_at = created_at - interval '3 days'`},
	"report_status_history.seq":        {"seq", "history", `seq = 3`},
	"report_images.report_id":          {"images", "images", `report_id = (SELECT o.id FROM reports o WHERE o.id <> $1 LIMIT 1)`},
	"report_images.upload_id":          {"images", "images", `upload_id = (SELECT id FROM uploads WHERE s3_key = 'originals/unused')`},
	"report_images.verdict":            {"held", "images", `verdict = 'irrelevant'`},
	"uploads.state":                    {"images", "images", `state = 'refused'`},
	"reports.comments_count":           {"comment", "comments", `comments_count = 7`},
	"reports.blockchain_status":        {"seq", "anchored", `blockchain_status = 'confirmed'`},
	"report_images.deleted_at":         {"images", "images", `deleted_at = now()`},
	"uploads.display_sha256":           {"images", "images", `display_sha256 = sha256('other')`},
	"reports.words_hidden":             {"hidden", "report", `words_hidden = 'moderator'`},
	"report_comments.hidden":           {"hidden", "report", `hidden = 'moderator'`},
	"report_images.hidden":             {"hidden", "report", `hidden = 'moderator'`},
	"uploads.thumbnail_sha256":         {"thumbs", "images", `thumbnail_sha256 = sha256('other')`},
}

// notVouched says why no event vouches for a column.
var notVouched = map[string]string{
	"keys inside of the database; numbers and events name the rows":                                                    "reports.id report_status_history.id report_images.id uploads.id uploads.user_id uploads.s3_key",
	"computed by the database from columns that are compared":                                                          "reports.position reports.severity_rank",
	"of requests and workers; nobody is shown it":                                                                      "reports.client_id reports.content_hash reports.accepted_hashes reports.dropped_uploads uploads.api_key_id reports.device_info reports.geocode_source reports.geocoded_at report_comments.client_id",
	"a figure that counts changes, and their time":                                                                     "reports.version reports.updated_at",
	"told by the status history, which is compared":                                                                    "reports.assigned_at reports.disputed_at reports.started_at reports.reopened_count",
	"copies of the note of the move, which is hashed; the copy in the row is not compared":                             "reports.removal_note",
	"the reporter and staff alone; it changes nothing that the public sees":                                            "reports.appealed_at reports.appeal_reason reports.original_words reports.severity_guess reports.created_offline",
	"of moderators and the rules of flags; the events say why something was hidden, and the row has it for the author": "reports.words_hidden_reason reports.moderated_at reports.flags_count report_comments.hidden_reason report_comments.moderated_at report_images.hidden_reason",
	"how many people follow or confirm it, which is no event":                                                          "reports.confirmations_count reports.followers_count",
	"who the person was; the public sees the kind of actor, which is compared":                                         "report_status_history.actor_id report_images.added_by",
	"of the work of staff; the deadline itself is compared":                                                            "reports.due_paused_at reports.overdue_told",
	"about the file; the pictures that are shown are compared by their hashes":                                         "report_images.created_at uploads.content_type uploads.size_bytes uploads.sha256 uploads.refusal uploads.width uploads.height uploads.blurhash uploads.original_sha256 uploads.perceptual_hash uploads.exif_latitude uploads.exif_longitude uploads.exif_taken_at uploads.created_at uploads.processed_at uploads.attached_at uploads.expires_at uploads.deletion uploads.generation uploads.generation_taken uploads.stale_from report_images.boxes",
}

// An event vouches for each column that the public or the reporter sees, and verify finds another value; or a list says why not.
func TestEveryVisibleColumnIsVouchedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	reasons := map[string]bool{}
	for why, names := range notVouched {
		for _, name := range strings.Fields(names) {
			if reasons[name] {
				t.Errorf("%s is there twice: %s", name, why)
			}
			reasons[name] = true
		}
	}
	for table := range changeIn {
		rows, _ := b.owner.Query(t.Context(), `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1`, table)
		columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[aColumn])
		if err != nil || len(columns) < 5 {
			t.Fatal(columns, err)
		}
		for _, c := range columns {
			name := c.Table + "." + c.Name
			_, compared := vouched[name]
			if compared == reasons[name] {
				t.Errorf("%s: either an event vouches for it, or notVouched says why none does", name)
			}
			delete(reasons, name)
		}
	}
	for name := range reasons {
		t.Errorf("%s is not there: it needs no reason", name)
	}
}

func TestVerifyComparesEveryVouchedColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, table := range []string{"reports", "report_comments", "report_status_history"} {
		b.exec(`ALTER TABLE ` + table + ` DISABLE TRIGGER USER`)
	}
	b.full()
	b.judged()
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, display_sha256, expires_at)
		VALUES (gen_random_uuid(), $1, 'originals/unused', 'image/jpeg', 5, 'processed', sha256('unused'), $2)`, b.user, noon)
	b.exec(`INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES (gen_random_uuid(), 'Dili', 'a@example.tl', 60, sha256('x'))`)
	for name, c := range vouched {
		table, column, _ := strings.Cut(name, ".")
		if !strings.Contains(c.change, column+" =") {
			t.Errorf("%s: %q does not change it", name, c.change)
		}
		id := b.full()
		b.exec(strings.Replace(changeIn[table], "%s", c.change, 1), id)
		if got, _ := b.broken(id); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, c.check+": ") }) {
			t.Errorf("%s, vouched for by %s: found %q, want %s", name, c.member, got, c.check)
		}
	}
}
