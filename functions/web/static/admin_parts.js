// What the sections of the administration share.
import { h, t, field, select, named, button, toast } from "./core.js";
import { staffApi as call } from "./sign_in.js";

export { call };

const decoded = (part) => { try { return decodeURIComponent(part); } catch { return part; } }; // an address that somebody changed

/** Reads an address such as "#people/ID?role=admin": section, the parts below it, and the filters. */
export function address(hash) {
  const [path, filters = ""] = hash.replace(/^#/, "").split("?");
  const [section, ...below] = path.split("/").map(decoded);
  return { section, below, query: new URLSearchParams(filters) };
}

/** Writes an address. Empty filters are left out. */
export function link(section, below = [], filters = {}) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== "" && value !== null && value !== undefined)).toString();
  return "#" + [section, ...below].map(encodeURIComponent).join("/") + (query ? "?" + query : "");
}

/** The heading of a section; it takes the focus when the section opens. */
export const heading = (...text) => h("h2", { tabindex: "-1" }, text);

/** A box of a list of choices. */
export const tick = (name, value, label, checked = false, props = {}) => h("label", { class: "choice" }, h("input", { type: "checkbox", name, value, checked, ...props }), label);

/** The values of the ticked boxes of a name. */
export const ticked = (form, name) => [...form.elements].filter((el) => el.name === name && el.checked).map((el) => el.value);

/** A group of controls under one heading. */
export const group = (label, hint, ...controls) => h("fieldset", {}, h("legend", {}, label), hint ? h("small", { class: "soft" }, hint) : null, controls);

/** What a form says, to compare it later: whether something was typed. */
export const snapshot = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));

/** The three languages of a text, with their own names. */
export const languages = [["tet", "Tetun"], ["pt", "Português"], ["en", "English"]];

/** A control for each language. make(lang) returns it; its name is "name.lang". */
export function inThree(name, label, make) {
  return languages.map(([lang, own]) => {
    const control = make(lang);
    control.name = name + "." + lang;
    control.lang = lang;
    return field(label + " (" + own + ")", control);
  });
}

let known = {};
/** Reads a list once. Sections call forget when they have changed it. */
const once = (key, load) => (known[key] = known[key] || load().catch((e) => {
  delete known[key];
  throw e;
}));
export const forget = (key) => { delete known[key]; };

/** Reads all pages of a list. */
export async function all(path) {
  const items = [];
  for (let page = 1, more = true; more; page++) {
    const answer = await call("GET", path + "?page_size=100&page=" + page);
    items.push(...answer.items);
    more = answer.has_next;
  }
  return items;
}

export const agencies = () => once("agencies", () => all("/admin/agencies"));
export const municipalities = () => once("municipalities", () => call("GET", "/locations/municipalities"));

export const roles = ["citizen", "moderator", "government_official", "admin"];
export const roleName = (role) => t("admin.role_" + role);

/** A select of agencies; "" is for none. */
export const agencySelect = (list, none, props, chosen = "") => select([["", none], ...list.map((a) => [a.id, a.code + " · " + named(a)])], props, chosen);

/** The pages of a list: where one is, and the links to the neighbours. to(page) returns an address. */
export function pager(envelope, to) {
  if (envelope.total_pages < 2) return h("p", { class: "soft" }, t("admin.total", { n: envelope.total }));
  return h("nav", { class: "pager", "aria-label": t("admin.pages") },
    envelope.page > 1 ? h("a", { class: "button", href: to(envelope.page - 1) }, t("admin.previous")) : null,
    h("span", { class: "soft" }, t("admin.page_of", { page: envelope.page, pages: envelope.total_pages, n: envelope.total })),
    envelope.has_next ? h("a", { class: "button", href: to(envelope.page + 1) }, t("admin.next")) : null);
}

/** A line of a list that leads to one thing: title, a mark on the right, and words below. */
export const line = (href, title, mark, about) => h("li", {}, h("a", { class: "row", href }, h("span", { class: "title", dir: "auto" }, title), mark, h("span", { class: "about", dir: "auto" }, about)));

/** A word in a frame, as the status of a report is. */
export const mark = (text, kind = "") => h("span", { class: "status " + kind }, text);

/** Copies a text; a browser without a clipboard, or one that refuses, is told to the person. */
export const copy = (text) => button(t("admin.copy"), async () => {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("admin.copied"));
  } catch { toast(t("admin.not_copied"), "bad"); }
});
