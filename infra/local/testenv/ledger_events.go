package testenv

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// vouched has the database refuse, as a test would, what the functions must
// never commit: a change of what a report's ledger events vouch for without an
// event in the same transaction that says what the report has become. Statements of the test itself are free to.
const vouched = `
CREATE FUNCTION test_vouched() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid;
BEGIN
    IF TG_TABLE_NAME = 'reports' THEN changed := NEW.id; ELSE changed := NEW.report_id; END IF;
    IF current_setting('application_name') = 'lafaekstreet' AND NOT EXISTS (
        SELECT FROM ledger_events WHERE report_id = changed AND xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION '% of % changed what its ledger events vouch for, without one', TG_OP, TG_TABLE_NAME;
    END IF;
    IF current_setting('application_name') = 'lafaekstreet' AND EXISTS (
        SELECT FROM reports r, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS said FROM ledger_events
            WHERE report_id = r.id ORDER BY seq DESC LIMIT 1) newest
        WHERE r.id = changed AND (r.issue_type, r.severity, r.status) IS DISTINCT FROM (said->>'issue_type', said->>'severity', said->>'status')) THEN
        RAISE EXCEPTION 'the newest event of the ledger says of the report what it is not';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER test_vouched_report AFTER UPDATE ON reports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.title, OLD.description, OLD.issue_type, OLD.issue_type_raw, OLD.severity, OLD.status, OLD.latitude, OLD.longitude, OLD.captured_at, OLD.deleted_at)
        IS DISTINCT FROM
        (NEW.title, NEW.description, NEW.issue_type, NEW.issue_type_raw, NEW.severity, NEW.status, NEW.latitude, NEW.longitude, NEW.captured_at, NEW.deleted_at))
    EXECUTE FUNCTION test_vouched();
CREATE CONSTRAINT TRIGGER test_vouched_picture AFTER INSERT ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_vouched();
CREATE CONSTRAINT TRIGGER test_vouched_picture_gone AFTER UPDATE OF deleted_at ON report_images DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION test_vouched();`

// Vouch watches the database at address, of its owner.
func RequireLedgerEvents(t testing.TB, address string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), vouched); err != nil {
		t.Fatal(err)
	}
}
