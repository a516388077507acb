// The page /map: the map beside the list that the server rendered. The list follows the view once the map was moved, and the filters.
import { $, $$, h, fill, t, count, data, api, row, busy, later, complain } from "./core.js";

const form = $("#filters"), list = $("#list"), place = $("#place"), card = $("#card"), trouble = $("#trouble"), opener = $("#open");
const state = { view: null, bbox: null, next: data.next, retries: {}, asked: 0 };
const wide = window.matchMedia("(min-width: 64rem)");
const filters = () => {
  const out = {};
  for (const el of $$("input[name], select", form)) if (el.value.trim()) out[el.name] = el.value.trim();
  return out;
};
const query = (values) => new URLSearchParams(values).toString();

// More than status and type: our tiles do not know these filters, so the map shows the listed reports alone.
const narrow = (f) => Boolean(f.q || f.municipality || f.date_from || f.date_to);

// part is "list" or "map"; retry loads it again, null says that it is well.
function showTrouble(part, retry) {
  if (retry) state.retries[part] = retry;
  else delete state.retries[part];
  trouble.hidden = !Object.keys(state.retries).length;
}
const again = () => Object.values(state.retries).forEach((retry) => retry());
trouble.querySelector("button").addEventListener("click", again);
window.addEventListener("online", again);

// Reads the list anew, or the next part of it. What is shown stays where the reading fails. Of two readings the later one counts.
async function read(more = false) {
  const mine = ++state.asked, wanted = filters();
  if (state.bbox) wanted.bbox = state.bbox;
  let page;
  try {
    page = await api("GET", "/public/reports?" + query({ ...wanted, page_size: 20, ...(more ? { cursor: state.next } : {}) }));
  } catch (e) {
    if (mine !== state.asked) return;
    if (e.status === 422) complain(e);
    else showTrouble("list", () => read(more));
    return;
  }
  if (mine !== state.asked) return;
  showTrouble("list", null);
  state.next = page.next_cursor;
  const items = page.items.map((r) => h("li", {}, row(r)));
  if (more) {
    list.append(...items);
    if (items.length) items[0].querySelector("a").focus();
  } else fill(list, items);
  fill($("#total"), h("strong", {}, count(state.bbox ? "map.in_view" : "map.found", page.total)));
  $("#none").hidden = Boolean(list.firstChild);
  if ($("#more")) $("#more").hidden = !state.next;
  points(more ? state.items.concat(page.items) : page.items);
}

// Shows the listed reports as points where the tiles cannot be filtered as the list is.
function points(items) {
  state.items = items;
  if (!state.view) return;
  const own = narrow(filters());
  state.view.showReports(!own);
  state.view.setPoints(own ? items : []);
}

async function open(focus = false) {
  if (state.view || state.opening) return;
  state.opening = true;
  place.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  const f = filters();
  const start = (f.bbox && f.bbox.split(",").map(Number)) || data.boxes[f.municipality];
  try {
    const { openMap } = await later(import("./map_view.js"));
    state.view = await openMap($("#map"), {
      hash: true, bbox: start, label: t("map.title"), filters: f,
      onReport: (r, at) => choose(r.report_number, at), onPoint: (r) => show(r), onTap: close, onMove: moved,
      onTrouble: (retry) => showTrouble("map", retry),
    });
  } catch (e) {
    state.opening = false;
    showTrouble("map", () => open(focus));
    return;
  }
  state.opening = false;
  showTrouble("map", null);
  if (!state.view) {
    $("#cannot").hidden = false;
    for (const el of [$("#map"), $(".legend"), opener]) el.hidden = true;
    return;
  }
  opener.hidden = true;
  if (focus) $(".maplibregl-canvas").focus();
  if (state.items || narrow(f)) points(state.items || []);
  if (narrow(f) && !state.items) read();
  if (location.hash) moved(state.view);
  state.view.map.once("idle", () => { document.body.dataset.ready = "true"; });
}

// The list follows the view.
function moved(view) {
  state.bbox = view.bbox().map((n) => n.toFixed(4)).join(",");
  clearTimeout(state.timer);
  state.timer = setTimeout(read, 300);
}

// The card of a report on the map.
async function choose(number, at) {
  state.view.pin(at);
  fill(card, h("p", {}, t("common.loading")));
  card.hidden = false;
  try {
    show(await api("GET", "/public/reports/" + encodeURIComponent(number)));
  } catch (e) {
    close();
    complain(e);
  }
}
function show(r) {
  state.view.pin([r.longitude, r.latitude]);
  const link = row(r, { id: "chosen" });
  fill(card, link, h("button", { type: "button", class: "x", "aria-label": t("common.close"), onclick: () => { close(); $(".maplibregl-canvas").focus(); } }, "×"));
  card.hidden = false;
  link.focus();
}
function close() {
  card.hidden = true;
  if (state.view) state.view.pin(null);
}
document.addEventListener("keydown", (e) => { if (e.key === "Escape") close(); });

// A changed filter needs no button and no new page. Words do: they may name a place or a report.
for (const el of $$("select, input[type=date]", form)) {
  el.addEventListener("change", () => {
    const f = filters();
    if (f.bbox && el.name === "municipality") {
      $("input[name=bbox]", form).remove();
      delete f.bbox;
    }
    const text = query(f);
    history.replaceState(null, "", location.pathname + (text ? "?" + text : "") + location.hash);
    close();
    if (state.view) {
      state.view.setFilters(f);
      if (el.name === "municipality" && data.boxes[el.value]) state.view.fitTo(data.boxes[el.value]);
    }
    state.bbox = el.name === "municipality" ? null : state.bbox;
    read();
  });
}
if ($("#more")) {
  $("#more").addEventListener("click", (e) => {
    e.preventDefault();
    busy($("#more"), () => read(true));
  });
}
$("#none").hidden = Boolean(list.firstElementChild);
opener.hidden = false;
opener.addEventListener("click", () => busy(opener, () => open(true)));
if (wide.matches || /^#[\d.]+\/-?[\d.]+\/-?[\d.]+/.test(location.hash)) open();
if (wide.addEventListener) wide.addEventListener("change", () => { if (wide.matches) open(); });
window.addEventListener("hashchange", () => { if (!state.view) open(); });
