package community_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

func place(w *testenv.System, c *testenv.Client, set string) string {
	id := database.NewID()
	w.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude) VALUES ($1, $2, $3, '', 'pothole', -8.5, 125.5)`,
		id, fmt.Sprintf("LS-2026-%06d", w.Int(`SELECT count(*) FROM reports`)+1), c.ID)
	if set != "" {
		w.Exec(`UPDATE reports SET `+set+` WHERE id = $1`, id)
	}
	w.Submitted(id)
	return id.String()
}

// Two requests with one client_id, for two reports at once, make one comment.
func TestOneCommentOnTwoReportsAtOnce(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, other := w.Citizen(), w.Citizen()
	reports := []string{place(w, author, "status = 'verified'"), place(w, author, "status = 'verified'")}
	for range 20 {
		client := uuid.NewString()
		statuses := make([]int, len(reports))
		var wg sync.WaitGroup
		for i, id := range reports {
			wg.Go(func() {
				statuses[i] = other.Post("/reports/"+id+"/comments", object{"text": "Here.", "client_id": client}).Status
			})
		}
		wg.Wait()
		if slices.Sort(statuses); !slices.Equal(statuses, []int{http.StatusCreated, http.StatusConflict}) {
			t.Fatalf("got %v", statuses)
		}
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, other, official := w.Citizen(), w.Citizen(), w.Staff(identity.Official, w.Agency("DILI"))
	id := place(w, author, "status = 'verified'")
	path := "/reports/" + id + "/comments"
	client := uuid.NewString()
	first := other.Post(path, object{"text": " Still there. ", "client_id": client}).Want(http.StatusCreated).Object()
	if first.Text("content") != "Still there." || first.At("author.is_official") != false || first.Text("report_id") != id {
		t.Errorf("got %v", first.Values)
	}
	if again := other.Post(path, object{"comment": "Still there.", "client_id": client}).Want(http.StatusOK).Object(); again.Text("id") != first.Text("id") {
		t.Error("a repeat made another comment")
	}
	elsewhere := other.Post("/reports/"+place(w, author, "status = 'verified'")+"/comments", object{"text": "There too.", "client_id": client})
	if got := elsewhere.Want(http.StatusConflict).Object(); got.Text("code") != "client_id_reused" {
		t.Errorf("got %v", got.Values)
	}
	second := official.Post(path, object{"content": strings.Repeat("ó", 1000)}).Want(http.StatusCreated).Object()
	if second.At("author.is_official") != true || second.Text("author.role") != "government_official" {
		t.Errorf("got %v", second.Values)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'comment.add' AND actor_id = $1 AND entity_id = $2`, official.ID, second.Text("id")); n != 1 ||
		w.Int(`SELECT count(*) FROM audit_log`) != 1 {
		t.Errorf("what an official said is audited %d times", n)
	}
	for _, bad := range []object{{"content": ""}, {"content": "   "}, {"content": nil}, {"content": []int{}}, {}} {
		other.Post(path, bad).Want(http.StatusUnprocessableEntity)
	}
	list := author.Get(path + "?limit=1").Want(http.StatusOK).Object()
	if items := list.Items("items"); len(items) != 1 || items[0].Text("id") != first.Text("id") || list.Number("total") != 2 || list.At("has_next") != true {
		t.Errorf("got %v", list.Values)
	}
	if n := w.Int(`SELECT count(*) FROM notifications WHERE type = 'comment_added' AND user_id = $1`, author.ID); n != 2 {
		t.Errorf("the reporter was told %d times", n)
	}
	own := author.Post(path, object{"content": "Mine."}).Want(http.StatusCreated).Object()
	if n := w.Int(`SELECT count(*) FROM notifications WHERE type = 'comment_added'`); n != 2 {
		t.Errorf("%d were told, the one who wrote among them", n)
	}
	if n := w.Int(`SELECT comments_count FROM reports WHERE id = $1`, id); n != 3 {
		t.Errorf("%d comments counted", n)
	}
	delete(own.Values, "receipt") // of the answer; a list has none
	list = author.Get(path + "?page=2&limit=2").Want(http.StatusOK).Object()
	if listed := list.Items("items"); len(listed) != 1 || !reflect.DeepEqual(listed[0].Values, own.Values) {
		t.Errorf("answered %v, listed %v", own.Values, list.Values)
	}
	author.Delete(path + "/" + own.Text("id")).Want(http.StatusOK)
	author.Delete(path + "/" + first.Text("id")).Want(http.StatusForbidden)
	other.Delete(path + "/" + first.Text("id")).Want(http.StatusOK)
	other.Delete(path + "/" + first.Text("id")).Want(http.StatusNotFound)
	w.Staff(identity.Moderator).Delete(path + "/" + second.Text("id")).Want(http.StatusOK)
	if got := author.Get(path).Object().Number("total"); got != 0 {
		t.Errorf("%v comments left", got)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'comment.remove'`); n != 1 {
		t.Errorf("%d removals audited", n)
	}
}

func TestAnAnonymousReporterStaysAnonymousInComments(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, other := w.Citizen(), w.Citizen()
	id := place(w, author, "is_anonymous = true, status = 'verified'")
	author.Post("/reports/"+id+"/comments", object{"content": "It is mine."}).Want(http.StatusCreated)
	items := other.Get("/reports/" + id + "/comments").Object().Items("items")
	if len(items) != 1 || items[0].At("author") != nil {
		t.Errorf("got %v", items)
	}
}

func TestCommentsNeedAVisibleReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, other := w.Citizen(), w.Citizen()
	rejected := place(w, author, "status = 'rejected'")
	withdrawn := place(w, author, "deleted_at = now()")
	for id, want := range map[string]int{rejected: http.StatusGone, withdrawn: http.StatusGone, uuid.NewString(): http.StatusNotFound} {
		for _, path := range []string{"/comments", "/ai-analysis", "/ai-analysis/latest"} {
			other.Get("/reports/" + id + path).Want(want)
		}
		other.Post("/reports/"+id+"/comments", object{"content": "x"}).Want(want)
	}
	author.Get("/reports/" + withdrawn + "/comments").Want(http.StatusOK)
	author.Post("/reports/"+withdrawn+"/comments", object{"content": "x"}).Want(http.StatusGone)
	author.Post("/reports/"+rejected+"/comments", object{"content": "Why?"}).Want(http.StatusCreated)
}

func TestAnalyses(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	c := w.Citizen()
	id := place(w, c, "")
	path := "/reports/" + id + "/ai-analysis"
	if got := c.Get(path + "/latest").Want(http.StatusNotFound).Code(); got != "analysis_pending" {
		t.Errorf("got %s", got)
	}
	if got := c.Get(path).Want(http.StatusOK).List(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	run := uuid.New()
	for _, row := range []struct{ stage, at string }{{"relevance", "-3"}, {"damage", "-2"}, {"verdict", "-1"}} {
		w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, latency_ms, input_tokens, created_at)
			VALUES ($1, $2, $3, $4, 'm', '1', '', 'completed', CASE WHEN $4 = 'verdict' THEN 0 ELSE 100 END, 10, now() + make_interval(secs => $5::int))`,
			database.NewID(), id, run, row.stage, row.at)
	}
	w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, is_relevant)
		VALUES ($1, $2, $3, 'override', 'person', '', '', 'completed', true)`, database.NewID(), id, uuid.New())
	all := c.Get(path).List()
	if len(all) != 2 || all[0].Text("model") != "person" || all[1].Number("latency_ms") != 200 || all[1].Number("input_tokens") != 30 {
		t.Errorf("got %v", all)
	}
	if got := c.Get(path + "/latest").Want(http.StatusOK).Object(); got.At("is_relevant") != true {
		t.Errorf("got %v", got.Values)
	}
}

// On their own report staff write as citizens: in the comment, and in its event.
func TestACommentOfStaffOnTheirOwnReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	mod := w.Staff(identity.Moderator)
	path := "/reports/" + place(w, mod, "status = 'verified'") + "/comments"
	if c := mod.Post(path, object{"content": "Still there."}).Want(http.StatusCreated).Object(); c.At("author.is_official") != false {
		t.Errorf("got %v", c.Values)
	}
}

// What the AI wrote is in the reader's language where the model said it, else in English.
func TestAnalysesAreInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	c := w.Citizen()
	id := place(w, c, "status = 'verified'")
	w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, title, description, translations)
		VALUES ($1, $2, $3, 'verdict', 'm', '1', '', 'completed', 'A hole', 'Deep.', '{"tet": {"title": "Buraku"}, "pt": {"title": "Buraco", "description": "Fundo."}}')`,
		database.NewID(), id, uuid.New())
	for language, want := range map[string]string{"en": "A hole Deep.", "tet": "Buraku Deep.", "pt-PT": "Buraco Fundo."} {
		got := c.With("Accept-Language", language).Get("/reports/" + id + "/ai-analysis/latest").Want(http.StatusOK).Object()
		if said := got.Text("title") + " " + got.Text("description"); said != want || got.At("repair_urgency") != nil {
			t.Errorf("%s: %q, want %q", language, said, want)
		}
	}
}

// What cannot be read of a comment, besides its words, does not cost the comment.
func TestOptionalMembersNeverCostTheComment(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	c := w.Citizen()
	path := "/reports/" + place(w, c, "") + "/comments"
	for _, k := range []struct {
		body   object
		status int
		warned string
	}{
		{object{"content": "one", "client_id": 17}, http.StatusCreated, "client_id unreadable"},
		{object{"content": "two", "client_id": nil}, http.StatusCreated, ""},
		{object{"content": nil, "text": "three"}, http.StatusCreated, ""},
		{object{"content": "", "comment": "four", "upload_id": "x"}, http.StatusCreated, "upload_id not_taken"},
		{object{"text": 3, "is_anonymous": true}, http.StatusCreated, "is_anonymous not_taken"},
		{object{"content": strings.Repeat("é", 1001), "client_id": "018f6f6e-1111-7000-8000-000000000001"}, http.StatusCreated, "content cut"},
		{object{"content": strings.Repeat("é", 1001), "client_id": "018f6f6e-1111-7000-8000-000000000001", "images": []int{1}}, http.StatusOK, "content cut, images not_taken"},
	} {
		got := c.Post(path, k.body).Want(k.status).Object()
		var warned []string
		if got.Values["warnings"] != nil {
			for _, note := range got.Items("warnings") {
				warned = append(warned, note.Text("field")+" "+note.Text("code"))
			}
		}
		if text := strings.Join(warned, ", "); text != k.warned || got.Text("content") == "" || len([]rune(got.Text("content"))) > 1000 {
			t.Errorf("%.80v: warned of %q: %.200v", k.body, text, got.Values)
		}
	}
}

// Everybody reads the comments as others see them, without signing in.
func TestPublicComments(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, anybody := w.Citizen(), w.Anonymous()
	id := place(w, author, "is_anonymous = true, status = 'verified'")
	author.Post("/reports/"+id+"/comments", object{"text": "Mine."}).Want(http.StatusCreated)
	w.Citizen().Post("/reports/"+id+"/comments", object{"text": "Still there."}).Want(http.StatusCreated)
	path := "/public/reports/" + id + "/comments"
	list := anybody.Get(path + "?limit=1").Want(http.StatusOK)
	items := list.Object().Items("items")
	if len(items) != 1 || items[0].Text("content") != "Mine." || items[0].At("author") != nil || list.Object().Number("total") != 2 || !strings.Contains(list.Header.Get("Cache-Control"), "public") {
		t.Errorf("got %s %v", list.Body, list.Header)
	}
	w.Exec(`UPDATE reports SET status = 'pending' WHERE id = $1`, id)
	if got := anybody.Get(path).Want(http.StatusOK).Object(); got.Number("total") != 0 {
		t.Errorf("without a verdict: %v", got.Values)
	}
	w.Exec(`UPDATE reports SET status = 'rejected' WHERE id = $1`, id)
	if got := anybody.Get(path).Status; got != http.StatusGone {
		t.Errorf("rejected: %d", got)
	}
	anybody.Get("/public/reports/" + uuid.NewString() + "/comments").Want(http.StatusNotFound)
}
