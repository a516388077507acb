// The page of a person: sign-in, and parts that have addresses (#reports, #alerts, #notifications, #account), so that the back
// button works. #reports/<number> shows one report.
import { $, $$, h, fill, t, api, session, button, wordsOf, started } from "./core.js";
import { signInByCode } from "./sign_in.js";
import * as reports from "./me_reports.js";

// Each part has make(user, page), which returns {el, show(rest of the address)}.
const parts = {
  reports: async () => reports,
  alerts: () => import("./me_alerts.js"),
  notifications: () => import("./me_notifications.js"),
  account: () => Promise.all([import("./me_account.js"), import("./me_security.js"), import("./me_data.js")]).then(([account]) => account),
};
const heading = $("h1"), tabs = $("#tabs"), door = $("#door"), view = $("#view"), badge = $("#unread");
const made = new Map(); // the parts that were opened, by name
let owner = ""; // the id of the person whose parts these are
let typed = false; // something was typed into them

const page = {
  /** Shows the number of unread notifications at their tab. */
  unread(n) {
    badge.textContent = n > 99 ? "99+" : n || "";
    badge.hidden = !n;
    badge.setAttribute("aria-label", t("me.unread", { n }));
  },
  /** Nothing typed needs to be kept any more. */
  saved() { typed = false; },
  /** The account is gone: shows only this text. */
  async leave(text) {
    drop();
    owner = "";
    await session.end().catch(() => session.take(null));
    fill(door, h("p", { class: "note good", role: "status" }, text), h("p", {}, h("a", { href: "/" }, t("me.to_start"))));
  },
};

function drop() {
  made.clear();
  typed = false;
  fill(view);
}

const address = () => {
  const [name, rest = ""] = location.hash.slice(1).split("/");
  return [Object.keys(parts).includes(name) ? name : "reports", rest];
};

// Shows the part that the address names.
async function go(moved) {
  const [name, rest] = address();
  heading.textContent = t("me.part_" + name);
  document.title = heading.textContent + " · LafaekStreet";
  for (const link of $$("a", tabs)) link.hash === "#" + name ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  for (const part of made.values()) part.el.hidden = true;
  if (!made.has(name)) {
    const before = owner;
    let part;
    try {
      part = await parts[name]();
    } catch {
      if (address()[0] === name) fill(view, h("p", { class: "note bad", role: "alert" }, t("common.updated")));
      return;
    }
    if (owner !== before || made.has(name) || address()[0] !== name) return;
    made.set(name, part.make(session.user, page));
    view.append(made.get(name).el);
  }
  made.get(name).el.hidden = false;
  made.get(name).show(rest);
  if (moved) heading.focus();
}

const countUnread = () => api("GET", "/notifications/unread-count").then((n) => page.unread(n.unread_count), () => {});

// Shows the page of the person who is signed in now, or the sign-in. What somebody typed is kept while they sign in again.
function meet(user) {
  const going = !view.hidden && user && user.id === owner;
  tabs.hidden = view.hidden = !user;
  door.hidden = Boolean(user);
  if (!user) {
    if (!typed && !$(".dialog")) drop();
    heading.textContent = t("me.title");
    fill(door, signInByCode(() => {}, typed ? t("common.signed_out") : t("me.why_sign_in")), h("p", { class: "soft" }, t("me.staff_sign_in") + " ", h("a", { href: "/desk" }, t("common.nav_desk"))));
    return;
  }
  if (going) return; // the access token was renewed
  if (user.id !== owner) drop();
  owner = user.id;
  go(false);
  countUnread();
}

async function start() {
  fill(door, h("p", { role: "status" }, t("common.loading")));
  try {
    await session.resume();
  } catch (e) {
    fill(door, h("p", { class: "note bad", role: "alert" }, wordsOf(e)), button(t("common.try_again"), start));
    return;
  }
  session.watch(meet);
}

view.addEventListener("input", (e) => { if (e.target.closest("form")) typed = true; });
window.addEventListener("hashchange", () => { if (session.user) go(true); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && session.user) countUnread(); });
start();
started();
