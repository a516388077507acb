package community_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

func TestACommentRemovedTwiceAtOnceIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author := w.Citizen()
	id := place(w, author, "")
	path := "/reports/" + id + "/comments"
	author.Post(path, object{"content": "Stays."}).Want(http.StatusCreated)
	comment := author.Post(path, object{"content": "Goes."}).Want(http.StatusCreated).Object().Text("id")
	statuses := make([]int, 2)
	remove := func(i int) func() {
		return func() { statuses[i] = author.Delete(path + "/" + comment).Status }
	}
	testdb.AtOnce(t, w.DB, `SELECT FROM report_comments WHERE id = $1 FOR UPDATE`, []any{comment}, remove(0), remove(1))
	if slices.Sort(statuses); !slices.Equal(statuses, []int{http.StatusOK, http.StatusNotFound}) {
		t.Errorf("got %v", statuses)
	}
	if n := w.Int(`SELECT comments_count FROM reports WHERE id = $1`, id); n != 1 {
		t.Errorf("%d comments counted, want 1", n)
	}
}

func TestAHundredAnalysesAreListedAtMost(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	c := w.Citizen()
	id := place(w, c, "")
	w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status)
		SELECT gen_random_uuid(), $1, gen_random_uuid(), 'verdict', 'm', '1', '', 'completed' FROM generate_series(1, 101)`, uuid.MustParse(id))
	if n := len(c.Get("/reports/" + id + "/ai-analysis").Want(http.StatusOK).List()); n != 100 {
		t.Errorf("%d analyses, want 100", n)
	}
}
