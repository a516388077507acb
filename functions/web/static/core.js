// What every page needs: texts, elements, calls of the API, the session, dialogs and messages. Scripts run in Chrome 80 and
// Safari 14 as they are; a test looks for what these do not know.

const given = JSON.parse(document.getElementById("for-scripts").textContent);

/** What the server gave this page. */
export const data = given.data;
/** Addresses of libraries by the names of their files. */
export const files = given.files;
/** The language of the page: tet, pt or en. */
export const language = document.documentElement.lang;

/** Returns the text "page.<key>" in the language of the page, with {name} replaced by params[name]. */
export function t(key, params = {}) {
  const dot = key.indexOf(".");
  const text = (given.texts[key.slice(0, dot)] || {})[key.slice(dot + 1)];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? params[name] : whole));
}

/** Returns the text for a count: that of key + "_one" for 1 where there is one, else that of key. {n} is the count. */
export function count(key, n) {
  const one = t(key + "_one", { n });
  return n === 1 && one !== key + "_one" ? one : t(key, { n });
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/**
 * Makes an element. props are attributes; "on…" are listeners, "data" is an object of data attributes, and a value of null or
 * false leaves an attribute out. Children are nodes, texts, or lists of them. No text is ever read as HTML.
 */
export function h(tag, props = {}, ...children) {
  const el = tag === "svg" || tag === "path" || tag === "use" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "data") for (const [k, v] of Object.entries(value)) el.setAttribute("data-" + k, v);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") el[name] = value;
    else el.setAttribute(name, value === true ? "" : value);
  }
  el.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

/** Replaces what is in an element. Children are as of h. A child that stays is not taken out meanwhile, so it keeps focus and clicks. */
export function fill(el, ...children) {
  const next = children.flat(9).filter((c) => c !== null && c !== undefined && c !== false);
  next.forEach((c, i) => {
    if (el.childNodes[i] !== c) el.insertBefore(c instanceof Node ? c : document.createTextNode(c), el.childNodes[i] || null);
  });
  while (el.childNodes.length > next.length) el.lastChild.remove();
  return el;
}

// Times are those of Timor-Leste (UTC+9, no summer time), wherever the reader is.
const inDili = (iso) => new Date(Date.parse(iso) + 9 * 3600e3);

/** Writes the day of an RFC 3339 time as people write it: "5 December 2026". */
export function day(iso) {
  const d = inDili(iso);
  return t("common.date", { day: d.getUTCDate(), month: t("common.month_" + (d.getUTCMonth() + 1)), year: d.getUTCFullYear() });
}

/** Writes day and time: "5 December 2026, 14:05". */
export function moment(iso) {
  return day(iso) + ", " + inDili(iso).toISOString().slice(11, 16);
}

/** An error that the API answered, or a lost connection: status is then 0. */
export class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || t("common.no_connection"));
    this.status = status;
    this.code = body.code || "no_connection";
    /** Of a 422: [{field, message}]. */
    this.errors = body.errors || [];
    /** The whole problem document. */
    this.body = body;
    /** Seconds until another try makes sense, or null. */
    this.retryAfter = retryAfter;
  }
}

async function send(method, path, { body, form, headers = {}, signal, keepalive = false } = {}) {
  const request = { method, signal, keepalive, headers: { "Accept-Language": language, "X-LafaekStreet": "1", ...headers } };
  if (form) request.body = form;
  else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  let answer, content;
  try {
    answer = await fetch(path.startsWith("/") && !path.startsWith("/api/") ? "/api/v1" + path : path, request);
    content = await answer.text();
  } catch (e) {
    if (signal && signal.aborted) throw e;
    throw new ApiError(0, {}, null);
  }
  let parsed = content;
  if ((answer.headers.get("Content-Type") || "").includes("json")) {
    try { parsed = JSON.parse(content); } catch { parsed = {}; }
  }
  if (!answer.ok) throw new ApiError(answer.status, typeof parsed === "object" ? parsed : {}, Number(answer.headers.get("Retry-After")) || null);
  return { answer, content: parsed };
}

/**
 * Calls the API and returns the answer's content. path is below /api/v1. It signs the request if somebody is signed in, and
 * renews an access token that has expired once. options: body (JSON), form (FormData), headers, signal, keepalive: true for a
 * request that goes on when the person leaves the page, and full: true for {answer, content} instead of the content. Throws an
 * ApiError.
 */
export async function api(method, path, options = {}) {
  const once = () => send(method, path, { ...options, headers: { ...options.headers, ...(session.token ? { Authorization: "Bearer " + session.token } : {}) } });
  let result;
  try {
    result = await once();
  } catch (e) {
    if (e.status !== 401 || !session.token) throw e;
    const { id } = session.user;
    await session.renew();
    if (session.user.id !== id) throw e; // somebody else signed in meanwhile, in another tab
    result = await once();
  }
  return options.full ? result : result.content;
}

/** The name of this browser among the devices of an account; undefined where storage is switched off. */
export function deviceId() {
  try {
    const id = localStorage.getItem("device_id") || "web-" + [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");
    localStorage.setItem("device_id", id);
    return id;
  } catch {
    return undefined;
  }
}

const webSession = "/auth/web-session";
const mark = "signed_in"; // in localStorage: the id of who is signed in, so that other tabs notice a change
const remember = (id) => { try { id ? localStorage.setItem(mark, id) : localStorage.removeItem(mark); } catch { /* storage is switched off */ } };
const remembered = () => { try { return localStorage.getItem(mark) !== null; } catch { return true; } };
const changed = [];
let renewing = null;
let last = ""; // the id of who was signed in on this page last
const forget = () => { try { sessionStorage.clear(); } catch { /* storage is switched off */ } };

// A page that comes back from the browser's memory still shows what was for somebody who has signed out meanwhile.
window.addEventListener("pageshow", (e) => {
  let now = "";
  try { now = localStorage.getItem(mark) || ""; } catch { /* storage is switched off */ }
  if (!e.persisted || !last || last === now) return;
  document.body.hidden = true;
  location.reload();
});

/**
 * The session of this tab. The access token is here alone; the refresh token is in a cookie that no script reads.
 * user is null for a visitor.
 */
export const session = {
  token: "",
  user: null,
  /** Calls fn with the user or null now and at each change. */
  watch(fn) {
    changed.push(fn);
    fn(this.user);
  },
  take(answer) {
    if (answer && last && last !== answer.user.id) forget();
    if (answer) last = answer.user.id;
    this.token = answer ? answer.access_token : "";
    this.user = answer ? answer.user : null;
    remember(answer ? answer.user.id : "");
    for (const fn of changed) fn(this.user);
  },
  /** Begins with the tokens that a sign-in answered. */
  async start(tokens) {
    const begin = () => send("POST", webSession, { body: { refresh_token: tokens.refresh_token, device_id: deviceId() } });
    const again = (e) => { // the same tokens answer the same for a minute
      if (e.status !== 0) throw e;
      return begin();
    };
    this.take((await begin().catch(again).catch(again)).content);
  },
  /** Takes up the session of an earlier visit. Returns the user or null. always: true asks even where none is known. */
  async resume({ always = false } = {}) {
    if (this.user || (!always && !remembered())) return this.user;
    try {
      await this.renew();
    } catch (e) {
      if (e.status !== 401) throw e;
    }
    return this.user;
  },
  /** Gets a new access token. Calls at the same time share one request. A 401 ends the session and is thrown. */
  renew() {
    renewing = renewing || send("POST", webSession, { body: { device_id: deviceId() } })
      .then(({ content }) => this.take(content), (e) => {
        if (e.status === 401) this.take(null);
        throw e;
      })
      .finally(() => { renewing = null; });
    return renewing;
  },
  /** Signs out. */
  async end() {
    await send("DELETE", webSession, { body: {} });
    forget();
    this.take(null);
  },
};

// Another tab signed out, or signed somebody in.
window.addEventListener("storage", (e) => {
  if (e.key !== mark) return;
  if (!e.newValue) {
    if (session.user) session.take(null);
  } else if (changed.length && (!session.user || session.user.id !== e.newValue)) session.renew().catch(() => {});
});

/** Says that the script of the page works: the sentence that it is loading goes away. */
export const started = () => { const el = $("#starting"); if (el) el.remove(); };

/** Shows a message for some seconds. kind may be "bad". A screen reader reads it. */
export function toast(text, kind = "") {
  const el = h("div", { class: kind }, text);
  $("#toasts").append(el);
  setTimeout(() => el.remove(), 4000 + 60 * text.length);
}

/** What an error says to a person. One that is not from the API goes to the console. */
export function wordsOf(e) {
  if (e instanceof ApiError) return [e.message, ...e.errors.map((f) => f.message)].join(" ");
  console.error(e);
  return t("common.failed");
}

/** Shows an error as a message. Use it where no better place for it is. */
export const complain = (e) => toast(wordsOf(e), "bad");

/** Runs fn once at a time for a button: it is disabled and marked busy meanwhile, and errors are shown. */
export async function busy(button, fn) {
  if (button.disabled) return undefined;
  const had = document.activeElement === button;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await fn();
  } catch (e) {
    complain(e);
    return undefined;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    if (had && document.activeElement === document.body) button.focus(); // a disabled control loses the focus
  }
}

/** Makes a button. props as of h; act runs as busy describes. */
export function button(label, act, props = {}) {
  const el = h("button", { type: "button", ...props, onclick: () => busy(el, act) }, label);
  return el;
}

/** Makes an id (UUID version 4), such as a client_id: what is sent twice under it counts once. */
export function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Waits for a script that is needed now: later(import("./x.js")). Its address changes with each version of the pages, so if it
 * cannot be loaded, the error says to load the page again. */
export const later = (loading) => loading.catch((e) => {
  console.error(e);
  throw new ApiError(0, { detail: t(navigator.onLine === false ? "common.no_connection" : "common.updated") }, null);
});

/**
 * Returns a function that gives a request its header Idempotency-Key: the same for the same body. So a request that is sent
 * again after a lost answer takes effect once.
 */
export function idempotent() {
  let last = "", key = "";
  return (body) => {
    const text = JSON.stringify(body);
    if (text !== last) key = newID();
    last = text;
    return { "Idempotency-Key": key };
  };
}

/** Saves a file among the downloads. A value that is not a text is saved as JSON. */
export function saveFile(name, value) {
  const isText = typeof value === "string";
  const link = h("a", { href: URL.createObjectURL(new Blob([isText ? value : JSON.stringify(value, null, 2)], { type: isText ? "text/plain" : "application/json" })), download: name, hidden: true });
  document.body.append(link);
  link.click();
  setTimeout(() => { URL.revokeObjectURL(link.href); link.remove(); }, 60000);
}

let fields = 0;
/** Puts a label above a control, with a hint below it. */
export function field(label, control, hint = "") {
  control.id = control.id || "field-" + ++fields;
  const small = hint ? h("small", { id: control.id + "-hint" }, hint) : null;
  if (small) control.setAttribute("aria-describedby", small.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, small);
}

/**
 * Opens a dialog and returns a promise of what close(value) was called with; undefined if it was dismissed. build(close)
 * returns the content. The focus stays inside and returns to where it was, or to what took its place under the same data-testid.
 * The control with data-first gets the focus, else the first one. size may be "wide" (for two columns) or "full" (the whole screen).
 */
export function dialog(title, build, size = "") {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const id = "dialog-" + ++fields;
    const close = (value) => {
      back.remove();
      document.body.style.overflow = "";
      resolve(value);
      setTimeout(() => { // the control may be disabled until whoever waits for the answer goes on
        if (document.activeElement !== document.body) return;
        const name = before && before.dataset && before.dataset.testid, now = before && !before.isConnected && name ? $(`[data-testid="${name}"]`) : before;
        if (now && now.isConnected) now.focus();
        else { // the act took its own control away
          const heading = $("main h2, main h1");
          if (heading) {
            heading.setAttribute("tabindex", "-1");
            heading.focus();
          }
        }
      });
    };
    const box = h("div", { class: size || null, role: "dialog", "aria-modal": "true", "aria-labelledby": id, tabindex: "-1" }, h("h2", { id }, title));
    box.append(...[build(close)].flat());
    const back = h("div", { class: "dialog", onmousedown: (e) => { if (e.target === back) close(); } }, box);
    back.addEventListener("keydown", (e) => {
      e.stopPropagation();
      if (e.key === "Escape") close();
      if (e.key !== "Tab") return;
      const stops = $$("a[href], button, input, select, textarea, [tabindex='0']", box).filter((el) => !el.disabled && el.offsetParent !== null);
      const edge = e.shiftKey ? stops[0] : stops[stops.length - 1];
      if (document.activeElement === edge || document.activeElement === box && e.shiftKey) {
        e.preventDefault();
        (e.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
      }
    });
    document.body.append(back);
    document.body.style.overflow = "hidden";
    const first = $("[data-first]", box) || $("input, select, textarea", box) || $("button", box) || box;
    // The keyboard of a touch screen would cover the dialog for what may stay empty.
    const covered = window.matchMedia("(pointer: coarse)").matches && first.matches("textarea:not([required]), input:not([required]):not([type=checkbox]):not([type=radio])");
    (covered ? box : first).focus();
  });
}

/** Says what went wrong. Errors of a 422 are shown at the controls of form that have their names; the rest is returned as text. */
function explain(form, problem) {
  if (!(problem instanceof ApiError)) {
    console.error(problem);
    return t("common.failed");
  }
  const words = [problem.message];
  let first = null;
  for (const { field: name, message } of problem.errors) {
    const control = [...form.elements].find((el) => el.name === name);
    if (!control) {
      words.push(message);
      continue;
    }
    const id = (control.id = control.id || "field-" + ++fields) + "-error";
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", [id, control.getAttribute("aria-describedby")].filter(Boolean).join(" "));
    (control.closest(".field, fieldset") || control.parentNode).append(h("p", { class: "error", id }, message));
    first = first || control;
  }
  if (first) first.focus();
  return words.join(" ");
}

/** Takes the errors that explain has shown out of a form. */
function clearErrors(form) {
  for (const control of $$("[aria-invalid]", form)) {
    control.removeAttribute("aria-invalid");
    control.setAttribute("aria-describedby", (control.getAttribute("aria-describedby") || "").replace(control.id + "-error", "").trim());
  }
  for (const el of $$(".field > .error, fieldset > .error", form)) el.remove();
}

/**
 * Makes a form: controls, then the button with the data-testid name, then more. act(form) runs once at a time. If it throws,
 * the error is shown, with those of single fields at the controls of the same name, and everything that was typed stays.
 */
export function form(name, label, controls, act, { danger = false, more = [] } = {}) {
  const error = h("p", { class: "error", role: "alert", hidden: true });
  const confirm = h("button", { type: "submit", class: danger ? "danger" : "main", data: { testid: name } }, label);
  const el = h("form", {
    onsubmit: async (e) => {
      e.preventDefault();
      if (confirm.disabled) return;
      confirm.disabled = true;
      confirm.setAttribute("aria-busy", "true");
      error.hidden = true;
      clearErrors(el);
      try {
        await act(el);
      } catch (problem) {
        error.textContent = explain(el, problem);
        error.hidden = false;
      }
      confirm.disabled = false;
      confirm.removeAttribute("aria-busy");
      if (document.activeElement === document.body && confirm.isConnected) confirm.focus();
    },
  }, controls, error, h("div", { class: "actions" }, confirm, more));
  return el;
}

/**
 * Asks before an action. name is the data-testid of the control that opened it; what confirms is "<name>-send". controls are
 * elements, usually made by field, and are read by the caller. send runs on confirmation: if it throws, the error is shown in
 * the dialog, which stays open with everything that was typed. Returns what send returned; undefined if it was dismissed. size is
 * that of the dialog.
 */
export function ask(name, title, { text = "", controls = [], label = title, danger = false, size = "", send: act }) {
  return dialog(title, (close) => form(name + "-send", label, [text ? h("p", {}, text) : null, controls], async () => close(await act()),
    { danger, more: h("button", { type: "button", onclick: () => close() }, t("common.cancel")) }), size);
}

/** A text area of a dialog; its data-testid is note or reason. */
export const textArea = (testid, props = {}) => h("textarea", { rows: "4", dir: "auto", data: { testid }, ...props });

/** A select with [value, label] pairs. */
export const select = (pairs, props = {}, chosen = "") => h("select", props, pairs.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));

/** A required select of the reason codes: why something is rejected, hidden or flagged. Its data-testid is reason. */
export const reasonSelect = (props = {}) => select([["", t("common.choose")], ...["irrelevant", "offensive", "personal_data", "duplicate_spam", "unsafe", "other"]
  .map((code) => [code, t("label.reason." + code)])], { name: "reason_code", required: true, data: { testid: "reason" }, ...props });

/** The status of a report as a badge. */
export const status = (value) => h("span", { class: "status " + value }, t("label.status." + value));

/** The kinds of problems, in the order of the API. */
export const issueTypes = ["pothole", "road_damage", "flooding", "drainage", "street_light", "traffic_sign", "bridge", "sidewalk", "debris", "waste", "water_supply", "other"];
export const severities = ["low", "medium", "high", "critical"];

/** The name of an agency or a municipality in the language of the page. */
export const named = (x) => x["name_" + language] || x.name;

/** The place of a report in words: street, suco, district, municipality, as far as they are known. */
export const place = (r) => [...new Set([r.street, r.suco, r.district, r.municipality].filter(Boolean))].join(", ");

/** The title of a report, or its type. */
export const titleOf = (r) => r.title || t("label.issue_type." + r.issue_type);

/** A report in a list: a link to its page with picture, title, status, place and date. props are those of the link. */
export function row(r, props = {}) { // bdi: a place written from right to left does not turn number and date around
  return h("a", { class: "row", href: "/r/" + encodeURIComponent(r.report_number), ...props },
    r.thumbnail_url ? h("img", { src: r.thumbnail_url, alt: "", loading: "lazy", width: "56", height: "56" }) : h("span", { class: "no-picture" }),
    h("span", { class: "title", dir: "auto" }, titleOf(r)), status(r.status),
    h("span", { class: "about" }, [r.report_number, place(r), day(r.created_at)].filter(Boolean).map((part, i) => [i ? " · " : "", h("bdi", {}, part)])));
}

// A link to another language keeps the filters and the place on the map.
for (const link of $$(".languages a")) {
  link.addEventListener("click", () => {
    const query = new URLSearchParams(location.search);
    query.set("lang", link.lang);
    link.href = "?" + query + location.hash;
  });
}
