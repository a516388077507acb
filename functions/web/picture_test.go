package web_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

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
			if err := chromedp.Run(tab, atStart(script)); err != nil {
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
