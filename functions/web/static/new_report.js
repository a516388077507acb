// The form of a report: four short steps, then it is sent or waits on this phone.
import { $, $$, h, fill, t, session, busy, button, dialog, started } from "./core.js";
import { signInByCode } from "./sign_in.js";
import { draft, fresh, tellKeeping } from "./new_report_draft.js";
import { photoStep } from "./new_report_photo.js";
import { placeStep, placeWords } from "./new_report_place.js";
import { reportFate } from "./new_report_fate.js";
import { onPhone, owner, sender, tell, startWorker } from "./new_report_waiting.js";

const { outbox } = self;
const steps = ["photo", "place", "what", "send"];
const patience = 6000; // milliseconds that the form waits to know who is signed in
const by = (testid) => $(`[data-testid=${testid}]`);
let step = "photo";
let shownID = ""; // the entry whose fate the last step shows

// Similar reports are read over the network: so is the script that asks for them. Without a link there are none.
const similar = async (fields) => (navigator.onLine === false ? false : import("./new_report_similar.js").then((m) => m.showSimilar(fields)).catch(() => false));

/** Puts a draft into the form. */
function load(e) {
  draft.take(e);
  $("#words").value = e.fields.description || "";
  $("#anonymous").checked = Boolean(e.fields.is_anonymous);
  for (const radio of $$("[name=issue_type]")) radio.checked = radio.value === e.fields.issue_type;
  markKind();
  photos.show();
  places.show(draft.hasPlace ? { ...e.fields, place_from: e.place_from } : null);
  clearErrors();
}
function clearErrors() {
  for (const id of ["photo-error", "place-error", "send-error", "send-status"]) $("#" + id).textContent = "";
  for (const id of ["send-extra", "sign-in"]) fill($("#" + id));
}

function go(to, { push = true, focus = true } = {}) {
  step = to;
  for (const section of $$("[data-step]")) section.hidden = section.dataset.step !== to;
  const n = steps.indexOf(to === "similar" ? "what" : to);
  $("#progress").textContent = n < 0 ? "" : t("new_report.step", { n: n + 1, of: steps.length });
  $(".walk").hidden = n < 0;
  $("#back").hidden = n < 1;
  by("next").hidden = to === "send" || to === "similar";
  by("send").hidden = to !== "send";
  emphasise();
  if (to === "done") history.replaceState({ step: "photo" }, "", location.pathname + location.search);
  else if (push) history.pushState({ step: to }, "", "#" + to);
  if (to === "place") places.enter();
  if (to === "send") look();
  if (!focus) return;
  window.scrollTo(0, 0);
  $(`[data-step=${to}] h2`).focus();
}

// One action of a step is the main one: what it is about, or going on once that is there.
function emphasise() {
  const { picture } = draft.entry;
  by("next").classList.toggle("main", step === "photo" ? Boolean(picture) : step !== "place" || draft.hasPlace);
  $("#pick").classList.toggle("main", !picture);
  by("locate").classList.toggle("main", !draft.hasPlace);
}

async function next() {
  clearErrors();
  if (step !== "photo" && !draft.hasPlace) return needPlace();
  await draft.save();
  if (step === "what") return go((await similar(draft.entry.fields)) ? "similar" : "send");
  return go(steps[steps.indexOf(step) + 1]);
}
function needPlace() {
  if (step !== "place") go("place");
  places.complain(t("new_report.place_needed"));
}

// Shows what will be sent.
function look() {
  const { fields, picture, place_from } = draft.entry;
  const fact = (name, value, to) => [h("dt", {}, name), h("dd", {}, value,
    h("button", { type: "button", class: "link", "aria-label": t("new_report.change") + ": " + name, onclick: () => go(to) }, t("new_report.change")))];
  fill($("#summary"), fact(t("new_report.photo"), picture ? h("img", { src: $("#picture-image").src, alt: t("new_report.photo_alt") }) : t("new_report.no_photo"), "photo"),
    fact(t("new_report.place"), draft.hasPlace ? placeWords({ ...fields, place_from }) : t("new_report.place_needed"), "place"),
    fact(t("new_report.kind"), t("label.issue_type." + (fields.issue_type || "other")), "what"),
    fact(t("new_report.words"), h("span", { class: "words", dir: "auto" }, fields.description || t("new_report.no_words")), "what"));
  $("#sender").textContent = owner() ? t("new_report.sender", { email: owner() }) : "";
}

/** Sends the draft: it becomes an entry that waits, so from here on it is sent exactly once, whatever happens. */
async function sendDraft() {
  clearErrors();
  await photos.ready();
  if (!draft.hasPlace) return needPlace();
  $("#send-status").textContent = t("new_report.sending");
  await draft.save();
  const who = await whoSends();
  if (who === "nobody") {
    $("#send-status").textContent = "";
    by("send").hidden = true; // what signs in also sends
    return fill($("#sign-in"), signInByCode(sendDraft, t("new_report.sign_in"), t("new_report.sign_in_send")));
  }
  const { client_id: id, owner: of } = draft.entry;
  if (session.user && of && of !== session.user.email) return undefined; // somebody else signed in: see session.watch
  const entry = await outbox.change(id, (e) => (e && e.state === "draft"
    ? { ...e, state: "waiting", problem: null, not_before: 0, fields: { ...e.fields, created_offline: who === "no link" || e.fields.created_offline || undefined } } : undefined));
  tell();
  if (!entry) return undefined; // deleted in another tab
  shownID = id;
  return attempt(entry);
}

// Returns "somebody" if a person is signed in, "nobody" if not, "no link" where that cannot be asked.
async function whoSends() {
  if (session.user) return "somebody";
  try {
    return (await session.resume({ always: navigator.onLine === false })) ? "somebody" : "nobody"; // the browser may be wrong about the link
  } catch {
    return "no link";
  }
}

async function attempt(entry) {
  const after = session.user && entry.state === "waiting" ? await outbox.send(entry.client_id, sender(), { adopt: true, now: true }) : entry;
  tell();
  fate.show(after || entry);
  await phone.refresh();
}

function startAnew() {
  shownID = "";
  $("#notice").hidden = true;
  load(fresh());
  go("photo");
  return phone.refresh();
}

const photos = photoStep((picture) => {
  places.offer(picture);
  emphasise();
});
const places = placeStep(({ place_from: from, ...place }) => {
  draft.entry.place_from = from;
  for (const [name, value] of Object.entries(place)) draft.set(name, value);
  emphasise();
});
const fate = reportFate({ load, go, step: () => step, complainPlace: (text) => places.complain(text), attempt, who: whoSends, send: sendDraft, another: startAnew });
const phone = onPhone({
  hidden: (id) => id === draft.entry.client_id || id === shownID && step === "done",
  open: (e) => {
    load(e);
    go(draft.hasPlace ? "send" : "photo");
    fate.refused(e);
    return phone.refresh();
  },
  settled: (e) => { if (e.client_id === shownID && step === "done") fate.show(e); },
  signIn: () => dialog(t("common.sign_in"), (close) => signInByCode(close, t("new_report.sign_in"), t("new_report.sign_in_send"))),
});

function markKind() {
  for (const label of $$(".kind")) label.classList.toggle("chosen", $("input", label).checked);
}
for (const radio of $$("[name=issue_type]")) radio.addEventListener("change", () => { markKind(); draft.set("issue_type", radio.value); });
$("#words").addEventListener("input", (e) => draft.set("description", e.target.value));
$("#anonymous").addEventListener("change", (e) => draft.set("is_anonymous", e.target.checked));
by("next").addEventListener("click", () => busy(by("next"), next));
by("send").addEventListener("click", () => busy(by("send"), sendDraft));
by("other").addEventListener("click", () => go("send"));
$("#back").addEventListener("click", () => history.back());
window.addEventListener("popstate", (e) => go(e.state && (e.state.step !== "send" || draft.hasPlace) ? e.state.step : "photo", { push: false }));
window.addEventListener("pagehide", () => draft.save());
window.addEventListener("storage", (e) => { if (e.key === "reports_changed") follow(); });

// Another tab may have changed or sent the draft that this one shows, or sent what this one waits for.
async function follow() {
  const e = await outbox.change(draft.entry.client_id, () => undefined);
  if (e && !draft.dirty && e.state === "draft" && e.edited > draft.entry.edited) load(e);
  if (e && !draft.dirty && e.state !== "draft") {
    shownID = e.client_id;
    fate.show(e);
  }
  const shown = shownID && await outbox.change(shownID, () => undefined);
  if (shown && step === "done") fate.show(shown);
  await phone.refresh();
}

session.watch((user) => {
  $("#needs-email").style.visibility = user ? "hidden" : ""; // it keeps its room: nothing moves under a finger
  const of = draft.entry.owner;
  if (user && of && of !== user.email) { // it stays with the address it was written under
    if (!draft.empty) fill($("#notice"), t("new_report.other_address")).hidden = false;
    load(fresh());
    go("photo", { push: false });
  }
  if (step === "send") look();
  phone.refresh();
});

async function start() {
  const wanted = location.hash.slice(1);
  history.replaceState({ step: "photo" }, "", location.pathname + location.search);
  $("#report").hidden = false;
  go("photo", { push: false, focus: false });
  await tellKeeping();
  // A link that does not answer must not hold up the drafts.
  await Promise.race([session.resume().then(settleOwner, () => {}), new Promise((resolve) => setTimeout(resolve, patience))]);
  const latest = (await outbox.list(owner())).find((e) => e.state === "draft");
  if (latest && draft.empty && step === "photo") restore(latest, wanted);
  await phone.begin();
}

// Until the session is known, whose draft it is was a guess. One that was kept before belongs to its address.
function settleOwner(user) {
  const of = user ? user.email : "";
  if (draft.entry.owner === of || restored) return;
  draft.entry.owner = of;
  if (!draft.empty) draft.touch();
}

let restored = false;
function restore(entry, wanted) {
  restored = true;
  load(entry);
  fill($("#notice"), t("new_report.restored"), " ", button(t("new_report.start_anew"), startAnew, { class: "link" })).hidden = false;
  if (steps.includes(wanted) && (wanted !== "send" || draft.hasPlace)) go(wanted, { focus: false });
  if (entry.problem) fate.refused(entry);
}

start();
startWorker();
started();
