package browser_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A wait goes on when the page leads to another one.
func TestPollOutlivesItsPage(t *testing.T) {
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/second" {
			_, _ = w.Write([]byte(`<p id="here">second</p>`))
			return
		}
		_, _ = w.Write([]byte(`<script>setTimeout(() => { location.href = "/second"; }, 500);</script>`))
	}))
	defer pages.Close()
	err := chromedp.Run(browser.Open(t, 360, 740), chromedp.Navigate(pages.URL),
		browser.Poll(`document.querySelector("#here") !== null`, nil, chromedp.WithPollingInterval(100*time.Millisecond)))
	if err != nil {
		t.Fatal(err)
	}
}
