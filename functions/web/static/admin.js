// Administration: the frame. It signs in, shows the sections by their addresses (/admin#people), and asks before something
// that was typed is lost. Each section is a module that is loaded when it is opened.
import { $, h, fill, t, session, later, button, ask, complain, started } from "./core.js";
import { signInByPassword } from "./sign_in.js";
import { address } from "./admin_parts.js";

const sections = {
  people: () => import("./admin_people.js"),
  agencies: () => import("./admin_agencies.js"),
  settings: () => import("./admin_settings.js"),
  templates: () => import("./admin_templates.js"),
  announcements: () => import("./admin_announcements.js"),
  api_keys: () => import("./admin_api_keys.js"),
  webhooks: () => import("./admin_webhooks.js"),
  audit: () => import("./admin_audit.js"),
};
const view = $("#view"), who = $("#who"), nav = $("#sections"), title = document.title;
const at = {
  section: null,  // what show of the section returned: {dirty()}, or nothing
  hash: "",       // the address of what is on the page
  turn: 0,        // counts openings: a slow one must not cover a later one
  leaving: false, // the question is open
};

function trouble(e, again) {
  fill(view, h("p", { class: "note bad", role: "alert" }, e.message), button(t("common.try_again"), again, { class: "main" }));
}

function menu(name) {
  nav.hidden = false;
  fill(nav, Object.keys(sections).map((key) => h("a", { class: "button", href: "#" + key, "aria-current": key === name ? "page" : null }, t("admin." + key))));
}

function signedInAs(user) {
  fill(who, user ? [t("admin.signed_in_as", { name: user.full_name || user.email }), " ", button(t("common.sign_out"), async () => {
    await session.end();
    at.section = null;
    signIn();
  }, { class: "link", data: { testid: "sign-out" } })] : null);
}

/** Leaves the view to one card: no sections. */
function alone(...content) {
  nav.hidden = true;
  signedInAs(null);
  fill(view, h("div", { class: "card narrow" }, content));
}

/** Opens what the address names. */
async function open({ focus = true } = {}) {
  const mine = ++at.turn;
  at.hash = location.hash;
  at.section = null;
  if (at.hash === "#setup" && !session.user) return setUp();
  if (!session.user) return signIn();
  if (session.user.role !== "admin") return notAllowed();
  const to = address(at.hash);
  const name = sections[to.section] ? to.section : "people";
  menu(name);
  signedInAs(session.user);
  document.title = t("admin." + name) + " · " + title;
  fill(view, h("p", { class: "soft", role: "status" }, t("common.loading")));
  const el = h("div");
  try {
    const module = await later(sections[name]());
    const result = await module.show(el, to);
    if (mine !== at.turn) return undefined;
    at.section = result || null;
    fill(view, el);
    const first = $("h2", el);
    if (focus && first) first.focus();
  } catch (e) {
    if (mine !== at.turn) return undefined;
    if (e.code === "second_factor_required") return enroll();
    if (e.status === 401 || !session.user) return signIn();
    trouble(e, open);
  }
  return undefined;
}

function signIn() {
  alone(h("h2", {}, t("common.sign_in")), signInByPassword(() => open(), h("p", {}, h("a", { class: "alone", href: "#setup", data: { testid: "first-setup" } }, t("admin.first_setup")))));
}

function notAllowed() {
  const staff = session.user.role !== "citizen";
  alone(h("h2", {}, t("admin.only_admins")), h("p", {}, t("admin.only_admins_text", { name: session.user.full_name || session.user.email })),
    h("div", { class: "actions" }, h("a", { class: "button main", href: staff ? "/desk" : "/me" }, t(staff ? "admin.to_desk" : "admin.to_me")), button(t("admin.other_account"), async () => {
      await session.end();
      signIn();
    })));
}

async function setUp() {
  nav.hidden = true;
  try {
    const { setUp: show } = await later(import("./admin_setup.js"));
    at.section = show(view, () => { location.hash = "#agencies"; });
  } catch (e) {
    trouble(e, setUp);
  }
}

async function enroll() {
  nav.hidden = true;
  try {
    const { enroll: show } = await later(import("./admin_setup.js"));
    at.section = await show(view, () => open());
  } catch (e) {
    if (e.code !== "second_factor_required") return trouble(e, enroll);
    // The account has a second factor, but this session did not ask for it.
    alone(h("h2", {}, t("common.sign_in")), h("p", {}, t("admin.sign_in_anew")), signInByPassword(() => open()));
  }
  return undefined;
}

const dirty = () => Boolean(at.section && at.section.dirty && at.section.dirty());

addEventListener("hashchange", async () => {
  if (location.hash === at.hash) return;
  if (!dirty()) {
    open();
    return;
  }
  const wanted = location.hash;
  history.pushState(null, "", at.hash || "#people");
  if (at.leaving) return;
  at.leaving = true;
  const leave = await ask("leave", t("admin.leave_title"), { text: t("admin.leave_text"), label: t("admin.leave"), danger: true, send: async () => true });
  at.leaving = false;
  if (!leave) return;
  at.section = null;
  if (location.hash === wanted) open();
  else location.hash = wanted;
});

addEventListener("beforeunload", (e) => {
  if (!dirty()) return;
  e.preventDefault();
  e.returnValue = "";
});

session.resume().catch(complain).then(() => open({ focus: false }));

// What is half done belongs to the person who began it.
let working = "";
session.watch((user) => {
  if (user && working && user.id !== working) location.reload();
  if (user) working = user.id;
});
started();
