// Templates: texts that staff send often.
import { h, t, button, field, select, form, ask, toast, textArea, idempotent, issueTypes } from "./core.js";
import { all, call, heading, link, line, mark, inThree, snapshot } from "./admin_parts.js";

const moves = ["verified", "in_progress", "fixed", "rejected", "duplicate", "pending"];

export async function show(el, { below }) {
  const list = await all("/staff/templates");
  if (below[0]) return one(el, below[0] === "new" ? {} : list.find((x) => x.id === below[0]));
  el.append(h("div", { class: "split" }, heading(t("admin.templates")), h("a", { class: "button main", href: "#templates/new", data: { testid: "template-new" } }, t("admin.template_new"))),
    h("p", { class: "soft" }, t("admin.templates_text")),
    list.length ? h("ul", { class: "rows card", data: { testid: "list" } }, list.map((x) => line(link("templates", [x.id]), x.title, x.status ? mark(t("label.status." + x.status), x.status) : null, about(x))))
      : h("p", { class: "card" }, t("admin.no_templates")));
  return null;
}

const about = (x) => [x.issue_type ? t("label.issue_type." + x.issue_type) : null, x.body.tet || x.body.pt || x.body.en].filter(Boolean).join(" · ");

function one(el, was) {
  if (!was) throw new Error(t("admin.template_gone"));
  const title = h("input", { name: "title", value: was.title || "", required: true, maxlength: "100", dir: "auto" });
  const status = select([["", t("admin.any_move")], ...moves.map((s) => [s, t("label.status." + s)])], { name: "status" }, was.status || "");
  const kind = select([["", t("admin.all_kinds")], ...issueTypes.map((k) => [k, t("label.issue_type." + k)])], { name: "issue_type" }, was.issue_type || "");
  const texts = inThree("body", t("admin.template_body"), (lang) => {
    const area = textArea("body-" + lang, { maxlength: "2000" });
    area.value = was.body ? was.body[lang] : "";
    return area;
  });
  const headers = idempotent();
  const edit = form("template-send", t("common.save"), [field(t("admin.template_title"), title, t("admin.template_title_hint")), field(t("admin.template_status"), status), field(t("admin.kind"), kind),
    h("p", { class: "soft" }, t("admin.template_hint")), texts], async () => {
    const body = { title: title.value, status: status.value, issue_type: kind.value, body: { tet: edit.elements["body.tet"].value, pt: edit.elements["body.pt"].value, en: edit.elements["body.en"].value } };
    await (was.id ? call("PATCH", "/staff/templates/" + was.id, { body }) : call("POST", "/staff/templates", { body, headers: headers(body) }));
    done(t("admin.saved"));
  }, { more: was.id ? button(t("admin.template_remove"), () => ask("template-remove", t("admin.template_remove"), { text: was.title, danger: true, send: () => call("DELETE", "/staff/templates/" + was.id) })
    .then((gone) => gone && done(gone.message)), { class: "danger", data: { testid: "template-remove" } }) : null });
  let before = snapshot(edit);
  const done = (words) => {
    before = snapshot(edit);
    toast(words);
    location.hash = "#templates";
  };
  el.append(h("p", {}, h("a", { class: "alone", href: "#templates" }, t("admin.back_to_templates"))), heading(was.title || t("admin.template_new")), h("div", { class: "card" }, edit));
  return { dirty: () => snapshot(edit) !== before };
}
