package reportread

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
)

// fillQueues makes n reports, of which one in ten is open, and returns a moderator and an official.
func fillQueues(t *testing.T, db *pgxpool.Pool, n int) (identity.Caller, identity.Caller) {
	t.Helper()
	agency, other, person := uuid.New(), uuid.New(), uuid.New()
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`SET session_replication_role = replica`) // no triggers
	defer run(`RESET session_replication_role`)
	run(`INSERT INTO users (id, email) VALUES ($1, 'a@example.org')`, person)
	run(`INSERT INTO agencies (id, code, name, agency_type, municipality_codes, issue_types) VALUES ($1, 'A', 'A', 'municipal', '{TL-DI}', '{pothole}'), ($2, 'B', 'B', 'national', '{}', '{}')`,
		agency, other)
	run(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, municipality_code, status, duplicate_of, ai_status, flags_count,
			assigned_agency_id, assigned_user_id, due_at, due_paused_at, created_at, updated_at, priority)
		SELECT uuidv7, 'N' || n, $1::uuid, '', CASE n % 5 WHEN 0 THEN 'pothole' ELSE 'waste' END, -8.5, 125.5, (ARRAY['TL-DI', 'TL-BA', 'TL-ER'])[1 + n % 3],
		       CASE WHEN n % 10 > 0 THEN 'fixed' WHEN n % 20 = 0 THEN 'verified' ELSE 'pending' END, NULL,
		       CASE WHEN n % 70 = 0 THEN 'needs_review' WHEN n % 1010 = 0 THEN 'failed' ELSE 'completed' END, (n % 1000 = 7)::int,
		       CASE WHEN n % 10 > 0 OR n % 30 = 0 THEN CASE n % 4 WHEN 0 THEN $2::uuid ELSE $3::uuid END END, CASE WHEN n % 400 = 0 THEN $1::uuid END,
		       CASE WHEN n % 10 > 0 OR n % 30 = 0 THEN now() + (n % 97 - 20) * interval '1 day' END, CASE WHEN n % 900 = 0 THEN now() END,
		       now() - n * interval '1 minute', now() - n % 1000 * interval '1 minute', (ARRAY['low', 'medium', 'high'])[1 + n % 3]
		  FROM (SELECT n, gen_random_uuid() AS uuidv7 FROM generate_series(1, $4::int) n) s`, person, agency, other, n)
	run(`VACUUM ANALYZE reports, agencies`)
	return identity.Caller{UserID: person, Role: identity.Moderator}, identity.Caller{UserID: person, Role: identity.Official, AgencyID: &agency}
}

// queueStatements are the statements of each queue and order, and of the counts, by name.
func queueStatements(t *testing.T, r *Reader, c identity.Caller) map[string]*recorded {
	t.Helper()
	out := map[string]*recorded{}
	query := func(sort, cursor string) QueueQuery {
		return QueueQuery{Query: page.Query{Page: 1, Size: 20}, QueueOrder: QueueOrder{Sort: sort, Cursor: cursor}}
	}
	for _, kind := range report.Queues() {
		for _, sort := range []string{"", "updated_at", "severity", "priority", "due_at"} {
			q := query(sort, "")
			list := q.list(kind)
			for _, cursor := range []string{"", cursorOf(list, exactGeometry(), someReport())} {
				w, err := r.queued(t.Context(), c, kind, q.QueueFilters)
				if err != nil {
					t.Fatal(err)
				}
				list.Cursor = cursor
				sql, err := staffSummaries(ViewerOf(c), w).pageSQL(exactGeometry(), w, list)
				if err != nil {
					t.Fatal(err)
				}
				out[fmt.Sprintf("%s by %s, after %t", kind, list.Sort, cursor != "")] = &recorded{sql.settings, sql.list, sql.args}
			}
		}
		sql, args, err := r.exportSQL(t.Context(), c, kind, query("", "").QueueOrder, 5001)
		if err != nil {
			t.Fatal(err)
		}
		out["export "+string(kind)] = &recorded{useIndexes, sql, args}
	}
	sql, args, err := countsSQL(c, AgencyFilter{})
	if err != nil {
		t.Fatal(err)
	}
	out["counts"] = &recorded{useIndexes, sql, args}
	return out
}

type recorded struct {
	settings, sql string
	args          []any
}

// someReport is a position in the middle of fillQueues.
func someReport() *summaryRow {
	severity, due := report.Medium, time.Now().Add(time.Hour)
	s := &summaryRow{due: &due}
	s.ID, s.Severity, s.Priority = uuid.New(), &severity, &severity
	s.CreatedAt.Time, s.UpdatedAt.Time = time.Now().Add(-100*time.Hour), time.Now().Add(-time.Hour)
	return s
}

// The queues, their counts and the export never read the whole table of reports, with a plan for the given values and with a generic one.
// QUEUE_PLAN_REPORTS sets how many reports there are; with more than the default the test also prints how long each statement takes.
func TestQueuesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	n := 30_000
	if size, err := strconv.Atoi(os.Getenv("QUEUE_PLAN_REPORTS")); err == nil {
		n = size
	}
	db := testdb.OwnerPool(t)
	moderator, official := fillQueues(t, db, n)
	r := NewReader(db, nil, noMunicipality{}, ledger.Config{})
	for _, c := range []identity.Caller{moderator, official} {
		for name, s := range queueStatements(t, r, c) {
			for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
				explain := `EXPLAIN `
				if n > 30_000 {
					explain = `EXPLAIN (ANALYZE, TIMING OFF) `
				}
				batch := &database.Batch{}
				batch.Queue(s.settings)
				batch.Queue(`SELECT set_config('plan_cache_mode', '` + mode + `', true)`)
				lines := database.AskRows(batch, pgx.RowTo[string], explain+s.sql, s.args...)
				if err := batch.Send(t.Context(), db); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				plan := strings.Join(lines.Get(), "\n")
				if strings.Contains(plan, "Seq Scan on reports") {
					t.Errorf("%s of %s, %s:\n%s", name, c.Role, mode, plan)
				}
				if n > 30_000 {
					t.Logf("%s of %s, %s: %s", name, c.Role, mode, lines.Get()[len(lines.Get())-1])
				}
				if name == "counts" && (strings.Contains(plan, "on agencies g") || strings.Contains(plan, "on users w")) {
					t.Errorf("counts look up an agency or a person for each report:\n%s", plan)
				}
				// mine reads the rows of one person: their agency is not in an index.
				if name == "counts" && c.Role == identity.Moderator && strings.Count(plan, "Index Only Scan") < 4 {
					t.Errorf("counts read the table of reports:\n%s", plan)
				}
			}
		}
	}
}

// The total of a queue is its count, also beyond what a list sorts and with a filter that leaves nothing out.
func TestTheTotalOfAQueueIsItsCount(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	moderator, official := fillQueues(t, db, 30_000)
	r := NewReader(db, nil, noMunicipality{}, ledger.Config{})
	long := 0
	for _, kind := range report.Queues() {
		found := 0
		for _, c := range []identity.Caller{moderator, official} {
			q := QueueQuery{Query: page.Query{Page: 1, Size: 2}}
			plain, err := r.Queue(t.Context(), c, kind, q)
			if err != nil {
				t.Fatal(err)
			}
			q.DateFrom = "2000-01-01"
			filtered, err := r.Queue(t.Context(), c, kind, q)
			if err != nil {
				t.Fatal(err)
			}
			counted := map[report.Queue]int{report.QueueNew: plain.Counts.New, report.QueueNeedsReview: plain.Counts.NeedsReview, report.QueueFlagged: plain.Counts.Flagged,
				report.QueueAssigned: plain.Counts.Assigned, report.QueueMine: plain.Counts.Mine, report.QueueOverdue: plain.Counts.Overdue}[kind]
			if plain.Total != counted || plain.Total != filtered.Total || plain.TotalPages != filtered.TotalPages || plain.HasNext != filtered.HasNext {
				t.Errorf("%s of %s: counted %d, %d in %d pages, with a filter %d in %d", kind, c.Role, counted, plain.Total, plain.TotalPages, filtered.Total, filtered.TotalPages)
			}
			if found += plain.Total; plain.Total > maxCounted {
				long++
			}
		}
		if found == 0 {
			t.Errorf("%s is empty", kind)
		}
	}
	if long == 0 {
		t.Error("no queue is longer than what is sorted")
	}
}

// An official without an agency, or of one that is unknown or deleted, finds nothing that no agency has.
func TestWithoutAnAgencyNothingIsNear(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	_, official := fillQueues(t, db, 2000)
	run := func(sql string) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	run(`UPDATE agencies SET municipality_codes = '{}'`) // in TL-DI there are none
	r := NewReader(db, nil, noMunicipality{}, ledger.Config{})
	newReports := func(c identity.Caller) int {
		t.Helper()
		counts, err := r.Counts(t.Context(), c, AgencyFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return counts.New
	}
	if n := newReports(official); n == 0 {
		t.Error("an official finds nothing")
	}
	unknown, none := official, official
	id := uuid.New()
	unknown.AgencyID, none.AgencyID = &id, nil
	if newReports(unknown) != 0 || newReports(none) != 0 {
		t.Errorf("%d are near an unknown agency, %d near none", newReports(unknown), newReports(none))
	}
	run(`UPDATE agencies SET deleted_at = now()`)
	if n := newReports(official); n != 0 {
		t.Errorf("%d are near a deleted agency", n)
	}
}
