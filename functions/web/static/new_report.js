// The form of a report: four short steps, a draft that is kept on the phone, and sending.
import { $, $$, h, fill, t, api, session, busy, button, row, dialog } from "./core.js";
import { signInByCode } from "./sign_in.js";
import { scale, PictureError } from "./picture.js";
import { placeStep, placeWords } from "./place_step.js";
import { onPhone, owner, sender, tell, waitingFor, saveReceipt, startWorker } from "./on_phone.js";

const { outbox } = self;
const steps = ["photo", "place", "what", "send"];
const near = 150; // metres within which a report may be the same
const patience = 6000; // milliseconds that the form waits for what is not needed
const by = (testid) => $(`[data-testid=${testid}]`);

const newID = () => {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = b[6] & 15 | 64;
  b[8] = b[8] & 63 | 128;
  return [...b].map((x, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + x.toString(16).padStart(2, "0")).join("");
};
const fresh = () => ({ client_id: newID(), owner: owner(), state: "draft", created: new Date().toISOString(), edited: 0, fields: {}, picture: null, place_from: "", problem: null });

let draft = fresh();
let step = "photo";
let picturing = Promise.resolve(); // the picture that is being made smaller
let saving = Promise.resolve();
let asked = ""; // the place and kind that similar reports were looked for
let dirty = false; // the draft differs from what was kept
let shownID = ""; // the entry whose fate the last step shows

const isEmpty = (e) => !e.picture && !Object.keys(e.fields).length;

// ---- The draft

/** Keeps the draft on this phone. A draft that another tab changed or sent meanwhile stays as it is; this one becomes another. */
function save() {
  return (saving = saving.then(async () => {
    if (!dirty || isEmpty(draft)) return;
    dirty = false;
    let taken = false;
    const next = { ...draft, edited: draft.edited + 1 };
    await outbox.change(draft.client_id, (e) => {
      taken = Boolean(e) && (e.state !== "draft" || e.edited !== draft.edited);
      return taken ? undefined : next;
    });
    if (taken) {
      draft = { ...draft, client_id: newID(), edited: 0, problem: null };
      await outbox.change(draft.client_id, () => ({ ...draft, edited: 1 }));
    }
    draft.edited = taken ? 1 : next.edited;
    tell();
    if (draft.edited === 1 && navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    await tellKeeping();
  }).catch((e) => console.error(e)));
}
let timer = 0;
const saveSoon = () => { clearTimeout(timer); timer = setTimeout(save, 400); };
const tellKeeping = async () => { $("#keeping").textContent = t((await outbox.kept()) ? "new_report.keeping" : "new_report.not_kept"); };

function setField(name, value) {
  if (value === null || value === undefined || value === "" || value === false) delete draft.fields[name];
  else draft.fields[name] = value;
  dirty = true;
  saveSoon();
}

/** Puts a draft into the form. */
function load(e) {
  draft = e;
  dirty = false;
  asked = "";
  $("#words").value = e.fields.description || "";
  $("#anonymous").checked = Boolean(e.fields.is_anonymous);
  for (const radio of $$("[name=issue_type]")) radio.checked = radio.value === e.fields.issue_type;
  markKind();
  showPicture();
  places.show(hasPlace() ? { ...e.fields, place_from: e.place_from } : null);
  clearErrors();
}
const hasPlace = () => draft.fields.latitude !== undefined;
const clearErrors = () => {
  for (const id of ["photo-error", "place-error", "send-error", "send-status"]) $("#" + id).textContent = "";
  for (const id of ["send-extra", "sign-in"]) fill($("#" + id));
};

// ---- The steps

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
  if (push) history.pushState({ step: to }, "", "#" + to);
  if (to === "place") places.enter();
  if (to === "send") look();
  if (!focus) return;
  window.scrollTo(0, 0);
  $(`[data-step=${to}] h2`).focus();
}

// One action of a step is the main one: what it is about, or going on once that is there.
function emphasise() {
  const there = step === "photo" ? Boolean(draft.picture) : step !== "place" || hasPlace();
  by("next").classList.toggle("main", there);
  $("#pick").classList.toggle("main", !draft.picture);
  by("locate").classList.toggle("main", !hasPlace());
}

async function next() {
  clearErrors();
  if (step !== "photo" && !hasPlace()) {
    if (step !== "place") go("place");
    return places.complain(t("new_report.place_needed"));
  }
  await save();
  if (step === "what") return go((await similar()) ? "similar" : "send");
  return go(steps[steps.indexOf(step) + 1]);
}

// Looks for open reports of the same kind near by. Without an answer in time the form goes on.
async function similar() {
  const { latitude, longitude, issue_type: kind = "other" } = draft.fields;
  const question = [latitude.toFixed(4), longitude.toFixed(4), kind].join();
  if (asked === question || navigator.onLine === false) return false;
  const high = near / 111000, wide = high / Math.cos(latitude * Math.PI / 180);
  const box = [longitude - wide, latitude - high, longitude + wide, latitude + high].map((x) => x.toFixed(5)).join();
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), patience);
  const found = await api("GET", `/public/reports?bbox=${box}&issue_type=${kind}&status=pending,verified,in_progress&page_size=5`, { signal: abort.signal }).catch(() => null);
  clearTimeout(late);
  if (!found || !found.items.length) return false;
  asked = question; // asked once: who goes on is not asked again
  const distance = (r) => Math.hypot((r.latitude - latitude) * 111000, (r.longitude - longitude) * 111000 * Math.cos(latitude * Math.PI / 180));
  fill($("#similar"), found.items.sort((a, b) => distance(a) - distance(b))
    .map((r) => h("li", {}, row(r), h("p", { class: "soft" }, t("new_report.distance", { metres: Math.max(10, Math.round(distance(r) / 10) * 10) })))));
  return true;
}

// Shows what will be sent.
function look() {
  const change = (name, to) => h("button", { type: "button", class: "link", "aria-label": t("new_report.change") + ": " + name, onclick: () => go(to) }, t("new_report.change"));
  const fact = (name, value, to) => [h("dt", {}, name), h("dd", {}, value, change(name, to))];
  const picture = draft.picture ? h("img", { src: $("#picture-image").src, alt: t("new_report.photo_alt") }) : t("new_report.no_photo");
  fill($("#summary"), fact(t("new_report.photo"), picture, "photo"),
    fact(t("new_report.place"), hasPlace() ? placeWords({ ...draft.fields, place_from: draft.place_from }) : t("new_report.place_needed"), "place"),
    fact(t("new_report.kind"), t("label.issue_type." + (draft.fields.issue_type || "other")), "what"),
    fact(t("new_report.words"), h("span", { class: "words", dir: "auto" }, draft.fields.description || t("new_report.no_words")), "what"));
  $("#sender").textContent = owner() ? t("new_report.sender", { email: owner() }) : "";
}

// ---- The picture

let pictureAddress = "";
function showPicture() {
  if (pictureAddress) URL.revokeObjectURL(pictureAddress);
  const p = draft.picture;
  pictureAddress = p ? URL.createObjectURL(new Blob([p.bytes], { type: "image/jpeg" })) : "";
  $("#picture").hidden = $("#photo-remove").hidden = !p;
  const image = $("#picture-image");
  if (p) {
    [image.width, image.height, image.src] = [p.width, p.height, pictureAddress];
    $("#picture-about").textContent = t("new_report.photo_size", { size: Math.ceil(p.bytes.byteLength / 1000), before: Math.ceil(p.original / 1000) });
  } else image.removeAttribute("src");
  emphasise();
  $("#pick span").textContent = t(p ? "new_report.other_photo" : "new_report.take_photo");
  places.offer(p);
}

async function takePicture(file) {
  const of = draft;
  $("#photo-error").textContent = "";
  $("#photo-status").textContent = t("new_report.preparing");
  try {
    const { blob, width, height, exif } = await scale(file);
    const bytes = await blob.arrayBuffer();
    if (draft !== of) return;
    draft.picture = { bytes, width, height, original: file.size, latitude: exif.latitude, longitude: exif.longitude };
    setField("captured_at", exif.takenAt);
    showPicture();
  } catch (e) {
    if (!(e instanceof PictureError)) console.error(e);
    $("#photo-error").textContent = t("new_report." + (e instanceof PictureError ? e.reason : "no_picture"));
  } finally {
    $("#photo-status").textContent = "";
  }
}
const photo = by("photo");
photo.addEventListener("change", () => {
  const file = photo.files[0];
  photo.value = ""; // the same file may be chosen again
  if (file) picturing = takePicture(file);
});
$("#photo-remove").addEventListener("click", () => {
  draft.picture = null;
  setField("captured_at", null);
  showPicture();
});

// ---- Sending

/** Sends the draft: it becomes an entry that waits, so from here on it is sent exactly once, whatever happens. */
async function sendDraft() {
  clearErrors();
  await picturing;
  if (!hasPlace()) {
    go("place");
    return places.complain(t("new_report.place_needed"));
  }
  $("#send-status").textContent = t("new_report.sending");
  await save();
  const link = await whoSends();
  if (link === "nobody") {
    $("#send-status").textContent = "";
    by("send").hidden = true; // what signs in also sends
    return fill($("#sign-in"), signInByCode(() => sendDraft(), t("new_report.sign_in")));
  }
  if (session.user && draft.owner && draft.owner !== session.user.email) return undefined; // somebody else signed in: see session.watch
  const entry = await outbox.change(draft.client_id, (e) => (e && e.state === "draft"
    ? { ...e, state: "waiting", problem: null, not_before: 0, fields: { ...e.fields, created_offline: link === "no link" || e.fields.created_offline || undefined } } : undefined));
  tell();
  shownID = entry.client_id;
  return attempt(entry);
}

// Returns "somebody" if a person is signed in, "nobody" if not, "no link" where that cannot be asked.
async function whoSends() {
  if (navigator.onLine === false) return "no link";
  if (session.user) return "somebody";
  try {
    return (await session.resume()) ? "somebody" : "nobody";
  } catch {
    return "no link";
  }
}

async function attempt(entry) {
  const after = session.user && entry.state === "waiting" ? await outbox.send(entry.client_id, sender(), { adopt: true, now: true }) : entry;
  tell();
  show(after || entry);
  await phone.refresh();
}

/** Shows what became of an entry: sent, waiting, or refused. */
function show(e) {
  $("#send-status").textContent = "";
  if (e.state === "draft") return refused(e);
  if (!isEmpty(draft) && draft.client_id === e.client_id) load(fresh());
  const title = $("#done-title");
  if (e.state === "sent") {
    title.textContent = t("new_report.thanks");
    fill($("#done"), h("p", { class: "number" }, e.number), h("p", {}, t("new_report.thanks_hint")),
      (e.warnings || []).map((w) => h("p", { class: "note" }, w.message)),
      h("div", { class: "actions" }, h("a", { class: "button main", href: "/r/" + e.number }, t("new_report.open")),
        e.receipt ? h("button", { type: "button", onclick: () => saveReceipt(e), data: { testid: "receipt" } }, t("new_report.receipt")) : null, another()),
      e.receipt ? h("p", { class: "soft" }, t("new_report.receipt_hint")) : null);
  } else {
    const needsSignIn = e.problem && e.problem.status === 401;
    title.textContent = t("new_report.waits");
    fill($("#done"), h("p", { role: "status" }, waitingFor(e)),
      needsSignIn ? signInByCode(async () => attempt(await outbox.change(e.client_id, () => undefined)), t("new_report.sign_in")) : null,
      h("div", { class: "actions" }, needsSignIn ? null : button(t("new_report.send_now"), async () => {
        await whoSends();
        await attempt(await outbox.change(e.client_id, () => undefined));
      }), another()));
  }
  if (step !== "done") {
    go("done", { push: false });
    history.replaceState({ step: "photo" }, "", location.pathname + location.search);
  }
  return undefined;
}
const another = () => button(t("new_report.another"), () => {
  shownID = "";
  load(fresh());
  go("photo");
  return phone.refresh();
}, { data: { testid: "another" } });

// Says why an entry was refused, where the person can mend it. It is a draft again.
function refused(e) {
  if (e !== draft) load(e);
  const { status, code, detail, errors, report_id: id } = e.problem || {};
  if (!status) return undefined;
  const words = [detail, ...errors.map((f) => f.message)].filter(Boolean).join(" ");
  const about = (pattern) => errors.some((f) => pattern.test(f.field));
  if (code === "outside_area" || about(/latitude|longitude/)) {
    go("place");
    places.complain(detail || words);
  } else if (status === 413 || status === 415 || about(/image|file|upload/)) {
    go("photo");
    $("#photo-error").textContent = words + " " + t("new_report.photo_refused");
  } else {
    if (step !== "send") go("send");
    $("#send-error").textContent = words + " " + t(id || status === 410 ? "new_report.reused" : "new_report.refused");
    if (id || status === 410) offerNew(id);
  }
  return undefined;
}

// After a lost answer the server may hold an earlier version of this report.
async function offerNew(id) {
  const known = id ? await api("GET", "/public/reports/" + id).catch(() => null) : null;
  fill($("#send-extra"), h("div", { class: "actions" }, known ? h("a", { class: "button", href: "/r/" + known.report_number }, known.report_number) : null,
    button(t("new_report.send_as_new"), async () => {
      await outbox.change(draft.client_id, () => null);
      draft = { ...draft, client_id: newID(), edited: 0, problem: null };
      dirty = true;
      await sendDraft();
    })));
}

// ---- Start

const markKind = () => { for (const label of $$(".kind")) label.classList.toggle("chosen", $("input", label).checked); };
for (const radio of $$("[name=issue_type]")) radio.addEventListener("change", () => { markKind(); setField("issue_type", radio.value); });
$("#words").addEventListener("input", (e) => setField("description", e.target.value));
$("#anonymous").addEventListener("change", (e) => setField("is_anonymous", e.target.checked));
const places = placeStep(({ place_from: from, ...place }) => {
  draft.place_from = from;
  for (const [name, value] of Object.entries(place)) setField(name, value);
  emphasise();
});
by("next").addEventListener("click", () => busy(by("next"), next));
by("send").addEventListener("click", () => busy(by("send"), sendDraft));
by("other").addEventListener("click", () => go("send"));
$("#back").addEventListener("click", () => history.back());
window.addEventListener("popstate", (e) => go(e.state && (e.state.step !== "send" || hasPlace()) ? e.state.step : "photo", { push: false }));
window.addEventListener("pagehide", () => { clearTimeout(timer); save(); });
window.addEventListener("storage", (e) => { if (e.key === "reports_changed") follow(); });

// Another tab may have changed the draft that this one shows, or sent what this one waits for.
async function follow() {
  const e = await outbox.change(draft.client_id, () => undefined);
  if (e && !dirty && e.state === "draft" && e.edited > draft.edited) load(e);
  if (e && !dirty && e.state !== "draft") {
    shownID = e.client_id;
    show(e);
  }
  const shown = shownID && await outbox.change(shownID, () => undefined);
  if (shown && step === "done") show(shown);
  await phone.refresh();
}

const phone = onPhone({
  hidden: (id) => id === draft.client_id || id === shownID && step === "done",
  open: (e) => {
    load(e);
    go(hasPlace() ? "send" : "photo");
    refused(e);
    return phone.refresh();
  },
  settled: (e) => { if (e.client_id === shownID && step === "done") show(e); },
  signIn: () => dialog(t("common.sign_in"), (close) => signInByCode(close, t("new_report.sign_in"))),
});

session.watch((user) => {
  if (user && draft.owner && draft.owner !== user.email) { // it stays with the address it was written under
    if (!isEmpty(draft)) fill($("#notice"), t("new_report.other_address")).hidden = false;
    load(fresh());
    go("photo", { push: false });
  }
  if (step === "send") look();
  phone.refresh();
});

async function start() {
  history.replaceState({ step: "photo" }, "");
  $("#report").hidden = false;
  go("photo", { push: false, focus: false });
  await tellKeeping();
  const wanted = location.hash.slice(1);
  history.replaceState({ step: "photo" }, "", location.pathname + location.search);
  // undefined: there is no link, or one that does not answer
  const user = await Promise.race([session.resume().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, patience))]);
  const of = user ? user.email : "";
  if (user !== undefined && draft.owner !== of) { // until now it was a guess
    draft.owner = of;
    dirty = !isEmpty(draft);
    saveSoon();
  }
  const [latest] = (await outbox.list(owner())).filter((e) => e.state === "draft");
  if (latest && isEmpty(draft) && step === "photo") {
    load(latest);
    fill($("#notice"), t("new_report.restored"), " ", button(t("new_report.start_anew"), () => {
      load(fresh());
      $("#notice").hidden = true;
      go("photo");
      return phone.refresh();
    }, { class: "link" })).hidden = false;
    if (steps.includes(wanted) && (wanted !== "send" || hasPlace())) go(wanted, { focus: false });
    if (latest.problem) refused(latest);
  }
  await phone.begin();
}
start();
startWorker();
