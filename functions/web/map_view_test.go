package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// onMap opens a map on an empty page, as window.view, with these options, and waits until it is still.
func onMap(t *testing.T, w *testenv.System, options string) context.Context {
	t.Helper()
	tab := browser.Open(t, 412, 700)
	chromedp.ListenTarget(tab, func(event any) {
		if e, ok := event.(*runtime.EventConsoleAPICalled); ok && (e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning) {
			for _, a := range e.Args {
				t.Logf("console: %s %s", a.Value, a.Description)
			}
		}
	})
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/map?lang=en"), chromedp.WaitReady(`script[src$="/core.js"]`), chromedp.Evaluate(`(async () => {
		const place = document.createElement("div");
		place.style.height = "400px";
		const main = document.querySelector("main");
		main.textContent = "";
		main.append(place);
		const core = document.querySelector('script[src$="/core.js"]').src;
		const { openMap } = await import(core.replace("core.js", "map_view.js"));
		window.seen = [];
		window.view = await openMap(place, `+options+`);
		if (view) await new Promise((resolve) => view.map.once("idle", resolve));
		document.body.dataset.ready = "true";
	})()`, nil, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// The map opens under the strict policy (a violation fails the test): no inline script, no worker made of text, trusted types.
func TestMapViewShowsReportsPointsAndPin(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	w.Exec(`INSERT INTO boundaries (id, level, name, code, area) VALUES (gen_random_uuid(), 'municipality', 'Dili', 'TL-DI', ST_Multi(ST_MakeEnvelope(125.4, -8.7, 125.8, -8.4, 4326)))`)
	_, number := file(w, c, object{"latitude": -8.55, "longitude": 125.57})
	tab := onMap(t, w, `{ center: [125.57, -8.55], zoom: 15, label: "Here", onReport: (r, at) => seen.push(r.report_number + " " + r.status), onPoint: (p) => seen.push("point " + p.id),
		onTap: (at) => seen.push(at.map((n) => n.toFixed(2)).join(" ")), onMove: () => {} }`)
	var middle []float64
	var box string
	err := chromedp.Run(tab, chromedp.Evaluate(`(() => { const r = document.querySelector(".map-view").getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, &middle),
		chromedp.Evaluate(`view.setPoints([{ id: "a", latitude: -8.549, longitude: 125.57, status: "fixed" }]); view.pin([125.572, -8.55]); view.bbox().map((n) => n.toFixed(1)).join(",")`, &box),
		browser.Poll(`view.map.queryRenderedFeatures({ layers: ["picked"] }).length === 1`, nil), browser.Poll(`view.map.queryRenderedFeatures({ layers: ["reports"] }).length === 1`, nil))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-view")
	var seen []string
	var label string
	// A degree of longitude has 256 · 2^15 / 360 pixels: the point is 23.6 pixels above the middle.
	err = chromedp.Run(tab, chromedp.MouseClickXY(middle[0], middle[1]), chromedp.MouseClickXY(middle[0], middle[1]-47), chromedp.Focus(".maplibregl-canvas"), chromedp.KeyEvent(kb.Enter),
		browser.Poll(`seen.length >= 3`, nil), chromedp.Evaluate(`seen`, &seen), chromedp.AttributeValue(".maplibregl-canvas", "aria-label", &label, nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{number + " pending", "point a", "125.57 -8.55"}; fmt.Sprint(seen) != fmt.Sprint(want) || label != "Here" || box != "125.6,-8.6,125.6,-8.5" {
		t.Errorf("seen %q, label %q, box %s", seen, label, box)
	}
}

// An area is drawn by pointer, by keyboard and as text.
func TestMapViewEditsAnArea(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tab := onMap(t, w, `{ center: [125.5, -8.5], zoom: 12, edit: { type: "Polygon", coordinates: [[[125.4, -8.6], [125.6, -8.6], [125.6, -8.4], [125.4, -8.6]]] }, onEdit: () => seen.push(1) }`)
	polygon := func(then ...chromedp.Action) string {
		t.Helper()
		var out string
		err := chromedp.Run(tab, append(then, chromedp.Evaluate(`JSON.stringify(view.polygon() && view.polygon().coordinates.map((p) => p.map((r) => r.map((at) => at.map((n) => n.toFixed(2)).join(" ")))))`, &out))...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := polygon(); got != `[[["125.40 -8.60","125.60 -8.60","125.60 -8.40","125.40 -8.60"]]]` {
		t.Errorf("at first %s", got)
	}
	if got := polygon(chromedp.Focus(".maplibregl-canvas"), chromedp.KeyEvent(kb.Enter)); got != `[[["125.40 -8.60","125.60 -8.60","125.60 -8.40","125.50 -8.50","125.40 -8.60"]]]` {
		t.Errorf("with a corner in the middle %s", got)
	}
	if got := polygon(chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(kb.Delete)); got != "null" {
		t.Errorf("after three are gone %s", got)
	}
	write := func(text string) chromedp.Action {
		return chromedp.Evaluate(`(() => { const el = document.querySelector("[data-testid=corners]"); el.value = "`+text+`"; el.dispatchEvent(new Event("change")); })()`, nil)
	}
	if got := polygon(write(`-8, 125\n-8 126\n-9;126`)); got != `[[["125.00 -8.00","126.00 -8.00","126.00 -9.00","125.00 -8.00"]]]` {
		t.Errorf("as text %s", got)
	}
	if got := polygon(write(`125, 8`), chromedp.WaitVisible(".map-edit .error")); !strings.HasPrefix(got, `[[["125.00`) {
		t.Errorf("a wrong text changes it to %s", got)
	}
	browser.Screenshot(t, tab, "map-edit")
}
