package reports_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// grown is somebody whose account is old enough for flags.
func grown(w *testenv.System) *testenv.Client {
	c := w.Citizen()
	w.Exec(`UPDATE users SET created_at = created_at - interval '10 days' WHERE id = $1`, c.ID)
	return c
}

func flag(c *testenv.Client, id string) {
	c.Post("/reports/"+id+"/flag", object{"reason": "offensive", "note": "Look at it"}).Want(http.StatusAccepted)
}

// seen is what somebody else reads of a report.
func seen(w *testenv.System, id string) (bool, int) {
	r := w.Citizen().Get("/reports/" + id).Want(http.StatusOK).Object()
	return r.At("content_hidden") == true, len(r.Items("images"))
}

// pictured is a verified report of c with a processed picture that others see.
func pictured(w *testenv.System, c *testenv.Client, lat float64) string {
	picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(uint8(lat*-20))).Want(http.StatusCreated).Object().Text("upload_id")
	w.ProcessUpload(picture)
	id := created(c, object{"latitude": lat, "client_id": uuid.NewString(), "title": "Hole", "images": []object{{"upload_id": picture}}})
	w.Verify(id)
	w.Exec(`UPDATE report_images SET verdict = 'relevant' WHERE report_id = $1`, id)
	if hidden, pictures := seen(w, id); hidden || pictures != 1 {
		w.Fatalf("hidden %v with %d pictures", hidden, pictures)
	}
	return id
}

// Dismissing flags shows what the flags hid, and not the picture that a moderator hid before.
func TestDismissingFlagsShowsNothingThatAModeratorHid(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mod := w.Staff(identity.Moderator)
	id := pictured(w, w.Citizen(), -8.5)
	image := w.Text(`SELECT id::text FROM report_images WHERE report_id = $1`, id)
	mod.Post("/reports/"+id+"/images/"+image+"/hide", object{"reason_code": "personal_data"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET moderated_at = NULL WHERE id = $1`, id) // as after a change of the content
	for range 3 {
		flag(grown(w), id)
	}
	if hidden, _ := seen(w, id); !hidden {
		t.Fatal("the flags did not hide the words")
	}
	mod.Post("/reports/"+id+"/flags/dismiss", nil).Want(http.StatusOK)
	if hidden, pictures := seen(w, id); hidden || pictures != 0 {
		t.Errorf("hidden %v, %d pictures; want the words, and no picture", hidden, pictures)
	}
}

// The flags of three people hide words and pictures, once. A moderator who dismisses them shows both again, and flags hide
// nothing of it any more, until the reporter changes it.
func TestFlagsOfSeveralPeopleHide(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := pictured(w, author, -8.5)
	flagged := func() int { return w.Int(`SELECT flags_count FROM reports WHERE id = $1`, id) }
	told := func(variant string) int {
		return w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND params ->> 'variant' = $2 AND params ->> 'reason' IS NOT DISTINCT FROM CASE WHEN $2 = 'flagged' THEN 'offensive' END`, author.ID, variant)
	}
	events := func() int {
		return w.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'CONTENT_HIDDEN'`, id)
	}
	first := grown(w)
	flag(first, id)
	flag(first, id) // once a person
	flag(grown(w), id)
	flag(w.Citizen(), id) // a new account does not count
	if hidden, pictures := seen(w, id); hidden || pictures != 1 || flagged() != 3 || events() != 0 {
		t.Errorf("before the third: hidden %v, %d pictures, %d flags, %d events", hidden, pictures, flagged(), events())
	}
	flag(grown(w), id)
	flag(grown(w), id)
	if hidden, pictures := seen(w, id); !hidden || pictures != 0 || flagged() != 5 || events() != 1 || told("flagged") != 1 {
		t.Errorf("after the third: hidden %v, %d pictures, %d flags, %d events, told %d times", hidden, pictures, flagged(), events(), told("flagged"))
	}
	if n := w.Int(`SELECT generation FROM uploads u JOIN report_images i ON i.upload_id = u.id WHERE i.report_id = $1`, id); n != 1 {
		t.Errorf("the renditions have generation %d, want another one", n)
	}
	if got := author.Get("/reports/" + id).Object(); got.Text("title") != "Hole" || got.At("words_hidden.by") != "flags" || len(got.Items("images")) != 1 {
		t.Errorf("the reporter reads %v", got.Values)
	}
	if kind := w.Text(`SELECT convert_from(payload, 'UTF8')::jsonb #>> '{changed_by,kind}' FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`, id); kind != "system" {
		t.Errorf("the event is of %s", kind)
	}
	for range 2 { // the second click changes nothing
		mod.Post("/reports/"+id+"/flags/dismiss", object{"note": "Nothing wrong"}).Want(http.StatusOK)
		if hidden, pictures := seen(w, id); hidden || pictures != 1 || flagged() != 0 || events() != 2 || told("flags_dismissed") != 1 {
			t.Errorf("dismissed: hidden %v, %d pictures, %d flags, %d events, told %d times", hidden, pictures, flagged(), events(), told("flags_dismissed"))
		}
	}
	if n := w.Int(`SELECT count(*) FROM report_flags WHERE outcome = 'dismissed' AND settled_by = $1`, mod.ID); n != 5 {
		t.Errorf("%d flags are dismissed", n)
	}
	for range 4 {
		flag(grown(w), id)
	}
	if hidden, _ := seen(w, id); hidden || flagged() != 4 {
		t.Errorf("after a moderator looked: hidden %v, %d flags", hidden, flagged())
	}
	w.Exec(`UPDATE reports SET moderated_at = NULL WHERE id = $1`, id)
	flag(grown(w), id)
	if hidden, _ := seen(w, id); !hidden {
		t.Error("changed since: flags do not hide it")
	}
	got := mod.Post("/reports/"+id+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK).Object()
	if got.At("words_hidden.by") != "moderator" || flagged() != 0 || w.Int(`SELECT count(*) FROM report_flags WHERE outcome = 'upheld'`) != 5 ||
		w.Int(`SELECT count(*) FROM report_images WHERE report_id = $1 AND hidden = 'moderator'`, id) != 1 {
		t.Errorf("upheld: %v, %d flags", got.At("words_hidden"), flagged())
	}
}

// What the reporter changes, and what a moderator found good, decides whether flags hide.
func TestWhatAModeratorSawIsNotHiddenByFlags(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := created(author, nil)
	moderated := func() bool {
		return w.Int(`SELECT count(*) FROM reports WHERE id = $1 AND moderated_at IS NOT NULL`, id) == 1
	}
	mod.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	if !moderated() {
		t.Error("a moderator verified it, and it does not say so")
	}
	for range 3 {
		flag(grown(w), id)
	}
	if hidden, _ := seen(w, id); hidden {
		t.Error("flags hide what a moderator verified")
	}
	mod.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM report_flags WHERE outcome = 'upheld'`) + w.Int(`SELECT flags_count FROM reports WHERE id = $1`, id); n != 3 {
		t.Errorf("a rejection leaves flags: %d", n)
	}
	mod.Post("/reports/"+id+"/status", object{"status": "pending"}).Want(http.StatusOK)
	author.Patch("/reports/"+id, object{"title": "Other words"}).Want(http.StatusOK)
	if moderated() {
		t.Error("the reporter changed the words, and a moderator seems to have seen them")
	}
	w.Exec(`UPDATE reports SET moderated_at = now()`)
	author.Form("/reports/"+id+"/images", nil, "file", "a.jpg", w.JPEG(3)).Want(http.StatusCreated)
	if moderated() {
		t.Error("the reporter added a picture, and a moderator seems to have seen it")
	}
	for range 3 {
		flag(mod, id)
		flag(grown(w), id)
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE id = $1 AND words_hidden IS NULL`, id); n != 1 {
		t.Error("flags hide a report without a verdict")
	}
}

// The flags of who flags everything do not count. The answer is the same.
func TestWhoFlagsEverythingIsNotCounted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author := w.Citizen()
	id := created(author, nil)
	w.Verify(id)
	counted := func(c *testenv.Client) bool {
		flag(c, id)
		return w.Int(`SELECT count(*) FROM report_flags WHERE user_id = $1 AND settled_at IS NULL AND counted`, c.ID) == 1
	}
	settled := func(c *testenv.Client, outcome string, n int, age string) {
		w.Exec(`INSERT INTO report_flags (id, report_id, user_id, reason_code, counted, created_at, settled_at, outcome)
			SELECT gen_random_uuid(), $1, $2, 'offensive', true, now() - $5::interval, now() - n * interval '1 minute', $3 FROM generate_series(1, $4) n`, id, c.ID, outcome, n, age)
	}
	for name, tc := range map[string]struct {
		give func(c *testenv.Client)
		want bool
	}{
		"seven of ten dismissed": {func(c *testenv.Client) { settled(c, "dismissed", 7, "3 days"); settled(c, "upheld", 3, "3 days") }, true},
		"eight of ten dismissed": {func(c *testenv.Client) { settled(c, "dismissed", 8, "3 days"); settled(c, "upheld", 2, "3 days") }, false},
		"twenty within a day":    {func(c *testenv.Client) { settled(c, "upheld", 20, "1 hour") }, false},
		"nineteen within a day":  {func(c *testenv.Client) { settled(c, "upheld", 19, "1 hour") }, true},
		"an account of yesterday": {func(c *testenv.Client) {
			w.Exec(`UPDATE users SET created_at = now() - interval '1 day' WHERE id = $1`, c.ID)
		}, false},
		"long ago, many were refused": {func(c *testenv.Client) {
			settled(c, "upheld", 10, "3 days")
			w.Exec(`UPDATE report_flags SET settled_at = settled_at - interval '1 hour' WHERE outcome = 'dismissed'`)
		}, true},
	} {
		c := grown(w)
		tc.give(c)
		if got := counted(c); got != tc.want {
			t.Errorf("%s: counted %v", name, got)
		}
	}
}

// A flag that does not count stays uncounted: later flags of others do not hide the report together with it.
func TestAFlagThatDoesNotCountHidesNothingLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := created(w.Citizen(), nil)
	w.Verify(id)
	flag(grown(w), id)
	flag(w.Citizen(), id)
	flag(grown(w), id)
	if hidden, _ := seen(w, id); hidden {
		t.Error("two flags that count and one of a new account hide it")
	}
	flag(grown(w), id)
	if hidden, _ := seen(w, id); !hidden {
		t.Error("three flags that count do not hide it")
	}
}

// What a flag may not be about, and what a request may not lack.
func TestFlagsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, other, mod := w.Citizen(), grown(w), w.Staff(identity.Moderator)
	id := created(author, nil)
	path := "/reports/" + id + "/flag"
	author.Post(path, object{"reason": "offensive"}).WantProblem(http.StatusConflict, "own_content")
	for _, body := range []object{{}, {"reason": "ugly"}, {"reason": nil}} {
		other.Post(path, body).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	}
	if message := other.Post(path, object{"reason_code": "personal-data"}).Want(http.StatusAccepted).Object().Text("message"); message == "" {
		t.Error("the answer says nothing")
	}
	w.Anonymous().Post(path, object{"reason": "offensive"}).Want(http.StatusUnauthorized)
	other.Post("/reports/"+uuid.NewString()+"/flag", object{"reason": "offensive"}).WantProblem(http.StatusNotFound, "report_not_found")
	mod.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
	if got := other.Post(path, object{"reason": "offensive"}).Status; got != http.StatusGone && got != http.StatusNotFound {
		t.Errorf("a rejected report: %d", got)
	}
	mod.Post(path, object{"reason": "offensive"}).Want(http.StatusAccepted)
	if n := w.Int(`SELECT count(*) FROM report_flags WHERE settled_at IS NULL`); n != 0 {
		t.Errorf("%d open flags of a rejected report", n)
	}
}

// Two people who flag at once are both counted, and hide once.
func TestFlagsAtOnceHideOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := created(w.Citizen(), nil)
	w.Verify(id)
	flag(grown(w), id)
	people := []*testenv.Client{grown(w), grown(w), grown(w)}
	testdb.AtOnce(t, w.DB, `SELECT FROM reports WHERE id = $1 FOR UPDATE`, []any{id},
		func() { flag(people[0], id) }, func() { flag(people[1], id) }, func() { flag(people[2], id) })
	if got := fmt.Sprint(w.Int(`SELECT flags_count FROM reports WHERE words_hidden = 'flags'`), w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_HIDDEN'`)); got != "4 1" {
		t.Errorf("flags and events: %s", got)
	}
}

// A moderator hides words once, for a reason that the reporter reads; the note stays with staff.
func TestHidingWords(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := created(author, nil)
	path := "/reports/" + id + "/hide"
	for _, body := range []object{{}, {"reason_code": "ugly"}, {"reason_code": "other"}} {
		mod.Post(path, body).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	}
	for _, c := range []*testenv.Client{author, w.Citizen(), w.Staff(identity.Official, w.Agency("DILI"))} {
		c.Post(path, object{"reason_code": "offensive"}).Want(http.StatusForbidden)
		c.Post("/reports/"+id+"/unhide", nil).Want(http.StatusForbidden)
		c.Post("/reports/"+id+"/flags/dismiss", nil).Want(http.StatusForbidden)
	}
	mod.Post(path, object{"reason_code": "offensive", "expected_version": 7}).WantProblem(http.StatusConflict, "stale")
	mod.With("If-Match", `"7"`).Post(path, object{"reason_code": "offensive"}).Want(http.StatusPreconditionFailed)
	for range 2 {
		got := mod.Post(path, object{"reason_code": "personal_data", "note": "Ana's phone number"}).Want(http.StatusOK).Object()
		if got.Number("version") != 2 || got.At("content_hidden") != true || got.Text("words_hidden.reason_code") != "personal_data" {
			t.Errorf("got %v", got.Values)
		}
	}
	if got := fmt.Sprint(w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_HIDDEN' AND convert_from(payload, 'UTF8')::jsonb ->> 'reason_code' = 'personal_data'`),
		w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.hide' AND after ->> 'note' = 'Ana''s phone number'`),
		w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND params ->> 'variant' = 'words_hidden' AND params ->> 'reason' = 'personal_data' AND NOT params ? 'note'`, author.ID)); got != "1 1 1" {
		t.Errorf("events, audit, notifications: %s", got)
	}
	for range 2 {
		if got := mod.Post("/reports/"+id+"/unhide", nil).Want(http.StatusOK).Object(); got.At("content_hidden") != nil || got.Number("version") != 3 {
			t.Errorf("got %v", got.Values)
		}
	}
	if n := w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_HIDDEN'`); n != 2 {
		t.Errorf("%d events", n)
	}
	mod.Post("/reports/"+uuid.NewString()+"/hide", object{"reason_code": "offensive"}).Want(http.StatusNotFound)
}

// Flags from before the verdict hide a report when somebody else than a moderator verifies it. While it is shown before its
// verdict, they hide it at once.
func TestFlagsFromBeforeTheVerdictHide(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, tc := range []struct {
		by     *testenv.Client
		hidden bool
	}{{w.Staff(identity.Official, w.Agency("DILI")), true}, {w.Staff(identity.Moderator), false}} {
		id := created(w.Citizen(), object{"client_id": uuid.NewString()})
		for range 3 {
			flag(grown(w), id)
		}
		tc.by.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
		if hidden, _ := seen(w, id); hidden != tc.hidden {
			t.Errorf("verified: hidden %v, want %v", hidden, tc.hidden)
		}
	}
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"publish_before_verdict": true}')`)
	id := created(w.Citizen(), object{"client_id": uuid.NewString()})
	for n := range 3 {
		if hidden, _ := seen(w, id); hidden {
			t.Errorf("hidden after %d flags", n)
		}
		flag(grown(w), id)
	}
	if hidden, _ := seen(w, id); !hidden {
		t.Error("shown before its verdict, flags do not hide it")
	}
}

// After the content changed, the open flags count again at the next flag, also of somebody who has flagged it before.
func TestOpenFlagsCountAgainAfterAChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := created(w.Citizen(), nil)
	w.Staff(identity.Moderator).Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	people := []*testenv.Client{grown(w), grown(w), grown(w)}
	for _, c := range people {
		flag(c, id)
		flag(c, id)
	}
	if hidden, _ := seen(w, id); hidden {
		t.Error("flags hide what a moderator verified")
	}
	w.Exec(`UPDATE reports SET moderated_at = NULL WHERE id = $1`, id)
	for range 2 {
		flag(people[0], id)
	}
	if hidden, _ := seen(w, id); !hidden || w.Int(`SELECT flags_count FROM reports`) != 3 {
		t.Error("changed since: a repeated flag hides nothing")
	}
}
