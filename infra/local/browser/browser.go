// Package browser opens pages in a real, headless Chromium for tests.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/lafaekstreet/backend/infra/local/missing"
)

// Patience is how long a test waits for one thing on a page, and timeout for all of them. Each takes seconds, and a minute on a machine
// that compiles other tests meanwhile. Only a page that hangs is waited for longer.
const (
	Patience = 3 * time.Minute
	timeout  = 12 * time.Minute
)

// Open returns a tab of the given size in CSS pixels. It is closed when the test ends. An uncaught exception on the page
// fails the test, and so does a violation of the page's Content-Security-Policy.
func Open(t *testing.T, width, height int) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(find(t)), chromedp.NoSandbox, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// MapLibre needs WebGL. SwiftShader renders it without a graphics card.
		chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"),
		chromedp.Flag("enable-unsafe-swiftshader", true), chromedp.Flag("ignore-gpu-blocklist", true), chromedp.Flag("disable-gpu", false))
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
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
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// find returns the path of Chromium. Without Chromium it fails the test in CI, and skips it elsewhere. `make test` installs
// Chromium when root runs it.
func find(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing.Program(t, "no Chromium on this machine: pages are not tested in a browser")
	return ""
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
