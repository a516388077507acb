package web

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// baseMapConfig is the configuration of a map with roads below ours.
type baseMapConfig struct {
	// URL is the address of a MapLibre style (JSON) or of an archive of tiles (.pmtiles). Empty: there is no base map.
	URL string `env:"BASE_MAP_URL"`
	// Attribution names the makers of the map. It is shown on it.
	Attribution string `env:"BASE_MAP_ATTRIBUTION"`
	// Sources are further origins that the style loads tiles, fonts and pictures from, such as https://tiles.example.
	Sources []string `env:"BASE_MAP_SOURCES"`
}

func (c baseMapConfig) check() error {
	if c.URL == "" {
		return nil
	}
	if c.Attribution == "" {
		return fmt.Errorf("BASE_MAP_ATTRIBUTION is empty: name the makers of the base map")
	}
	for _, address := range append([]string{c.URL}, c.Sources...) {
		// A space or a semicolon would change the policy of the pages.
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(u.Host, " ;,'") {
			return fmt.Errorf("base map: %q is not an http or https address", address)
		}
	}
	return nil
}

// origins are those that the base map is loaded from.
func (c baseMapConfig) origins() []string {
	if c.URL == "" {
		return nil
	}
	var out []string
	for _, address := range append([]string{c.URL}, c.Sources...) {
		out = append(out, origin(address))
	}
	return out
}

// withMap lets the scripts of a page open a map: import("./map_view.js"), which is loaded only then.
func (v view) withMap(c content) content {
	c.topics = append(slices.Clone(c.topics), "map_view")
	c.trustedTypes = "map"
	if v.baseMap.URL != "" {
		c.data = maps.Clone(c.data)
		if c.data == nil {
			c.data = make(map[string]any)
		}
		c.data["base_map"] = map[string]string{"url": v.baseMap.URL, "attribution": v.baseMap.Attribution}
		c.connect, c.images = append(slices.Clone(c.connect), v.baseMap.origins()...), append(slices.Clone(c.images), v.baseMap.origins()...)
	}
	return c
}
