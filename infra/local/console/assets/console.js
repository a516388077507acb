// The console's page. Each tab fetches its JSON every two seconds and is drawn
// again only when the JSON changed, so open details and typed text stay.

const tabs = {
  mail: { title: "Mail", draw: drawMail, query: () => (filter.mail ? "?to=" + encodeURIComponent(filter.mail) : "") },
  push: { title: "Push", draw: drawPush },
  queues: { title: "Queues", draw: drawQueues },
  ledger: { title: "Ledger", draw: drawLedger },
  ai: { title: "AI", draw: drawAI },
  faults: { title: "Faults", draw: drawFaults },
  google: { title: "Sign-in", draw: drawGoogle, still: true },
};
const filter = { mail: "" };
let summary = { counts: {}, links: [], services: [], modes: [] };
let drawn = "";
let current = "";

const $ = (id) => document.getElementById(id);

// el makes an element; text is always text, never markup.
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

async function ask(path, options) {
  const answer = await fetch("/_local/" + path, options);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim() || answer.statusText);
  return text;
}

const send = (path, body, method = "POST") =>
  ask(path, { method, headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });

let quietUntil = 0; // a message stays this long before "live" replaces it

function say(text, bad) {
  $("status").textContent = text;
  $("status").className = bad ? "bad" : "";
  quietUntil = Date.now() + (text === "live" ? 0 : 6000);
}

// typing tells whether a redraw would take a field from under the user's hands.
function typing() {
  const active = document.activeElement;
  return active && $("view").contains(active) && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName);
}

// card is a line that unfolds; key keeps it open across redraws.
function card(key, title, note, at, ...inside) {
  const open = document.querySelector(`details[data-key="${CSS.escape(key)}"]`)?.open;
  return el("details", { class: "card", "data-key": key, open: Boolean(open) },
    el("summary", {}, el("b", {}, title), el("span", { class: "soft" }, at ? clock(at) : ""), el("span", { class: "soft" }, note)), ...inside);
}

const empty = (text) => el("p", { class: "empty" }, text);

function drawMail(view, mails) {
  const search = el("input", { type: "search", placeholder: "recipient's address, whole", value: filter.mail, "aria-label": "Recipient",
    onchange: (event) => { filter.mail = event.target.value.trim(); drawn = ""; refresh(); } });
  view.append(el("div", { class: "bar" }, search));
  if (mails.length === 0) view.append(empty("No mail yet. Register an account and its code arrives here."));
  for (const m of mails) {
    view.append(card(m.id, m.subject || "(no subject)", "to " + m.to.join(", ") + " · from " + m.from, m.at, el("pre", {}, m.text),
      m.html ? el("iframe", { src: "/_local/mail/" + encodeURIComponent(m.id) + "/html", sandbox: "", loading: "lazy", title: "The mail as its reader sees it" }) : null));
  }
}

function drawPush(view, pushes) {
  if (pushes.length === 0) view.append(empty("No push message yet."));
  for (const p of pushes) view.append(card(p.id, p.title || "(data only)", p.body + " · device " + p.token, p.at, el("pre", {}, pretty(p.data || {}))));
}

function drawQueues(view, queues) {
  if (queues.length === 0) view.append(empty("No queues yet."));
  const grid = el("div", { class: "grid" });
  for (const q of queues) {
    const dead = Boolean(q.dead_letter_of);
    const number = (label, value) => el("div", {}, el("b", { class: dead && value ? "bad" : "" }, String(value)), label);
    const box = el("div", { class: "card" }, el("b", {}, q.name),
      el("div", { class: "soft" }, dead ? "dead letters of " + q.dead_letter_of.join(", ") : "queue"),
      el("div", { class: "numbers" }, number("waiting", q.visible), number("in flight", q.in_flight), number("delayed", q.delayed)));
    if (dead && q.visible > 0) {
      box.append(el("p", {}, el("button", { onclick: async () => {
        try { say("moved back: " + JSON.parse(await send("queues/" + encodeURIComponent(q.name) + "/redrive")).moved); } catch (error) { say(error.message, true); }
        refresh();
      } }, "Move back to the queue")));
    }
    for (const m of q.messages) {
      let body = m.body;
      try { body = pretty(JSON.parse(m.body)); } catch { /* not JSON: shown as it is */ }
      box.append(card(m.id, m.state.replace("_", " "), "received " + m.received + " ×", m.sent_at, el("pre", {}, body)));
    }
    grid.append(box);
  }
  view.append(grid);
}

function drawLedger(view, messages) {
  if (messages.length === 0) view.append(empty("Nothing on the ledger yet. A report's first event arrives within seconds."));
  for (const m of messages) {
    const what = m.payload?.event_type || m.payload?.type || m.payload?.t || "message";
    view.append(card(m.topic_id + "#" + m.sequence_number, `${what} · topic ${m.topic_id} #${m.sequence_number}`,
      "transaction " + m.transaction_id + " · payer " + m.payer_account_id, m.consensus_timestamp, el("pre", {}, pretty(m.payload))));
  }
}

const examples = {
  "Not a road problem (rejected)": [{ is_relevant: false, confidence: 0.95 }],
  "Unsure (a person decides)": [{ is_relevant: false, confidence: 0.6 }],
  "Critical damage": [{ is_relevant: true, confidence: 0.97, severity_score: 10, severity: "critical" }],
  "Words instead of an answer": [{ _text: "I cannot help with that." }],
};

function drawAI(view, ai) {
  const area = el("textarea", { id: "answers", spellcheck: "false", "aria-label": "Answers as JSON" });
  area.value = $("answers")?.value || JSON.stringify(examples["Not a road problem (rejected)"], null, 2);
  const pick = el("select", { "aria-label": "Examples", onchange: (event) => { if (event.target.value) area.value = JSON.stringify(examples[event.target.value], null, 2); } },
    el("option", { value: "" }, "examples…"), ...Object.keys(examples).map((name) => el("option", {}, name)));
  view.append(el("div", { class: "card" }, el("b", {}, "Script the next answers"),
    el("p", { class: "soft" }, `Waiting: ${ai.waiting}. An answer goes to the next call whose tool knows its first key; keys that tool does not know wait for the call that does. Without a script the picture decides.`),
    el("form", { onsubmit: async (event) => {
      event.preventDefault();
      try { say("waiting answers: " + JSON.parse(await send("ai", { answers: JSON.parse(area.value) })).waiting); } catch (error) { say(error.message, true); }
      refresh();
    } }, el("label", { class: "wide" }, "JSON array of answers", area), pick, el("button", { class: "main" }, "Queue"),
      el("button", { type: "button", onclick: async () => { await send("ai", undefined, "DELETE"); say("script cleared"); refresh(); } }, "Clear"))));
  if (ai.calls.length === 0) view.append(empty("No call to the model yet."));
  for (const c of ai.calls) {
    view.append(card(c.at + c.tool, c.tool || "(no tool)", c.images + " picture(s)", c.at, el("pre", {}, pretty(c.answer)), el("pre", {}, c.text)));
  }
}

function drawFaults(view, faults) {
  const kept = Object.fromEntries([...document.querySelectorAll("#fault [name]")].map((field) => [field.name, field.value]));
  const choose = (name, options) => el("select", { name }, ...options.map((o) => el("option", { selected: kept[name] === o }, o)));
  const form = el("form", { id: "fault", onsubmit: async (event) => {
    event.preventDefault();
    const data = Object.fromEntries(new FormData(form));
    try { await send("faults", { ...data, count: Number(data.count) }); say("fault queued"); } catch (error) { say(error.message, true); }
    refresh();
  } }, el("label", {}, "service", choose("service", summary.services)), el("label", {}, "mode", choose("mode", summary.modes)),
    el("label", {}, "operation (empty: all)", el("input", { name: "operation", value: kept.operation || "", placeholder: "PutObject" })),
    el("label", {}, "calls (−1: until cleared)", el("input", { name: "count", type: "number", min: "-1", value: kept.count || "1" })),
    el("button", { class: "main" }, "Make it fail"),
    el("button", { type: "button", onclick: async () => { await send("faults", undefined, "DELETE"); say("faults cleared"); refresh(); } }, "Clear all"));
  view.append(el("div", { class: "card" }, form));
  const list = (title, all) => el("div", { class: "card" }, el("b", {}, title), el("pre", {}, all.length ? all.map((f) =>
    `${f.service}${f.operation ? "." + f.operation : ""} · ${f.mode} · ${f.count === -1 ? "until cleared" : f.count + " ×"}${f.skip ? " · after " + f.skip : ""}`).join("\n") : "none"));
  view.append(list("Still to come", faults.pending), list("Struck so far", [...faults.taken].reverse()));
}

function drawGoogle(view) {
  const out = el("pre", {}, "The token appears here; post it to /api/v1/auth/google as id_token.");
  const form = el("form", { onsubmit: async (event) => {
    event.preventDefault();
    const data = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
    if (data.unverified) data.unverified = true;
    try { out.textContent = JSON.parse(await send("google", data)).id_token; } catch (error) { say(error.message, true); }
  } }, el("label", {}, "e-mail", el("input", { name: "email", type: "email", required: true, placeholder: "ana@example.tl" })),
    el("label", {}, "name", el("input", { name: "name" })), el("label", {}, "client id (empty: the local one)", el("input", { name: "aud" })),
    el("label", {}, "address not verified", el("input", { name: "unverified", type: "checkbox" })), el("button", { class: "main" }, "Sign in with Google"));
  view.append(el("div", { class: "card" }, el("b", {}, "An identity token, as an app gets it from Google"), form, out));
}

function drawTabs() {
  $("tabs").replaceChildren(...Object.entries(tabs).filter(([name]) => name in summary.counts).map(([name, tab]) => {
    const bad = name === "queues" && summary.counts.dead > 0;
    const n = bad ? summary.counts.dead + " dead" : summary.counts[name];
    return el("button", { role: "tab", "aria-selected": String(name === current), onclick: () => { location.hash = name; } }, tab.title,
      tab.still ? null : el("span", { class: bad ? "count bad" : "count" }, String(n)));
  }));
  $("links").replaceChildren(...summary.links.map((link) => el("a", { href: link.url }, link.title)));
}

async function refresh() {
  try {
    summary = JSON.parse(await ask("summary"));
    const wanted = location.hash.slice(1);
    const name = wanted in summary.counts && wanted in tabs ? wanted : Object.keys(tabs).find((tab) => tab in summary.counts);
    if (name !== current) { current = name; drawn = ""; }
    drawTabs();
    const tab = tabs[name];
    const path = name + (tab.query ? tab.query() : "");
    $("json").textContent = $("json").href = "/_local/" + path;
    const text = tab.still ? name : await ask(path);
    if (text !== drawn && !(drawn && typing())) {
      drawn = text;
      const view = document.createDocumentFragment();
      tab.draw(view, tab.still ? null : JSON.parse(text));
      $("view").replaceChildren(view);
    }
    if (Date.now() > quietUntil) say("live");
  } catch (error) {
    say("no answer: " + error.message, true);
  }
}

addEventListener("hashchange", refresh);
setInterval(() => { if (!document.hidden) refresh(); }, 2000);
refresh();
