package web_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// desk is a system with reports in the queues, for tests of the page of staff.
type desk struct {
	*testenv.System
	citizen, moderator, official *testenv.Client
	roads, lights                uuid.UUID // agencies; the official works for roads
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	w := setupAll(t)
	d := &desk{System: w, citizen: w.Citizen(), moderator: w.Staff(identity.Moderator), roads: w.Agency("ROADS"), lights: w.Agency("LIGHTS")}
	d.official = w.Staff(identity.Official, d.roads)
	w.Exec(`UPDATE agencies SET name = 'Public Works', name_tet = 'Obras Públikas', name_pt = 'Obras Públicas', municipality_codes = '{TL-DI}' WHERE id = $1`, d.roads)
	w.Exec(`UPDATE users SET full_name = 'Ana Soares' WHERE id = $1`, d.official.ID)
	w.Exec(`UPDATE users SET full_name = 'Mateus Pinto' WHERE id = $1`, d.moderator.ID)
	return d
}

// report puts a report into the database and returns its number. set are assignments.
func (d *desk) report(set string, args ...any) string {
	d.Helper()
	number := fmt.Sprintf("LS-2026-%06d", d.Int(`SELECT count(*) FROM reports`)+1)
	id := uuid.New()
	d.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, title, latitude, longitude) VALUES ($1, $2, $3, '', 'pothole', 'Hole ' || $2, -8.5569, 125.5603)`, id, number, d.citizen.ID)
	if set != "" {
		d.Exec(`UPDATE reports SET `+fmt.Sprintf(set, args...)+` WHERE id = $1`, id)
	}
	d.Submitted(id)
	return number
}

// reviews puts n reports into the queue needs_review, the newest first.
func (d *desk) reviews(n int) []string {
	d.Helper()
	var out []string
	for i := range n {
		out = append(out, d.report("ai_status = 'needs_review', municipality_code = 'TL-DI', created_at = now() - interval '%d minutes'", i))
	}
	return out
}

// value is what an expression of the page is.
func value[T any](t *testing.T, tab context.Context, expression string) T {
	t.Helper()
	var out T
	run(t, tab, chromedp.Evaluate(expression, &out))
	return out
}

// rowsAre waits until the list has n rows.
func rowsAre(n int) chromedp.Action {
	return chromedp.Tasks{chromedp.WaitReady(by("list")), until(`document.querySelectorAll("[data-testid=row]").length === %d`, n)}
}

const numbersShown = `[...document.querySelectorAll('[data-testid=list] > li')].map((li) => li.dataset.number)`

// signInOnPage types address and password into the sign-in that is shown.
func signInOnPage(address, password string) chromedp.Tasks {
	return chromedp.Tasks{chromedp.WaitVisible(by("sign-in")), chromedp.SetValue(by("email"), address), chromedp.SetValue(`[autocomplete=current-password]`, password), press("sign-in")}
}

const newPassword = "mota-Comoro-77"

// withPassword gives a person a password. All their sessions end, as the API promises.
func (d *desk) withPassword(c *testenv.Client) {
	d.Helper()
	d.Anonymous().Post("/auth/forgot-password", object{"email": c.Email}).Want(http.StatusOK)
	d.Anonymous().Post("/auth/reset-password", object{"email": c.Email, "otp": mailedCode(d.TB.(*testing.T), d.System, c.Email), "new_password": newPassword}).Want(http.StatusOK)
}
