package browser_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A button that is replaced while it is pressed gets no click the first time; it is clicked once in the end.
func TestPressOutlivesAReplacedButton(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<div id="box"><button id="go">Go</button></div><script>
			const box = document.querySelector("#box");
			window.clicks = 0;
			box.addEventListener("click", (e) => { if (e.target.matches("button")) clicks++; });
			box.addEventListener("mousedown", () => { box.innerHTML = '<button id="go">Go</button>'; }, { once: true });
		</script>`))
	}))
	defer page.Close()
	var clicks int
	err := chromedp.Run(browser.Open(t, 360, 740), chromedp.Navigate(page.URL), browser.Press("#go"), chromedp.Evaluate(`clicks`, &clicks))
	if err != nil || clicks != 1 {
		t.Errorf("%d clicks, %v", clicks, err)
	}
}
