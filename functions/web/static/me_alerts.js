// The part of the page with what the person follows: reports, and places (alerts).
import { h, fill, t, api, ApiError, ask, button, field, select, row, toast, complain, issueTypes, named, idempotent } from "./core.js";
import { asUser } from "./sign_in.js";
import { facts } from "./me_reports.js";
import { growing } from "./me_list.js";

const radii = [500, 1000, 2000, 5000, 10000, 20000]; // metres
const distance = (m) => (m < 1000 ? m + " m" : m / 1000 + " km");

// The municipalities in the language of the page: [code, name], by name.
const municipalities = async () => (await api("GET", "/locations/municipalities"))
  .map((m) => [m.code, named(m)]).sort((a, b) => a[1].localeCompare(b[1]));

// A button that stops following a report and takes it up again.
function followButton(r) {
  let following = true;
  const el = button(t("me.unfollow"), async () => {
    await api(following ? "DELETE" : "POST", "/reports/" + r.id + "/follow");
    following = !following;
    name();
  }, { data: { testid: "follow" } });
  const name = () => {
    el.textContent = t(following ? "me.unfollow" : "me.follow_again");
    el.setAttribute("aria-label", el.textContent + ": " + r.report_number);
  };
  name();
  return el;
}

// Words for a place: its address, as far as it is known.
const placeWords = async (latitude, longitude) => {
  const found = await api("GET", "/locations/reverse-geocode?latitude=" + latitude + "&longitude=" + longitude).catch(() => ({}));
  return [found.suco, found.municipality].filter(Boolean).join(", ") || latitude.toFixed(4) + ", " + longitude.toFixed(4);
};

// The words of an alert. names are the municipalities, a promise.
function alertWords(a, names) {
  const where = h("strong", { dir: "auto" }, a.municipality_code ? a.municipality : "…");
  if (a.municipality_code) names.then((all) => { where.textContent = (all.find(([code]) => code === a.municipality_code) || [0, a.municipality])[1]; }, () => {});
  else placeWords(a.latitude, a.longitude).then((words) => { where.textContent = t("me.around", { distance: distance(a.radius_meters), place: words }); });
  return h("p", {}, where, h("br"), h("span", { class: "soft" }, [...(a.issue_types.length ? a.issue_types.map((k) => t("label.issue_type." + k)) : [t("me.all_kinds")])].join(", ") + " · " + a.events.map((e) => t("me.event_" + e)).join(", ")));
}

// Controls that choose a point: {el, point()}; point is null until one was chosen.
function pointChooser() {
  let point = null;
  const said = h("p", { role: "status" }), found = h("div", { class: "actions" });
  const take = async (latitude, longitude, words) => {
    point = { latitude, longitude };
    fill(found);
    said.textContent = t("me.place_chosen", { place: words || await placeWords(latitude, longitude) });
  };
  const locate = () => new Promise((done) => {
    const missing = () => { said.textContent = t("me.no_location"); done(); };
    if (!navigator.geolocation) return missing();
    return navigator.geolocation.getCurrentPosition((p) => take(p.coords.latitude, p.coords.longitude).then(done), missing, { enableHighAccuracy: true, timeout: 20000, maximumAge: 60000 });
  });
  const words = h("input", { type: "search", maxlength: "100", enterkeyhint: "search" });
  const search = button(t("me.search"), () => asUser(async () => {
    if (!words.value.trim()) return;
    const all = await api("GET", "/locations/search?limit=5&q=" + encodeURIComponent(words.value.trim()));
    said.textContent = all.length ? "" : t("me.nothing_found");
    fill(found, all.map((p) => h("button", { type: "button", onclick: () => take(p.latitude, p.longitude, p.display_name) }, p.display_name)));
  }));
  words.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault(); // it would send the form
    search.click();
  });
  return { el: h("div", {}, h("div", { class: "actions" }, button(t("me.locate"), locate, { data: { testid: "locate" } })), field(t("me.place_name"), words), h("div", { class: "actions" }, search), found, said), point: () => point };
}

const choice = (type, name, value, label, checked = false, props = {}) => h("label", { class: "choice" }, h("input", { type, name, value, checked, ...props }), h("span", {}, label));

// Asks for an alert. Returns it; undefined if the dialog was closed.
async function addAlert() {
  const names = await municipalities();
  const place = pointChooser(), once = idempotent();
  const municipality = select(names, { name: "municipality", data: { testid: "municipality" } });
  const radius = select(radii.map((m) => [String(m), distance(m)]), { name: "radius_meters" }, "1000");
  const inside = field(t("me.municipality"), municipality), around = h("div", { hidden: true }, place.el, field(t("me.radius"), radius));
  const turn = (e) => {
    inside.hidden = e.target.value !== "municipality";
    around.hidden = !inside.hidden;
  };
  const where = h("fieldset", {}, h("legend", {}, t("me.where")), choice("radio", "where", "municipality", t("me.in_municipality"), true, { onchange: turn }), choice("radio", "where", "place", t("me.near_place"), false, { onchange: turn }));
  const kinds = h("details", {}, h("summary", {}, t("me.only_kinds")), h("div", { class: "columns" }, issueTypes.map((k) => choice("checkbox", "issue_types", k, t("label.issue_type." + k)))));
  const events = h("fieldset", {}, h("legend", {}, t("me.events")), ["new", "fixed"].map((e) => choice("checkbox", "events", e, t("me.event_" + e), true)));
  const ticked = (el, name) => [...el.querySelectorAll("[name=" + name + "]:checked")].map((i) => i.value);
  return ask("alert", t("me.add_alert"), {
    controls: [where, inside, around, kinds, events], label: t("common.save"),
    send: () => asUser(async () => {
      const body = { issue_types: ticked(kinds, "issue_types"), events: ticked(events, "events") };
      if (around.hidden) body.municipality = municipality.value;
      else if (!place.point()) throw new ApiError(422, { detail: t("me.choose_place") }, null);
      else Object.assign(body, place.point(), { radius_meters: Number(radius.value) });
      return api("POST", "/alerts", { body, headers: once(body) });
    }),
  });
}

export function make() {
  let names;
  const reports = growing({
    props: { data: { testid: "list" } }, empty: t("me.no_follows"),
    fetch: async (next) => {
      const page = await api("GET", "/reports/my-reports?following=true&page_size=20" + (next ? "&cursor=" + encodeURIComponent(next) : ""));
      return { items: page.items, next: page.next_cursor };
    },
    item: (r) => [row(r), facts(r), h("div", { class: "actions" }, followButton(r))],
  });
  const alerts = growing({
    props: { data: { testid: "alerts" } }, empty: t("me.no_alerts"),
    fetch: async () => {
      const items = await api("GET", "/alerts");
      names = items.some((a) => a.municipality_code) ? municipalities() : Promise.resolve([]);
      names.catch(() => {}); // the words say the name that the alert has
      return { items, next: null };
    },
    item: (a) => {
      const words = alertWords(a, names);
      const remove = button(t("me.remove"), async () => {
        await api("DELETE", "/alerts/" + a.id).catch((e) => { if (e.status !== 404) throw e; });
        alerts.drop(words);
      }, { data: { testid: "alert-remove" } });
      return [words, h("div", { class: "actions" }, remove)];
    },
  });
  const add = button(t("me.add_alert"), async () => {
    if (!(await addAlert().catch(complain))) return;
    toast(t("me.alert_added"));
    await alerts.load();
  }, { class: "main", data: { testid: "alert" } });
  return {
    el: h("div", {}, h("section", { class: "card" }, h("h2", {}, t("me.followed_reports")), reports.el),
      h("section", { class: "card" }, h("h2", {}, t("me.followed_places")), h("p", {}, t("me.alerts_text")), alerts.el, h("div", { class: "actions" }, add))),
    show() { reports.load(); alerts.load(); },
  };
}
