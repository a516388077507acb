package web_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
)

// archive is an empty PMTiles archive of raster tiles; see the specification of PMTiles, version 3.
func archive() []byte {
	out := append([]byte("PMTiles\x03"), make([]byte, 119)...)
	for i, v := range []uint64{127, 1, 128, 2, 130, 0, 130, 0} { // offsets and lengths: root directory, metadata, leaves, tiles
		binary.LittleEndian.PutUint64(out[8+8*i:], v)
	}
	copy(out[96:], []byte{1, 1, 1, 2, 0, 14}) // clustered, without compression, PNG, zooms 0 to 14
	return append(out, 0, '{', '}')
}

// A configured base map is drawn below ours, with its makers named. If it cannot be loaded, our map is there, and the page says so.
func TestBaseMap(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		switch r.URL.Path {
		case "/style.json":
			_, _ = w.Write([]byte(`{"version":8,"sources":{},"layers":[{"id":"streets","type":"background","paint":{"background-color":"#e0ffe0"}}]}`))
		case "/base.pmtiles":
			http.ServeContent(w, r, "base.pmtiles", time.Time{}, bytes.NewReader(archive()))
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(elsewhere.Close)
	for file, want := range map[string]string{"style.json": "streets borders", "base.pmtiles": "base borders", "lost.json": "ground land borders"} {
		t.Run(file, func(t *testing.T) {
			w := testenv.New(t)
			w.Env["BASE_MAP_URL"], w.Env["BASE_MAP_ATTRIBUTION"] = elsewhere.URL+"/"+file, "© Makers <of> maps"
			w.Serve(public.Open, web.Open)
			tab := onMap(t, w, `{ center: [125.5, -8.5], zoom: 12 }`)
			var layers, makers, said string
			err := chromedp.Run(tab, chromedp.Evaluate(`view.map.getStyle().layers.map((l) => l.id).filter((id) => !id.startsWith("area")).join(" ")`, &layers),
				chromedp.Text(".map-attribution", &makers), chromedp.Evaluate(`document.getElementById("toasts").textContent`, &said))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(layers, want) || makers != "© Makers <of> maps" || (said == "") == (file == "lost.json") {
				t.Errorf("layers %q, makers %q, said %q", layers, makers, said)
			}
		})
	}
}

// A base map without the names of its makers, or with an address that would change the policy of the pages, is refused.
func TestBaseMapIsChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []config.Env{{"BASE_MAP_URL": "https://a.example/s.json"}, {"BASE_MAP_URL": "javascript:x", "BASE_MAP_ATTRIBUTION": "A"},
		{"BASE_MAP_URL": "https://a.example/s.json", "BASE_MAP_ATTRIBUTION": "A", "BASE_MAP_SOURCES": "https://b.example;script-src"}} {
		env := config.Env{}
		w := testenv.New(t)
		for name, value := range w.Env {
			env[name] = value
		}
		for name, value := range bad {
			env[name] = value
		}
		if _, err := web.Open(t.Context(), env); err == nil {
			t.Errorf("taken: %v", bad)
		}
	}
}
