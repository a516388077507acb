package reportread

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Among thousands of reports at one place the search for similar ones reads the nearest open ones from indexes and stops. Citizens' searches, which go by
// the shown places, do so too.
func TestSimilarReportsAreReadInOrder(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	moderator, _ := fillQueues(t, db, 30_000)
	hash := int64(7)
	o := origin{point: &Point{-8.5, 125.5}, hash: &hash}
	thousands := regexp.MustCompile(`actual rows=\d{4}`)
	for _, v := range []Viewer{ViewerOf(moderator), ViewerOf(identity.Caller{UserID: moderator.UserID, Role: identity.Citizen})} {
		sql, args := o.similarSQL(v, SimilarQuery{Limit: 20})
		found, err := db.Query(t.Context(), "EXPLAIN (ANALYZE, TIMING off) "+sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan on reports") || !strings.Contains(plan, "using reports_open_position_idx") || thousands.MatchString(plan) {
			t.Errorf("staff %t: all open reports near by are read:\n%s", v.staff, plan)
		}
	}
}
