package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// invite invites a person and returns the path of the mailed link.
func invite(t *testing.T, w *testenv.System, email, role string) string {
	t.Helper()
	body := object{"email": email, "full_name": "Rui Guterres", "role": role}
	if role == "government_official" {
		body["agency_id"] = w.Agency("OP-DILI")
	}
	w.Staff(identity.Admin).Post("/admin/users/invite", body).Want(http.StatusCreated)
	return strings.TrimPrefix(mailed(t, w, email, "link"), w.URL)
}

const (
	welcomePassword = `[data-testid="password"]`
	welcomeSend     = `[data-testid="welcome-send"]`
)

// An invited official reads the rules, is told at the field what is wrong with a password, chooses another one, and is at the desk.
func TestWelcomeTakesTheTokenOutOfTheAddress(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	const email = "rui@obras.tl"
	link := invite(t, w, email, "government_official")
	tab := browser.Open(t, 360, 900)
	var address, kept, rules, kind, fault, typed, errorOf string
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+link+"&lang=tet"), chromedp.WaitVisible(welcomePassword),
		chromedp.Evaluate(`location.href`, &address), chromedp.Text(`.field:nth-of-type(2) small`, &rules))
	if err != nil || strings.Contains(address, "token") || !strings.Contains(rules, "Letra 8") {
		t.Fatalf("the address is %q, the rules are %q: %v", address, rules, err)
	}
	browser.Screenshot(t, tab, "welcome-360-tet")
	err = chromedp.Run(tab, chromedp.Reload(), chromedp.WaitVisible(welcomePassword), chromedp.Click(`.languages [lang="en"]`),
		chromedp.WaitVisible(`html[lang="en"] `+welcomePassword), chromedp.Evaluate(`location.href`, &kept),
		chromedp.SendKeys(`[data-testid="email"]`, email), chromedp.SendKeys(welcomePassword, "password123"), chromedp.Click(`.choice input`),
		chromedp.AttributeValue(welcomePassword, "type", &kind, nil), chromedp.Click(welcomeSend), chromedp.WaitVisible(welcomePassword+`[aria-invalid]`),
		chromedp.Text(`.field .error`, &fault), chromedp.Value(welcomePassword, &typed), chromedp.AttributeValue(welcomePassword, "aria-describedby", &errorOf, nil))
	if err != nil || strings.Contains(kept, "token") || kind != "text" || fault == "" || typed != "password123" || !strings.Contains(errorOf, "-error") {
		t.Fatalf("%q: type %q, error %q (%s), typed %q: %v", kept, kind, fault, errorOf, typed, err)
	}
	err = chromedp.Run(tab, chromedp.Evaluate(`document.querySelector("[data-testid=password]").value = ""`, nil), chromedp.SendKeys(welcomePassword, "ponte-Comoro-77"), chromedp.Click(welcomeSend),
		arrive("/desk"), chromedp.WaitVisible(`.note a[href="/me#account"]`), chromedp.Evaluate(`sessionStorage.getItem("welcome_token") || ""`, &kept))
	if err != nil || kept != "" {
		t.Fatalf("kept %q: %v", kept, err)
	}
	w.Anonymous().Post("/auth/login", object{"email": email, "password": "ponte-Comoro-77"}).Want(http.StatusOK)
}

// A link that was used says whom to ask, and offers the sign-in, filled in: an answer may have been lost.
func TestAnInvitationThatWasUsed(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	const email = "citizen@example.tl"
	link := invite(t, w, email, "citizen")
	_, token, _ := strings.Cut(link, "token=")
	tab := browser.Open(t, 360, 900)
	var said, empty string
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/welcome?lang=en"), chromedp.WaitVisible(`.note.bad`), chromedp.Text(`.note.bad`, &empty),
		chromedp.Navigate(w.URL+link), chromedp.WaitVisible(welcomePassword))
	if err != nil || !strings.Contains(empty, "ask the administrator") {
		t.Fatalf("without a token: %q, %v", empty, err)
	}
	w.Anonymous().Post("/users/update-password", object{"token": token, "new_password": "ponte-Comoro-77"}).Want(http.StatusOK)
	err = chromedp.Run(tab, chromedp.SendKeys(`[data-testid="email"]`, email), chromedp.SendKeys(welcomePassword, "ponte-Comoro-77"), chromedp.Click(welcomeSend),
		chromedp.WaitVisible(`.note.bad[role="alert"]`), chromedp.Text(`.note.bad`, &said))
	browser.Screenshot(t, tab, "welcome-used-360")
	if err != nil || !strings.Contains(said, "ask the administrator") {
		t.Fatalf("%q, %v", said, err)
	}
	if err := chromedp.Run(tab, chromedp.Click(`[data-testid="sign-in"]`), arrive("/me")); err != nil {
		t.Error(err)
	}
}

// arrive waits until the tab is at a path. While one page takes the place of another, nothing can be asked.
func arrive(path string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var at string
			if err := chromedp.Evaluate(`location.pathname`, &at).Do(ctx); err == nil && at == path {
				return nil
			}
			if err := chromedp.Sleep(100 * time.Millisecond).Do(ctx); err != nil {
				return fmt.Errorf("wait for %s, last at %q: %w", path, at, err)
			}
		}
	})
}
