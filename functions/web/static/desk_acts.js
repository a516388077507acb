// The actions of staff on a report, each with its dialog.
import { ask, toast } from "./core.js";
import { noteField, reasonField, ready } from "./desk_fields.js";
import { rights } from "./desk_rights.js";
import { plain } from "./desk_hide.js";
import { correct, edit } from "./desk_edit.js";
import { assign, handBack } from "./desk_assign.js";
import { duplicate } from "./desk_same.js";
import { fix } from "./desk_fix.js";
import { openFlags } from "./desk_log.js";
import { text } from "./desk_text.js";

// Whether the agency of this official gave the report away: then it is for another one.
function handedBackBySelf({ report: r, log, agency, user }) {
  if (!agency || r.assigned_agency) return false;
  const e = [...log].reverse().find(({ action }) => action === "report.hand_back" || action === "report.assign");
  return Boolean(e) && e.action === "report.hand_back" && (e.actor.id === user.id || Boolean(e.actor.agency) && e.actor.agency === agency.code);
}

/** Returns the actions that are possible now: [{name, key, act, main, danger, appeal}], the likeliest first. appeal: it decides one. */
export function actsOf(work) {
  const { report: r, log } = work, may = rights(work), is = (...statuses) => may.any && statuses.includes(r.status);
  return [
    may.appeal && may.moderates && { name: "grant", act: () => judge(work, "grant", true), main: true, appeal: true },
    may.appeal && may.moderates && { name: "uphold", act: () => judge(work, "uphold", false), appeal: true },
    is("pending") && { name: "verify", key: "v", act: () => move(work, "verify", "verified", { quick: true }), main: true },
    may.works && is("verified") && { name: "start", key: "s", act: () => start(work), main: !handedBackBySelf(work) },
    may.works && is("in_progress") && { name: "fix", key: "f", act: () => fix(work), main: true },
    may.moderates && r.status !== "rejected" && { name: "reject", key: "r", act: () => reject(work), danger: true },
    is("pending", "verified") && { name: "duplicate", key: "d", act: () => duplicate(work) },
    may.any && may.open && { name: "assign", key: "a", act: () => assign(work) },
    may.any && may.open && r.assigned_agency && { name: "hand-back", key: may.moderates ? null : "h", act: () => handBack(work) },
    may.works && is("in_progress") && { name: "stop", act: () => move(work, "stop", "verified", { required: true }) },
    may.works && is("fixed") && { name: "reopen", act: () => move(work, "reopen", "in_progress", { required: true }) },
    may.moderates && is("duplicate", "rejected") && !may.appeal && { name: "return", act: () => move(work, "return", "pending") },
    may.moderates && openFlags(log).length + (r.words_hidden && r.words_hidden.by === "flags" ? 1 : 0) > 0 && { name: "dismiss", act: () => plain(work, "dismiss", "/flags/dismiss") },
    is("pending", "verified", "in_progress", "fixed") && { name: "correct", act: () => correct(work) },
    may.any && { name: "edit", act: () => edit(work) },
  ].filter(Boolean);
}

const done = (name) => toast(text("done_" + name.replace("-", "_")));

// Changes the status, with a note that its reporter and the public read.
async function move(work, name, status, { required = false, quick = false, why = name } = {}) {
  const note = noteField(work, name, { status, required, hint: text(required ? "note_required" : "note_everybody") });
  const asked = ask(name, text("act_" + name.replace("-", "_")), {
    text: text("why_" + why.replace("-", "_")), controls: note.el,
    send: async () => {
      const answer = await work.change("/status", { status, note: note.value() || undefined });
      note.sent();
      done(name);
      return answer;
    },
  });
  if (quick) ready(name);
  return asked;
}

const start = (work) => move(work, "start", "in_progress", handedBackBySelf(work) ? { why: "start_again" } : { quick: true });

async function reject(work) {
  const reason = reasonField(), note = noteField(work, "reject", { status: "rejected", label: text("note_reporter"), hint: text("note_other") });
  return ask("reject", text("act_reject"), {
    text: text("why_reject"), controls: [reason.el, note.el], danger: true,
    send: async () => {
      const answer = await work.change("/status", { status: "rejected", reason_code: reason.value(), note: note.value() || undefined });
      note.sent();
      done("reject");
      return answer;
    },
  });
}

// Decides an appeal: the verdict of a person replaces the one before.
function judge(work, name, relevant) {
  const note = noteField(work, name, { required: true, label: text(relevant ? "note_staff" : "note_reporter"), status: relevant ? "verified" : "rejected" });
  return ask(name, text("act_" + name.replace("-", "_")), {
    text: text("why_" + name.replace("-", "_")), controls: note.el, danger: !relevant,
    send: async () => {
      const answer = await work.change("/ai-analysis/override", { is_relevant: relevant, note: note.value() });
      note.sent();
      done(name);
      return answer;
    },
  });
}
