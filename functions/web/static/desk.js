// The desk of staff: who is signed in, the queues, and the open report beside or over the list.
import { $, h, fill, t, later, session, button, dialog, complain, toast, wordsOf, named, started } from "./core.js";
import { signInByPassword, staffApi } from "./sign_in.js";
import { addressOf, kinds, readAddress } from "./desk_address.js";
import { makeList } from "./desk_list.js";
import { makeFilters } from "./desk_filters.js";
import { makeBulk } from "./desk_bulk.js";
import { listenToKeys, showKeys } from "./desk_keys.js";

const view = $("#view");
const checkEvery = 60000; // milliseconds between questions whether the queue has changed
const wide = window.matchMedia("(min-width: 64rem)");

// The claims of the access token say whether the session passed a second factor.
function passedSecondFactor() {
  try {
    return JSON.parse(atob(session.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).mfa === true;
  } catch { return true; }
}

function showSignIn(text = "") {
  fill(view, h("div", { class: "card door" }, h("h2", {}, t("common.sign_in")), h("p", {}, text || t("desk.for_staff")), signInByPassword(begin)),
    h("p", { class: "soft door" }, t("desk.citizens"), " ", h("a", { href: "/report" }, t("common.nav_report")), h("br"), t("desk.for_admins"), " ", h("a", { href: "/admin", data: { testid: "to-admin" } }, t("desk.to_admin"))));
}

function showNotStaff(user) {
  fill(view, h("div", { class: "card door" }, h("h2", { tabindex: "-1" }, t("desk.not_staff")), h("p", {}, t("desk.not_staff_text", { email: user.email })),
    h("div", { class: "actions" }, h("a", { class: "button main", href: "/me" }, t("common.nav_me")), button(t("desk.other_account"), async () => {
      await session.end();
      showSignIn();
    }))));
}

function begin(user) {
  if (user.role === "citizen") showNotStaff(user);
  else openDesk(user);
}

function openDesk(user) {
  const desk = {
    user,
    /** The agency of an official; null for others. */
    agency: null,
    agencies: [], templates: [], municipalities: [],
    state: readAddress(user.role === "government_official" ? "assigned" : "new"),
    /** What the keys do with the open report; see desk_report.js. */
    keys: {}, pending: null,
    /** Called when the list has other reports; see desk_area.js. */
    onList() {},
    filtered: () => Object.keys(desk.state.filters).some((name) => name !== "sort" && name !== "order"),
    clearButton: () => (desk.filtered() ? button(t("desk.clear"), () => go({ filters: {} })) : null),
    selectionChanged: (reports) => bulk.show(reports),
    beside: () => wide.matches,
    showCounts, open, close, reopen,
    async sheet(numbers) { (await later(import("./desk_sheet.js"))).openSheet(numbers); },
  };
  let handle = null, scrolled = 0, leaving = false;
  const list = (desk.list = makeList(desk));
  const filters = (desk.filters = makeFilters(desk, (chosen) => go({ filters: chosen })));
  const bulk = makeBulk(desk);
  const pane = h("section", { class: "report", tabindex: "-1", "aria-label": t("desk.report"), data: { testid: "report" } });
  const area = h("section", { class: "area", "aria-label": t("desk.map"), hidden: true });
  const work = h("div", { class: "work" }, h("div", { class: "left" }, list.element, bulk.element), pane);
  const tabs = kinds.map((kind) => h("a", { data: { testid: "queue-" + kind }, onclick: (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    go({ kind, filters: keepAcross(desk.state.filters) });
  } }, t("desk.queue_" + kind), " ", h("span", { class: "n" })));
  const today = h("a", { class: "soft", hidden: true, onclick: (e) => { e.preventDefault(); go(dueToday()); } });

  // Choices that hold for every queue. Words that somebody looked for belong to one queue.
  function keepAcross(f) {
    const out = {};
    for (const name of ["agency", "municipality", "issue_type"]) if (f[name]) out[name] = f[name];
    return out;
  }

  function dueToday() {
    const tomorrow = new Date(Date.now() + 33 * 3600e3).toISOString().slice(0, 10); // in Dili, UTC+9
    return { kind: "assigned", filters: { ...keepAcross(desk.state.filters), due_before: tomorrow, sort: "due_at" } };
  }

  function showCounts(counts) {
    for (const [i, kind] of kinds.entries()) $(".n", tabs[i]).textContent = counts[kind] >= 10000 ? "10 000+" : counts[kind];
    today.hidden = counts.due_today === 0;
    today.textContent = t("desk.due_today", { n: counts.due_today + counts.overdue });
  }

  function showState() {
    for (const [i, kind] of kinds.entries()) {
      tabs[i].href = addressOf({ kind, filters: keepAcross(desk.state.filters) });
      tabs[i][kind === desk.state.kind ? "setAttribute" : "removeAttribute"]("aria-current", "page");
    }
    today.href = addressOf(dueToday());
    document.title = t("desk.queue_" + desk.state.kind) + " · LafaekStreet";
    filters.build();
  }

  // Asks before something typed is lost.
  async function mayLeave() {
    if (!handle || !handle.dirty()) return true;
    return Boolean(await dialog(t("desk.unsaved"), (done) => [h("p", {}, t("desk.unsaved_text")),
      h("div", { class: "actions" }, h("button", { type: "button", class: "main", onclick: () => done(false) }, t("desk.stay")),
        h("button", { type: "button", class: "danger", data: { testid: "leave-send" }, onclick: () => done(true) }, t("desk.leave")))]));
  }

  // Goes to another queue or other filters.
  async function go(changes) {
    if (!(await mayLeave())) return;
    drop();
    Object.assign(desk.state, changes, { report: "" });
    history.pushState({}, "", addressOf(desk.state));
    showState();
    list.clearMarks();
    await list.reload();
  }

  // Ends the report that is shown, without a change of the address.
  function drop() {
    if (handle) handle.close();
    handle = null;
    [desk.keys, desk.state.report] = [{}, ""];
    const was = document.body.classList.contains("reading");
    document.body.classList.remove("reading");
    fill(pane, h("p", { class: "soft" }, t("desk.choose"), " ", h("span", { class: "fine" }, t("desk.choose_keys"))));
    list.current("");
    if (was && !wide.matches) window.scrollTo(0, scrolled);
  }

  // Shows a report. stay: the focus stays in the list.
  async function open(number, { stay = false, address = true } = {}) {
    if (handle && desk.state.report === number) {
      if (!stay) pane.focus();
      return;
    }
    if (!(await mayLeave())) {
      desk.pending = null;
      return;
    }
    if (desk.pending && desk.pending.number !== number) desk.pending = null; // the key was for another report
    const first = !desk.state.report;
    if (first) scrolled = window.scrollY;
    drop();
    desk.state.report = number;
    // opened: the entry before this one is the list.
    if (address && first) history.pushState({ opened: true }, "", addressOf(desk.state));
    else if (address) history.replaceState(history.state, "", addressOf(desk.state));
    document.body.classList.add("reading"); // on small screens the report is over the list
    list.current(number);
    fit();
    const container = h("div", { class: "opened" }, h("p", { role: "status" }, t("common.loading")));
    fill(pane, h("div", { class: "back no-print" }, h("button", { type: "button", data: { testid: "back" }, onclick: close }, t("desk.back"))), container);
    if (!stay) {
      if (!wide.matches) window.scrollTo(0, 0);
      pane.focus({ preventScroll: true });
    }
    try {
      const [report] = await Promise.all([later(import("./desk_report.js")), desk.lists]);
      if (desk.state.report !== number) return;
      handle = report.openReport(container, number, { user, agencies: desk.agencies, templates: desk.templates, onClose: close, onChange: changed, register,
        next: () => { const after = list.next(number, 1); return after && after !== number ? () => open(after) : null; } });
    } catch (e) {
      if (desk.state.report === number) fill(container, h("div", { class: "note bad" }, h("p", { role: "alert" }, e.message), h("div", { class: "actions" }, button(t("common.try_again"), () => location.reload()))));
    }
  }

  function register(keys) {
    desk.keys = keys;
    if (!desk.pending || !Object.keys(keys).length) return; // it is not there yet
    const { key } = desk.pending;
    desk.pending = null;
    keys[key] ? keys[key]() : toast(t("desk.key_not_now"));
  }

  function changed(report) {
    list.replace(report);
    list.check().catch(() => {});
  }

  // Shows the open report anew if it is among those that were changed by others' hands: by a bulk change.
  function reopen(reports) {
    const number = desk.state.report;
    if (!number || !reports.some((r) => r.report_number === number) || handle && handle.dirty()) return;
    drop();
    open(number, { stay: true, address: false });
  }

  async function close() {
    const number = desk.state.report;
    if (!number || !(await mayLeave())) return;
    drop();
    if (history.state && history.state.opened) history.back();
    else history.replaceState({}, "", addressOf(desk.state));
    list.focus(number);
  }

  async function follow() {
    const to = readAddress(desk.state.kind);
    if (!(await mayLeave())) {
      history.pushState({ opened: true }, "", addressOf(desk.state));
      return;
    }
    const same = addressOf({ ...to, report: "" }) === addressOf({ ...desk.state, report: "" });
    const was = desk.state.report;
    if (to.report !== was || !same) drop();
    Object.assign(desk.state, to, { report: "" });
    showState();
    if (!same) {
      list.clearMarks();
      await list.reload();
    }
    if (to.report) open(to.report, { address: false });
    else if (was) list.focus(was);
  }

  async function readLists() {
    const templates = async () => {
      for (let page = 1, answer = { has_next: true }; answer.has_next; page++) {
        answer = await staffApi("GET", "/staff/templates?page_size=100&page=" + page);
        desk.templates.push(...answer.items);
      }
    };
    const agencies = async () => {
      desk.agencies.push(...(await staffApi("GET", "/staff/agencies")));
      if (user.role === "government_official") desk.agency = desk.agencies.find((a) => a.people.some((p) => p.id === user.id)) || null;
      filters.build();
      showWho();
    };
    await Promise.all([agencies(), templates()]);
  }

  // Beside the list the report ends above the edge of the window, so that its actions are in sight.
  const fit = () => { pane.style.maxHeight = wide.matches ? Math.max(320, window.innerHeight - Math.max(8, pane.getBoundingClientRect().top) - 8) + "px" : ""; };

  const who = h("span", {});
  const showWho = () => fill(who, [user.full_name || user.email, t("desk.role_" + user.role), desk.agency && named(desk.agency)].filter(Boolean).join(" · "));

  async function signOut() {
    if (!(await mayLeave())) return;
    handle = null;
    leaving = true;
    await session.end();
    forget();
    location.assign("/desk");
  }

  const forget = () => { try { sessionStorage.clear(); } catch { /* storage is switched off */ } };

  const toMap = button(t("desk.map"), async () => {
    const { openArea } = await later(import("./desk_area.js"));
    area.hidden = !area.hidden;
    toMap.setAttribute("aria-expanded", String(!area.hidden));
    if (!area.hidden) await openArea(area, desk, (bbox) => go({ filters: { ...desk.state.filters, bbox } }));
  }, { "aria-expanded": "false", data: { testid: "map-open" } });

  showWho();
  drop();
  desk.state.report = "";
  fill($("#who"), who, h("div", { class: "actions" },
    user.role !== "admin" ? null : h("a", { class: "button", href: "/admin#templates" }, t("desk.templates")),
    user.role === "admin" ? h("a", { class: "button", href: "/admin" }, t("desk.admin")) : null,
    h("button", { type: "button", onclick: showKeys, class: "fine", data: { testid: "keys" } }, t("desk.keys")), button(t("common.sign_out"), signOut)));
  fill(view, passedSecondFactor() ? null : h("p", { class: "note" }, t("desk.no_second_factor"), " ", h("a", { href: "/me#account" }, t("desk.to_second_factor"))),
  h("nav", { class: "queues no-print", "aria-label": t("desk.queues") }, tabs),
  h("div", { class: "tools no-print" }, filters.element, h("div", { class: "actions" }, today,
    toMap,
    button("CSV", async () => (await later(import("./desk_export.js"))).exportQueue(desk), { title: t("desk.csv"), data: { testid: "csv" } }),
    button(t("desk.refresh"), () => list.reload({ keep: true })))),
  area, work);

  window.addEventListener("scroll", fit, { passive: true });
  window.addEventListener("resize", fit);
  const asked = readAddress(desk.state.kind).report;
  history.replaceState({}, "", addressOf({ ...desk.state, report: asked }));
  showState();
  const ready = list.reload();
  desk.lists = readLists().catch(complain);
  listenToKeys(desk);
  if (asked) ready.then(() => open(asked, { address: false, stay: wide.matches }));

  window.addEventListener("popstate", follow);
  window.addEventListener("beforeunload", (e) => { if (handle && handle.dirty()) { e.preventDefault(); e.returnValue = ""; } });
  const check = () => { if (document.visibilityState === "visible") list.check().catch(() => {}); };
  setInterval(check, checkEvery);
  document.addEventListener("visibilitychange", check);
  session.watch((now) => {
    if (leaving) return;
    if (now && now.id !== user.id) { // a fresh desk for another person
      forget();
      handle = null;
      location.assign("/desk");
    } else if (!now) check(); // it asks to sign in again, above what is open
  });
}

async function start() {
  fill(view, h("p", { role: "status" }, t("common.loading")));
  try {
    const user = await session.resume();
    if (user) begin(user);
    else showSignIn();
  } catch (e) {
    fill(view, h("div", { class: "note bad" }, h("p", { role: "alert" }, wordsOf(e)), h("div", { class: "actions" }, button(t("common.try_again"), start))));
  }
}
start();
started();
