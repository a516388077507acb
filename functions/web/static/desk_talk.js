// What people write about a report: notes for staff, and comments, which are public.
import { h, fill, t, form, field, button, moment, toast, newID } from "./core.js";
import { staffApi } from "./sign_in.js";
import { drafts, keep } from "./desk_drafts.js";
import { hide, plain } from "./desk_hide.js";
import { rights } from "./desk_rights.js";
import { openFlags } from "./desk_log.js";
import { text, known } from "./desk_text.js";

const by = (author) => (author ? author.full_name + (author.role === "citizen" ? "" : " (" + known("role_" + author.role, author.role) + ")") : text("somebody"));
const pageSize = 50;

// A form that adds a text. The same text is added once, also when the answer was lost and it is sent again.
function adding(work, name, label, hint, most, send) {
  const area = keep(h("textarea", { name: "content", rows: "3", dir: "auto", required: true, maxlength: most, data: { testid: "add-" + name } }), work.report.id, name);
  let sent = { content: "", key: "" };
  return form("add-" + name + "-send", text("add_" + name), field(label, area, hint), async () => {
    const content = area.value.trim();
    if (sent.content !== content) sent = { content, key: newID() };
    await send(content, sent.key);
    sent = { content: "", key: "" };
    area.value = "";
    drafts.clear(work.report.id, name);
    toast(text("done_" + name));
  });
}

/** The notes, oldest first, with a form. The form stays as it is when the list is read again. */
export function notes(work) {
  const list = h("ul", { class: "plain talk", data: { testid: "notes" } });
  const read = async () => {
    const all = await staffApi("GET", "/reports/" + work.report.id + "/notes");
    fill(list, all.map((n) => h("li", {}, h("p", { class: "soft" }, moment(n.created_at) + " · " + by(n.author)), h("p", { class: "words", dir: "auto" }, n.content))));
    if (!all.length) fill(list, h("li", { class: "soft" }, text("no_notes")));
  };
  const add = rights(work).any ? adding(work, "note", text("note_new"), text("note_new_hint"), "2000", async (content, key) => {
    await staffApi("POST", "/reports/" + work.report.id + "/notes", { body: { content }, headers: { "Idempotency-Key": key } });
    await read();
  }) : null;
  return { el: [list, add], read };
}

/** The comments, oldest first, with a form and what moderators do with each. */
export function comments(work) {
  const list = h("ul", { class: "plain talk", data: { testid: "comments" } });
  let shown = 1;
  const more = button(t("common.more"), async () => { shown++; await read(); });
  more.hidden = true;
  const read = async () => {
    const items = [];
    let answer;
    for (let page = 1; page <= shown; page++) {
      answer = await staffApi("GET", "/reports/" + work.report.id + "/comments?page=" + page + "&page_size=" + pageSize);
      items.push(...answer.items);
    }
    more.hidden = !answer.has_next;
    fill(list, items.length ? items.map((c) => comment(work, c, read)) : h("li", { class: "soft" }, text("no_comments")));
  };
  const add = rights(work).any ? adding(work, "comment", text("comment_new"), text("comment_new_hint"), "1000", async (content, key) => {
    await staffApi("POST", "/reports/" + work.report.id + "/comments", { body: { content }, headers: { "Idempotency-Key": key } });
    await read();
  }) : null;
  return { el: [list, more, add], read };
}

function comment(work, c, read) {
  const path = "/comments/" + c.id, flags = openFlags(work.log, c.id);
  // An action that was sent answers; one that was dismissed does not.
  const then = (asked) => asked.then((sent) => (sent ? read() : null));
  return h("li", {}, h("p", { class: "soft" }, moment(c.created_at) + " · " + by(c.author)), h("p", { class: "words", dir: "auto" }, c.content),
    c.content_hidden ? h("p", { class: "note bad" }, text("comment_hidden")) : null,
    flags.map((f) => h("p", { class: "note bad" }, text("comment_flag", { reason: t("label.reason." + f.to.reason_code) }), f.note ? h("span", { class: "words", dir: "auto" }, " " + f.note) : null)),
    rights(work).moderates ? h("div", { class: "actions" },
      c.content_hidden ? null : button(text("hide"), () => then(hide(work, path + "/hide", "comment")), { data: { testid: "hide" } }),
      c.content_hidden ? button(text("show"), () => then(plain(work, "show", path + "/unhide")), { data: { testid: "show" } }) : null,
      flags.length ? button(text("act_dismiss"), () => then(plain(work, "dismiss", path + "/flags/dismiss")), { data: { testid: "dismiss" } }) : null) : null);
}
