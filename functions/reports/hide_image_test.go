package reports_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// on posts a change of the picture.
func (p *shownPicture) on(c *testenv.Client, change string, body object) apiclient.TestResponse {
	p.Helper()
	return c.Post("/reports/"+p.id+"/images/"+p.image+"/"+change, body)
}

// hiddenEvents is the number of CONTENT_HIDDEN events of the report.
func (p *shownPicture) hiddenEvents() int {
	p.Helper()
	return p.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'CONTENT_HIDDEN'`, p.id)
}

// told is how often the reporter was told of a variant of an edit.
func (p *shownPicture) told(variant string) int {
	p.Helper()
	return p.Int(`SELECT count(*) FROM notifications WHERE report_id = $1 AND user_id = $2 AND type = 'report_edited' AND params ->> 'variant' = $3`, p.id, p.author.ID, variant)
}

// wantUnseen fails the test if the stranger is given anything of the picture.
func (p *shownPicture) wantUnseen() {
	p.Helper()
	seen := p.stranger.Get("/reports/" + p.id).Want(http.StatusOK).Object()
	if len(seen.Items("images")) != 0 || seen.At("image_url") != nil || seen.At("thumbnail_url") != nil || seen.At("blurhash") != nil {
		p.Errorf("a stranger sees %v, %v", seen.At("images"), seen.At("image_url"))
	}
	p.stranger.Get("/reports/" + p.id + "/images/" + p.image + "/display").Want(http.StatusNotFound)
	listed := p.stranger.Get("/reports").Want(http.StatusOK).Object().Items("items")[0]
	if listed.At("thumbnail_url") != nil || listed.At("blurhash") != nil {
		p.Errorf("a list shows %v", listed.At("thumbnail_url"))
	}
}

var personal = object{"reason_code": "personal_data"}

// A hidden picture is out of reach with the answer. Its reporter and staff see it, and why it is hidden. The second click changes
// nothing; after a third it is shown again, under an address that works.
func TestHiddenPicture(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	image := p.on(p.moderator, "hide", object{"reason_code": "personal_data", "note": "A face."}).Want(http.StatusOK).Object()
	if image.Text("hidden") != "moderator" || image.Text("hidden_reason") != "personal_data" || image.At("is_public") != false || image.Text("receipt.note") == "" {
		t.Errorf("answer %v", image.Values)
	}
	p.wantLinks(http.StatusNotFound)
	p.wantUnseen()
	p.wantPicture(p.author)
	p.wantPicture(p.moderator)
	version := p.version()
	again := p.on(p.moderator, "hide", object{"reason_code": "offensive"}).Want(http.StatusOK).Object()
	if again.Text("hidden_reason") != "personal_data" || p.version() != version || p.hiddenEvents() != 1 || p.told("picture_hidden") != 1 {
		t.Errorf("the second click: %v, version %d after %d, %d events", again.Values, p.version(), version, p.hiddenEvents())
	}
	if n := p.Int(`SELECT count(*) FROM audit_log WHERE action = 'image.hide' AND entity_id = $1`, p.image); n != 1 {
		t.Errorf("%d entries in the audit log", n)
	}
	p.Exec(`UPDATE reports SET moderated_at = NULL WHERE id = $1`, p.id) // as after the reporter's next change
	for range 2 {
		if shown := p.on(p.moderator, "unhide", object{}).Want(http.StatusOK).Object(); shown.At("hidden") != nil || shown.At("is_public") != true {
			t.Errorf("shown again: %v", shown.Values)
		}
	}
	if p.hiddenEvents() != 2 || p.told("picture_shown") != 1 || p.Int(`SELECT count(*) FROM reports WHERE moderated_at IS NULL`) != 0 {
		t.Errorf("%d events", p.hiddenEvents())
	}
	p.wantPicture(p.stranger)
	p.wantLinks(http.StatusNotFound)
}

// A picture that is redacted is pending until the images worker has made it; the message names it. Boxes add up, and are cut to
// the picture. The second click asks the worker again and changes nothing else; after the picture is made it changes nothing.
func TestRedactedPicture(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	face := []object{{"x": 0.5, "y": 0.5, "width": 0.9, "height": 0.25}}
	for range 2 {
		image := p.on(p.moderator, "redact", object{"reason_code": "personal_data", "boxes": face}).Want(http.StatusOK).Object()
		if image.Text("status") != "pending" || image.At("is_public") != false || image.At("redacted") != true || image.At("image_url") != nil || image.At("blurhash") != nil {
			t.Errorf("answer %v", image.Values)
		}
	}
	if got := p.Int(`SELECT count(*) FROM outbox WHERE queue = 'images'`); got != 2 {
		t.Errorf("the worker was asked %d times, want 2: a first message may be lost", got)
	}
	p.wantLinks(http.StatusNotFound)
	p.wantUnseen()
	if got := p.Text(`SELECT boxes::text FROM report_images WHERE id = $1`, p.image); got != `[{"x": 0.5, "y": 0.5, "width": 0.5, "height": 0.25}]` {
		t.Errorf("boxes %s", got)
	}
	p.on(p.moderator, "redact", object{"reason_code": "offensive", "boxes": []object{{"x": 0, "y": 0, "width": 0.1, "height": 0.1}}}).Want(http.StatusOK)
	if got := p.Int(`SELECT jsonb_array_length(boxes) FROM report_images WHERE id = $1`, p.image); got != 2 || p.hiddenEvents() != 2 || p.told("picture_redacted") != 2 {
		t.Errorf("%d boxes, %d events", got, p.hiddenEvents())
	}
	if got := p.Text(`SELECT string_agg(DISTINCT body ->> 'redact_upload_id', ' ') FROM outbox WHERE queue = 'images'`); got != p.upload {
		t.Errorf("messages for %s", got)
	}
	if got := p.Text(`SELECT concat_ws(' ', state, generation, display_sha256 IS NULL) FROM uploads WHERE id = $1`, p.upload); got != "redacting 1 t" {
		t.Errorf("upload %s", got)
	}
	p.Exec(`UPDATE uploads SET state = 'processed', generation = 3, generation_taken = 5 WHERE id = $1`, p.upload)
	asked := p.Int(`SELECT count(*) FROM outbox WHERE queue = 'images'`)
	p.on(p.moderator, "redact", object{"reason_code": "personal_data", "boxes": face}).Want(http.StatusOK)
	if got := p.Int(`SELECT count(*) FROM outbox WHERE queue = 'images'`); got != asked {
		t.Error("a picture that is made is asked for again")
	}
	p.on(p.moderator, "hide", personal).Want(http.StatusOK)
	if got := p.Text(`SELECT concat_ws(' ', generation, generation_taken) FROM uploads WHERE id = $1`, p.upload); got != "6 5" {
		t.Errorf("the move took generation %s, want one that no attempt may write", got)
	}
}

// A picture takes fifty boxes in all, and no more.
func TestAPictureHasFiftyBoxesAtMost(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	var boxes []object
	for i := range 51 {
		boxes = append(boxes, object{"x": float64(i) / 100, "y": 0, "width": 0.1, "height": 0.1})
	}
	p.on(p.moderator, "redact", object{"reason_code": "unsafe", "boxes": boxes[:50]}).Want(http.StatusOK)
	p.on(p.moderator, "redact", object{"reason_code": "unsafe", "boxes": boxes[50:]}).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	if n := p.Int(`SELECT jsonb_array_length(boxes) FROM report_images WHERE id = $1`, p.image); n != 50 {
		t.Errorf("%d boxes, want 50", n)
	}
}

func TestWhoModeratesPictures(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	box := []object{{"x": 0, "y": 0, "width": 1, "height": 1}}
	for name, c := range map[string]*testenv.Client{"author": p.author, "stranger": p.stranger, "official": p.Staff(identity.Official, p.Agency("WORKS"))} {
		for _, change := range []string{"hide", "unhide", "redact"} {
			if got := p.on(c, change, object{"reason_code": "unsafe", "boxes": box}); got.Status != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, change, got.Status)
			}
		}
	}
	p.on(p.Anonymous(), "hide", personal).Want(http.StatusUnauthorized)
	for name, c := range map[string]struct {
		change string
		body   object
		want   int
	}{
		"no reason":            {"hide", object{}, http.StatusUnprocessableEntity},
		"unknown reason":       {"hide", object{"reason_code": "ugly"}, http.StatusUnprocessableEntity},
		"other without a note": {"hide", object{"reason_code": "other"}, http.StatusUnprocessableEntity},
		"stale":                {"hide", object{"reason_code": "unsafe", "expected_version": 1}, http.StatusConflict},
		"stale redaction":      {"redact", object{"reason_code": "unsafe", "expected_version": 1, "boxes": box}, http.StatusConflict},
		"stale unhide":         {"unhide", object{"expected_version": 1}, http.StatusConflict},
		"no boxes":             {"redact", object{"reason_code": "unsafe"}, http.StatusUnprocessableEntity},
		"empty boxes":          {"redact", object{"reason_code": "unsafe", "boxes": []object{}}, http.StatusUnprocessableEntity},
		"box outside":          {"redact", object{"reason_code": "unsafe", "boxes": []object{{"x": 1, "y": 0, "width": 1, "height": 1}}}, http.StatusUnprocessableEntity},
		"box too large":        {"redact", object{"reason_code": "unsafe", "boxes": []object{{"x": 0, "y": 0, "width": 1.5, "height": 1}}}, http.StatusUnprocessableEntity},
		"box without width":    {"redact", object{"reason_code": "unsafe", "boxes": []object{{"x": 0, "y": 0, "width": 0, "height": 1}}}, http.StatusUnprocessableEntity},
	} {
		if got := p.on(p.moderator, c.change, c.body); got.Status != c.want {
			t.Errorf("%s: %d, want %d", name, got.Status, c.want)
		}
	}
	many := make([]object, 51)
	for i := range many {
		many[i] = object{"x": 0.01 * float64(i), "y": 0, "width": 0.01, "height": 1}
	}
	p.on(p.moderator, "redact", object{"reason_code": "unsafe", "boxes": many}).Want(http.StatusUnprocessableEntity)
	p.moderator.Post("/reports/"+p.id+"/images/"+p.id+"/hide", personal).Want(http.StatusNotFound)
	p.moderator.Post("/reports/LS-2026-999999/images/"+p.image+"/hide", personal).Want(http.StatusNotFound)
	if p.hiddenEvents() != 0 {
		t.Error("a refused change has an event")
	}
	p.on(p.admin, "hide", object{"reason": "unsafe"}).Want(http.StatusOK)
}

// A failure of storage before the commit changes nothing. After it the request says so, and the same request again ends it; so
// does relay.
func TestHidingWhileStorageFails(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"hide", "redact"} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			p := newShownPicture(t)
			body := object{"reason_code": "personal_data", "boxes": []object{{"x": 0, "y": 0, "width": 1, "height": 1}}}
			p.fail("CopyObject")
			p.on(p.moderator, change, body).Want(http.StatusServiceUnavailable)
			p.Faults.Clear()
			if p.hiddenEvents() != 0 {
				t.Error("a change that failed has an event")
			}
			p.wantPicture(p.stranger)
			p.wantLinks(http.StatusOK)
			p.fail("DeleteObject")
			p.on(p.moderator, change, body).Want(http.StatusServiceUnavailable)
			p.wantUnseen()
			p.Faults.Clear()
			p.on(p.moderator, change, body).Want(http.StatusOK)
			p.wantLinks(http.StatusNotFound)
			if p.hiddenEvents() != 1 {
				t.Errorf("%d events", p.hiddenEvents())
			}
			if change == "hide" {
				p.wantPicture(p.author)
			}
			if err := p.relay(); err != nil || p.Int(`SELECT count(*) FROM uploads WHERE stale_from IS NOT NULL`) != 0 {
				t.Errorf("relay: %v", err)
			}
		})
	}
}

// Many clicks at once hide a picture once.
func TestPictureIsHiddenOnceByManyClicks(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	var clicks sync.WaitGroup
	answers := make([]int, 200)
	for i := range answers {
		moderator := p.moderator
		if i%20 == 0 { // not all of one person: of whom 200 come at once
			moderator = p.Staff(identity.Moderator)
		}
		clicks.Go(func() { answers[i] = p.on(moderator, "hide", personal).Status })
	}
	clicks.Wait()
	for i, got := range answers {
		if got != http.StatusOK {
			t.Fatalf("click %d: %d", i, got)
		}
	}
	if got := p.Text(`SELECT generation::text FROM uploads WHERE id = $1`, p.upload); got != "1" || p.hiddenEvents() != 1 || p.told("picture_hidden") != 1 {
		t.Errorf("generation %s, %d events", got, p.hiddenEvents())
	}
	p.wantLinks(http.StatusNotFound)
	p.wantPicture(p.author)
}

// Enough flags take the pictures out of reach; dismissing them shows the pictures again.
func TestFlaggedPicturesAreOutOfReach(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	p.Exec(`UPDATE reports SET moderated_at = NULL`) // as if the AI had verified it
	for range 3 {
		person := p.Citizen()
		p.Exec(`UPDATE users SET created_at = created_at - interval '10 days' WHERE id = $1`, person.ID)
		person.Post("/reports/"+p.id+"/flag", object{"reason": "offensive"}).Want(http.StatusAccepted)
	}
	p.wantLinks(http.StatusNotFound)
	p.wantUnseen()
	p.moderator.Post("/reports/"+p.id+"/flags/dismiss", object{}).Want(http.StatusOK)
	p.wantPicture(p.stranger)
}
