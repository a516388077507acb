package reports_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// shownPicture is a verified report with a processed picture, and the addresses that a stranger was given of it.
type shownPicture struct {
	*testenv.System
	author, moderator, admin, stranger *testenv.Client
	id, image, upload                  string
	display, thumbnail                 string
}

func newShownPicture(t *testing.T) *shownPicture {
	t.Helper()
	w := testenv.New(t, reports.Open, staff.Open)
	p := &shownPicture{System: w, author: w.Citizen(), moderator: w.Staff(identity.Moderator), admin: w.Staff(identity.Admin), stranger: w.Citizen()}
	p.upload = uploaded(p.author, w, 1)
	p.id = p.author.Post("/reports", newBody(object{"images": []object{{"upload_id": p.upload}}})).Want(http.StatusCreated).Object().Text("id")
	w.ProcessUpload(p.upload)
	p.moderator.Post("/reports/"+p.id+"/status", object{"status": "verified", "expected_version": p.version()}).Want(http.StatusOK)
	seen := p.stranger.Get("/reports/" + p.id).Want(http.StatusOK).Object()
	image := seen.Items("images")[0]
	p.image, p.display, p.thumbnail = image.Text("id"), image.Text("image_url"), image.Text("thumbnail_url")
	p.wantLinks(http.StatusOK)
	return p
}

func (p *shownPicture) version() int {
	p.Helper()
	return p.Int(`SELECT version FROM reports WHERE id = $1`, p.id)
}

// status is that of the answer of storage to an address.
func (p *shownPicture) status(address string) int {
	p.Helper()
	res, err := http.Get(address)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		p.Fatal(err)
	}
	return res.StatusCode
}

// wantLinks fails the test unless the addresses that the stranger was given answer so.
func (p *shownPicture) wantLinks(status int) {
	p.Helper()
	for _, address := range []string{p.display, p.thumbnail} {
		if got := p.status(address); got != status {
			p.Errorf("an address from before answers %d, want %d", got, status)
		}
	}
}

// wantPicture fails the test unless c is given addresses of the picture that work.
func (p *shownPicture) wantPicture(c *testenv.Client) {
	p.Helper()
	seen := c.Get("/reports/" + p.id).Want(http.StatusOK).Object()
	for _, of := range []apiclient.Object{seen, seen.Items("images")[0]} {
		for _, name := range []string{"image_url", "thumbnail_url"} {
			if got := p.status(of.Text(name)); got != http.StatusOK {
				p.Errorf("%s answers %d", name, got)
			}
		}
	}
}

func (p *shownPicture) relay() error {
	p.Helper()
	run, err := relay.Open(p.Context(), p.Env)
	if err != nil {
		p.Fatal(err)
	}
	return run.Run(context.Background(), events.EventBridgeEvent{})
}

// What is taken down takes the addresses of its pictures with it, before the answer. What can be restored keeps the
// pictures for its reporter and staff.
func TestPicturesOfWhatIsTakenDownAreOutOfReach(t *testing.T) {
	t.Parallel()
	rejection := object{"status": "rejected", "reason_code": "offensive"}
	for name, c := range map[string]struct {
		act  func(p *shownPicture)
		kept bool
	}{
		"rejected":         {func(p *shownPicture) { p.moderator.Post("/reports/"+p.id+"/status", rejection).Want(http.StatusOK) }, true},
		"rejected by edit": {func(p *shownPicture) { p.moderator.Patch("/reports/"+p.id, rejection).Want(http.StatusOK) }, true},
		"rejected in bulk": {func(p *shownPicture) {
			item := object{"report_id": p.id, "status": "rejected", "reason_code": "offensive"}
			p.moderator.Post("/staff/reports/bulk-status", object{"items": []object{item}}).Want(http.StatusOK)
		}, true},
		"overridden": {func(p *shownPicture) {
			p.moderator.Post("/reports/"+p.id+"/ai-analysis/override", object{"is_relevant": false, "note": "No road."}).Want(http.StatusOK)
		}, true},
		"a duplicate no more": {func(p *shownPicture) {
			original := p.author.Post("/reports", object{"issue_type": "pothole", "latitude": -8.5, "longitude": 125.56, "client_id": uuid.NewString()}).Want(http.StatusCreated).Object()
			p.moderator.Post("/reports/"+p.id+"/status", object{"status": "duplicate", "duplicate_of": original.Text("id")}).Want(http.StatusOK)
			p.wantLinks(http.StatusOK)
			p.moderator.Post("/reports/"+p.id+"/status", object{"status": "pending"}).Want(http.StatusOK)
		}, true},
		"removed": {func(p *shownPicture) {
			p.admin.Delete("/reports/" + p.id + "?reason_code=offensive").Want(http.StatusOK)
		}, false},
		"picture removed": {func(p *shownPicture) {
			p.admin.Delete("/reports/" + p.id + "/images/" + p.image).Want(http.StatusOK)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newShownPicture(t)
			c.act(p)
			p.wantLinks(http.StatusNotFound)
			if !c.kept {
				return
			}
			p.wantPicture(p.author)
			p.wantPicture(p.moderator)
			if err := p.relay(); err != nil || p.Int(`SELECT count(*) FROM uploads WHERE stale_from IS NOT NULL`) != 0 {
				t.Errorf("relay: %v", err)
			}
			if p.Text(`SELECT status FROM reports WHERE id = $1`, p.id) != "pending" {
				p.moderator.Post("/reports/"+p.id+"/status", object{"status": "pending"}).Want(http.StatusOK)
			}
			p.moderator.Post("/reports/"+p.id+"/status", object{"status": "verified"}).Want(http.StatusOK)
			p.wantPicture(p.stranger)
			p.wantLinks(http.StatusNotFound)
		})
	}
}

// Who has the file of a picture does not find the report by it while nobody is shown the picture.
func TestUnseenPictureFindsNothing(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	same := uploaded(p.stranger, p.System, 1)
	p.Exec(`UPDATE uploads SET perceptual_hash = 81985529216486895`)
	find := func(want bool) {
		t.Helper()
		by := "/reports/similar?image_upload_id=" + same
		if got := p.stranger.Get(by).Want(http.StatusOK).Object().Items("items"); (len(got) == 1) != want {
			t.Errorf("found %d reports, want one: %v", len(got), want)
		}
		near := p.stranger.Get(by + "&lat=-8.5569&lon=125.5603").Want(http.StatusOK).Object().Items("items")
		if len(near) != 1 || (near[0].At("similarity") != nil) != want {
			t.Errorf("near are %v, want one that is compared: %v", near, want)
		}
	}
	for _, state := range []string{`UPDATE uploads SET state = 'redacting' WHERE id = $1`, `UPDATE report_images SET hidden = 'moderator' WHERE upload_id = $1`} {
		find(true)
		p.Exec(state, p.upload)
		find(false)
		p.Exec(`UPDATE uploads SET state = 'processed'`)
	}
}

// A failure of storage leaves the report as it was, or taken down with addresses that relay makes useless. Nothing is lost.
func TestTakingDownWhileStorageFails(t *testing.T) {
	t.Parallel()
	p := newShownPicture(t)
	reject := func() int {
		return p.moderator.Post("/reports/"+p.id+"/status", object{"status": "rejected", "reason_code": "offensive"}).Status
	}
	p.fail("CopyObject")
	if got := reject(); got != http.StatusServiceUnavailable && got != http.StatusInternalServerError {
		t.Errorf("it answered %d", got)
	}
	p.Faults.Clear()
	if got := p.Text(`SELECT status FROM reports WHERE id = $1`, p.id); got != "verified" {
		t.Errorf("the report is %s", got)
	}
	p.wantPicture(p.stranger)
	p.wantLinks(http.StatusOK)

	p.fail("DeleteObject")
	if got := reject(); got != http.StatusOK {
		t.Fatalf("it answered %d", got)
	}
	p.wantPicture(p.author)
	if err := p.relay(); err == nil {
		t.Error("relay did not say that it failed")
	}
	p.wantPicture(p.author)
	p.Faults.Clear()
	if err := p.relay(); err != nil {
		t.Fatal(err)
	}
	p.wantLinks(http.StatusNotFound)
	p.wantPicture(p.author)
}

// fail has an operation of storage fail.
func (p *shownPicture) fail(operation string) {
	p.Helper()
	if err := p.Faults.Add(faults.Fault{Service: "s3", Operation: operation, Mode: faults.Error, Count: faults.Forever}); err != nil {
		p.Fatal(err)
	}
}
