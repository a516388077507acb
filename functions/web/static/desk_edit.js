// Correcting what is known of a report: the AI's verdict, and words and details.
import { h, t, ask, field, select, toast, issueTypes, severities } from "./core.js";
import { staffApi } from "./sign_in.js";
import { noteField } from "./desk_fields.js";
import { drafts, keep } from "./desk_drafts.js";
import { rights } from "./desk_rights.js";
import { text } from "./desk_text.js";

const labelled = (kind, values) => values.map((value) => [value, t("label." + kind + "." + value)]);

/** Replaces what the AI found. A pending report is verified by it. */
export function correct(work) {
  const { report: r } = work, note = noteField(work, "correct", { required: true, label: text("note_staff") });
  const kind = select(labelled("issue_type", issueTypes), { name: "issue_type", data: { testid: "issue_type" } }, r.issue_type);
  const severity = select(labelled("severity", severities), { name: "severity", data: { testid: "severity" } }, r.severity || "medium");
  return ask("correct", text("act_correct"), {
    text: text(r.status === "pending" ? "why_correct_pending" : "why_correct"), controls: [field(text("member_issue_type"), kind), field(text("member_severity"), severity), note.el],
    send: async () => {
      const answer = await work.change("/ai-analysis/override", { is_relevant: true, issue_type: kind.value, severity: severity.value, note: note.value() });
      note.sent();
      toast(text("done_correct"));
      return answer;
    },
  });
}

/** Changes words and details. Officials change severity and address alone. The reason becomes a note for staff. */
export function edit(work) {
  const { report: r } = work, moderates = rights(work).moderates;
  const line = (name, max) => keep(h("input", { name, maxlength: max, dir: "auto", data: { testid: name } }), r.id, "edit:" + name, r[name] || "");
  const controls = {
    ...(moderates ? {
      title: line("title", "150"),
      description: keep(h("textarea", { name: "description", rows: "5", maxlength: "2000", dir: "auto", data: { testid: "description" } }), r.id, "edit:description", r.description),
      issue_type: select(labelled("issue_type", issueTypes), { name: "issue_type" }, r.issue_type),
    } : {}),
    severity: select([...(r.severity ? [] : [["", t("common.choose")]]), ...labelled("severity", severities)], { name: "severity" }, r.severity || ""),
    street: line("street", "300"), address: line("address", "300"),
  };
  const reason = noteField(work, "edit:reason", { label: text("edit_reason"), hint: text("note_optional"), testid: "reason", member: "reason" });
  return ask("edit", text("act_edit"), {
    text: text(moderates ? "why_edit" : "why_edit_official"), label: t("common.save"),
    controls: [Object.keys(controls).map((name) => field(text("member_" + name), controls[name])), reason.el],
    send: async () => {
      const body = {};
      for (const [name, control] of Object.entries(controls)) if (control.value !== (r[name] || "")) body[name] = control.value;
      if (Object.keys(body).length) await work.change("", body, { method: "PATCH", match: true });
      for (const name of Object.keys(controls)) drafts.clear(r.id, "edit:" + name);
      if (reason.value()) await staffApi("POST", "/reports/" + r.id + "/notes", { body: { content: reason.value() } });
      reason.sent();
      await work.changedNow();
      toast(text("done_edit"));
      return body;
    },
  });
}
