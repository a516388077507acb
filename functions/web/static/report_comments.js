// The comments on the page of a report: further ones, writing one, and flagging one.
import { $, $$, fill, h, t, api, button, field, form, toast, textArea, moment, newID, data, session } from "./core.js";
import { flag, personally, forgetPage } from "./report_flag.js";

const path = "/reports/" + data.number + "/comments";
const list = $("#comments");

// A draft outlasts a reload and the way back to the page, in this tab.
const key = "comment:" + data.number;
const draft = {
  read() { try { return sessionStorage.getItem(key) || ""; } catch { return ""; } },
  keep(text) { try { text ? sessionStorage.setItem(key, text) : sessionStorage.removeItem(key); } catch { /* storage is switched off */ } },
};

const flagButton = (id) => button(t("act.flag_comment"), () => flag(path + "/" + id), { class: "link flag no-print", data: { testid: "flag-comment" } });

// A comment, as comment in report_parts.go makes it.
function item(c) {
  const official = c.author && c.author.is_official;
  return h("li", { data: { comment: c.id } },
    h("p", { class: "by" }, h("strong", { dir: "auto" }, (c.author && c.author.full_name) || t("act.somebody")), official ? [" ", h("span", { class: "status verified" }, t("act.by_" + c.author.role))] : null,
      " ", h("span", { class: "soft" }, h("time", { datetime: c.created_at }, moment(c.created_at)))),
    h("p", { class: "words", dir: "auto" }, c.content));
}

const there = (id) => list.querySelector(`[data-comment="${CSS.escape(id)}"]`);

let page = 1;
async function more(by) {
  const answer = await api("GET", `/public${path}?page=${++page}&page_size=20`).catch((e) => { page--; throw e; });
  const fresh = answer.items.filter((c) => !c.content_hidden && !there(c.id)).map(item);
  list.append(...fresh);
  for (const li of fresh) addFlag(li);
  if (!answer.has_next) by.remove();
  if (fresh.length) {
    fresh[0].setAttribute("tabindex", "-1");
    fresh[0].focus();
  }
}

const addFlag = (li) => { if (!$(".flag", li)) li.append(flagButton(li.dataset.comment)); };

let client = newID();
const text = list && textArea("comment-text", { name: "content", rows: "3", maxlength: "1000", required: true, value: draft.read(), oninput: () => draft.keep(text.value) });
async function send() {
  await personally(t("act.why_comment"), async (asUser) => {
    const c = await asUser(() => api("POST", path, { body: { content: text.value, client_id: client } }));
    client = newID();
    text.value = "";
    draft.keep("");
    comments.add(c);
    forgetPage();
    toast(t("act.comment_done"));
  });
}

let writing = false;
export const comments = {
  /** Puts a new comment of this person at the end. */
  add(c) {
    if (!c.author || !c.author.full_name) c.author = session.user;
    if (there(c.id)) return;
    const none = $("#no-comments");
    if (none) none.remove();
    list.append(item(c));
  },
  /** Shows the form to whoever may write, and a button at each comment that tells a moderator. */
  draw(mayWrite) {
    if (mayWrite && !writing) fill($("#comment-form"), form("comment", t("common.send"), [field(t("act.comment"), text, t("act.comment_hint"))], send));
    writing = mayWrite;
    if (!mayWrite) fill($("#comment-form"));
  },
};

if (list) {
  for (const li of $$("li", list)) addFlag(li);
  if (data.commented > 20) {
    const by = button(t("common.more"), () => more(by), { data: { testid: "more-comments" } });
    list.after(h("p", { class: "no-print" }, by));
  }
}
