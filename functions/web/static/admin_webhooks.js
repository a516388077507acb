// Webhooks: addresses that are called for events of reports. A secret is shown once, when it is made. The calls of a webhook are listed
// with what the receiver answered; those that were given up can be made again.
import { h, fill, t, moment, button, field, select, form, ask, toast, idempotent } from "./core.js";
import { call, heading, link, line, mark, pager, copy, group, tick, ticked, snapshot } from "./admin_parts.js";

const events = ["report.created", "report.verified", "report.status_changed", "report.assigned", "report.removed", "report.disputed", "comment.added"];
const eventName = (event) => t("admin.hook_event_" + event.replace(".", "_"));
const states = ["waiting", "delivered", "parked"];
const host = (url) => { try { return new URL(url).host; } catch { return url; } };
const path = (id) => "/admin/webhooks/" + encodeURIComponent(id);

export async function show(el, { below, query }) {
  if (below[0] === "new") return edit(el, null);
  const { items } = await call("GET", "/admin/webhooks");
  if (below[0]) {
    const hook = items.find((w) => w.id === below[0]);
    if (hook) return one(el, hook, query);
  }
  el.append(h("div", { class: "split" }, heading(t("admin.webhooks")), h("a", { class: "button main", href: "#webhooks/new", data: { testid: "webhook-new" } }, t("admin.webhook_new"))),
    h("p", { class: "soft" }, t("admin.webhooks_text")),
    items.length ? h("ul", { class: "rows card", data: { testid: "list" } }, items.map((w) => line(link("webhooks", [w.id]), host(w.url), state(w), facts(w))))
      : h("p", { class: "card" }, t("admin.no_webhooks")));
  return null;
}

/** The state of a webhook as a word in a frame. */
function state(w) {
  if (!w.enabled) return mark(t(w.off_reason === "gone" ? "admin.webhook_gone" : "admin.webhook_off"), "rejected");
  return w.failures ? mark(t("admin.webhook_failing"), "pending") : mark(t("admin.webhook_on"), "fixed");
}

const facts = (w) => [w.events.map(eventName).join(", "), t("admin.webhook_counts", { waiting: w.waiting, parked: w.parked })].join(" · ");

const back = () => h("p", {}, h("a", { class: "alone", href: "#webhooks" }, t("admin.back_to_webhooks")));

/** The form of a webhook; null for a new one. saved gets what was stored. */
function edit(el, was, saved) {
  const url = h("input", { name: "url", type: "url", required: true, maxlength: "2048", value: was ? was.url : "", autocapitalize: "off", spellcheck: "false", placeholder: "https://" });
  const headers = idempotent();
  const box = h("div");
  const sheet = form("webhook-send", t(was ? "common.save" : "admin.webhook_make"), [field(t("admin.webhook_url"), url, t("admin.webhook_url_hint")),
    group(t("admin.webhook_events"), t("admin.webhook_events_hint"), h("div", { class: "ticks" }, events.map((e) => tick("events", e, eventName(e), !was || was.events.includes(e)))))], async () => {
    const body = { url: url.value.trim(), events: ticked(sheet, "events") };
    if (was) {
      const now = await call("PATCH", path(was.id), { body });
      before = snapshot(sheet);
      toast(t("admin.saved"));
      return saved(now);
    }
    const made = await call("POST", "/admin/webhooks", { body, headers: headers(body) });
    kept = false;
    fill(box, secretOf(made, () => {
      kept = true;
      location.hash = link("webhooks", [made.id]);
    }));
    box.firstChild.focus();
    return undefined;
  });
  let before = snapshot(sheet);
  let kept = null; // false: a secret is on the page, and nobody has said that it is kept
  fill(box, h("div", { class: "card" }, sheet));
  if (was) return { box, dirty: () => snapshot(sheet) !== before };
  el.append(back(), heading(t("admin.webhook_new")), box);
  return { dirty: () => (kept === null ? snapshot(sheet) !== before : !kept) };
}

/** Shows a secret until the person says that it is kept. Without one, the first answer was lost on the way. */
function secretOf(hook, done) {
  if (!hook.secret) return h("section", { class: "card", tabindex: "-1" }, h("p", { class: "note bad" }, t("admin.webhook_lost")), button(t("admin.back_to_webhooks"), async () => done(), { class: "main" }));
  return h("section", { class: "card", tabindex: "-1" }, h("h3", {}, t("admin.webhook_secret")), h("p", { class: "note" }, t("admin.webhook_once")),
    h("p", {}, h("code", { class: "code", data: { testid: "secret" } }, hook.secret), " ", copy(hook.secret)),
    form("webhook-done", t("admin.webhook_done"), [tick("kept", "1", t("admin.webhook_kept"), false, { required: true, data: { testid: "webhook-kept" } })], async () => done()));
}

/** One webhook: its state, its form, and its calls. */
function one(el, hook, query) {
  const top = h("div"), secret = h("div"), calls = h("div");
  let kept = true;
  const sheet = edit(el, hook, (now) => { Object.assign(hook, now); draw(); });
  const act = (id, label, props, run) => button(label, run, { ...props, data: { testid: id } });

  const turn = act("webhook-rotate", t("admin.webhook_rotate"), {}, async () => {
    const headers = idempotent();
    const turned = await ask("rotate", t("admin.webhook_rotate"), { text: t("admin.webhook_rotate_text"), label: t("admin.webhook_rotate"), send: () => call("POST", path(hook.id) + "/rotate", { headers: headers({}) }) });
    if (!turned) return;
    kept = false;
    fill(secret, secretOf(turned, () => { kept = true; fill(secret, null); }));
    secret.firstChild.focus();
  });
  const remove = act("webhook-remove", t("admin.webhook_remove"), { class: "danger" }, async () => {
    const done = await ask("webhook-remove", t("admin.webhook_remove"), { text: t("admin.webhook_remove_text"), danger: true, send: () => call("DELETE", path(hook.id)) });
    if (!done) return;
    kept = true;
    toast(done.message);
    location.hash = "#webhooks";
  });
  const toggle = async () => {
    Object.assign(hook, await call("PATCH", path(hook.id), { body: { enabled: !hook.enabled } }));
    draw();
    await list();
  };
  const again = async () => {
    const { items } = await call("GET", "/admin/webhooks");
    Object.assign(hook, items.find((w) => w.id === hook.id));
    draw();
    await list();
  };

  function draw() {
    fill(top, h("p", {}, state(hook), " ", h("span", { class: "soft" }, t("admin.webhook_counts", { waiting: hook.waiting, parked: hook.parked }))),
      hook.off_reason === "gone" ? h("p", { class: "note bad" }, t("admin.webhook_gone_text")) : null,
      h("div", { class: "actions" }, act("webhook-toggle", t(hook.enabled ? "admin.webhook_switch_off" : "admin.webhook_switch_on"), {}, toggle), turn, remove));
  }

  const filter = select([["", t("admin.hook_all")], ...states.map((s) => [s, t("admin.hook_state_" + s)])], { name: "state", data: { testid: "webhook-filter" }, onchange: () => { location.hash = link("webhooks", [hook.id], { state: filter.value }); } }, query.get("state") || "");
  async function list() {
    const filters = new URLSearchParams({ page_size: "20", page: query.get("page") || "1" });
    if (filter.value) filters.set("state", filter.value);
    const found = await call("GET", path(hook.id) + "/deliveries?" + filters);
    fill(calls, found.items.length ? h("ul", { class: "plain", data: { testid: "calls" } }, found.items.map((d) => delivery(hook, d, again))) : h("p", { class: "card" }, t("admin.no_calls")),
      pager(found, (n) => link("webhooks", [hook.id], { state: filter.value, page: n })));
  }

  draw();
  el.append(back(), heading(host(hook.url)), top, secret, sheet.box, h("h3", {}, t("admin.webhook_calls")), h("p", { class: "soft" }, t("admin.webhook_calls_text")), field(t("admin.hook_state"), filter), calls);
  return list().then(() => ({ dirty: () => sheet.dirty() || !kept }));
}

/** A call in the list. */
function delivery(hook, d, again) {
  const kinds = { waiting: "pending", delivered: "fixed", parked: "rejected" };
  return h("li", { class: "card", data: { testid: "call" } }, h("div", { class: "split" }, h("h4", {}, eventName(d.event)), mark(t("admin.hook_state_" + d.state), kinds[d.state])),
    h("p", { class: "soft" }, [d.report_number, moment(d.occurred_at), t("admin.hook_attempts", { n: d.attempts }), d.last_status ? t("admin.hook_status", { n: d.last_status }) : null,
      d.failure_reason ? t("admin.hook_fault_" + d.failure_reason) : null, d.next_at ? t("admin.hook_next", { at: moment(d.next_at) }) : null].filter(Boolean).join(" · ")),
    d.state === "parked" && hook.enabled ? h("div", { class: "actions" }, button(t("admin.hook_again"), async () => {
      toast((await call("POST", path(hook.id) + "/deliveries/" + d.id + "/redrive")).message);
      await again();
    }, { "aria-label": t("admin.hook_again") + ": " + eventName(d.event) + " " + d.report_number, data: { testid: "redrive" } })) : null);
}
