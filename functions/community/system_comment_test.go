package community_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// system makes an API key and adds a comment of it to a report. It returns the ids of the key and of the comment.
func system(t *testing.T, w *testenv.System, reportID, content string) (uuid.UUID, uuid.UUID) {
	t.Helper()
	key := database.NewID()
	var commentID uuid.UUID
	w.Exec(`INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES ($1, 'FixMyStreet Dili', 'a@example.tl', 60, sha256('x'))`, key)
	w.Do(func(tx *outbox.Tx) error {
		target := comment.Lock(tx, report.AboutID(uuid.MustParse(reportID)), nil)
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		c, _, err := target.Get().Add(t.Context(), tx, comment.New{Author: comment.Author{ID: key, FullName: "FixMyStreet Dili", Role: identity.Citizen},
			By: report.Actor{Kind: report.ActorCitizen}, Content: content, OfKey: true})
		commentID = c.ID
		return err
	})
	return key, commentID
}

// A comment that another system sent has the name of the system. It is verified, hidden, flagged and removed like any other; nobody but
// a moderator removes it.
func TestCommentsOfOtherSystems(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open, public.Open, staff.Open)
	reporter, other, moderator := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	id := place(w, reporter, "status = 'verified'")
	key, c := system(t, w, id, "Seen by our crew.")
	path := "/reports/" + id + "/comments"
	item := other.Get(path).Want(http.StatusOK).Object().Items("items")[0]
	if item.Text("author.full_name") != "FixMyStreet Dili" || item.Text("author.id") != key.String() || item.At("author.is_official") != false || item.Text("content") != "Seen by our crew." {
		t.Errorf("shown as %v", item.Values)
	}
	vouchedFor(t, other, id)
	if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND type = 'comment_added' AND params ->> 'author' = 'FixMyStreet Dili'`, reporter.ID); n != 1 {
		t.Errorf("the reporter was told %d times", n)
	}
	log := moderator.Get("/reports/" + id + "/log").Want(http.StatusOK).List()
	if last := log[len(log)-1]; last.Text("action") != "comment.add" || last.Text("actor.full_name") != "FixMyStreet Dili" || last.At("actor.id") != nil {
		t.Errorf("the log ends with %v", last.Values)
	}
	said := path + "/" + c.String()
	other.Delete(said).WantProblem(http.StatusForbidden, "forbidden")
	reporter.Delete(said).WantProblem(http.StatusForbidden, "forbidden")
	other.Post(said+"/flag", object{"reason": "offensive"}).Want(http.StatusAccepted)
	moderator.Post(said+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	if item := other.Get(path).Want(http.StatusOK).Object().Items("items")[0]; item.Text("content") != "" || item.Values["content_hidden"] != true {
		t.Errorf("hidden: %v", item.Values)
	}
	moderator.Post(said+"/unhide", nil).Want(http.StatusOK)
	moderator.Delete(said).Want(http.StatusOK)
	vouchedFor(t, other, id)
}

// vouchedFor checks that the comments of a report are those of its events.
func vouchedFor(t *testing.T, c *testenv.Client, id string) {
	t.Helper()
	for _, check := range c.Get("/public/blockchain/report/" + id + "/verify").Want(http.StatusOK).Object().Items("checks") {
		if name := check.Text("name"); (name == "comments" || name == "salts" || name == "hash") && check.Values["ok"] != true {
			t.Errorf("verification: %v", check.Values)
		}
	}
}

// A report that belongs to nobody may be anonymous: its comments are read like others.
func TestCommentsOnAnAnonymousReportOfNobody(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	id := place(w, w.Citizen(), "is_anonymous = true, status = 'verified', user_id = NULL")
	w.Citizen().Post("/reports/"+id+"/comments", object{"content": "Here too."}).Want(http.StatusCreated)
	if items := w.Anonymous().Get("/public/reports/" + id + "/comments").Want(http.StatusOK).Object().Items("items"); len(items) != 1 || items[0].Values["author"] == nil {
		t.Errorf("got %v", items)
	}
}
