// The reports of the list on a map. The map itself is map_view.js.
import { $, h, fill, t, button, titleOf, toast } from "./core.js";
import { openMap } from "./map_view.js";

let shown = null; // the map, once it was opened

const points = (desk) => desk.list.items().map((r) => ({ longitude: r.longitude, latitude: r.latitude, status: r.status, number: r.report_number, title: titleOf(r) }));

// The box around reports, a little wider; null for none.
function around(all) {
  if (!all.length) return null;
  const [x, y] = [all.map((p) => p.longitude), all.map((p) => p.latitude)];
  return [Math.min(...x) - 0.005, Math.min(...y) - 0.005, Math.max(...x) + 0.005, Math.max(...y) + 0.005];
}

/** Opens the map in area, or shows it again. choose(bbox) is called with what is in view, as the API's bbox, when staff ask for it. */
export async function openArea(area, desk, choose) {
  const all = points(desk), bbox = around(all);
  if (shown) {
    shown.resize();
    if (bbox) shown.fitTo(bbox);
    return;
  }
  const canvas = h("div", { class: "canvas", data: { testid: "map" } });
  fill(area, canvas);
  shown = await openMap(canvas, { label: t("desk.map"), reports: false, bbox: bbox || undefined, onPoint: (p) => desk.open(p.number),
    onTrouble: (retry) => { if (retry) toast(t("desk.map_trouble"), "bad"); } });
  if (!shown) {
    fill(area, h("p", { class: "note", role: "status" }, t("desk.map_none")));
    return;
  }
  shown.setPoints(all);
  desk.onList = () => {
    const now = points(desk);
    shown.setPoints(now);
    $(".said", area).textContent = t("desk.map_first", { n: now.length });
  };
  const here = button(t("desk.map_here"), () => choose(shown.bbox().map((n) => n.toFixed(5)).join(",")), { data: { testid: "map-here" } });
  area.append(h("p", { class: "soft said", role: "status" }, t("desk.map_first", { n: all.length })), h("div", { class: "actions" }, here));
}
