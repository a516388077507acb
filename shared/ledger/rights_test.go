package ledger_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
)

// rights are all that the role of the functions may do with the tables of the log and those that events vouch for, besides reading.
// A right on a single column has the column in brackets; those on columns of reports are in fixed.
var rights = map[string]string{
	"ledger_circuit":        "UPDATE",
	"ledger_events":         "INSERT",
	"log_counter":           "UPDATE(next,receipts_vkey)",
	"log_head":              "UPDATE",
	"log_keys":              "INSERT UPDATE(until_index)",
	"log_messages":          "INSERT UPDATE(attempts,consensus_nanos,expires_at,last_error,next_attempt_at,running_hash,sequence_number,shown,signed,state,transaction_id,updated_at)",
	"log_witnesses":         "INSERT UPDATE",
	"report_comments":       "INSERT UPDATE(client_id,content,deleted_at,hidden,hidden_reason,moderated_at)",
	"report_numbers":        "INSERT UPDATE(last)",
	"report_salts":          "DELETE INSERT",
	"report_status_history": "INSERT UPDATE(note)",
	"reports":               "INSERT",
}

// fixed are the columns of reports that the functions may not change. The database computes position and severity_rank, and triggers write reopened_count and started_at.
const fixed = "api_key_id captured_at created_at created_offline id location_accuracy position reopened_count report_number severity_guess severity_rank source started_at"

// A right that a later migration gives by mistake would let a fault of a function rewrite what is proven. Triggers and foreign
// keys stop some of it, so that a statement which fails does not show that the right is missing.
func TestTheFunctionsHaveNoOtherRights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const query = `
SELECT c.relname, string_agg(x.said, ' ' ORDER BY x.said) FROM pg_class c CROSS JOIN LATERAL (
  SELECT privilege_type AS said FROM aclexplode(c.relacl) WHERE grantee = 'lafaek_app'::regrole AND privilege_type <> 'SELECT'
  UNION ALL
  SELECT p.privilege_type || '(' || string_agg(a.attname, ',' ORDER BY a.attname) || ')' FROM pg_attribute a, aclexplode(a.attacl) p
   WHERE a.attrelid = c.oid AND c.relname <> 'reports' AND p.grantee = 'lafaek_app'::regrole AND p.privilege_type <> 'SELECT' GROUP BY p.privilege_type) x
WHERE c.relnamespace = 'public'::regnamespace AND (c.relname LIKE 'log\_%' OR c.relname LIKE 'ledger\_%' OR c.relname IN
  ('reports', 'report_salts', 'report_status_history', 'report_comments', 'report_numbers')) GROUP BY 1`
	rows, err := b.owner.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var table, said string
	if _, err := pgx.ForEachRow(rows, []any{&table, &said}, func() error { got[table] = said; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != rights[name] {
			t.Errorf("%s: %q, want %q", name, got[name], rights[name])
		}
	}
	for name := range rights {
		if got[name] == "" {
			t.Errorf("%s: no right, want %q", name, rights[name])
		}
	}
	const columns = `SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute WHERE attrelid = 'reports'::regclass AND attnum > 0 AND NOT attisdropped
		AND NOT has_column_privilege('lafaek_app', attrelid, attnum, 'UPDATE')`
	if got := scan[string](b, columns); got != fixed {
		t.Errorf("columns of reports that never change: %s, want %s", got, fixed)
	}
}
