package browser

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // axe-core
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// packedAxe is axe-core from npm (make assets; Mozilla Public License 2.0). Only tests use it.
//
//go:embed axe.min.js.gz
var packedAxe []byte

var axe = sync.OnceValues(func() (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(packedAxe))
	if err != nil {
		return "", err
	}
	script, err := io.ReadAll(z)
	return string(script), err
})

// Themes are the values of prefers-color-scheme.
func Themes() []string { return []string{"light", "dark"} }

// Theme makes a tab prefer a theme.
func Theme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}})
}

// measure returns what makes a page hard to use: violations of WCAG 2.2 AA and of axe's best practices; a page that is wider
// than its window; and controls that are less than 44 CSS pixels high. Links within text may be smaller.
const measure = `(async () => {
	const out = [];
	const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] });
	for (const v of violations) for (const n of v.nodes) out.push(v.id + ": " + n.html.slice(0, 160) + " (" + (n.any.concat(n.all, n.none)[0] || {}).message + ")");
	if (document.documentElement.scrollWidth > innerWidth) {
		const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((e) => e.outerHTML.slice(0, 100));
		out.push("wider than the window: " + document.documentElement.scrollWidth + " px; " + wide.join(" | "));
	}
	for (const e of document.querySelectorAll("button, .button, input:not([type=checkbox]):not([type=radio]):not([type=hidden]):not([type=range]), select, textarea, summary, .bar a, footer a, a.row, .choice")) {
		const r = e.getBoundingClientRect();
		const hidden = e.closest("[hidden], .only-read, .skip") || getComputedStyle(e).visibility === "hidden" || r.width === 0 || e.classList.contains("maplibregl-ctrl-attrib-button") || e.classList.contains("link") || e.classList.contains("only-read") || e.type === "file";
		if (!hidden && r.height < 43.5) out.push("less than 44 px high: " + e.outerHTML.slice(0, 120) + " (" + Math.round(r.height) + ")");
	}
	return out;
})()`

// Accessible fails the test for everything on the tab's present state that makes it hard to use; see measure. name says which
// state that is.
func Accessible(t *testing.T, tab context.Context, name string) {
	t.Helper()
	found, err := Faults(tab)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(found) > 0 {
		t.Errorf("%s: %d faults\n  %s", name, len(found), strings.Join(found, "\n  "))
	}
}

// Faults returns what Accessible fails the test for.
func Faults(tab context.Context) ([]string, error) {
	script, err := axe()
	if err != nil {
		return nil, err
	}
	var found []string
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	err = chromedp.Run(tab, chromedp.Evaluate(script+"\n;0", nil), chromedp.Evaluate(measure, &found, await))
	return found, err
}

// AccessibleInThemes is Accessible in the light and in the dark theme.
func AccessibleInThemes(t *testing.T, tab context.Context, name string) {
	t.Helper()
	for _, theme := range Themes() {
		if err := chromedp.Run(tab, Theme(theme)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		Accessible(t, tab, fmt.Sprintf("%s, %s", name, theme))
	}
}
