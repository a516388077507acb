// What has to be decided or known first about a report: it stands above everything else.
import { h, t, fill, button, moment, count, named } from "./core.js";
import { rights } from "./desk_rights.js";
import { actsOf } from "./desk_acts.js";
import { openFlags, who } from "./desk_log.js";
import { text } from "./desk_text.js";

const words = (value) => h("p", { class: "words", dir: "auto" }, value);

/** What is the last entry of the log among these actions; null for none. */
const last = (log, ...actions) => [...log].reverse().find((e) => actions.includes(e.action)) || null;

/** The dispute that put a report to work again; null if something was decided since. */
export function openDispute({ report: r, log }) {
  const e = r.status === "in_progress" && last(log, "report.status", "report.dispute");
  return e && e.action === "report.dispute" ? e : null;
}

/** The entry of the log by which a report was handed back; null if somebody has it. */
export function handedBack({ report: r, log }) {
  const e = !r.assigned_agency && ["pending", "verified", "in_progress"].includes(r.status) && last(log, "report.hand_back", "report.assign");
  return e && e.action === "report.hand_back" ? e : null;
}

// Somebody says that it is not fixed. The words are a comment, the picture is the newest of its kind since.
function dispute(work) {
  const e = openDispute(work);
  if (!e) return null;
  const said = work.log.find((c) => c.action === "comment.add" && c.at === e.at), box = h("div");
  if (said) work.commentOf(said.to).then((c) => fill(box, c && !c.content_hidden ? words(c.content) : null)).catch(() => {}); // it is among the comments, too
  const fixed = [...work.log].reverse().find((x) => x.at <= e.at && x.to === "fixed"); // a picture may be sent before the words
  const picture = [...work.report.images].reverse().find((i) => i.kind === "dispute" && i.image_url && !i.hidden && (!fixed || i.created_at >= fixed.at));
  return h("div", { class: "note bad", data: { testid: "disputed" } }, h("strong", {}, text("disputed", { at: moment(e.at) })), box,
    picture ? h("img", { class: "small", src: picture.thumbnail_url || picture.image_url, alt: text("picture_dispute"), width: picture.width, height: picture.height }) : null);
}

function back(work) {
  const e = handedBack(work);
  if (!e) return null;
  const suggested = e.to && work.agencies.find((a) => a.id === e.to.suggested_agency_id);
  return h("div", { class: "note", data: { testid: "handed-back" } }, h("strong", {}, text("handed_back", { who: who(e, work.user), at: moment(e.at) })), e.note ? words(e.note) : null,
    suggested ? h("p", {}, text("agency_suggested") + ": " + named(suggested)) : null);
}

// An appeal with the two ways to decide it.
function appeal(work) {
  const { report: r } = work, open = rights(work).appeal;
  if (!r.appeal) return null;
  return h("div", { class: "note", data: { testid: "appeal" } }, h("strong", {}, text(open ? "appeal_open" : "appeal_decided", { at: moment(r.appeal.at) })), words(r.appeal.reason),
    h("div", { class: "actions acts" }, actsOf(work).filter((a) => a.appeal).map((a) => button(text("act_" + a.name), a.act, { class: a.main ? "main" : "danger", data: { testid: a.name } }))));
}

/** All of them, the most urgent first. */
export function noticesOf(work) {
  const { report: r, log } = work, flags = openFlags(log);
  return [
    r.removed && r.removed.status !== "rejected" ? h("p", { class: "note bad" }, text("removed_" + r.removed.status, { at: moment(r.removed.removed_at) })) : null,
    r.status === "rejected" && r.rejection_reason ? h("p", { class: "note bad", dir: "auto" }, text("rejected_because") + " " + r.rejection_reason) : null,
    appeal(work), dispute(work), back(work),
    flags.length ? h("div", { class: "note bad", data: { testid: "flags" } }, h("strong", {}, count("desk_report.flags", flags.length)),
      h("ul", {}, flags.map((f) => h("li", {}, t("label.reason." + f.to.reason_code) + (f.actor.full_name ? " (" + f.actor.full_name + ")" : ""), f.note ? words(f.note) : null)))) : null,
    r.duplicate_of ? h("p", { class: "note" }, text("duplicate_of") + " ", h("a", { href: "/r/" + r.duplicate_of.report_number }, r.duplicate_of.report_number)) : null,
  ];
}
