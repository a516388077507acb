// Editing of an area on the map: by pointer (a tap adds a corner, a corner is dragged), by keyboard (Enter adds a corner in the
// middle of the map, Delete takes the chosen one away), and as text, a corner a line.
import { h, t, button, field } from "./core.js";
import { collection } from "./map_style.js";

const open = (ring) => (ring.length > 1 && String(ring[0]) === String(ring[ring.length - 1]) ? ring.slice(0, -1) : ring);
const closed = (ring) => (ring.length ? [...ring, ring[0]] : ring);

/**
 * Edits an area on a View. start is a GeoJSON Polygon or MultiPolygon, or null. The outline of its last part can be changed; other
 * parts and holes stay. Returns polygon(): a MultiPolygon, or null for nothing. changed, if given, is called after each change.
 */
export function editArea(view, start, changed = () => {}) {
  const parts = start ? (start.type === "Polygon" ? [start.coordinates] : start.coordinates).map((rings) => rings.map(open)) : [[[]]];
  const state = { chosen: -1, dragging: false };
  const part = () => parts[parts.length - 1];
  const ring = () => part()[0];
  const text = h("textarea", { rows: "5", spellcheck: "false", data: { testid: "corners" } });
  const wrong = h("p", { class: "error", role: "alert", hidden: true }, t("map_view.bad_corners"));

  function draw(fromText = false) {
    const shapes = parts.map((rings) => ({ type: "Feature", properties: {}, geometry: rings[0].length < 3 ? { type: "LineString", coordinates: rings[0] } : { type: "Polygon", coordinates: rings.map(closed) } }));
    const corners = ring().map((at, index) => ({ type: "Feature", properties: { index, chosen: index === state.chosen }, geometry: { type: "Point", coordinates: at } }));
    view.setArea(collection([...shapes.filter((s) => s.geometry.type === "Polygon" || s.geometry.coordinates.length > 1), ...corners]));
    if (!fromText) text.value = ring().map(([lon, lat]) => lat.toFixed(5) + ", " + lon.toFixed(5)).join("\n");
    wrong.hidden = true;
    text.removeAttribute("aria-invalid");
    changed();
  }
  // A new corner is between the two next to it, where there are three already.
  function add(at) {
    const points = ring();
    let place = points.length, least = Infinity;
    for (let i = 0; points.length > 2 && i < points.length; i++) {
      const away = distance(at, points[i], points[(i + 1) % points.length]);
      if (away < least) [least, place] = [away, i + 1];
    }
    points.splice(place, 0, at);
    state.chosen = place;
    draw();
  }
  function remove() {
    if (!ring()[state.chosen]) return;
    ring().splice(state.chosen, 1);
    state.chosen = Math.min(state.chosen, ring().length - 1);
    draw();
  }
  text.addEventListener("change", () => {
    const lines = text.value.split("\n").filter((l) => l.trim()).map((l) => l.split(/[,;\s]+/).filter(Boolean).map(Number));
    if (lines.some((l) => l.length !== 2 || !(Math.abs(l[0]) <= 90 && Math.abs(l[1]) <= 180))) {
      wrong.hidden = false;
      text.setAttribute("aria-invalid", "true");
      return;
    }
    part()[0] = lines.map(([lat, lon]) => [lon, lat]);
    state.chosen = -1;
    draw(true);
  });
  pointer(view, { ring, state, add, draw });
  view.map.getCanvas().addEventListener("keydown", (e) => {
    if (e.key === "Enter") add(view.center());
    else if (e.key === "Delete" || e.key === "Backspace") remove();
  });
  view.container.before(h("p", { class: "map-help soft" }, t("map_view.how_to_draw")));
  view.container.after(h("div", { class: "map-edit" },
    h("div", { class: "actions" }, button(t("map_view.take_corner"), remove), button(t("map_view.another_part"), () => {
      if (ring().length) parts.push([[]]);
      state.chosen = -1;
      draw();
    }), button(t("map_view.begin_anew"), () => {
      parts.splice(0, parts.length, [[]]);
      state.chosen = -1;
      draw();
    })), field(t("map_view.corners"), text, t("map_view.corners_hint")), wrong));
  draw();
  return { polygon: () => {
    const whole = parts.filter((rings) => rings[0].length > 2);
    return whole.length ? { type: "MultiPolygon", coordinates: whole.map((rings) => rings.map(closed)) } : null;
  } };
}

// Taps add corners, and a corner follows the pointer.
function pointer(view, { ring, state, add, draw }) {
  const { map } = view;
  const cornerAt = (e) => {
    const { x, y } = e.point, found = map.queryRenderedFeatures([[x - 14, y - 14], [x + 14, y + 14]], { layers: ["area-points"] })[0];
    return found ? found.properties.index : -1;
  };
  const begin = (e) => {
    const corner = cornerAt(e);
    if (corner < 0 || e.points && e.points.length > 1) return;
    e.preventDefault(); // the map stays where it is
    Object.assign(state, { chosen: corner, dragging: true });
    draw();
  };
  const move = (e) => {
    if (!state.dragging) return;
    ring()[state.chosen] = e.lngLat.toArray();
    draw();
  };
  const end = () => { state.dragging = false; };
  for (const [event, act] of [["mousedown", begin], ["touchstart", begin], ["mousemove", move], ["touchmove", move], ["mouseup", end], ["touchend", end]]) map.on(event, act);
  map.on("click", (e) => { if (cornerAt(e) < 0) add(e.lngLat.toArray()); });
}

// The distance of a place from the line between two others, in degrees.
function distance([x, y], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}
