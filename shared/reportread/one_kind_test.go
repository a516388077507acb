package reportread

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// A list of one status and type keeps its plan; one that asks for more, or in another order, does not.
func TestAListOfOneKindKeepsItsPlan(t *testing.T) {
	t.Parallel()
	newest := func(f Filters) Query { return Query{Filters: f, Sort: "created_at", Order: "desc"} }
	kind := Filters{Status: "verified", IssueType: "pothole"}
	since := kind
	since.UpdatedSince = timestamp.Of(time.Now())
	for name, c := range map[string]struct {
		query Query
		want  string
	}{
		"one kind":      {newest(kind), useOnePlan},
		"two statuses":  {newest(Filters{Status: "verified,pending", IssueType: "pothole"}), useIndexes},
		"no type":       {newest(Filters{Status: "verified"}), useIndexes},
		"changed since": {newest(since), useIndexes},
		"oldest first":  {Query{Filters: kind, Sort: "created_at", Order: "asc"}, useIndexes},
	} {
		if got := c.query.settings(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
