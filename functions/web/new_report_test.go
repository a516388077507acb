package web_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// id selects the element with a data-testid.
func id(name string) string { return `[data-testid="` + name + `"]` }

// choose puts a file into the form, as a person does with the camera.
func choose(t *testing.T, name string, content []byte) chromedp.Action {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return chromedp.SetUploadFiles(id("photo"), []string{path})
}

// place types coordinates in the step of the place.
func place(coordinates string) chromedp.Tasks {
	return chromedp.Tasks{chromedp.WaitVisible(id("locate")), chromedp.Evaluate(`document.querySelector("[data-step=place] details").open = true; document.querySelector("#coordinates").value = ""`, nil),
		chromedp.SendKeys(id("coordinates"), coordinates), chromedp.Click("#coordinates-use")}
}

// fillIn goes from the first step to the last, with a typed place, a kind and words.
func fillIn(words string) chromedp.Tasks { return fillInAt("-8.5569, 125.5603", words) }

func fillInAt(coordinates, words string) chromedp.Tasks {
	return chromedp.Tasks{chromedp.WaitVisible(id("next")), chromedp.Click(id("next")), place(coordinates), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("words")), chromedp.Click(`[name=issue_type][value=drainage]`), chromedp.SendKeys(id("words"), words), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("send"))}
}

var arrived = chromedp.WaitVisible(`#done .number`)

// line is what lies between a browser and a system.
type line struct {
	cut atomic.Bool
	// answer may answer a request instead of the system. It reports whether it did.
	answer atomic.Pointer[func(rw http.ResponseWriter, r *http.Request) bool]
	// lost reports whether the answer to a request is lost on the way back.
	lost atomic.Pointer[func(r *http.Request) bool]
}

// through puts a line between the browsers of a test and w.
func through(t *testing.T, w *testenv.System) *line {
	t.Helper()
	target, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, proxy := new(line), httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if l.cut.Load() {
			panic(http.ErrAbortHandler)
		}
		if answer := l.answer.Load(); answer != nil && (*answer)(rw, r) {
			return
		}
		if lost := l.lost.Load(); lost != nil && (*lost)(r) {
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return l
}

// posts counts the reports that go over a line, and keeps the newest picture among them.
type posts struct {
	sync.Mutex
	n       int
	picture []byte
}

// watch counts the requests that create a report on a line.
func (l *line) watch(t *testing.T) *posts {
	t.Helper()
	seen := new(posts)
	l.lookAt(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/reports" {
			return false
		}
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return false // the browser gave up
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		seen.Lock()
		defer seen.Unlock()
		seen.n++
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		form := multipart.NewReader(bytes.NewReader(raw), params["boundary"])
		for part, err := form.NextPart(); err == nil; part, err = form.NextPart() {
			if part.FileName() != "" {
				seen.picture, _ = io.ReadAll(part)
			}
		}
		return false
	})
	return seen
}

// lookAt gives every request to fn first. fn reports whether it answered.
func (l *line) lookAt(fn func(rw http.ResponseWriter, r *http.Request) bool) { l.answer.Store(&fn) }

// count is how many requests there were.
func (p *posts) count() int {
	p.Lock()
	defer p.Unlock()
	return p.n
}

// A citizen who is not signed in files a report with a picture: the picture's place, words and kind arrive, the picture is
// small, stands upright and carries no EXIF, and its time is kept.
func TestReportIsFiledInTheBrowser(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	sent := through(t, w).watch(t)
	tab := tabOf(t, w, nil, "/report?lang=en", 360, 740)
	const address = "alda@example.tl"
	var offered, number, first, last string
	err := chromedp.Run(tab, chromedp.Text("#report", &first), choose(t, "a.jpg", photo(t, 2400, 1200, 6)), chromedp.WaitVisible("#picture-image"), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("photo-place")), chromedp.Text("#photo-place-about", &offered), chromedp.Click(id("photo-place")), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("words")), chromedp.Click(`[name=issue_type][value=flooding]`), chromedp.SendKeys(id("words"), "Water up to the knee"),
		chromedp.Click(id("next")), chromedp.WaitVisible(id("send")), chromedp.Click(id("send")),
		chromedp.WaitVisible(id("email")), chromedp.SendKeys(id("email"), address), chromedp.Click(id("email-send")), chromedp.WaitVisible(id("code")), chromedp.Text(id("code-send"), &last))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-sign-in")
	if !strings.Contains(first, "At the end you need an e-mail address.") || strings.Contains(first, "Safari") || last != "Sign in and send" {
		t.Errorf("the first step says %q, the last button %q", first, last)
	}
	err = chromedp.Run(tab, chromedp.SendKeys(id("code"), mailedCode(t, w, address)), chromedp.Click(id("code-send")), arrived, chromedp.Text("#done .number", &number))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-done")
	if offered != "The photo says where it was taken: -8.55690, 125.56030." {
		t.Errorf("offered %q", offered)
	}
	got := w.Text(`SELECT concat_ws('|', r.report_number, u.email, issue_type, description, round(latitude::numeric, 4), round(longitude::numeric, 4), r.source,
		to_char(captured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) FROM reports r JOIN users u ON u.id = r.user_id`)
	if want := number + "|alda@example.tl|flooding|Water up to the knee|-8.5569|125.5603|web|2026-11-20 23:30"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if bytes.Contains(sent.picture, []byte("Exif")) || len(sent.picture) > 150_000 {
		t.Errorf("the picture of %d bytes carries EXIF", len(sent.picture))
	}
	m, err := jpeg.Decode(bytes.NewReader(sent.picture))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds().Dx() != 1600 || m.Bounds().Dy() != 800 {
		t.Errorf("the picture is %v", m.Bounds())
	}
	if got := quarters(m); got != "red green blue white" {
		t.Errorf("the picture shows %s", got)
	}
}

// A report with a picture of a camera costs less than 200 KB, with the page, its scripts and its sketch: counted on the wire.
func TestReportCostsLittleData(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	down, up := new(atomic.Int64), new(atomic.Int64)
	target, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		up.Add(max(r.ContentLength, 0) + 700) // about what headers need
		down.Add(700)
		proxy.ServeHTTP(counting{rw, down}, r)
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	tab := tabOf(t, w, c, "/welcome", 360, 740)
	down.Store(0)
	up.Store(0)
	noisy := image.NewRGBA(image.Rect(0, 0, 2400, 1800))
	seed := uint32(1)
	for i := range noisy.Pix {
		seed = seed*1664525 + 1013904223
		noisy.Pix[i] = uint8(i/4%256)/2 + uint8(seed>>24)/4
	}
	var camera bytes.Buffer
	if err := jpeg.Encode(&camera, noisy, nil); err != nil {
		t.Fatal(err)
	}
	err = chromedp.Run(tab, network.ClearBrowserCache(), chromedp.Navigate(w.URL+"/report?lang=tet"), choose(t, "a.jpg", camera.Bytes()), chromedp.WaitVisible("#picture-image"),
		fillIn("Cheap"), chromedp.Click(id("send")), arrived)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes down, %d up, for a picture of %d", down.Load(), up.Load(), camera.Len())
	if all := down.Load() + up.Load(); all > 200_000 || up.Load() < 50_000 {
		t.Errorf("%d bytes down, %d up", down.Load(), up.Load())
	}
}

// counting counts the bytes of an answer.
type counting struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}
