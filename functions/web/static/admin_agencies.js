// Agencies: the list, and the form of one. Its area is in admin_area.js.
import { h, t, button, field, select, form, ask, toast, named, idempotent, issueTypes } from "./core.js";
import { call, heading, link, line, mark, agencies, municipalities, group, tick, ticked, snapshot, forget } from "./admin_parts.js";
import { areaEditor } from "./admin_area.js";

const types = ["municipal", "national", "contractor"];

export async function show(el, { below }) {
  if (below[0]) return one(el, below[0]);
  const list = await agencies();
  el.append(h("div", { class: "split" }, heading(t("admin.agencies")), h("a", { class: "button main", href: "#agencies/new", data: { testid: "agency-new" } }, t("admin.agency_new"))),
    h("p", { class: "soft" }, t("admin.agencies_text")),
    list.length ? h("ul", { class: "rows card", data: { testid: "list" } }, list.map((a) => line(link("agencies", [a.id]), named(a), mark(t("admin.type_" + a.agency_type)), summary(a))))
      : h("p", { class: "card" }, t("admin.no_agencies")));
  return null;
}

function summary(a) {
  const kinds = a.issue_types.length ? a.issue_types.map((k) => t("label.issue_type." + k)).join(", ") : t("admin.all_kinds");
  const where = a.municipality_codes.length ? a.municipality_codes.map((c) => c.replace("TL-", "")).join(", ") : t("admin.everywhere");
  return [a.code, where + (a.area_points ? " " + t("admin.narrower") : ""), kinds, a.contact_email || t("admin.no_contact")].join(" · ");
}

async function one(el, id) {
  const fresh = id === "new";
  const [was, places] = await Promise.all([fresh ? {} : call("GET", "/admin/agencies/" + encodeURIComponent(id)), municipalities()]);
  const text = (name, props = {}) => h("input", { name, value: was[name] || "", dir: "auto", maxlength: "200", ...props });
  const area = areaEditor(was.area || null, () => ticked(edit, "municipality_codes").map((code) => places.find((p) => p.code === code)));
  const headers = idempotent();
  const edit = form("agency-send", t("common.save"), [
    field(t("admin.code"), text("code", { required: true, maxlength: "40", autocapitalize: "characters", spellcheck: "false" }), t("admin.code_hint")),
    field(t("admin.agency_name") + " (English)", text("name", { required: true, lang: "en" })),
    field(t("admin.agency_name") + " (Tetun)", text("name_tet", { lang: "tet" }), t("admin.name_hint")),
    field(t("admin.agency_name") + " (Português)", text("name_pt", { lang: "pt" })),
    field(t("admin.agency_type"), select(types.map((k) => [k, t("admin.type_" + k)]), { name: "agency_type" }, was.agency_type || "municipal")),
    field(t("admin.contact_email"), text("contact_email", { type: "email", maxlength: "254", autocapitalize: "off" }), t("admin.contact_hint")),
    group(t("admin.where"), t("admin.where_hint"), h("div", { class: "ticks" }, places.map((p) => tick("municipality_codes", p.code, named(p), (was.municipality_codes || []).includes(p.code))))),
    group(t("admin.kinds"), t("admin.kinds_hint"), h("div", { class: "ticks" }, issueTypes.map((k) => tick("issue_types", k, t("label.issue_type." + k), (was.issue_types || []).includes(k))))),
    area.element,
  ], async () => {
    const body = changes(was, read(edit), area);
    const saved = fresh ? await call("POST", "/admin/agencies", { body, headers: headers(body) }) : await call("PATCH", "/admin/agencies/" + was.id, { body });
    forget("agencies");
    toast(t("admin.saved"));
    area.saved();
    before = snapshot(edit);
    if (fresh) location.hash = link("agencies", [saved.id]);
    else Object.assign(was, saved);
  }, { more: fresh ? null : remove(was, () => { before = snapshot(edit); }) });
  let before = snapshot(edit);
  el.append(h("p", {}, h("a", { class: "alone", href: "#agencies" }, t("admin.back_to_agencies"))), heading(fresh ? t("admin.agency_new") : named(was)), h("div", { class: "card" }, edit));
  return { dirty: () => snapshot(edit) !== before || area.changed() };
}

function read(edit) {
  const out = { municipality_codes: ticked(edit, "municipality_codes"), issue_types: ticked(edit, "issue_types") };
  for (const name of ["code", "name", "name_tet", "name_pt", "agency_type", "contact_email"]) out[name] = edit.elements[name].value.trim();
  return out;
}

/** What differs from what was stored: another administrator may have changed the rest meanwhile. */
function changes(was, now, area) {
  const out = {};
  for (const [name, value] of Object.entries(now)) {
    const old = was[name] === undefined || was[name] === null ? "" : was[name];
    const same = Array.isArray(value) ? JSON.stringify([...value].sort()) === JSON.stringify([...(old || [])].sort()) : value === old;
    if (!same || was.id === undefined && value !== "") out[name] = value;
  }
  if (area.changed()) out.area = area.value();
  return out;
}

/** Removes an agency that nobody works for and that has no open reports; otherwise says what to do first. */
const remove = (was, gone) => button(t("admin.agency_remove"), () => ask("agency-remove", t("admin.agency_remove"), {
  text: t("admin.agency_remove_text", { name: named(was) }), danger: true,
  send: () => call("DELETE", "/admin/agencies/" + was.id).catch((e) => {
    if (e.code === "agency_in_use") e.message += " " + t("admin.agency_in_use");
    throw e;
  }),
}).then((done) => {
  if (!done) return;
  gone();
  forget("agencies");
  toast(done.message);
  location.hash = "#agencies";
}), { class: "danger", data: { testid: "agency-remove" } });
