package testenv

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// requireLedgerEvents makes triggers that check each transaction of the functions which changes data covered by ledger
// events. They refuse it if it writes no event, or if the newest event does not agree with the report. The statements of
// tests are not checked.
const requireLedgerEvents = `
CREATE FUNCTION test_ledger_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid;
BEGIN
    IF TG_TABLE_NAME = 'reports' THEN changed := NEW.id; ELSE changed := NEW.report_id; END IF;
    IF current_setting('application_name') = 'lafaekstreet' AND NOT EXISTS (
        SELECT FROM ledger_events WHERE report_id = changed AND xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION '% of % changed data covered by ledger events without writing an event', TG_OP, TG_TABLE_NAME;
    END IF;
    IF current_setting('application_name') = 'lafaekstreet' AND EXISTS (
        SELECT FROM reports r, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS said FROM ledger_events
            WHERE report_id = r.id ORDER BY seq DESC LIMIT 1) newest
        WHERE r.id = changed AND (r.issue_type, r.severity, r.status) IS DISTINCT FROM (said->>'issue_type', said->>'severity', said->>'status')) THEN
        RAISE EXCEPTION 'the newest ledger event does not agree with the report';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER test_ledger_events_report AFTER UPDATE ON reports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.title, OLD.description, OLD.issue_type, OLD.issue_type_raw, OLD.severity, OLD.status, OLD.latitude, OLD.longitude, OLD.captured_at, OLD.deleted_at)
        IS DISTINCT FROM
        (NEW.title, NEW.description, NEW.issue_type, NEW.issue_type_raw, NEW.severity, NEW.status, NEW.latitude, NEW.longitude, NEW.captured_at, NEW.deleted_at))
    EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture AFTER INSERT ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_events();
CREATE CONSTRAINT TRIGGER test_ledger_events_picture_gone AFTER UPDATE OF deleted_at ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_ledger_events();`

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
