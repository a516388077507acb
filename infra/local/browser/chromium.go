package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/missing"
)

// chromium is a Chromium that runs.
type chromium struct {
	ctx  context.Context // ends with Chromium
	data string          // folder of its data
}

var (
	mu     sync.Mutex
	shared *chromium // nil before the first test that needs it
)

// running returns the Chromium of this process. It runs until the process ends: to start it takes more processor time than most
// pages. If it has crashed, another one is started.
func running(t *testing.T) *chromium {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if shared == nil || shared.ctx.Err() != nil {
		started, err := start(find(t))
		if err != nil {
			t.Fatalf("start chromium: %v", err)
		}
		shared = started
	}
	return shared
}

func start(path string) (*chromium, error) {
	data, err := os.MkdirTemp("", "lafaekstreet-chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(data), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(Patience), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// MapLibre needs WebGL. SwiftShader renders it without a graphics card. Pages are put together without it: with it they take twice
		// the processor time.
		chromedp.Flag("disable-gpu-compositing", true),
		chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"),
		chromedp.Flag("enable-unsafe-swiftshader", true), chromedp.Flag("ignore-gpu-blocklist", true), chromedp.Flag("disable-gpu", false))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ends Chromium with the thread that started it, so this thread must last
		failed <- chromedp.Run(ctx)
		<-ctx.Done()
	}()
	if err := <-failed; err != nil {
		cancel()
		return nil, errors.Join(err, os.RemoveAll(data))
	}
	return &chromium{ctx, data}, nil
}

// shell is the headless shell of Chromium as Debian installs it. The command on the path is a script: a signal ends the script and
// leaves Chromium running.
const shell = "/usr/lib/chromium/chromium-headless-shell"

// find returns the path of Chromium: of its headless shell if there is one, which draws no window of its own and takes less than half of the
// processor time. Without Chromium it fails the test in CI, and skips it elsewhere. `make test` installs the shell when root runs it on a
// machine without Chromium.
func find(t *testing.T) string {
	t.Helper()
	for _, name := range []string{shell, "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing.Program(t, "no Chromium on this machine: pages are not tested in a browser")
	return ""
}

// window opens a window with one page, and with cookies and storage of its own. The shell needs no window for a page, other Chromiums do.
func (c *chromium) window() (cdp.BrowserContextID, target.ID, error) {
	ctx, cancel := context.WithTimeout(c.ctx, Patience)
	defer cancel()
	ctx = cdp.WithExecutor(ctx, chromedp.FromContext(c.ctx).Browser)
	storage, err := target.CreateBrowserContext().Do(ctx)
	if err != nil {
		return "", "", err
	}
	page, err := target.CreateTarget("about:blank").WithBrowserContextID(storage).WithNewWindow(true).Do(ctx)
	return storage, page, err
}

// discard closes all tabs that share cookies and storage, and forgets these. Chromium keeps them in memory. What it keeps in its folder
// goes too, since no code runs at the end of the process; Chromium makes the folder again.
func (c *chromium) discard(id cdp.BrowserContextID) error {
	ctx, cancel := context.WithTimeout(c.ctx, Patience)
	defer cancel()
	defer func() { _ = os.RemoveAll(c.data) }() // fails while Chromium writes for another tab, which removes the folder later
	return target.DisposeBrowserContext(id).Do(cdp.WithExecutor(ctx, chromedp.FromContext(c.ctx).Browser))
}
