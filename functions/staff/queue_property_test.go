package staff_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// While reports change all the time, the counts in an answer are those of the list in the same answer.
func TestCountsEqualTheListsUnderConcurrentChanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ids := make([]string, 39)
	for i := range ids {
		ids[i] = d.report("municipality_code = 'TL-DI'")
	}
	changes := []string{
		"status = 'verified', ai_status = 'completed', duplicate_of = NULL", "status = 'pending', ai_status = 'needs_review', duplicate_of = NULL",
		"status = 'fixed', duplicate_of = NULL", "ai_status = 'failed'", "ai_status = 'needs_review'", "flags_count = 1", "flags_count = 0",
		fmt.Sprintf("assigned_agency_id = '%s', due_at = now() - interval '1 day', due_paused_at = NULL", d.dili),
		fmt.Sprintf("assigned_agency_id = '%s', assigned_user_id = '%s', due_at = now() + interval '1 minute'", d.other, d.moderator.ID),
		"assigned_agency_id = NULL, assigned_user_id = NULL, due_paused_at = now()", "municipality_code = 'TL-BA'", "municipality_code = 'TL-DI'",
		"status = 'rejected', appealed_at = now(), ai_status = 'needs_review', duplicate_of = NULL", "appealed_at = NULL",
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for writer := range 3 {
		ids := ids[writer*13 : writer*13+13] // of its own: they would wait for each other's locks
		source := rand.New(rand.NewPCG(uint64(writer), 17))
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// Several reports in one statement, so that a second snapshot would differ.
				from := source.IntN(len(ids))
				if _, err := d.DB.Exec(d.Context(), `UPDATE reports SET `+changes[source.IntN(len(changes))]+` WHERE id = ANY($1::uuid[])`, ids[from:min(from+8, len(ids))]); err != nil {
					d.Errorf("change reports: %v", err)
					return
				}
			}
		})
	}
	defer func() { close(stop); writers.Wait() }()
	people := []*testenv.Client{d.moderator, d.official}
	rapid.Check(t, func(t *rapid.T) {
		who := people[rapid.IntRange(0, len(people)-1).Draw(t, "who")]
		kind := rapid.SampledFrom([]string{"new", "needs_review", "flagged", "assigned", "mine", "overdue"}).Draw(t, "kind")
		agency := rapid.SampledFrom([]string{"", "&agency=OTHER", "&agency=none", "&agency=DILI"}).Draw(t, "agency")
		page := rapid.SampledFrom([]string{"", "&page_size=5", "&page_size=5&page=40", "&page_size=100"}).Draw(t, "page")
		got := who.Get("/staff/queue?kind=" + kind + agency + page).Want(http.StatusOK).Object()
		total, items := got.Number("total"), len(got.Items("items"))
		if total != got.Number("counts."+kind) {
			t.Fatalf("%s, %s%s: %v in the list, %v counted", who.Role, kind, agency, total, got.Number("counts."+kind))
		}
		if page == "&page_size=100" && float64(items) != float64(total) {
			t.Fatalf("%s, %s%s: %d items of %v", who.Role, kind, agency, items, total)
		}
		if page == "&page_size=5" && (float64(items) != min(5, total) || got.At("has_next") != (total > 5)) {
			t.Fatalf("%s, %s%s: %d items of %v, has_next %v", who.Role, kind, agency, items, total, got.At("has_next"))
		}
	})
}
