package browser_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// Each kind of fault is found on a page that has it.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><p style="color:#999;background:#fff">pale</p><img src="data:,">
			<button style="height:20px">low</button><input><div style="width:3000px">wide</div></main>`))
	}))
	t.Cleanup(server.Close)
	tab := browser.Open(t, 360, 640)
	if err := chromedp.Run(tab, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	found, err := browser.Faults(tab)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(found, "\n")
	for _, want := range []string{"color-contrast", "image-alt", "label:", "wider than the window", "less than 44 px high"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not found in\n%s", want, all)
		}
	}
}
