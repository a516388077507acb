// The fields of the dialogs: a note with templates, a reason.
import { h, t, field, select, reasonSelect, textArea, $ } from "./core.js";
import { drafts, keep } from "./desk_drafts.js";
import { text } from "./desk_text.js";

/** The reason of a rejection or a hiding. */
export function reasonField() {
  const control = reasonSelect();
  return { el: field(text("reason"), control), value: () => control.value };
}

// The text of a template in the reporter's language, or in one that it has.
const bodyOf = (template, language) => [language, "tet", "pt", "en"].map((l) => template.body[l]).find(Boolean) || "";

function templateField(work, area, status) {
  const { report } = work;
  const fitting = work.templates.filter((x) => (!x.status || x.status === status) && (!x.issue_type || x.issue_type === report.issue_type));
  if (!fitting.length) return null;
  const control = select([["", t("common.choose")], ...fitting.map((x) => [x.id, x.title])], {
    data: { testid: "template" },
    onchange: () => {
      const template = fitting.find((x) => x.id === control.value);
      if (!template) return;
      const before = area.value.trim();
      area.value = (before ? before + "\n" : "") + bodyOf(template, report.reporter_language);
      area.dispatchEvent(new Event("input"));
      area.focus();
    },
  });
  return field(text("template"), control);
}

/**
 * A note with its templates. name is that of the action: the text is kept under it until sent() is called. status is the one that
 * the action leads to, for its templates.
 */
export function noteField(work, name, { label = text("note_public"), hint = "", status = "", required = false, testid = "note", member = "note" } = {}) {
  const area = keep(textArea(testid, { name: member, required, maxlength: "2000" }), work.report.id, name);
  return {
    el: [templateField(work, area, status), field(label, area, hint)],
    value: () => area.value.trim(),
    sent: () => drafts.clear(work.report.id, name),
  };
}

/** Puts the focus on what confirms the dialog that was opened last, so that Enter is enough. */
export function ready(name) {
  const confirm = $("[role=dialog] [data-testid='" + name + "-send']");
  if (confirm) confirm.focus();
}

/** A paragraph that says who will read what. */
export const says = (key) => h("p", { class: "soft" }, text(key));
