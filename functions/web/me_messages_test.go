package web_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Notifications are counted, lead to their report, and are marked as read and deleted. A rejected report leads to its appeal.
func TestMeNotifications(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	id, number := file(w, c, object{"title": `<b onclick="alert(1)">x`})
	w.Staff(identity.Moderator).Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "other", "note": "<script>alert(1)</script> no hole"}).Want(http.StatusOK)
	w.Exec(`DELETE FROM notifications WHERE type <> 'report_rejected'`)
	w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, params, created_at)
		SELECT gen_random_uuid(), $1, 'report_received', 'e' || n, jsonb_build_object('report_number', 'N' || n), now() - n * interval '1 minute' FROM generate_series(1, 41) n`, c.ID)
	tab := tabOf(t, w, c, "/me?lang=en#notifications", 360, 740)
	run(t, tab, until(`document.querySelectorAll("[data-testid=notifications] > li").length === 20`), until(`document.getElementById("unread").textContent === "42"`), says("<script>alert(1)</script> no hole"))
	browser.Screenshot(t, tab, "me-notifications-360")
	browser.AccessibleInThemes(t, tab, "notifications")
	const rows = `document.querySelectorAll("[data-testid=notifications] > li")`
	run(t, tab, chromedp.Evaluate(`window.before = `+rows+`[0]; 0`, nil), press("notification"), until(`location.hash === "#reports/%s"`, number), chromedp.WaitVisible(by("appeal")), until(`document.getElementById("unread").textContent === "41"`),
		chromedp.NavigateBack(), until(rows+`[0] !== window.before && `+rows+`.length === 20 && !`+rows+`[0].querySelector("[data-testid=new]")`))
	// Deleting one must not hide another one behind the end of the page.
	run(t, tab, press("remove"), until(rows+`.length === 19 && document.activeElement.closest("li") === `+rows+`[0]`), press("read"), until(`document.getElementById("unread").textContent === "40"`),
		press("more"), until(rows+`.length === 40`), press("more"), until(rows+`.length === 41`), until(`new Set([...`+rows+`].map((r) => r.textContent)).size === 41`),
		press("read-all"), until(`document.getElementById("unread").hidden && document.querySelector("[data-testid=new]") === null`))
	if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL`, c.ID); n != 0 {
		t.Errorf("%d are unread", n)
	}
}

// A notification that is deleted while the list is read again does not come back with the answer.
func TestADeletedNotificationStaysAway(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, params)
		SELECT gen_random_uuid(), $1, 'report_received', 'e' || n, jsonb_build_object('report_number', 'N' || n) FROM generate_series(1, 2) n`, c.ID)
	tab := tabOf(t, w, c, "/me?lang=en#notifications", 360, 740)
	const rows = `document.querySelectorAll("[data-testid=notifications] > li").length`
	const hold = `const send = window.fetch; window.fetch = (address, ...rest) => {
		const answer = send(address, ...rest);
		if (!String(address).includes("/notifications?page")) return answer;
		window.fetch = send;
		return new Promise((resolve) => { answer.then((a) => { window.release = () => resolve(a); }); });
	}; 0`
	run(t, tab, until(rows+` === 2`), chromedp.Evaluate(hold, nil), press("read-all"), until(`window.release`), press("remove"), until(rows+` === 1`),
		chromedp.Evaluate(`window.release(); 0`, nil), until(`document.querySelector("[data-testid=new]") === null`))
	var left int
	run(t, tab, quiet(), chromedp.Evaluate(rows, &left))
	if left != 1 {
		t.Errorf("%d notifications are shown, want 1", left)
	}
}

// A person stops following a report and takes it up again, and watches a municipality and the place where they are.
func TestMeFollowsAndAlerts(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	id, number := file(w, w.Citizen(), object{"title": "Of somebody else"})
	w.Verify(id)
	c.Post("/reports/"+id+"/follow", nil).Want(http.StatusOK)
	tab := tabOf(t, w, c, "/me?lang=en#alerts", 360, 740)
	follows := func() int { return w.Int(`SELECT count(*) FROM report_follows WHERE user_id = $1`, c.ID) }
	run(t, tab, says(number), press("follow"), says("Follow again"))
	if follows() != 0 {
		t.Error("it is still followed")
	}
	run(t, tab, press("follow"), says("Stop following"))
	if follows() != 1 {
		t.Error("it is not followed again")
	}
	run(t, tab, says("You watch no place yet"), press("alert"), chromedp.WaitVisible(by("municipality")), chromedp.SetValue(by("municipality"), "TL-BA"),
		chromedp.Click(`summary`), chromedp.Click(`[name=issue_types][value=waste]`), chromedp.Click(`[name=events][value=new]`))
	browser.Screenshot(t, tab, "me-alert-360")
	browser.AccessibleInThemes(t, tab, "alert")
	run(t, tab, press("alert-send"), until(`document.querySelectorAll("[data-testid=alerts] > li").length === 1`), says("Baucau"), says("Waste · fixed problems"))
	run(t, tab, browser.At(-8.5569, 125.5603, 20),
		press("alert"), chromedp.Click(`[name=where][value=place]`), press("alert-send"), says("Choose a place first"), press("locate"), says("Chosen:"), chromedp.SetValue(`[name=radius_meters]`, "5000"), press("alert-send"),
		until(`document.querySelectorAll("[data-testid=alerts] > li").length === 2`), says("5 km around"))
	if got := w.Text(`SELECT string_agg(concat_ws(' ', municipality_code, radius_meters, issue_types, events), ';' ORDER BY created_at) FROM alerts WHERE user_id = $1`, c.ID); got != "TL-BA {waste} {fixed};5000 {} {fixed,new}" {
		t.Errorf("alerts %q", got)
	}
	browser.Screenshot(t, tab, "me-alerts-360")
	browser.AccessibleInThemes(t, tab, "alerts")
	run(t, tab, press("alert-remove"), until(`document.querySelectorAll("[data-testid=alerts] > li").length === 1`))
	if got := w.Int(`SELECT count(*) FROM alerts WHERE user_id = $1 AND radius_meters = 5000`, c.ID); got != 1 {
		t.Error("the wrong alert was deleted")
	}
}
