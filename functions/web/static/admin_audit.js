// The audit log: who did what when, with what changed.
import { h, t, field, select, moment, day, named } from "./core.js";
import { call, heading, link, mark, pager, agencies, roleName } from "./admin_parts.js";

const entities = ["user", "agency", "settings", "template", "announcement", "report", "comment", "image", "queue", "api_key", "webhook"];

export async function show(el, { query }) {
  const filters = { entity: query.get("entity") || "", entity_id: query.get("entity_id") || "", actor: query.get("actor") || "", since: query.get("since") || "" };
  const page = Number(query.get("page")) || 1;
  const asked = new URLSearchParams(Object.entries({ ...filters, since: filters.since ? filters.since + "T00:00:00+09:00" : "", page, page_size: 50 }).filter(([, value]) => value !== ""));
  const [list, known] = await Promise.all([call("GET", "/admin/audit?" + asked), agencies()]);
  el.append(heading(t("admin.audit")), h("p", { class: "soft" }, t("admin.audit_text")), search(filters),
    list.items.length ? h("ol", { class: "plain", data: { testid: "list" } }, list.items.map((e) => entry(e, known, filters))) : h("p", { class: "card" }, t("common.none")),
    pager(list, (n) => link("audit", [], { ...filters, page: n })));
  return null;
}

function search(filters) {
  const entity = select([["", t("admin.all")], ...entities.map((e) => [e, t("admin.entity_" + e)])], { name: "entity" }, filters.entity);
  const since = h("input", { type: "date", name: "since", value: filters.since });
  const go = (more) => { location.hash = link("audit", [], { ...filters, entity: entity.value, since: since.value, ...more }); };
  return h("form", { class: "card filters", role: "search", onsubmit: (e) => {
    e.preventDefault();
    go(entity.value === filters.entity ? {} : { entity_id: "" });
  } }, field(t("admin.about_what"), entity), field(t("admin.since_day"), since), h("button", { type: "submit" }, t("admin.search")),
  filters.actor || filters.entity_id ? h("a", { class: "button", href: link("audit", [], { entity: filters.entity_id ? "" : filters.entity, since: filters.since }) }, t(filters.actor ? "admin.of_one_person" : "admin.of_one_thing")) : null);
}

/** The text of a key, or the words of the key itself: a later version may write what this page does not know. */
function known(key, otherwise) {
  const text = t("admin." + key);
  return text === "admin." + key ? otherwise.replace(/[_.]/g, " ") : text;
}

function entry(e, places, filters) {
  const who = e.actor_name || (e.actor ? t("admin.deleted_person") : t("admin.system"));
  return h("li", { class: "card" }, h("div", { class: "split" }, h("h3", {}, known("did_" + e.action.replace(".", "_"), e.action)), mark(known("entity_" + e.entity, e.entity), "duplicate")),
    h("p", { class: "soft" }, h("time", { datetime: e.at }, moment(e.at)), " · ",
      e.actor && e.actor !== filters.actor ? h("a", { href: link("audit", [], { actor: e.actor }), dir: "auto" }, who) : h("span", { dir: "auto" }, who), e.actor_role === "system" ? "" : " (" + roleOf(e.actor_role) + ")"),
    target(e), changes(e, places));
}

const roleOf = (role) => (["citizen", "moderator", "government_official", "admin"].includes(role) ? roleName(role) : role);

/** A link to what it is about. */
function target(e) {
  const to = { user: ["people", [e.entity_id]], agency: ["agencies", [e.entity_id]], template: ["templates", [e.entity_id]], settings: ["settings", []], webhook: ["webhooks", [e.entity_id]] }[e.entity];
  if (to && !/\.(delete|remove|erase)$/.test(e.action)) return h("p", {}, h("a", { class: "alone", href: link(...to) }, t("admin.open_it")));
  return h("p", { class: "soft" }, h("code", {}, e.entity_id));
}

/** The name of a member. That of an agency is in English; that of an API key is not. */
const label = (entity, name) => (entity === "api_key" && name === "name" ? t("admin.api_key_name") : known("set_" + name, known("key_" + name, name)));

/** What differs between before and after, each with its name. */
function changes(e, places) {
  const before = e.before || {}, after = e.after || {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !["id", "updated_at", "created_at"].includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  if (!names.length) return null;
  return h("dl", {}, names.map((name) => [h("dt", {}, label(e.entity, name)),
    h("dd", { dir: "auto" }, name in before ? [h("del", {}, value(name, before[name], places)), " → "] : null, value(name, after[name], places))]));
}

function value(name, v, places) {
  if (v === null || v === undefined || v === "" || (Array.isArray(v) && !v.length)) return t("admin.none");
  if (typeof v === "boolean") return t(v ? "admin.yes" : "admin.no");
  if (name === "role") return roleOf(v);
  if (name === "events" && Array.isArray(v)) return v.map((x) => known("hook_event_" + x.replace(".", "_"), x)).join(", ");
  if (name === "agency_id") return places.filter((a) => a.id === v).map(named)[0] || v;
  if (name === "status" && ["pending", "verified", "in_progress", "fixed", "rejected", "duplicate"].includes(v)) return t("label.status." + v);
  if (typeof v === "string" && /^\d{4}-\d\d-\d\dT/.test(v)) return moment(v);
  if (typeof v === "string" && /^\d{4}-\d\d-\d\d$/.test(v)) return day(v + "T00:00:00Z");
  if (Array.isArray(v)) return v.map((x) => value("", x, places)).join(", ");
  if (typeof v === "object") return Object.entries(v).map(([k, x]) => known("key_" + k, k) + ": " + value(k, x, places)).join("; ");
  return String(v);
}
