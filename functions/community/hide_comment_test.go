package community_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// commented is a verified report with a comment of the author: their paths.
func commented(w *testenv.System, author *testenv.Client) (string, string) {
	comments := "/reports/" + place(w, w.Citizen(), "status = 'verified'") + "/comments"
	return comments, comments + "/" + author.Post(comments, object{"content": "Ita beik"}).Want(http.StatusCreated).Object().Text("id")
}

// others is what somebody else reads of the first comment.
func others(w *testenv.System, comments string) (string, bool) {
	page := w.Citizen().Get(comments).Want(http.StatusOK).Object()
	if page.Number("total") != 1 {
		w.Errorf("%v comments", page.Number("total"))
	}
	c := page.Items("items")[0]
	return c.Text("content"), c.At("content_hidden") == true
}

// A moderator hides a comment once, for a reason that its author reads. The author and staff still read it, and the mail about
// it says that it was removed.
func TestHidingAComment(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	comments, path := commented(w, author)
	for _, c := range []*testenv.Client{author, w.Citizen(), w.Staff(identity.Official, w.Agency("DILI"))} {
		for _, what := range []string{"/hide", "/unhide", "/flags/dismiss"} {
			c.Post(path+what, object{"reason_code": "offensive"}).Want(http.StatusForbidden)
		}
	}
	mod.Post(path+"/hide", object{}).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	mod.Post(path+"/hide", object{"reason_code": "offensive", "expected_version": 9}).WantProblem(http.StatusConflict, "stale")
	mod.Post(comments+"/"+uuid.NewString()+"/hide", object{"reason_code": "offensive"}).WantProblem(http.StatusNotFound, "comment_not_found")
	mod.Post("/reports/"+uuid.NewString()+"/comments/"+uuid.NewString()+"/hide", object{"reason_code": "offensive"}).Want(http.StatusNotFound)
	first := mod.Post(path+"/hide", object{"reason_code": "other", "note": "It calls people stupid"}).Want(http.StatusOK).Object()
	if first.Text("content") != "Ita beik" || first.At("content_hidden") != true || first.At("receipt.note") == nil {
		t.Errorf("got %v", first.Values)
	}
	if second := mod.Post(path+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK).Object(); second.At("receipt") != nil {
		t.Errorf("the second click: %v", second.Values)
	}
	if content, hidden := others(w, comments); content != "" || !hidden {
		t.Errorf("others read %q, hidden %v", content, hidden)
	}
	if got := author.Get(comments).Object().Items("items")[0]; got.Text("content") != "Ita beik" || got.At("content_hidden") != true {
		t.Errorf("the author reads %v", got.Values)
	}
	if got := fmt.Sprint(w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_HIDDEN'`), w.Int(`SELECT count(*) FROM audit_log WHERE action = 'comment.hide'`),
		w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND params ->> 'variant' = 'comment_hidden' AND params ->> 'note' = 'It calls people stupid.'`, author.ID),
		w.Int(`SELECT comments_count FROM reports WHERE id = $1`, first.Text("report_id"))); got != "1 1 1 1" {
		t.Errorf("events, audit, notifications, comments: %s", got)
	}
	for range 2 {
		mod.Post(path+"/unhide", nil).Want(http.StatusOK)
	}
	if content, hidden := others(w, comments); content != "Ita beik" || hidden || w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_HIDDEN'`) != 2 {
		t.Errorf("shown again: others read %q, hidden %v", content, hidden)
	}
	mod.Post(path+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	author.Delete(path).Want(http.StatusOK) // the events of a hidden comment that is removed still agree
	mod.Post(path+"/unhide", nil).WantProblem(http.StatusNotFound, "comment_not_found")
}

// The flags of three people hide a comment. Dismissed, it is shown again, and flags do not hide it any more.
func TestFlagsHideAComment(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	comments, path := commented(w, author)
	flag := func() {
		c := w.Citizen()
		w.Exec(`UPDATE users SET created_at = created_at - interval '10 days' WHERE id = $1`, c.ID)
		for range 2 {
			c.Post(path+"/flag", object{"reason": "offensive"}).Want(http.StatusAccepted)
		}
	}
	flags := func() int { return w.Int(`SELECT flags_count FROM reports WHERE comments_count = 1`) }
	author.Post(path+"/flag", object{"reason": "offensive"}).WantProblem(http.StatusConflict, "own_content")
	mod.Post(comments+"/"+uuid.NewString()+"/flags/dismiss", nil).WantProblem(http.StatusNotFound, "comment_not_found")
	w.Citizen().Post(comments+"/"+uuid.NewString()+"/flag", object{"reason": "offensive"}).WantProblem(http.StatusNotFound, "comment_not_found")
	flag()
	flag()
	if _, hidden := others(w, comments); hidden || flags() != 2 {
		t.Errorf("two flags: hidden %v, %d flags", hidden, flags())
	}
	flag()
	if content, hidden := others(w, comments); content != "" || !hidden || flags() != 3 {
		t.Errorf("three flags: others read %q, hidden %v, %d flags", content, hidden, flags())
	}
	for range 2 {
		mod.Post(path+"/flags/dismiss", nil).Want(http.StatusOK)
		if content, hidden := others(w, comments); content != "Ita beik" || hidden || flags() != 0 {
			t.Errorf("dismissed: others read %q, hidden %v, %d flags", content, hidden, flags())
		}
	}
	if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND params ->> 'variant' IN ('comment_flagged', 'comment_shown')`, author.ID); n != 2 {
		t.Errorf("the author was told %d times", n)
	}
	flag()
	flag()
	flag()
	if _, hidden := others(w, comments); hidden || flags() != 3 {
		t.Errorf("after a moderator looked: hidden %v, %d flags", hidden, flags())
	}
	for range 2 {
		mod.Post(path+"/flags/dismiss", nil).Want(http.StatusOK)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'comment.flags_dismiss'`); n != 1 || flags() != 0 {
		t.Errorf("dismissed again: %d entries in the audit log, %d flags", n, flags())
	}
	flag()
	flag()
	flag()
	mod.Delete(path).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM report_flags WHERE outcome = 'upheld'`); n != 3 || w.Int(`SELECT flags_count FROM reports ORDER BY flags_count DESC LIMIT 1`) != 0 {
		t.Errorf("removed: %d flags upheld", n)
	}
}

// The comments of a report without a verdict are for its reporter and staff: nobody else can tell that one is there.
func TestACommentBeforeTheVerdictCannotBeFlaggedByOthers(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	author := w.Citizen()
	comments := "/reports/" + place(w, author, "") + "/comments"
	path := comments + "/" + author.Post(comments, object{"content": "Mine"}).Want(http.StatusCreated).Object().Text("id")
	w.Citizen().Post(path+"/flag", object{"reason": "offensive"}).WantProblem(http.StatusNotFound, "comment_not_found")
	w.Staff(identity.Official, w.Agency("DILI")).Post(path+"/flag", object{"reason": "offensive"}).Want(http.StatusAccepted)
}
