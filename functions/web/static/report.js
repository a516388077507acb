// The page of a report: following, confirming, disputing, flagging, sharing. What the page shows to everybody, the server has
// rendered. Signing in, the reporter's own things and the proof are loaded when they are needed.
import { $, $$, fill, h, t, count, api, session, button, busy, field, ask, dialog, toast, later, data } from "./core.js";
import { flag, noteField, personally, forgetPage } from "./report_flag.js";
import { comments } from "./report_comments.js";
import { showNow, missedComments } from "./report_fresh.js";

const path = "/reports/" + data.number;
const open = ["pending", "verified", "in_progress"];
let seen = null; // the report as the person who is signed in sees it

async function follow() {
  await personally(t("act.why_follow"), async (asUser) => {
    const on = !(seen && seen.following);
    const { following } = await asUser(() => api(on ? "POST" : "DELETE", path + "/follow"));
    data.followers += following === Boolean(seen && seen.following) ? 0 : following ? 1 : -1;
    seen = { ...seen, following };
    toast(t(following ? "act.followed" : "act.unfollowed"));
  });
}

async function confirm() {
  await personally(t("act.why_confirm"), async (asUser) => {
    const [note, noted] = noteField(t("act.comment_hint"));
    const answer = await ask("confirm", t("act.confirm"), { text: t("act.confirm_text"), controls: data.pending ? [] : [noted],
      send: () => asUser(() => api("POST", path + "/confirm", { body: note.value.trim() ? { note: note.value } : {} })) });
    if (!answer) return;
    data.confirmations = answer.confirmations_count;
    if (!seen || !seen.following) data.followers++;
    seen = { ...seen, confirmed: true, following: true };
    if (answer.comment_id) comments.add({ id: answer.comment_id, author: session.user, content: note.value.trim(), created_at: new Date().toISOString() });
    toast(t("act.confirm_done"));
  });
}

async function dispute() {
  await personally(t("act.why_dispute"), async () => {
    const actions = await later(import("./report_actions.js"));
    const changed = await actions.dispute(data.number);
    if (!changed) return;
    if (changed.comment) {
      comments.add(changed.comment);
      toast(t("act.comment_done"));
    } else {
      seen = changed;
      showNow(changed);
      await missedComments(changed);
    }
  });
}

async function share() {
  if (navigator.share) {
    try {
      return await navigator.share({ title: data.title, url: data.link });
    } catch (e) {
      if (e.name === "AbortError") return undefined; // the person changed their mind
    }
  }
  try {
    await navigator.clipboard.writeText(data.link);
    return toast(t("act.copied"));
  } catch {
    const link = h("input", { readonly: true, value: data.link, onfocus: () => link.select() });
    return dialog(t("act.share"), (close) => [field(t("act.link"), link), h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close() }, t("common.close")))]);
  }
}

// Prints the page with all its pictures: those that were not in view yet are loaded first, for ten seconds at most.
async function print() {
  const pictures = $$("main img").map((img) => {
    img.loading = "eager";
    return img.decode().catch(() => {}); // one that cannot be loaded is left out
  });
  await Promise.race([Promise.all(pictures), new Promise((resolve) => setTimeout(resolve, 10000))]);
  window.print();
}

// What the page shows again when it is drawn anew. A click is lost if its button is replaced between press and release.
const made = new Map();
const kept = (key, make) => made.get(key) || made.set(key, make()).get(key);

// A button of the page. Afterwards the buttons are drawn anew, and the focus is where it was.
const action = (testid, label, act, props = {}) => kept(testid + " " + label, () => button(label, async () => {
  try {
    await act();
    forgetPage();
  } finally {
    setTimeout(() => {
      draw();
      const again = $(`[data-testid="${testid}"]`);
      if (again && (!document.activeElement || document.activeElement === document.body)) again.focus();
    });
  }
}, { ...props, data: { testid } }));

// Staff go on at the desk.
const atDesk = () => session.user && session.user.role !== "citizen" && kept("at-desk", () => h("a", { class: "button", href: "/desk?report=" + encodeURIComponent(data.number), data: { testid: "at-desk" } }, t("act.at_desk")));
const ownActions = h("span", { id: "own-actions" });

const own = () => Boolean(seen && seen.reporter && session.user && seen.reporter.id === session.user.id);

// Draws what the person who is signed in, or a visitor, may do now.
function draw() {
  fill($("#yours"), own() ? h("a", { class: "status", href: "/me" }, t("act.yours")) : null);
  if (data.removed) {
    fill($("#actions"), atDesk(), ownActions);
    return;
  }
  const mine = own(), r = seen || {};
  fill($("#people"), [data.confirmations && count("act.confirmations", data.confirmations), data.followers && count("act.followers", data.followers), data.duplicates].filter(Boolean).join(" "));
  fill($("#actions"),
    data.status === "fixed" && action("dispute", t("actions.dispute"), dispute, { class: "main" }),
    open.includes(data.status) && !mine && (r.confirmed ? h("p", { class: "good done", data: { testid: "confirm" } }, "✓ " + t("act.confirmed")) : action("confirm", t("act.confirm"), confirm, { class: "main" })),
    !mine && action("follow", t(r.following ? "act.unfollow" : "act.follow"), follow),
    !mine && action("flag", t("act.flag"), () => flag(path), { class: "link" }),
    atDesk(), ownActions);
  comments.draw(!data.pending || Boolean(seen && !seen.content_pending));
}

// Reads the report for whoever is signed in now, and adds what is theirs.
let known;
session.watch(async (user) => {
  const id = user ? user.id : null;
  if (id === known) return;
  known = id;
  fill($("#own"));
  fill(ownActions);
  seen = user ? await api("GET", path).catch(() => null) : null; // without a connection the page stays that of a visitor
  if (seen && !data.removed) {
    showNow(seen);
    missedComments(seen).catch(() => {});
  }
  draw();
  if (own()) later(import("./report_own.js")).then(({ showOwn }) => showOwn(seen), () => {});
});

session.resume().catch(() => {});
if ($("#share")) fill($("#share"), button(t("act.share"), share, { data: { testid: "share" } }), button(t("act.print"), print, { data: { testid: "print" } }));
const verify = $("#verify");
verify.addEventListener("click", () => busy(verify, async () => (await later(import("./proof.js"))).comparePage()));
