package credential_test

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/lafaekstreet/backend/shared/credential"
)

// drawn is an SVG of QRCode as an image, 4 pixels a module.
func drawn(t *testing.T, svg string) image.Image {
	t.Helper()
	var read struct {
		ViewBox string `xml:"viewBox,attr"`
		Paths   []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal([]byte(svg), &read); err != nil {
		t.Fatal(err)
	}
	const scale = 4
	var x0, y0, w, h int
	if _, err := fmt.Sscanf(read.ViewBox, "%d %d %d %d", &x0, &y0, &w, &h); err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, w*scale, h*scale))
	for _, p := range read.Paths {
		fill := map[string]color.Gray{"#fff": {Y: 255}, "#000": {Y: 0}}[p.Fill]
		for run := range strings.SplitSeq(strings.TrimPrefix(p.D, "M"), "M") {
			var x, y, width, height int
			if _, err := fmt.Sscanf(run, "%d %dh%dv%d", &x, &y, &width, &height); err != nil {
				t.Fatal(run, err)
			}
			draw.Draw(img, image.Rect(x*scale, y*scale, (x+width)*scale, (y+height)*scale), image.NewUniform(fill), image.Point{}, draw.Src)
		}
	}
	return img
}

func TestAQRCodeIsReadByAnotherProgram(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", credential.TOTPURI(credential.NewTOTPSecret(), "maria@example.tl"),
		credential.TOTPURI(credential.NewTOTPSecret(), strings.Repeat("a", 60)+"@"+strings.Repeat("example.", 20)+"tl")} {
		svg, err := credential.QRCode(text)
		if err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(drawn(t, svg))
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != text {
			t.Errorf("read %v, %v, want %q", got, err, text)
		}
		for _, bad := range []string{"script", "style", "href", "<!"} {
			if strings.Contains(svg, bad) {
				t.Errorf("the image has %q", bad)
			}
		}
	}
	if _, err := credential.QRCode(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that no QR code holds became one")
	}
}
