package web_test

import (
	"math"
	"regexp"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A tap on the sketch is the place under the finger, also after the sketch has come closer. GPS says how exact it is.
func TestPlaceByTapAndByGPS(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tab := tabOf(t, w, nil, "/report?lang=en", 360, 740)
	var box struct{ X, Y, Width, Height float64 }
	var said string
	const loaded = `document.querySelector("#sketch img") && document.querySelector("#sketch img").complete && document.querySelector("#sketch img").naturalWidth > 0`
	// tap taps at dx, dy pixels from the middle.
	tap := func(dx, dy float64) {
		t.Helper()
		run(t, tab, until(loaded), chromedp.Evaluate(`(() => { const el = document.querySelector("#sketch img"); el.scrollIntoView({ block: "center" }); const b = el.getBoundingClientRect(); return { x: b.left, y: b.top, width: b.width, height: b.height }; })()`, &box))
		run(t, tab, chromedp.MouseClickXY(box.X+box.Width/2+dx, box.Y+box.Height/2+dy), until(`document.querySelector("#place-status").textContent !== %q`, said), chromedp.Text("#place-status", &said))
	}
	// at is the place that is dx, dy pixels from a place, by the documentation of the sketch.
	at := func(latitude, longitude float64, zoom int, dx, dy float64) (float64, float64) {
		world := 256 * math.Exp2(float64(zoom))
		y := math.Log(math.Tan(math.Pi/4 + latitude*math.Pi/360)) // of Mercator, upwards
		y -= dy * 2 * math.Pi / world
		return (2*math.Atan(math.Exp(y)) - math.Pi/2) * 180 / math.Pi, longitude + dx*360/world
	}
	near := func(latitude, longitude, within float64) {
		t.Helper()
		found := regexp.MustCompile(`(-?[0-9.]+), (-?[0-9.]+)`).FindStringSubmatch(said)
		if found == nil {
			t.Fatalf("the page says %q", said)
		}
		gotLatitude, _ := strconv.ParseFloat(found[1], 64)
		gotLongitude, _ := strconv.ParseFloat(found[2], 64)
		if math.Abs(gotLatitude-latitude) > within || math.Abs(gotLongitude-longitude) > within {
			t.Errorf("got %q, want %.5f, %.5f", said, latitude, longitude)
		}
	}
	run(t, tab, chromedp.WaitVisible(id("next")), chromedp.Click(id("next")), chromedp.WaitVisible(id("locate")))
	tap(20, -10)
	latitude, longitude := at(-8.85, 125.75, 7, 20, -10)
	near(latitude, longitude, 0.015) // a pixel
	tap(-50, 40)
	latitude, longitude = at(latitude, longitude, 10, -50, 40)
	near(latitude, longitude, 0.017)
	browser.Screenshot(t, tab, "report-tapped")

	run(t, tab, browser.At(-8.5569, 125.5603, 37), press("locate"), until(`document.querySelector("#place-status").textContent.includes("-8.55690, 125.56030")`),
		inModule("new_report_draft.js", `await m.draft.save(); return String(m.draft.entry.fields.location_accuracy);`, &said))
	if said != "37" {
		t.Errorf("the accuracy is %s m", said)
	}
}

// The sketch is loaded with the step. Nothing below it moves when it arrives: a press would meet another control.
func TestNothingMovesWhenTheSketchArrives(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	tab := tabOf(t, w, nil, "/report?lang=tet", 360, 740)
	const top = `Math.round(document.querySelector("[data-testid=next]").getBoundingClientRect().top + scrollY)`
	var before, after, sketch float64
	run(t, tab, chromedp.WaitVisible(id("next")), chromedp.Evaluate(`document.querySelector("[data-testid=next]").click()`, nil), chromedp.WaitVisible(id("locate")), chromedp.Evaluate(top, &before),
		until(`document.querySelector("#sketch img") && document.querySelector("#sketch img").complete`), chromedp.Evaluate(top, &after), chromedp.Evaluate(`document.querySelector("#sketch").firstElementChild.getBoundingClientRect().height`, &sketch))
	if math.Abs(before-after) > 10 { // texts about the place may bring a margin; a button has 48 px
		t.Errorf("the button moved from %.0f to %.0f px; the sketch has %.0f", before, after, sketch)
	}
	t.Logf("the sketch has %.0f px", sketch)
}
