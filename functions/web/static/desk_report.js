// The open report of the desk: what staff read of it and do with it.
import { h, fill, t, $, button, titleOf, status, place, complain, wordsOf as wordsOfError, later } from "./core.js";
import { Work } from "./desk_work.js";
import { actsOf } from "./desk_acts.js";
import { pictures, hasBoxes } from "./desk_pictures.js";
import { wordsOf, duplicatesOf } from "./desk_words.js";
import { noticesOf } from "./desk_notices.js";
import { factsOf, contactOf, placeOf, aiOf, logOf } from "./desk_facts.js";
import { notes, comments } from "./desk_talk.js";
import { drafts } from "./desk_drafts.js";
import { text } from "./desk_text.js";

const every = 30000; // ms between two looks for changes of others

/**
 * Opens a report in container. ref is its number or id. What it is given:
 *   user       who is signed in
 *   agencies   the answer of GET /staff/agencies
 *   templates  the items of GET /staff/templates
 *   onChange(report)  is called with the report after each change
 *   next()            opens the report after it in the list; null where it is the last one. It is asked at each paint
 *   onClose()         leads back to the list; the desk has a control for it above the report
 *   register(keys)    is called with {v: fn, …}: what the keys V R D A S F H do with this report. A key that the report does not
 *                     take is left out. Each call replaces the one before; the desk forgets the keys when the report is closed.
 * It returns {close(), dirty()}: close ends what runs by itself; dirty says that something typed is not sent yet.
 */
export function openReport(container, ref, { user, agencies, templates, onChange, onClose, next = () => null, register }) {
  let closed = false, view = null;
  drafts.ownedBy(user.id);
  const work = new Work(ref, { user, agencies, templates, changed: onChange, leave: onClose, next, paint: () => {
    if (closed) return;
    view = view || skeleton(container, work);
    view.paint();
    register(keysOf(work, container));
  } });
  const first = () => work.reload().catch((e) => {
    if (!closed) fill(container, h("p", { class: "error", role: "alert" }, wordsOfError(e)), h("div", { class: "actions" }, button(t("common.try_again"), first), button(text("back"), async () => onClose())));
  });
  fill(container, h("p", { class: "soft", role: "status" }, t("common.loading")));
  first();
  const look = () => { if (!document.hidden) work.look(); };
  const timer = setInterval(look, every);
  document.addEventListener("visibilitychange", look);
  return {
    close() {
      closed = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    },
    dirty: () => Boolean(work.report) && (drafts.any(work.report.id) || hasBoxes(work.report)),
  };
}

// H hides the words where the person may do that; officials hand the report back by it.
function keysOf(work, container) {
  const keys = Object.fromEntries(actsOf(work).filter((a) => a.key).map((a) => [a.key, () => a.act().catch(complain)]));
  const hide = $('[data-testid="hide"]', container);
  return hide ? { ...keys, h: () => hide.click() } : keys;
}

const part = (title, ...content) => h("section", { class: "card" }, h("h3", {}, title), content);

// What people write: its colour and its first line say who reads it.
const talking = (who, title, ...content) => h("section", { class: "card for-" + who }, h("h3", {}, title), h("p", { class: "reads" }, text("reads_" + who)), content);

// Makes the places of the report once. paint fills them again; what is typed into the forms below stays.
function skeleton(container, work) {
  const spots = Object.fromEntries(["news", "head", "notices", "words", "pictures", "acts", "facts", "ai", "place", "duplicates", "log", "main"].map((name) => [name, h("div")]));
  spots.news.setAttribute("role", "status");
  const talk = { notes: notes(work), comments: comments(work) };
  let shownPlace = "";
  const duplicates = part(text("duplicates"), spots.duplicates);
  const bar = h("section", { class: "acts main-acts", "aria-label": text("acts") }, spots.main), beneath = window.matchMedia("(min-width: 40rem)").matches; // it stays in sight
  fill(container, h("article", { class: "open-report", data: { testid: "open-report" } }, h("div", { class: "open-body" }, spots.news, spots.head, spots.notices,
    h("div", { class: "open-columns" },
      h("div", {}, part(text("words"), spots.words), part(text("pictures"), spots.pictures), duplicates, part(text("ai"), spots.ai)),
      h("div", {}, h("section", { class: "card acts", "aria-label": text("more") }, beneath ? null : bar, spots.acts), part(text("facts"), spots.facts, contactOf(work)), part(text("place"), spots.place),
        talking("staff", text("notes"), talk.notes.el), talking("all", text("comments_title"), talk.comments.el))),
    h("details", { class: "card" }, h("summary", {}, text("log")), spots.log)), beneath ? bar : null));
  return {
    paint() {
      const focus = document.activeElement && container.contains(document.activeElement) ? document.activeElement.dataset.testid : "";
      const r = work.report;
      duplicates.hidden = !r.possible_duplicates.length;
      fill(spots.news, news(work));
      fill(spots.head, head(work));
      fill(spots.notices, noticesOf(work));
      fill(spots.words, wordsOf(work));
      fill(spots.pictures, pictures(work));
      fill(spots.acts, otherActs(work));
      fill(spots.main, mainActs(work));
      fill(spots.facts, factsOf(work));
      fill(spots.ai, aiOf(work));
      const where = [r.latitude, r.longitude, r.address, place(r)].join();
      if (where !== shownPlace) fill(spots.place, placeOf(work)); // its sketch is fetched once
      shownPlace = where;
      fill(spots.duplicates, duplicatesOf(work));
      fill(spots.log, logOf(work));
      talk.notes.read().catch(complain);
      talk.comments.read().catch(complain);
      if (focus && !container.contains(document.activeElement) && $(`[data-testid="${focus}"]`, container)) $(`[data-testid="${focus}"]`, container).focus();
    },
  };
}

const head = (work) => {
  const r = work.report;
  return [h("h2", { tabindex: "-1", dir: "auto" }, titleOf(r)),
    h("p", {}, h("strong", {}, r.report_number), " ", status(r.status), h("span", { class: "soft" }, " " + place(r)))];
};

// What others did while the report was open. It is shown when the person wants it.
const news = (work) => (work.news ? h("div", { class: "note", data: { testid: "news" } }, h("p", {}, text("changed", { what: work.news.done.join("; ") || text("changed_unknown") })),
  button(text("changed_show"), async () => work.take(work.news.read), { data: { testid: "news-show" } })) : null);

const control = ({ name, key, act, main, danger }) => button(text("act_" + name.replace("-", "_")), act,
  { class: main ? "main" : danger ? "danger" : null, "aria-keyshortcuts": key ? key.toUpperCase() : null, title: key ? text("key", { key: key.toUpperCase() }) : null, data: { testid: name } });

// Those that decide an appeal stand beside its words.
const split = (work) => {
  const all = actsOf(work).filter((a) => !a.appeal);
  return { main: all.filter((a) => a.main || a.danger), others: all.filter((a) => !a.main && !a.danger) };
};

// What leads on is at the start, what rejects at the end: neither is where the other was before.
const mainActs = (work) => {
  const next = work.next();
  return h("div", { class: "actions" }, split(work).main.filter((a) => a.main).map(control),
    next ? button(text("next"), async () => next(), { "aria-keyshortcuts": "J", title: text("key", { key: "J" }), data: { testid: "next-report" } }) : null,
    split(work).main.filter((a) => !a.main).map(control));
};

const otherActs = (work) => h("div", { class: "actions" }, split(work).others.map(control),
  button(text("sheet"), async () => (await later(import("./desk_sheet.js"))).openSheet([work.report.report_number]), { data: { testid: "sheet" } }));
