// The log of a report in words: who did what.
import { h, t, moment, named } from "./core.js";
import { text, known } from "./desk_text.js";

/** Says who did it: the name, with role and agency, or "you". */
export function who(entry, user) {
  const { id, full_name: name, role, agency } = entry.actor;
  if (id && id === user.id) return text("you");
  const as = known("role_" + role, role) + (agency ? ", " + agency : "");
  return name ? name + " (" + as + ")" : as;
}

// The name of an agency of the desk; "" for one that is not there any more.
const agencyName = (id, desk) => desk.agencies.filter((a) => a.id === id).map(named)[0] || "";
const statusOf = (value) => (typeof value === "string" ? t("label.status." + value) : "");

// The words of single members of "to". What is not here is named without its value.
const members = {
  agency_id: agencyName,
  suggested_agency_id: agencyName,
  user_id: (id, desk) => desk.agencies.flatMap((a) => a.people).filter((p) => p.id === id).map((p) => p.full_name)[0],
  due_at: (at) => at && moment(at),
  reason_code: (code) => t("label.reason." + code),
  severity: (value) => t("label.severity." + value),
  issue_type: (value) => t("label.issue_type." + value),
};
const unsaid = ["note", "hidden", "comment_id", "image_id", "why", "ai_status", "boxes", "version"];

// What changed, as far as it is more than the action.
function details(entry, desk) {
  const { to, action } = entry;
  if (!to || typeof to !== "object" || action === "report.create") return "";
  return Object.keys(to).filter((name) => !unsaid.includes(name) && to[name] !== null).map((name) => {
    const value = members[name] ? members[name](to[name], desk) : "";
    const label = known("member_" + name, "");
    return value && label ? label + ": " + value : value || label;
  }).filter(Boolean).join(", ");
}

/** Says what was done. desk has user and agencies. */
export function what(entry, desk) {
  const action = known("did_" + entry.action.replace(".", "_"), entry.action, { to: statusOf(entry.to) });
  const more = details(entry, desk);
  return more ? action + " (" + more + ")" : action;
}

/** Says in one sentence who did what, and when. */
export const sentence = (entry, desk) => who(entry, desk.user) + ": " + what(entry, desk) + ", " + moment(entry.at).slice(-5);

/** Returns an entry as an item of a list. */
export const item = (entry, desk) => h("li", {}, h("p", { class: "soft" }, moment(entry.at) + " · " + who(entry, desk.user)), h("p", {}, what(entry, desk)),
  entry.note ? h("p", { class: "words", dir: "auto" }, entry.note) : null);

/** Returns the person to whom a report is assigned, of the answer of GET /staff/agencies; null for nobody. */
export function assignee(log, agencies) {
  let id = null;
  for (const { action, to } of log) {
    if (action === "report.hand_back") id = null;
    if (action === "report.assign" && to && "user_id" in to) id = to.user_id;
  }
  return agencies.flatMap((a) => a.people).find((p) => p.id === id) || null;
}

/** Returns the flags that nobody has decided about, of the report or of one of its comments. */
export const openFlags = (log, comment = null) => log.filter(({ action, to }) => (action === "report.flag" || action === "comment.flag") && to && !to.outcome && (to.comment_id || null) === comment);
