package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
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
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// id selects the element with a data-testid.
func id(name string) string { return `[data-testid="` + name + `"]` }

// photo makes a JPEG of w by h pixels with a red left top quarter, a green right top, a blue left bottom and a white right bottom
// as a person sees it, stored with this EXIF orientation, with the place -8.5569, 125.5603 and a time.
func photo(t *testing.T, w, h int, orientation uint16) []byte {
	t.Helper()
	seen := func(x, y int) color.Color {
		switch left, top := x < w/2, y < h/2; {
		case left && top:
			return color.RGBA{220, 0, 0, 255}
		case top:
			return color.RGBA{0, 220, 0, 255}
		case left:
			return color.RGBA{0, 0, 220, 255}
		}
		return color.White
	}
	size := image.Rect(0, 0, w, h)
	if orientation > 4 {
		size = image.Rect(0, 0, h, w)
	}
	m := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			var at color.Color
			switch orientation { // the pixel of the picture as seen that is stored at x, y
			case 1:
				at = seen(x, y)
			case 2:
				at = seen(w-1-x, y)
			case 3:
				at = seen(w-1-x, h-1-y)
			case 4:
				at = seen(x, h-1-y)
			case 5:
				at = seen(y, x)
			case 6:
				at = seen(w-1-y, x)
			case 7:
				at = seen(w-1-y, h-1-x)
			case 8:
				at = seen(y, h-1-x)
			}
			m.Set(x, y, at)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	raw := out.Bytes()
	return append(append(append([]byte{}, raw[:2]...), exif(orientation)...), raw[2:]...)
}

// exif is an APP1 segment with an orientation, the time 2026-11-21 08:30:00 +09:00, and the place -8.5569, 125.5603.
func exif(orientation uint16) []byte {
	b := binary.BigEndian
	var data []byte // what does not fit into an entry; it follows the directories
	const dataAt = 8 + (2 + 3*12 + 4) + (2 + 2*12 + 4) + (2 + 4*12 + 4)
	entry := func(tag, kind uint16, count uint32, value []byte) []byte {
		e := b.AppendUint32(b.AppendUint16(b.AppendUint16(nil, tag), kind), count)
		if len(value) > 4 {
			e = b.AppendUint32(e, uint32(dataAt+len(data)))
			data = append(data, value...)
			return e
		}
		return append(append(e, value...), make([]byte, 4-len(value))...)
	}
	directory := func(entries ...[]byte) []byte {
		return b.AppendUint32(append(b.AppendUint16(nil, uint16(len(entries))), bytes.Join(entries, nil)...), 0)
	}
	degrees := func(d, m, hundredths uint32) []byte {
		var out []byte
		for _, n := range []uint32{d, 1, m, 1, hundredths, 100} {
			out = b.AppendUint32(out, n)
		}
		return out
	}
	const exifAt, gpsAt = 8 + 42, 8 + 42 + 30
	tiff := append([]byte("MM\x00\x2a\x00\x00\x00\x08"), directory(
		entry(0x112, 3, 1, b.AppendUint16(nil, orientation)), entry(0x8769, 4, 1, b.AppendUint32(nil, exifAt)), entry(0x8825, 4, 1, b.AppendUint32(nil, gpsAt)))...)
	tiff = append(tiff, directory(entry(0x9003, 2, 20, []byte("2026:11:21 08:30:00\x00")), entry(0x9011, 2, 7, []byte("+09:00\x00")))...)
	tiff = append(tiff, directory(entry(1, 2, 2, []byte("S\x00")), entry(2, 5, 3, degrees(8, 33, 2484)), entry(3, 2, 2, []byte("E\x00")), entry(4, 5, 3, degrees(125, 33, 3708)))...)
	body := append([]byte("Exif\x00\x00"), append(tiff, data...)...)
	return append(b.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2)), body...)
}

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

// quarters names the colours of the quarters of a picture.
func quarters(m image.Image) string {
	b := m.Bounds()
	var out []string
	for _, at := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		r, g, bl, _ := m.At(b.Min.X+b.Dx()*at[0]/4, b.Min.Y+b.Dy()*at[1]/4).RGBA()
		name := ""
		for i, c := range []uint32{r, g, bl} {
			if c > 0x8000 {
				name += []string{"red", "green", "blue"}[i]
			}
		}
		if name == "redgreenblue" {
			name = "white"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// doesNotTurn makes a browser that does not turn pictures by their EXIF, as Chrome 80: it gives out the bytes with orientation 1.
const doesNotTurn = `(() => {
	const upright = (bytes) => {
		for (let i = 0; i + 12 < Math.min(bytes.length, 400); i++) { // an entry: tag 0x112, SHORT, 1
			if (bytes[i] === 1 && bytes[i + 1] === 0x12 && bytes[i + 3] === 3 && bytes[i + 7] === 1) { bytes[i + 9] = 1; break; }
		}
		return make.call(URL, new Blob([bytes], { type: "image/jpeg" }));
	};
	const make = URL.createObjectURL, blobs = new Map();
	URL.createObjectURL = (blob) => { const address = make.call(URL, blob); blobs.set(address, blob); return address; };
	const src = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
	Object.defineProperty(HTMLImageElement.prototype, "src", { ...src, set(address) {
		const set = (bytes) => src.set.call(this, upright(bytes));
		if (address.startsWith("data:image/jpeg")) set(Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0)));
		else if (blobs.has(address)) blobs.get(address).arrayBuffer().then((b) => set(new Uint8Array(b)));
		else src.set.call(this, address);
	} });
})()`

// Pictures of each EXIF orientation stand upright, in a browser that turns them itself and in one that does not.
func TestPicturesStandUprightOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for name, script := range map[string]string{"turns by itself": "", "does not": doesNotTurn} {
		tab := browser.Open(t, 360, 740)
		if script != "" {
			err := chromedp.Run(tab, chromedp.ActionFunc(func(ctx context.Context) error {
				_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
				return err
			}))
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/report"), chromedp.WaitVisible(id("next"))); err != nil {
			t.Fatal(err)
		}
		var turns bool
		if err := chromedp.Run(tab, chromedp.Evaluate(`import(document.querySelector('script[src$="/picture.js"]').src).then((p) => p.turnsByItself())`, &turns, awaited)); err != nil {
			t.Fatal(err)
		}
		if turns != (script == "") {
			t.Errorf("%s: the probe says %v", name, turns)
		}
		for orientation := uint16(1); orientation <= 8; orientation++ {
			var out string
			err := chromedp.Run(tab, chromedp.Evaluate(`import(document.querySelector('script[src$="/picture.js"]').src).then(async (p) => {
				const file = new Blob([Uint8Array.from(atob("`+base64.StdEncoding.EncodeToString(photo(t, 240, 120, orientation))+`"), (c) => c.charCodeAt(0))], { type: "image/jpeg" });
				return btoa(String.fromCharCode(...new Uint8Array(await (await p.scale(file)).blob.arrayBuffer())));
			})`, &out, awaited))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := base64.StdEncoding.DecodeString(out)
			m, err := jpeg.Decode(bytes.NewReader(raw))
			if err != nil {
				t.Fatalf("orientation %d: %v", orientation, err)
			}
			if got := quarters(m); got != "red green blue white" || m.Bounds().Dx() != 240 {
				t.Errorf("%s: orientation %d: %s, %v", name, orientation, got, m.Bounds())
			}
		}
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
