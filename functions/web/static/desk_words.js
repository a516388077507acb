// The words of a report, what has to be decided about it, and what may be the same.
import { h, t, button, status, moment, count, later } from "./core.js";
import { hide, plain } from "./desk_hide.js";
import { rights } from "./desk_rights.js";
import { duplicate } from "./desk_acts.js";
import { openFlags } from "./desk_log.js";
import { text, alike } from "./desk_text.js";

const words = (value) => h("p", { class: "words", dir: "auto" }, value);

/** The words, with those of before where a moderator changed them, and the buttons that hide and show them. */
export function wordsOf(work) {
  const r = work.report, hidden = r.words_hidden, original = r.original_words;
  return [
    hidden ? h("p", { class: "note bad" }, text(hidden.by === "flags" ? "words_flagged" : "words_hidden", { reason: t("label.reason." + hidden.reason_code) })) : null,
    r.description ? words(r.description) : h("p", { class: "soft" }, text("no_words")),
    original ? h("details", {}, h("summary", {}, text("original")), h("p", { dir: "auto" }, h("strong", {}, original.title || t("label.issue_type." + original.issue_type))), words(original.description)) : null,
    rights(work).moderates ? h("div", { class: "actions" },
      !hidden || hidden.by === "flags" ? button(text("hide"), () => hide(work, "/hide", "words"), { data: { testid: "hide" } }) : null,
      hidden ? button(text("show"), () => plain(work, "show", "/unhide"), { data: { testid: "show" } }) : null) : null,
  ];
}

/** What has to be decided or known first: an appeal, flags, why it was rejected or taken down. */
export function noticesOf(work) {
  const { report: r, log } = work, flags = openFlags(log);
  return [
    r.removed && r.removed.status !== "rejected" ? h("p", { class: "note bad" }, text("removed_" + r.removed.status, { at: moment(r.removed.removed_at) })) : null,
    r.status === "rejected" && r.rejection_reason ? h("p", { class: "note bad", dir: "auto" }, text("rejected_because") + " " + r.rejection_reason) : null,
    r.appeal ? h("div", { class: "note", data: { testid: "appeal" } }, h("strong", {}, text(rights(work).appeal ? "appeal_open" : "appeal_decided", { at: moment(r.appeal.at) })), words(r.appeal.reason)) : null,
    flags.length ? h("div", { class: "note bad", data: { testid: "flags" } }, h("strong", {}, count("desk_report.flags", flags.length)),
      h("ul", {}, flags.map((f) => h("li", {}, t("label.reason." + f.to.reason_code) + (f.actor.full_name ? " (" + f.actor.full_name + ")" : ""), f.note ? words(f.note) : null)))) : null,
    r.duplicate_of ? h("p", { class: "note" }, text("duplicate_of") + " ", h("a", { href: "/r/" + r.duplicate_of.report_number }, r.duplicate_of.report_number)) : null,
  ];
}

/** The possible duplicates, each with a look at both. */
export function duplicatesOf(work) {
  const { possible_duplicates: all, status: now } = work.report;
  const may = rights(work).any && (now === "pending" || now === "verified");
  return h("ul", { class: "rows" }, all.map((c) => h("li", { class: "candidate" }, h("span", {}, c.report_number, " ", status(c.status), h("span", { class: "soft" }, " " + alike(c))),
    button(text("compare"), async () => {
      const { compare } = await later(import("./desk_compare.js"));
      await compare(work, c, may && c.status !== "duplicate" ? (number) => duplicate(work, number) : null);
    }, { data: { testid: "compare" }, "aria-label": text("compare") + " " + c.report_number }))));
}
