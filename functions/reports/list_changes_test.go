package reports_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// follower reads the feed of changes and keeps a copy of the reports, as a phone does.
type follower struct {
	*testenv.Client
	T            testing.TB
	query, since string
	copy         map[string]string // status by id
	gone         map[string]string // reason by id
}

func follow(t testing.TB, c *testenv.Client, query string) *follower {
	f := &follower{Client: c, T: t, query: query, copy: map[string]string{}, gone: map[string]string{}}
	f.poll()
	return f
}

// poll reads to the end and returns how many entries came.
func (f *follower) poll() int {
	n := 0
	for {
		path := "/reports/changes?" + f.query
		if f.since != "" {
			path += "&since=" + f.since
		}
		part := f.Get(path).Want(http.StatusOK).Object()
		for _, item := range part.Items("items") {
			f.copy[item.Text("id")] = item.Text("status")
			delete(f.gone, item.Text("id"))
		}
		for _, item := range part.Items("gone") {
			delete(f.copy, item.Text("id"))
			f.gone[item.Text("id")] = item.Text("reason")
		}
		n += len(part.Items("items")) + len(part.Items("gone"))
		f.since = part.Text("next")
		if more, _ := part.At("has_more").(bool); !more {
			return n
		}
	}
}

// until polls until the copy is as wanted. Transactions of other tests on the same server, which began before a change and
// have not ended, delay it in the feed.
func (f *follower) until(what string, done func() bool) {
	f.T.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		f.poll()
		if done() {
			return
		}
		if time.Now().After(deadline) {
			f.T.Errorf("%s: there %v, gone %v", what, f.copy, f.gone)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestChangesAreFollowed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, other, admin := w.Citizen(), w.Citizen(), w.Staff(identity.Admin)
	var ids []string
	for range 5 {
		ids = append(ids, created(c, nil))
	}
	foreign := created(w.Citizen(), nil)
	for _, query := range []string{"limit=2", "limit=200"} {
		mine, all, staff := follow(t, c, "mine=true&"+query), follow(t, other, query), follow(t, admin, query)
		if len(mine.copy) != 5 || len(all.copy) != 6 || len(staff.copy) != 6 {
			t.Fatalf("copies of %d, %d and %d reports", len(mine.copy), len(all.copy), len(staff.copy))
		}
	}
	mine, all, staff := follow(t, c, "mine=true&limit=2"), follow(t, other, "limit=2"), follow(t, admin, "limit=2")
	c.Delete("/reports/" + ids[0]).Want(http.StatusOK)
	admin.Delete("/reports/" + ids[1] + "?reason_code=offensive").Want(http.StatusOK)
	admin.Post("/reports/"+ids[2]+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
	admin.Post("/reports/"+ids[3]+"/status", object{"status": "verified"}).Want(http.StatusOK)
	admin.Patch("/reports/"+foreign, object{"severity": "high"}).Want(http.StatusOK)
	newest := created(c, nil)
	for name, f := range map[string]*follower{"mine": mine, "all": all, "staff": staff} {
		want := map[string]string{ids[0]: "withdrawn", ids[1]: "removed"}
		seen := map[string]string{ids[3]: "verified", ids[4]: "pending", newest: "pending", foreign: "pending"}
		if name == "all" {
			want[ids[2]] = "rejected"
		} else {
			seen[ids[2]] = "rejected"
		}
		if name == "mine" {
			delete(seen, foreign)
		}
		f.until(fmt.Sprintf("%s: want %v, gone %v", name, seen, want), func() bool { return maps.Equal(f.gone, want) && maps.Equal(f.copy, seen) })
	}
	admin.Post("/reports/"+ids[2]+"/status", object{"status": "pending"}).Want(http.StatusOK)
	all.until("a report that is shown again", func() bool { return all.copy[ids[2]] == "pending" && all.gone[ids[2]] == "" })
	if same := all.since; all.poll() != 0 || all.since != same {
		t.Error("nothing changed, and the position moves")
	}
	tag := other.Get("/reports/changes?since=" + all.since).Want(http.StatusOK).Header.Get("ETag")
	other.With("If-None-Match", tag).Get("/reports/changes?since=" + all.since).Want(http.StatusNotModified)
}

// Two transactions are open. The one that began first is committed last. A reader who polls between the two commits gets
// both changes in the end.
func TestAChangeThatIsCommittedLateIsNotMissed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	early, late := created(c, nil), created(c, nil)
	f := follow(t, c, "mine=true")
	f.poll() // the walk is over
	begin := func(id, status string) pgx.Tx {
		tx, err := w.DB.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `UPDATE reports SET status = $2, updated_at = now() WHERE id = $1`, id, status); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	commit := func(tx pgx.Tx) {
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := begin(early, "verified")
	second := begin(late, "in_progress")
	commit(second)
	f.poll()
	fresh := follow(t, c, "mine=true") // it begins while the first one is open
	commit(first)
	for name, reader := range map[string]*follower{"a reader": f, "a reader who began between": fresh} {
		reader.until(name, func() bool { return reader.copy[early] == "verified" && reader.copy[late] == "in_progress" })
	}
	// Reading for long, as a backup does, holds nothing back.
	backup, err := w.DB.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backup.Rollback(t.Context()) }()
	if _, err := backup.Exec(t.Context(), `SELECT count(*) FROM reports`); err != nil {
		t.Fatal(err)
	}
	w.Exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, early)
	f.until("while a transaction reads", func() bool { return f.copy[early] == "fixed" })
}

// A position of another database, person or role would leave changes out, so it is refused. So is text that is none.
func TestAPositionOfElsewhere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	created(c, nil)
	f := follow(t, c, "mine=true")
	for name, got := range map[string]apiclient.TestResponse{
		"of another person": w.Citizen().Get("/reports/changes?mine=true&since=" + f.since),
		"of the other feed": c.Get("/reports/changes?since=" + f.since),
	} {
		if got.Status != http.StatusGone || got.Code() != "since_unknown" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	for _, text := range []string{"x", "AAAA", f.since[1:], f.since + "A", "%00", strings.Repeat("A", 46)} {
		if got := c.Get("/reports/changes?mine=true&since=" + text); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", text, got.Status)
		}
	}
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('change_epoch', '"restored on 1 December"')`)
	c.Get("/reports/changes?mine=true&since="+f.since).WantProblem(http.StatusGone, "since_unknown")
	if again := follow(t, c, "mine=true"); len(again.copy) != 1 {
		t.Errorf("beginning again brings %v", again.copy)
	}
}

// Reports that have not changed since the feed exists have no row in it. They come with the first walk.
func TestTheFeedHasReportsOfEarlierVersions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	old, changed := created(c, nil), created(c, nil)
	asOwner(w, `DELETE FROM report_changes`)
	f := follow(t, c, "mine=true&limit=1")
	if f.poll(); len(f.copy) != 2 {
		t.Errorf("got %v", f.copy)
	}
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, changed)
	f.until("after a change", func() bool { return f.copy[changed] == "verified" && f.copy[old] == "pending" })
}
