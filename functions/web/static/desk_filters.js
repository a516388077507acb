// The filters of the desk: a form whose values stand in the address. It has the names and the values of the API.
import { $, h, t, button, field, select, issueTypes, severities, named } from "./core.js";
import { staffApi } from "./sign_in.js";

const sources = ["app", "web", "assisted", "open311", "import"];
const aiStates = ["needs_review", "failed", "completed", "rejected", "queued", "processing"];
const sorts = ["created_at", "updated_at", "severity", "due_at", "priority"];

const any = (label) => [["", t(label)]];
const labelled = (values, prefix) => values.map((v) => [v, t(prefix + v)]);

/** Makes the form. apply(filters) is called with what was chosen. */
export function makeFilters(desk, apply) {
  const form = h("form", { role: "search", class: "filters", onsubmit: (e) => { e.preventDefault(); send(); } });
  const chosen = (name, pairs) => select(pairs, { name }, desk.state.filters[name] || "");
  // The address may name what the list of the select does not have (yet), such as a name of a municipality.
  const keep = (control) => {
    const value = desk.state.filters[control.name];
    if (value && control.value !== value) control.append(h("option", { value, selected: true }, value));
    return control;
  };

  function send() {
    const filters = {};
    for (const el of form.elements) if (el.name && el.value.trim()) filters[el.name] = el.value.trim();
    for (const name of ["reporter", "bbox", "status"]) if (desk.state.filters[name]) filters[name] = desk.state.filters[name];
    if (/^ls-?\d{4}-?\d+$/i.test(filters.q || "")) {
      desk.open(filters.q.toUpperCase());
      return;
    }
    apply(filters);
  }

  function build() {
    const f = desk.state.filters;
    const people = desk.agencies.flatMap((a) => a.people.map((p) => [p.id, p.full_name + " (" + a.code + ")"]));
    const set = Object.keys(f).filter((name) => name !== "q").length;
    const wasOpen = $("details", form) && $("details", form).open;
    form.textContent = "";
    form.append(
      h("div", { class: "find" }, field(t("desk.find"), h("input", { type: "search", name: "q", minlength: "3", maxlength: "100", value: f.q || "", enterkeyhint: "search", data: { testid: "find" } })),
        h("button", { type: "submit" }, t("desk.find_send"))),
      h("details", { open: wasOpen || false }, h("summary", {}, set ? t("desk.filters_n", { n: set }) : t("desk.filters")),
        h("div", { class: "grid" },
          field(t("desk.type"), keep(chosen("issue_type", [...any("desk.every"), ...labelled(issueTypes, "label.issue_type.")]))),
          field(t("desk.severity"), keep(chosen("severity", [...any("desk.every"), ...labelled([...severities].reverse(), "label.severity.")]))),
          field(t("desk.municipality"), keep(chosen("municipality", [...any("desk.every"), ...desk.municipalities]))),
          field(t("desk.agency"), keep(chosen("agency", [...any("desk.every"), ["mine", t("desk.agency_mine")], ["none", t("desk.nobody")], ...desk.agencies.map((a) => [a.code, named(a)])]))),
          field(t("desk.person"), keep(chosen("assigned_to", [...any("desk.every"), ["me", t("desk.me")], ["none", t("desk.nobody")], ...people]))),
          field(t("desk.source"), keep(chosen("source", [...any("desk.every"), ...labelled(sources, "desk.source_")]))),
          field(t("desk.ai"), keep(chosen("ai_status", [...any("desk.every"), ...labelled(aiStates, "desk.ai_")]))),
          field(t("desk.due_before"), h("input", { type: "date", name: "due_before", value: f.due_before || "" })),
          field(t("desk.sort"), keep(chosen("sort", [...any("desk.sort_usual"), ...labelled(sorts, "desk.sort_")]))),
          field(t("desk.order"), keep(chosen("order", [...any("desk.sort_usual"), ["desc", t("desk.order_desc")], ["asc", t("desk.order_asc")]])))),
        h("div", { class: "actions" }, h("button", { type: "submit", class: "main" }, t("desk.show")),
          button(t("desk.clear"), () => apply({}), { hidden: set + (f.q ? 1 : 0) === 0 }))),
      f.reporter || f.bbox ? h("p", {}, t(f.reporter ? "desk.one_reporter" : "desk.in_view"), " ", button(t("desk.clear"), () => apply({}), { class: "link" })) : "");
  }
  build();
  // The list of municipalities is read when somebody looks for it.
  form.addEventListener("toggle", async () => {
    if (desk.municipalities.length) return;
    try {
      const all = await staffApi("GET", "/locations/municipalities");
      desk.municipalities.push(...all.map((m) => [m.code, named(m)]));
      const control = form.elements.municipality, value = control.value;
      control.replaceWith(select([...any("desk.every"), ...desk.municipalities], { name: "municipality", id: control.id }, value));
    } catch { /* the other filters work without it */ }
  }, true);
  return { element: form, build, focus: () => $("input", form).focus() };
}
