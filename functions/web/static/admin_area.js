// The area of an agency: a GeoJSON file, or drawn on the map.
import { h, fill, t, later, button, field, toast } from "./core.js";

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
const pointsOf = (area) => (area ? area.coordinates.reduce((n, rings) => n + rings.reduce((m, ring) => m + ring.length, 0), 0) : 0);

/** The outline of an area, north above, to recognise it. */
function outline(area) {
  const all = area.coordinates.flat(2), x = all.map((p) => p[0]), y = all.map((p) => p[1]);
  const least = (list) => list.reduce((a, b) => Math.min(a, b)), most = (list) => list.reduce((a, b) => Math.max(a, b));
  const west = least(x), north = most(y), size = Math.max(most(x) - west, north - least(y)) || 1;
  const to = (p) => (((p[0] - west) / size) * 196 + 2).toFixed(1) + " " + (((north - p[1]) / size) * 196 + 2).toFixed(1);
  return h("svg", { class: "outline", viewBox: "0 0 200 200", width: "200", height: "200", role: "img", "aria-label": t("admin.area_outline") },
    h("path", { d: area.coordinates.flat().map((ring) => "M" + ring.map(to).join("L") + "Z").join("") }));
}

/**
 * Shows the area of an agency, and how to change it. places() returns the municipalities that are ticked; the map begins there.
 * It returns {element, changed(), value(), saved()}: value is a GeoJSON MultiPolygon, or null for none; saved says that it is stored.
 */
export function areaEditor(was, places) {
  let area = was, map = null;
  const box = h("div"), canvas = h("div", { class: "area-map", hidden: true });
  const file = h("input", { type: "file", name: "area", accept: ".geojson,.json,application/geo+json,application/json", data: { testid: "area-file" } });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const complainAbout = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };
  const draw = () => fill(box, area ? [h("p", { role: "status", data: { testid: "area-points" } }, t("admin.area_points", { n: pointsOf(area) })), outline(area)] : h("p", { role: "status" }, t("admin.area_none")),
    h("div", { class: "actions" }, button(t(canvas.hidden ? "admin.area_draw" : "admin.area_take"), canvas.hidden ? start : stop, { data: { testid: "area-draw" } }),
      area ? button(t("admin.area_clear"), async () => set(null), { data: { testid: "area-clear" } }) : null));
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
    element: h("fieldset", {}, h("legend", {}, t("admin.area")), h("small", { class: "soft" }, t("admin.area_hint")), box, canvas, field(t("admin.area_file"), file, t("admin.area_file_hint")), problem),
    changed: () => current() !== was && JSON.stringify(current()) !== JSON.stringify(was),
    value: current,
    saved() { was = current(); },
  };
}
