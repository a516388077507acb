// The area of an agency: a GeoJSON file, or drawn on the map.
import { h, fill, t, language, later, button, field, toast } from "./core.js";

const maxPoints = 5000; // as the API

/** Takes the polygons out of GeoJSON: a geometry, a feature, or a collection of features. Throws an Error with words for people. */
function polygonsOf(text) {
  let json;
  try { json = JSON.parse(text); } catch { throw new Error(t("admin.area_no_json")); }
  const out = [];
  const take = (g) => {
    if (!g || typeof g !== "object") return;
    if (g.type === "FeatureCollection") (g.features || []).forEach(take);
    else if (g.type === "Feature") take(g.geometry);
    else if (g.type === "GeometryCollection") (g.geometries || []).forEach(take);
    else if (g.type === "Polygon") out.push(g.coordinates);
    else if (g.type === "MultiPolygon") out.push(...g.coordinates);
  };
  take(json);
  if (!out.length) throw new Error(t("admin.area_no_polygon"));
  return { type: "MultiPolygon", coordinates: out };
}

const asMulti = (g) => (g && g.type === "Polygon" ? { type: "MultiPolygon", coordinates: [g.coordinates] } : g || null);
/** The points of an area, as the API counts them: each ring ends with its first point. */
const pointsOf = (area) => (area ? area.coordinates.reduce((n, rings) => n + rings.reduce((m, ring) => m + ring.length, 0), 0) : 0);

/** The corners of an area, as a person counts them. */
const cornersOf = (area) => pointsOf(area) - area.coordinates.flat().length;

// Web Mercator: the world is 1 wide and 1 high, north above, as in the sketch of the server.
const worldX = (longitude) => (longitude + 180) / 360;
const worldY = (latitude) => (1 - Math.asinh(Math.tan(latitude * Math.PI / 180)) / Math.PI) / 2;
const latitudeAt = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI;

/** The outline of an area on a sketch of its place, north above, to recognise it. */
function outline(area) {
  const width = 280, height = 200, margin = 20;
  const all = area.coordinates.flat(2), x = all.map((p) => worldX(p[0])), y = all.map((p) => worldY(p[1]));
  const least = (list) => list.reduce((a, b) => Math.min(a, b)), most = (list) => list.reduce((a, b) => Math.max(a, b));
  const middleX = (least(x) + most(x)) / 2, middleY = (least(y) + most(y)) / 2;
  const fits = Math.log2(Math.min((width - 2 * margin) / (most(x) - least(x) || 1e-9), (height - 2 * margin) / (most(y) - least(y) || 1e-9)) / 256);
  const zoom = Math.max(5, Math.min(18, Math.floor(fits))); // as the sketch allows
  const to = (p) => ((worldX(p[0]) - middleX) * 256 * 2 ** zoom + width / 2).toFixed(1) + " " + ((worldY(p[1]) - middleY) * 256 * 2 ** zoom + height / 2).toFixed(1);
  const query = new URLSearchParams({ latitude: latitudeAt(middleY).toFixed(5), longitude: (middleX * 360 - 180).toFixed(5), zoom, width, height, lang: language });
  const image = h("img", { src: "/api/v1/public/sketch.svg?" + query, alt: "", width: String(width), height: String(height), onerror: () => { image.style.visibility = "hidden"; } });
  return h("div", { class: "outline" }, image,
    h("svg", { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height), role: "img", "aria-label": t("admin.area_outline") },
      h("path", { d: area.coordinates.flat().map((ring) => "M" + ring.map(to).join("L") + "Z").join("") })));
}

/**
 * Shows the area of an agency, and how to change it. places() returns the municipalities that are ticked; the map begins there.
 * It returns {element, changed(), value(), saved()}: value is a GeoJSON MultiPolygon, or null for none; saved says that it is stored.
 */
export function areaEditor(was, places) {
  let area = was, map = null;
  const box = h("div"), acts = h("div", { class: "actions" }), canvas = h("div", { class: "area-map", hidden: true });
  const file = h("input", { type: "file", name: "area", accept: ".geojson,.json,application/geo+json,application/json", data: { testid: "area-file" } });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const complainAbout = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };
  // While one draws, the map is in the place of the outline, and what ends the drawing is below it.
  const draw = () => {
    const drawing = !canvas.hidden;
    fill(box, drawing ? null : area ? [h("p", { role: "status", data: { testid: "area-points" } }, t("admin.area_points", { n: cornersOf(area) })), outline(area)] : h("p", { role: "status" }, t("admin.area_none")));
    fill(acts, button(t(drawing ? "admin.area_take" : "admin.area_draw"), drawing ? stop : start, { data: { testid: "area-draw" } }),
      area && !drawing ? button(t("admin.area_clear"), async () => set(null), { data: { testid: "area-clear" } }) : null);
  };
  const set = (next) => {
    area = next;
    complainAbout(pointsOf(next) > maxPoints ? t("admin.area_too_many", { n: pointsOf(next), max: maxPoints }) : "");
    draw();
  };
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    try {
      if (chosen.size > 4e6) throw new Error(t("admin.area_too_large"));
      set(polygonsOf(await chosen.text()));
    } catch (e) { complainAbout(e.message); }
  });
  async function start() {
    const { openMap } = await later(import("./map_view.js"));
    canvas.hidden = false;
    const at = places()[0];
    map = await openMap(canvas, { edit: area && JSON.parse(JSON.stringify(area)), bbox: area ? undefined : at && at.bbox, label: t("admin.area"), reports: false });
    if (!map) {
      canvas.hidden = true;
      toast(t("admin.area_no_map"), "bad");
    }
    draw();
  }
  async function stop() {
    const drawn = current();
    if (map.close) map.close();
    map = null;
    canvas.hidden = true;
    fill(canvas);
    set(drawn);
  }
  const current = () => (map ? asMulti(map.polygon()) : area);
  draw();
  return {
    element: h("fieldset", {}, h("legend", {}, t("admin.area")), h("small", { class: "soft" }, t("admin.area_hint")), box, h("div", {}, canvas), acts, field(t("admin.area_file"), file, t("admin.area_file_hint")), problem),
    changed: () => current() !== was && JSON.stringify(current()) !== JSON.stringify(was),
    value: current,
    saved() { was = current(); },
  };
}
