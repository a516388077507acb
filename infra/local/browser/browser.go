// Package browser opens pages in a real, headless Chromium for tests.
package browser

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience is how long a test waits for one thing on a page, and timeout for all of them. Each takes seconds, and a minute on a machine
// that compiles other tests meanwhile. Only a page that hangs is waited for longer.
const (
	Patience = 3 * time.Minute
	timeout  = 12 * time.Minute
)

// Open returns a tab of the given size in CSS pixels. It is closed when the test ends. An uncaught exception on the page
// fails the test, and so does a violation of the page's Content-Security-Policy. All tests of a process share a Chromium, but each
// tab has cookies and storage of its own.
func Open(t *testing.T, width, height int) context.Context {
	t.Helper()
	c := running(t)
	storage, page, err := c.window()
	if err != nil {
		t.Fatalf("open a window: %v", err)
	}
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithTargetID(page))
	chromedp.FromContext(ctx).BrowserContextID = storage // of tabs that are opened from this one too
	closed := make(chan error, 1)
	context.AfterFunc(t.Context(), func() { // before any cleanup: the page may need what they take away
		err := c.discard(storage)
		cancel()
		closed <- err
	})
	t.Cleanup(func() {
		if err := <-closed; err != nil {
			t.Errorf("close the tab: %v", err)
		}
	})
	ctx, cancelTimed := context.WithTimeout(ctx, timeout)
	t.Cleanup(cancelTimed)
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("exception on the page: %s", e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			refusedFrame := strings.HasPrefix(e.Entry.Text, "Framing ") // of this page in a foreign one, as it should be
			if !refusedFrame && (e.Entry.Source == log.SourceSecurity || strings.Contains(e.Entry.Text, "Content Security Policy")) {
				t.Errorf("the policy of the page is violated: %s", e.Entry.Text)
			}
		}
	})
	if err := chromedp.Run(ctx, log.Enable(), chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	return ctx
}

// Screenshot saves a picture of the tab in the folder that SCREENSHOTS names. It does nothing without that variable.
func Screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
