// Settings: each with what it does, its limits and its default. All are saved at once.
import { h, fill, t, data, field, form, ask, toast, day, issueTypes, severities } from "./core.js";
import { call, heading, group, tick, ticked, snapshot } from "./admin_parts.js";
import { holidayEditor } from "./admin_holidays.js";

// The settings by what they are about. One that is not named here is shown at the end.
const groups = {
  verdict: ["publish_before_verdict", "reject_confidence", "accept_confidence", "duplicate_radius_meters", "duplicate_similarity"],
  repair: ["auto_assign", "deadlines", "holidays", "fixed_needs_picture", "dispute_days"],
  flags: ["flags_to_hide", "flag_min_account_days"],
  limits: ["evidence_images_max", "reports_per_hour", "batch_reports_per_hour", "uploads_per_hour", "citizen_events_per_day", "citizen_events_per_report"],
  money: ["ai_monthly_tokens", "ai_daily_pictures", "ai_daily_pictures_person", "ledger_burst", "ledger_interval_seconds"],
  place: ["report_area", "open311_jurisdiction"],
};
const limits = new Map(data.settings.map((s) => [s.name, s]));
const named = new Set(Object.values(groups).flat());
const rest = data.settings.map((s) => s.name).filter((name) => !named.has(name));
const corners = ["west", "south", "east", "north"];

const label = (name) => t("admin.set_" + name);
const hint = (name, about) => [t("admin.set_" + name + "_help"), about].join(" ");
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Writes a large number in groups of three digits. */
const digits = (n) => (Number.isInteger(n) ? String(n).replace(/\B(?=(\d{3})+$)/g, "\u00a0") : String(n));

/** The allowed values and the default, in words. */
const range = (s, usual = s.default) => (s.min === undefined ? "" : t("admin.range", { min: digits(s.min), max: digits(s.max), default: digits(usual) }));

const numberInput = (name, s, value) => h("input", { type: "number", name, value: String(value), min: s.min, max: s.max, step: s.whole ? "1" : "any", required: true, inputmode: "decimal" });

/** Several numbers under one heading. */
const together = (name, fields) => group(label(name), t("admin.set_" + name + "_help"), h("div", { class: "ticks" }, fields));

/** Makes the control of a setting. Returns {element, read()}. */
function control(name, value) {
  const s = limits.get(name);
  if (name === "holidays") return holidayEditor(value, label(name), t("admin.set_holidays_help"));
  if (name === "deadlines") {
    const inputs = severities.map((k) => numberInput(name + "." + k, s, value[k]));
    return { element: together(name, severities.map((k, i) => field(t("label.severity." + k), inputs[i], range(s, s.default[k])))),
      read: () => Object.fromEntries(severities.map((k, i) => [k, Number(inputs[i].value)])) };
  }
  if (name === "report_area") {
    const inputs = corners.map((k, i) => h("input", { type: "number", name: i ? name + "." + k : name, value: String(value[i]), step: "any", min: i % 2 ? "-90" : "-180", max: i % 2 ? "90" : "180", required: true, inputmode: "decimal" }));
    return { element: together(name, corners.map((k, i) => field(t("admin." + k), inputs[i], t("admin.default", { default: s.default[i] })))), read: () => inputs.map((el) => Number(el.value)) };
  }
  if (name === "fixed_needs_picture") {
    return { element: together(name, issueTypes.map((k) => tick(name, k, t("label.issue_type." + k), value.includes(k)))), read: (edit) => ticked(edit, name) };
  }
  if (typeof s.default === "boolean") {
    const box = tick(name, "true", label(name), value);
    const small = h("small", { class: "soft" }, hint(name, t("admin.default", { default: t(s.default ? "admin.on" : "admin.off") })));
    return { element: h("div", { class: "field" }, box, small), read: () => box.firstChild.checked };
  }
  const number = typeof s.default === "number";
  const input = number ? numberInput(name, s, value) : h("input", { name, value, maxlength: "100", autocapitalize: "off", spellcheck: "false" });
  return { element: field(label(name), input, hint(name, range(s))), read: () => (number ? Number(input.value) : input.value.trim()) };
}

export async function show(el) {
  return draw(el, await call("GET", "/admin/settings"));
}

/** Shows the form with what is stored. */
function draw(el, stored) {
  const controls = new Map();
  const section = (key, names) => (names.length ? h("section", { class: "card", id: "settings-" + key }, h("h3", {}, t("admin.group_" + key)), names.map((name) => {
    const made = control(name, stored[name]);
    controls.set(name, made);
    return made.element;
  })) : null);
  const read = (edit) => Object.fromEntries([...controls].map(([name, c]) => [name, c.read(edit)]));
  const edit = form("settings-send", t("common.save"), [...Object.entries(groups).map(([key, names]) => section(key, names)), section("other", rest)], async () => {
    const mine = read(edit), fresh = await call("GET", "/admin/settings");
    const changed = Object.keys(mine).filter((name) => !same(mine[name], stored[name]));
    if (!changed.length && same(fresh, stored)) return toast(t("admin.nothing_changed"));
    const theirs = Object.keys(fresh).filter((name) => !same(fresh[name], stored[name]));
    const next = { ...fresh };
    for (const name of changed) next[name] = mine[name];
    if (!(await confirm(changed, theirs, stored, fresh, mine))) return undefined;
    stored = await call("PUT", "/admin/settings", { body: next });
    before = snapshot(edit);
    toast(t("admin.settings_saved"));
    if (theirs.length) replaced = draw(el, stored);
    return undefined;
  });
  edit.className = "long";
  let before = snapshot(edit), replaced = null;
  fill(el, heading(t("admin.settings")), h("p", { class: "soft" }, t("admin.settings_text")), edit);
  return { dirty: () => (replaced ? replaced.dirty() : snapshot(edit) !== before) };
}

/** How a value reads. */
export function words(name, value) {
  if (typeof value === "boolean") return t(value ? "admin.on" : "admin.off");
  if (name === "deadlines") return severities.map((k) => t("label.severity." + k) + " " + value[k]).join(", ");
  if (name === "fixed_needs_picture") return value.map((k) => t("label.issue_type." + k)).join(", ") || t("admin.none");
  if (name === "holidays") return value.map((d) => day(d + "T00:00:00Z")).join(", ") || t("admin.none");
  return Array.isArray(value) ? value.join(", ") : typeof value === "number" ? digits(value) : value || t("admin.none");
}

/** Shows what will change before it does, and what another administrator changed meanwhile. */
async function confirm(mineChanged, theirs, stored, fresh, mine) {
  const table = (names, to) => h("dl", {}, names.map((name) => [h("dt", {}, label(name)), h("dd", {}, words(name, (theirs.includes(name) && to === mine ? fresh : stored)[name]), " → ", h("strong", {}, words(name, to[name])))]));
  if (!theirs.length && !mineChanged.includes("publish_before_verdict")) return true;
  const both = mineChanged.filter((name) => theirs.includes(name));
  return ask("settings-confirm", t(theirs.length ? "admin.changed_meanwhile" : "admin.sure"), {
    label: t("common.save"),
    controls: [
      mineChanged.includes("publish_before_verdict") ? h("p", { class: "note" }, t(mine.publish_before_verdict ? "admin.publish_on" : "admin.publish_off")) : null,
      theirs.length ? [h("p", {}, t("admin.theirs")), table(theirs, fresh)] : null,
      mineChanged.length ? [h("p", {}, t(both.length ? "admin.yours_win" : "admin.yours")), table(mineChanged, mine)] : null,
    ],
    send: async () => true,
  });
}
