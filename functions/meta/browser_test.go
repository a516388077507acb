package meta_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// TestDocumentationRendersInABrowser shows that the pages load nothing from other sites: the tab can reach only this function.
func TestDocumentationRendersInABrowser(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	tab := browser.Open(t, 1200, 800)
	err := chromedp.Run(tab,
		chromedp.Navigate(w.URL+"/docs"), chromedp.WaitVisible(`.opblock-tag`),
		// To draw the whole document takes ReDoc most of a minute on a busy machine: that it has begun is enough.
		chromedp.Navigate(w.URL+"/redoc"), chromedp.Poll(`typeof Redoc === "object" && document.querySelector("redoc").childElementCount > 0`, nil),
	)
	if err != nil {
		t.Error(err)
	}
}
