package reports_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// filed is a new report of c with a status; its events do not say how it got there.
func filed(w *testenv.System, c *testenv.Client, status string) string {
	id := c.Post("/reports", newBody(object{"client_id": uuid.NewString()})).Want(http.StatusCreated).Object().Text("id")
	if status != "pending" {
		w.Exec(`UPDATE reports SET status = $2 WHERE id = $1`, id, status)
	}
	return id
}

// holds checks that the events of a report vouch for its rows.
func holds(t *testing.T, w *testenv.System, id string) {
	t.Helper()
	v, err := ledger.VerifyRecords(t.Context(), w.DB, ledger.Config{}, uuid.MustParse(id))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Checks {
		if !c.OK && !c.Waiting {
			t.Errorf("%s does not hold: %s", c.Name, c.Detail)
		}
	}
}

// The list of what a person follows shows of each report what that person may see of it in any list.
func TestListOfFollowedReports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, other := w.Citizen(), w.Citizen()
	pending, fixed, left, gone := filed(w, author, "pending"), filed(w, author, "fixed"), filed(w, author, "fixed"), filed(w, author, "pending")
	filed(w, other, "pending") // an own report is not a followed one
	for _, id := range []string{pending, fixed, left, gone} {
		other.Post("/reports/"+id+"/follow", nil).Want(http.StatusOK)
	}
	other.Delete("/reports/" + left + "/follow").Want(http.StatusOK)
	author.Delete("/reports/" + gone).Want(http.StatusOK)
	got := other.Get("/reports/my-reports?following=true").Want(http.StatusOK).Object()
	items := got.Items("items")
	if len(items) != 2 || items[0].Text("id") != fixed || items[1].Text("id") != pending || got.At("status_counts.pending") != 1.0 {
		t.Fatalf("got %v", got.Values)
	}
	if items[1].At("content_pending") != true || items[1].Text("description") != "" {
		t.Errorf("without a verdict: %v", items[1].Values)
	}
	if n := len(other.Get("/reports/my-reports?following=true&status=fixed").Want(http.StatusOK).Object().Items("items")); n != 1 {
		t.Errorf("%d fixed ones", n)
	}
	if n := len(author.Get("/reports/my-reports?following=true").Want(http.StatusOK).Object().Items("items")); n != 0 {
		t.Errorf("the reporter follows %d", n)
	}
	// Others cannot search by what a follower is not shown, such as the exact place.
	if n := len(other.Get("/reports/my-reports?following=true&bbox=125.56029,-8.55691,125.56031,-8.55689").Want(http.StatusOK).Object().Items("items")); n != 1 {
		t.Errorf("%d in a small box", n)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, other := w.Citizen(), w.Citizen()
	id := filed(w, author, "pending")
	count := func() int { return w.Int(`SELECT followers_count FROM reports WHERE id = $1`, id) }
	for range 2 { // the second click changes nothing
		if got := other.Post("/reports/"+id+"/follow", nil).Want(http.StatusOK).Object(); got.At("following") != true || len(got.Values) != 1 || count() != 1 {
			t.Errorf("got %v, %d followers", got.Values, count())
		}
	}
	number := w.Text(`SELECT report_number FROM reports WHERE id = $1`, id)
	if got := other.Get("/reports/" + number).Want(http.StatusOK).Object(); got.At("following") != true || got.Number("followers_count") != 1 || got.Number("confirmations_count") != 0 {
		t.Errorf("of a follower: %v, %v", got.At("following"), got.At("followers_count"))
	}
	for path, c := range map[string]*testenv.Client{"/reports?q=" + number: other, "/reports/nearby?latitude=-8.5569&longitude=125.5603": other} {
		if got := c.Get(path).Want(http.StatusOK).Object().Items("items"); len(got) != 1 || got[0].At("following") != true {
			t.Errorf("%s: got %v", path, got)
		}
	}
	if got := author.Get("/reports/" + id).Object(); got.At("following") != false || got.Number("followers_count") != 1 {
		t.Errorf("of the reporter: %v", got.At("following"))
	}
	for range 2 {
		if got := other.Delete("/reports/" + number + "/follow").Want(http.StatusOK).Object(); got.At("following") != false || count() != 0 {
			t.Errorf("got %v, %d followers", got.Values, count())
		}
	}
	// Nobody follows what they may not see; who followed it before may stop.
	other.Post("/reports/"+id+"/follow", nil).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET status = 'rejected', reason_code = 'other' WHERE id = $1`, id)
	if got := w.Citizen().Post("/reports/"+id+"/follow", nil).Status; got != http.StatusNotFound && got != http.StatusGone {
		t.Errorf("follow of a rejected report: %d", got)
	}
	other.Delete("/reports/" + id + "/follow").Want(http.StatusOK)
	unknown := uuid.NewString()
	other.Post("/reports/"+unknown+"/follow", nil).Want(http.StatusNotFound)
	other.Delete("/reports/" + unknown + "/follow").Want(http.StatusNotFound)
	other.Post("/reports/x/follow", nil).Want(http.StatusUnprocessableEntity)
}

func TestFollowersAreCountedOnceAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, other := filed(w, w.Citizen(), "verified"), w.Citizen()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { other.Post("/reports/"+id+"/follow", nil).Want(http.StatusOK) })
	}
	wg.Wait()
	if n := w.Int(`SELECT followers_count FROM reports WHERE id = $1`, id); n != 1 {
		t.Errorf("%d followers, want 1", n)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, other := w.Citizen(), w.Citizen()
	id := filed(w, author, "verified")
	path := "/reports/" + id + "/confirm"
	if got := other.Post(path, object{"note": " Deep. "}).Want(http.StatusOK).Object(); got.Number("confirmations_count") != 1 || got.Text("comment_id") == "" || got.Text("receipt.note") == "" ||
		got.Text("receipt.salt") == "" || got.At("warnings") != nil {
		t.Errorf("got %v", got.Values)
	}
	if got := other.Post(path, object{"note": "Deep."}).Want(http.StatusOK).Object(); got.Number("confirmations_count") != 1 || got.At("warnings") != nil {
		t.Errorf("the second click: got %v", got.Values)
	}
	if got := other.Post(path, object{"note": "Deeper."}).Want(http.StatusOK).Object(); got.Number("confirmations_count") != 1 || got.Items("warnings")[0].Text("field") != "note" {
		t.Errorf("another note: got %v", got.Values)
	}
	if other.Get("/reports/"+id).Object().At("confirmed") != true || author.Get("/reports/"+id).Object().At("confirmed") != false {
		t.Error("who confirmed a report is not told so, or others are")
	}
	if got := w.Staff(identity.Moderator).Post(path, nil).Want(http.StatusOK).Object(); got.Number("confirmations_count") != 2 || len(got.Values) != 1 {
		t.Errorf("without a note: got %v", got.Values)
	}
	for sql, want := range map[string]int{
		`SELECT confirmations_count FROM reports WHERE id = $1`: 2, `SELECT followers_count FROM reports WHERE id = $1`: 2,
		`SELECT comments_count FROM reports WHERE id = $1`: 1, `SELECT count(*) FROM report_comments WHERE report_id = $1 AND content = 'Deep.'`: 1,
		`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'COMMENT_ADDED'`:                          1,
		`SELECT count(*) FROM notifications WHERE report_id = $1 AND type = 'comment_added'`:                                1,
		`SELECT count(*) FROM notifications n JOIN reports r ON r.id = $1 WHERE n.user_id = r.user_id AND n.report_id = $1`: 2,
	} {
		if got := w.Int(sql, id); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
	holds(t, w, id)
	if got := author.Post(path, nil).Want(http.StatusConflict); got.Code() != "own_report" {
		t.Errorf("the reporter: %s", got.Body)
	}
	w.Citizen().Post("/reports/"+uuid.NewString()+"/confirm", nil).Want(http.StatusNotFound)
}

// The same key answers the same, with the receipt.
func TestConfirmWithAnIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := w.Citizen()
	path := "/reports/" + filed(w, w.Citizen(), "verified") + "/confirm"
	first := other.With("Idempotency-Key", "k").Post(path, object{"note": "Deep."}).Want(http.StatusOK)
	again := other.With("Idempotency-Key", "k").Post(path, object{"note": "Deep."}).Want(http.StatusOK)
	if string(first.Body) != string(again.Body) {
		t.Errorf("first %s\nthen %s", first.Body, again.Body)
	}
}

func TestConfirmInEachState(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, other := w.Citizen(), w.Citizen()
	for status, code := range map[string]string{"verified": "", "in_progress": "", "fixed": "not_confirmable"} {
		got := other.Post("/reports/"+filed(w, author, status)+"/confirm", nil)
		if code == "" && got.Status != http.StatusOK || code != "" && (got.Status != http.StatusConflict || got.Code() != code) {
			t.Errorf("%s: %d %s", status, got.Status, got.Body)
		}
	}
	// Nobody writes a comment on a report without a verdict.
	id := filed(w, author, "pending")
	if got := other.Post("/reports/"+id+"/confirm", object{"note": "Deep."}).Want(http.StatusOK).Object(); got.Number("confirmations_count") != 1 || got.Items("warnings")[0].Text("code") != "not_taken" {
		t.Errorf("pending: %v", got.Values)
	}
	if n := w.Int(`SELECT count(*) FROM report_comments`); n != 0 {
		t.Errorf("%d comments", n)
	}
	original := filed(w, author, "verified")
	w.Exec(`UPDATE reports SET status = 'duplicate', duplicate_of = $2 WHERE id = $1`, id, original)
	if got := w.Citizen().Post("/reports/"+id+"/confirm", nil).Want(http.StatusConflict).Object(); got.Text("duplicate_of") != original {
		t.Errorf("a duplicate: %v", got.Values)
	}
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, original)
	if got := w.Citizen().Post("/reports/"+id+"/confirm", nil).Want(http.StatusConflict).Object(); got.At("duplicate_of") != nil {
		t.Errorf("a duplicate of what was removed: %v", got.Values)
	}
	w.Exec(`UPDATE reports SET status = 'rejected', duplicate_of = NULL, reason_code = 'other' WHERE id = $1`, id)
	if got := w.Citizen().Post("/reports/"+id+"/confirm", nil).Status; got != http.StatusNotFound && got != http.StatusGone {
		t.Errorf("a rejected one: %d", got)
	}
	if got := w.Staff(identity.Moderator).Post("/reports/"+id+"/confirm", nil).Want(http.StatusConflict); got.Code() != "not_confirmable" {
		t.Errorf("a rejected one, by staff: %s", got.Body)
	}
}
