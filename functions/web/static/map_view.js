// The map as an element of a page: our tiles and names, reports, points, a pin, an area. MapLibre (280 KB) is loaded when a map is
// opened, so pages import this file only then: import("./map_view.js"). The page needs what withMap of map.go gives it.
import { h, t, data, button, later, toast } from "./core.js";
import { canDraw, mapLibre } from "./map_library.js";
import { mapStyle, tiles, collection } from "./map_style.js";

/** Timor-Leste with Oecusse and Jaco: west, south, east, north in degrees. */
export const country = [124.0, -9.55, 127.4, -8.1];

/**
 * Draws a map into container, which gets the class "map-view" and needs a height. Returns a promise of a View, or of null where
 * this browser cannot draw one: say so in words (t("map_view.cannot")). It rejects with an ApiError without a connection.
 *
 * options, all optional:
 *   bbox               [west, south, east, north] that is in view at first; the country if neither this nor center is given
 *   center, zoom       [longitude, latitude] in the middle at first
 *   hash               true: the place is in the address, "#zoom/latitude/longitude", and is taken from there
 *   label              name of the map for screen readers
 *   reports            false: without the public reports
 *   filters            {status, issue_type} of these
 *   onReport(report, [longitude, latitude])   a public report was chosen: {report_number, issue_type, severity, status}
 *   onPoint(point)     one of setPoints was chosen
 *   onTap([longitude, latitude])   another place was chosen; with it, Enter chooses the middle of the map
 *   onMove(view)       the view changed, and is still now
 *   edit               a GeoJSON Polygon or MultiPolygon, or null for none: the map draws this area, see polygon()
 *   onEdit()           the area was changed
 *   onTrouble(retry)   tiles could not be loaded; retry() loads them again; null: all is well again
 */
export async function openMap(container, options = {}) {
  if (!canDraw()) return null;
  const library = await mapLibre();
  if (!library) return null;
  container.classList.add("map-view");
  const base = data.base_map || null;
  const { filters = {}, reports = true } = options;
  const style = await mapStyle(library, { base, filters, reports }).catch((e) => {
    console.error(e);
    toast(t("map_view.no_base"), "bad");
    return mapStyle(library, { base: null, filters, reports });
  });
  const place = h("div");
  container.append(place);
  const bounds = options.bbox || boxOf(options.edit) || country;
  const start = options.center ? { center: options.center, zoom: options.zoom || 14 } : { bounds: box(bounds), fitBoundsOptions: { padding: 24 } };
  let map;
  try {
    map = new library.Map({
      container: place, style, ...start, hash: Boolean(options.hash), minZoom: 4, maxZoom: 19, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      renderWorldCopies: false, locale: { "Map.Title": options.label || t("map_view.map"), "Marker.Title": t("map_view.pin") }, fadeDuration: 0,
    });
  } catch (e) { // the drawing context was refused after all
    console.error(e);
    place.remove();
    return null;
  }
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  const view = new View(map, library, container, options);
  if ("edit" in options) {
    view.editing = true;
    view.editor = (await later(import("./map_edit.js"))).editArea(view, options.edit, options.onEdit);
  }
  return view;
}

// The box around an area; null for none.
function boxOf(area) {
  const all = area ? area.coordinates.flat(area.type === "Polygon" ? 1 : 2) : [];
  return all.length ? all.reduce(([w, s, e, n], [x, y]) => [Math.min(w, x), Math.min(s, y), Math.max(e, x), Math.max(n, y)], [180, 90, -180, -90]) : null;
}

const box = ([west, south, east, north]) => [[west, south], [east, north]];

/** A map on a page. Boxes are [west, south, east, north] and places [longitude, latitude], in degrees. */
class View {
  constructor(map, library, container, options) {
    Object.assign(this, { map, library, container, options, points: [], marker: null, ready: false });
    container.append(controls(this));
    if (data.base_map && data.base_map.attribution) container.append(h("p", { class: "map-attribution" }, data.base_map.attribution));
    map.once("load", () => {
      this.ready = true;
      this.show(this.points);
    });
    if (options.onMove) map.on("moveend", () => options.onMove(this));
    this.watchTiles();
    this.listen();
  }

  bbox() {
    const b = this.map.getBounds();
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
  }

  center() { return this.map.getCenter().toArray(); }

  zoom() { return this.map.getZoom(); }

  fitTo(bbox) { this.map.fitBounds(box(bbox), { padding: 24, maxZoom: 16 }); }

  goTo(at, zoom = 16) { this.map.easeTo({ center: at, zoom }); }

  /** Shows other public reports. */
  setFilters(filters) {
    this.options.filters = filters;
    this.reload();
  }

  /** Shows or hides the public reports of the tiles. */
  showReports(on) {
    const set = () => ["clusters", "counts", "reports"].forEach((id) => this.map.getLayer(id) && this.map.setLayoutProperty(id, "visibility", on ? "visible" : "none"));
    if (this.ready) set();
    else this.map.once("load", set);
  }

  /** Loads the tiles again. */
  reload() {
    this.well();
    const source = this.map.getSource("ours");
    if (source) source.setTiles(tiles(this.options.filters));
  }

  /** Shows points instead of those before: {longitude, latitude, status}, with whatever else onPoint needs. */
  setPoints(points) {
    this.points = points;
    if (this.ready) this.show(points);
  }

  show(points) {
    this.map.getSource("points").setData(collection(points.map((p, index) => ({ type: "Feature", properties: { index, status: p.status || "" }, geometry: { type: "Point", coordinates: [p.longitude, p.latitude] } }))));
  }

  /** Shows a GeoJSON FeatureCollection as an area; see map_edit.js. */
  setArea(features) {
    if (this.ready) this.map.getSource("area").setData(features);
    else this.map.once("load", () => this.setArea(features));
  }

  /** The area that is edited: a GeoJSON MultiPolygon, or null for nothing. */
  polygon() { return this.editor.polygon(); }

  /** Puts the pin at a place, or takes it away for null. */
  pin(at) {
    if (!at) {
      if (this.marker) this.marker.remove();
      this.marker = null;
      return;
    }
    if (!this.marker) this.marker = new this.library.Marker({ element: pinElement(), anchor: "bottom" });
    this.marker.setLngLat(at).addTo(this.map);
  }

  /** Marks where the reader is, and goes there. */
  here(at) {
    if (!this.self) this.self = new this.library.Marker({ element: h("div", { class: "map-here", role: "img", "aria-label": t("map_view.here") }) });
    this.self.setLngLat(at).addTo(this.map);
    this.goTo(at);
  }

  /** Tells the map that its container has another size. */
  resize() { this.map.resize(); }

  /** Takes the map away, with what edits its area. */
  close() {
    this.map.remove();
    this.container.textContent = "";
    for (const beside of [this.container.previousElementSibling, this.container.nextElementSibling]) {
      if (beside && (beside.classList.contains("map-help") || beside.classList.contains("map-edit"))) beside.remove();
    }
  }

  well() {
    if (!this.troubled) return;
    this.troubled = false;
    if (this.options.onTrouble) this.options.onTrouble(null);
  }

  watchTiles() {
    this.map.on("error", (e) => {
      console.warn("map:", e.error && e.error.message);
      if (this.troubled) return;
      this.troubled = true;
      if (this.options.onTrouble) this.options.onTrouble(() => this.reload());
    });
  }

  listen() {
    const { map, options } = this;
    const at = (e) => {
      const r = 12, { x, y } = e.point; // a finger is wider than a point
      const layers = ["picked", "reports", "clusters"].filter((id) => map.getLayer(id));
      return map.queryRenderedFeatures([[x - r, y - r], [x + r, y + r]], { layers })[0];
    };
    map.on("click", (e) => {
      if (this.editing) return;
      const found = at(e);
      if (!found) {
        if (options.onTap) options.onTap(e.lngLat.toArray());
      } else if (found.layer.id === "picked") {
        if (options.onPoint) options.onPoint(this.points[found.properties.index]);
      } else if (found.layer.id === "clusters" || !found.properties.report_number) {
        map.easeTo({ center: found.geometry.coordinates, zoom: Math.min(map.getZoom() + 2, 18) });
      } else if (options.onReport) options.onReport(found.properties, found.geometry.coordinates);
    });
    map.on("mousemove", (e) => {
      if (!this.editing) map.getCanvas().style.cursor = at(e) ? "pointer" : "";
    });
    if (!options.onTap && !("edit" in options)) return;
    this.container.classList.add("picks");
    this.container.append(cross());
    map.getCanvas().addEventListener("keydown", (e) => {
      this.container.classList.add("by-key");
      if (e.key === "Enter" && !this.editing && options.onTap) options.onTap(this.center());
    });
    map.getCanvas().addEventListener("pointerdown", () => this.container.classList.remove("by-key"));
  }
}

const icon = (d) => h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d }));
const pinElement = () => {
  const pin = h("svg", { class: "map-pin", viewBox: "0 0 24 32", "aria-hidden": "true" }, h("path", { fill: "currentColor", stroke: "#fff", "stroke-width": "1.5", d: "M12 31C9 24 1 20 1 12a11 11 0 0 1 22 0c0 8-8 12-11 19z" }));
  return h("div", {}, pin);
};
const cross = () => {
  const el = icon("M12 2v20M2 12h20");
  el.setAttribute("class", "icon map-cross");
  return el;
};

// Zoom buttons, and one that goes to where the reader is.
function controls(view) {
  const of = (label, d, act) => h("button", { type: "button", title: label, "aria-label": label, onclick: act }, icon(d));
  const buttons = [of(t("map_view.closer"), "M12 5v14M5 12h14", () => view.map.zoomIn()), of(t("map_view.further"), "M5 12h14", () => view.map.zoomOut())];
  if (navigator.geolocation) {
    const near = button(icon("M12 2v3M12 19v3M2 12h3M19 12h3M12 7a5 5 0 1 0 .01 0"), () => new Promise((resolve) => {
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        view.here([coords.longitude, coords.latitude]);
        resolve();
      }, () => {
        toast(t("map_view.no_place"), "bad");
        resolve();
      }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
    }), { title: t("map_view.near_me"), "aria-label": t("map_view.near_me"), data: { testid: "map-near" } });
    buttons.push(near);
  }
  return h("div", { class: "map-controls" }, buttons);
}
