package testenv

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// requireLedgerEvents makes triggers that check each transaction of the functions which changes what ledger events vouch
// for. They refuse it if it writes no event, if the newest event does not say what the report is, or if a row names no
// event that is about it. The statements of tests are not checked.
const requireLedgerEvents = `
-- What the newest event has to say of a report, without what is under a salt.
CREATE FUNCTION test_ledger_says(r reports) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('report_number', r.report_number, 'issue_type', r.issue_type, 'status', r.status,
        'severity', CASE WHEN r.status <> 'pending' THEN r.severity END, 'priority', CASE WHEN r.status <> 'pending' THEN r.priority END,
        'source', r.source, 'anonymous', CASE WHEN r.is_anonymous THEN true END, 'municipality', r.municipality_code,
        'agency', (SELECT code FROM agencies WHERE id = r.assigned_agency_id),
        'due_at', to_char(date_trunc('milliseconds', r.due_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'duplicate_of', (SELECT report_number FROM reports WHERE id = r.duplicate_of),
        'images', (SELECT jsonb_agg(encode(u.display_sha256, 'hex') ORDER BY i.created_at, i.id) FROM report_images i JOIN uploads u ON u.id = i.upload_id
                    WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL),
        'held', CASE WHEN r.status <> 'pending' THEN (SELECT jsonb_agg(n - 1 ORDER BY n) FROM (
            SELECT row_number() OVER (ORDER BY i.created_at, i.id) AS n, i.kind <> 'resolution' AND i.verdict <> 'relevant' AS held
              FROM report_images i JOIN uploads u ON u.id = i.upload_id
             WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL) p WHERE held) END,
        'hidden', (SELECT jsonb_agg(part ORDER BY part COLLATE "C") FROM (
            SELECT 'words' AS part WHERE r.words_hidden IS NOT NULL
            UNION ALL SELECT 'image:' || n - 1 FROM (
                SELECT row_number() OVER (ORDER BY i.created_at, i.id) AS n, i.hidden FROM report_images i JOIN uploads u ON u.id = i.upload_id
                 WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL) p WHERE hidden IS NOT NULL
            UNION ALL SELECT 'comment:' || coalesce(seq::text, id::text) FROM report_comments WHERE report_id = r.id AND hidden IS NOT NULL) parts)))
$$;
CREATE FUNCTION test_ledger_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid;
    said jsonb;
    wanted jsonb;
BEGIN
    IF current_setting('application_name') <> 'lafaekstreet' THEN RETURN NULL; END IF;
    IF TG_TABLE_NAME = 'reports' THEN changed := NEW.id; ELSE changed := NEW.report_id; END IF;
    IF TG_NAME = 'test_ledger_events_picture_judged' AND EXISTS (SELECT FROM reports WHERE id = changed AND status = 'pending') THEN RETURN NULL; END IF;
    SELECT convert_from(payload, 'UTF8')::jsonb INTO said FROM ledger_events
        WHERE report_id = changed AND xmin = pg_current_xact_id()::xid ORDER BY seq DESC LIMIT 1;
    IF said IS NULL THEN
        RAISE EXCEPTION '% of % changed data covered by ledger events without writing an event', TG_OP, TG_TABLE_NAME;
    END IF;
    SELECT test_ledger_says(r) INTO wanted FROM reports r WHERE r.id = changed;
    IF said ? 'images_digest' THEN wanted := wanted - 'images'; END IF;
    IF said -> 'hidden' ->> 0 LIKE 'sha256:%' THEN said := said - 'hidden' - 'images'; wanted := wanted - 'hidden' - 'images'; END IF;
    IF EXISTS (SELECT FROM unnest(ARRAY['report_number', 'issue_type', 'status', 'severity', 'priority', 'source', 'anonymous',
            'municipality', 'agency', 'due_at', 'duplicate_of', 'images', 'held', 'hidden']) name WHERE said -> name IS DISTINCT FROM wanted -> name) THEN
        RAISE EXCEPTION 'the newest ledger event says %, the report is %', said, wanted;
    END IF;
    IF TG_TABLE_NAME = 'reports' AND said ->> 'event' = 'REPORT_WITHDRAWN' AND
       (said #>> '{changed_by,kind}') <> (SELECT CASE removed_by WHEN 'reporter' THEN 'citizen' ELSE removed_by END FROM reports WHERE id = changed) THEN
        RAISE EXCEPTION 'the row and the event name different people who took the report down: %', said;
    END IF;
    IF (said ? 'content_hash') <> EXISTS (SELECT FROM report_salts WHERE report_id = changed AND seq = 1) THEN
        RAISE EXCEPTION 'the newest ledger event has a content hash without a salt, or none with one';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION test_ledger_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') = 'lafaekstreet' AND NOT EXISTS (
        SELECT FROM ledger_events e, LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS said) p
        WHERE e.report_id = NEW.report_id AND e.seq = NEW.seq AND said ->> 'status' = NEW.new_status
          AND said ->> 'old_status' IS NOT DISTINCT FROM NEW.old_status AND said #>> '{changed_by,kind}' = NEW.actor_kind
          AND (said ? 'note_hash') = (NEW.note IS NOT NULL)) THEN
        RAISE EXCEPTION 'a row of the status history names no event that is about it';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION test_ledger_uploads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') = 'lafaekstreet' AND EXISTS (SELECT FROM report_images i WHERE i.upload_id = NEW.id AND i.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM ledger_events e WHERE e.report_id = i.report_id AND e.xmin = pg_current_xact_id()::xid)) THEN
        RAISE EXCEPTION 'a picture of a report was made or moved without writing an event';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION test_ledger_comments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') <> 'lafaekstreet' THEN RETURN NULL; END IF;
    IF TG_OP = 'INSERT' AND NOT EXISTS (
        SELECT FROM ledger_events e, LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS said) p
        WHERE e.report_id = NEW.report_id AND e.seq = NEW.seq AND e.event_type = 'COMMENT_ADDED' AND said #>> '{comment,id}' = NEW.id::text
          AND (said #>> '{changed_by,kind}' <> 'citizen') = NEW.is_official) THEN
        RAISE EXCEPTION 'a comment names no event that is about it';
    END IF;
    IF TG_OP = 'UPDATE' AND NOT EXISTS (SELECT FROM ledger_events
        WHERE report_id = NEW.report_id AND xmin = pg_current_xact_id()::xid AND event_type IN ('COMMENT_REMOVED', 'CONTENT_ERASED')) THEN
        RAISE EXCEPTION 'a comment was removed or erased without writing an event';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER test_ledger_events_comment AFTER INSERT OR UPDATE OF content, deleted_at ON report_comments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_comments();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture_processed AFTER UPDATE OF display_sha256, thumbnail_sha256, generation ON uploads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_uploads();
CREATE CONSTRAINT TRIGGER test_ledger_events_new_report AFTER INSERT ON reports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_report AFTER UPDATE ON reports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.title, OLD.description, OLD.issue_type, OLD.issue_type_raw, OLD.severity, OLD.severity_score, OLD.priority, OLD.status, OLD.latitude, OLD.longitude,
           OLD.captured_at, OLD.deleted_at, OLD.created_at, OLD.user_id, OLD.is_anonymous, OLD.source, OLD.duplicate_of, OLD.rejection_reason, OLD.reason_code, OLD.removal_note,
           OLD.address, OLD.street, OLD.suco, OLD.district, OLD.municipality, OLD.municipality_code, OLD.assigned_agency_id, OLD.assigned_user_id, OLD.due_at, OLD.ai_analysis_id, OLD.verified_at, OLD.resolved_at, OLD.words_hidden)
        IS DISTINCT FROM
          (NEW.title, NEW.description, NEW.issue_type, NEW.issue_type_raw, NEW.severity, NEW.severity_score, NEW.priority, NEW.status, NEW.latitude, NEW.longitude,
           NEW.captured_at, NEW.deleted_at, NEW.created_at, NEW.user_id, NEW.is_anonymous, NEW.source, NEW.duplicate_of, NEW.rejection_reason, NEW.reason_code, NEW.removal_note,
           NEW.address, NEW.street, NEW.suco, NEW.district, NEW.municipality, NEW.municipality_code, NEW.assigned_agency_id, NEW.assigned_user_id, NEW.due_at, NEW.ai_analysis_id, NEW.verified_at, NEW.resolved_at, NEW.words_hidden))
    EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_history AFTER INSERT ON report_status_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_history();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture AFTER INSERT ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture_gone AFTER UPDATE OF deleted_at ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture_hidden AFTER UPDATE OF hidden ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.hidden IS DISTINCT FROM NEW.hidden) EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_comment_hidden AFTER UPDATE OF hidden ON report_comments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.hidden IS DISTINCT FROM NEW.hidden) EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture_judged AFTER UPDATE OF verdict ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.verdict = 'relevant') <> (NEW.verdict = 'relevant')) EXECUTE FUNCTION test_ledger_events();`

// RequireLedgerEvents installs the triggers in the database at address, which connects as its owner.
func RequireLedgerEvents(t testing.TB, address string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), requireLedgerEvents); err != nil {
		t.Fatal(err)
	}
}
