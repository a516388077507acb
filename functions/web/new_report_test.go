package web_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

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
	return chromedp.Tasks{chromedp.WaitVisible(id("locate")), chromedp.Evaluate(`document.querySelector("[data-step=place] details").open = true`, nil),
		chromedp.SetValue(id("coordinates"), ""), chromedp.SendKeys(id("coordinates"), coordinates), chromedp.Click("#coordinates-use")}
}

// fillIn goes from the first step to the last, with a typed place, a kind and words.
func fillIn(words string) chromedp.Tasks {
	return chromedp.Tasks{chromedp.WaitVisible(id("next")), chromedp.Click(id("next")), place("-8.5569, 125.5603"), chromedp.Click(id("next")),
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

// A citizen who is not signed in files a report with a picture: the picture's place, words and kind arrive, the picture is
// small, stands upright and carries no EXIF, and its time is kept.
func TestReportIsFiledInTheBrowser(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	tab := tabOf(t, w, nil, "/report?lang=en", 360, 740)
	const address = "alda@example.tl"
	var offered, number string
	err := chromedp.Run(tab, choose(t, "a.jpg", photo(t, 2400, 1200, 6)), chromedp.WaitVisible("#picture-image"), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("photo-place")), chromedp.Text("#photo-place-about", &offered), chromedp.Click(id("photo-place")), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("words")), chromedp.Click(`[name=issue_type][value=flooding]`), chromedp.SendKeys(id("words"), "Water up to the knee"),
		chromedp.Click(id("next")), chromedp.WaitVisible(id("send")), chromedp.Click(id("send")),
		chromedp.WaitVisible(id("email")), chromedp.SendKeys(id("email"), address), chromedp.Click(id("email-send")), chromedp.WaitVisible(id("code")))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-sign-in")
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
}
