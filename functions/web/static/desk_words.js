// The words of a report, and what may be the same.
import { h, t, button, status, later } from "./core.js";
import { hide, plain } from "./desk_hide.js";
import { rights } from "./desk_rights.js";
import { duplicate } from "./desk_same.js";
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
