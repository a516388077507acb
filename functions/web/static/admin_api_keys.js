// API keys: other systems file reports and updates with them. A key is shown once, when it is made.
import { h, fill, t, day, button, field, form, ask, toast, idempotent } from "./core.js";
import { call, heading, link, mark, pager, copy, tick, snapshot } from "./admin_parts.js";

export async function show(el, { below, query }) {
  if (below[0]) return one(el);
  const list = await call("GET", "/admin/api-keys?page_size=50&page=" + (Number(query.get("page")) || 1));
  el.append(h("div", { class: "split" }, heading(t("admin.api_keys")), h("a", { class: "button main", href: "#api_keys/new", data: { testid: "api-key-new" } }, t("admin.api_key_new"))),
    h("p", { class: "soft" }, t("admin.api_keys_text")),
    list.items.length ? h("ul", { class: "plain", data: { testid: "list" } }, list.items.map(row)) : h("p", { class: "card" }, t("admin.no_api_keys")),
    pager(list, (n) => link("api_keys", [], { page: n })));
  return null;
}

/** A key in the list. It stays there when it is revoked. */
function row(key) {
  const el = h("li", { class: "card", data: { testid: "row" } });
  const draw = () => fill(el, h("div", { class: "split" }, h("h3", { dir: "auto" }, key.name), key.revoked_at ? mark(t("admin.api_key_revoked"), "rejected") : null),
    h("p", { class: "soft" }, facts(key)),
    key.revoked_at ? null : h("div", { class: "actions" }, button(t("admin.api_key_revoke"), async () => {
      const done = await ask("revoke", t("admin.api_key_revoke_title", { name: key.name }), { text: t("admin.api_key_revoke_text"), label: t("admin.api_key_revoke"), danger: true, send: () => call("DELETE", "/admin/api-keys/" + key.id) });
      if (!done) return;
      key.revoked_at = new Date().toISOString();
      toast(done.message);
      draw();
    }, { class: "danger", "aria-label": t("admin.api_key_revoke") + ": " + key.name, data: { testid: "revoke" } })));
  draw();
  return el;
}

function facts(key) {
  return [key.contact_email, t("admin.api_key_rate", { n: key.per_minute }), t("admin.api_key_reports", { n: key.reports_count }), t("admin.api_key_made", { day: day(key.created_at) }),
    key.last_used_at ? t("admin.api_key_used", { day: day(key.last_used_at) }) : t("admin.api_key_unused"),
    key.revoked_at ? t("admin.api_key_ended", { day: day(key.revoked_at) }) : null].filter(Boolean).join(" · ");
}

function one(el) {
  const name = h("input", { name: "name", required: true, maxlength: "100", dir: "auto" });
  const email = h("input", { name: "contact_email", type: "email", required: true, maxlength: "254", autocapitalize: "off" });
  const rate = h("input", { name: "per_minute", type: "number", inputmode: "numeric", required: true, min: "1", max: "6000", value: "60" });
  const headers = idempotent();
  const box = h("div");
  const edit = form("api-key-send", t("admin.api_key_make"), [field(t("admin.api_key_name"), name, t("admin.api_key_name_hint")),
    field(t("admin.contact_email"), email, t("admin.api_key_contact_hint")), field(t("admin.api_key_per_minute"), rate)], async () => {
    const body = { name: name.value.trim(), contact_email: email.value.trim(), per_minute: Number(rate.value) };
    const made = await call("POST", "/admin/api-keys", { body, headers: headers(body) });
    kept = false;
    fill(box, made.key ? secret(made) : lost(made));
    box.firstChild.focus();
  });
  const before = snapshot(edit);
  let kept = null; // false: the key is on the page, and nobody has said that it is kept
  const done = () => {
    kept = true;
    location.hash = "#api_keys";
  };

  const secret = (made) => h("section", { class: "card", tabindex: "-1" }, h("h3", { dir: "auto" }, made.name), h("p", { class: "note" }, t("admin.api_key_once")),
    h("p", {}, h("code", { class: "code", data: { testid: "secret" } }, made.key), " ", copy(made.key)),
    form("api-key-done", t("admin.api_key_done"), [tick("kept", "1", t("admin.api_key_kept"), false, { required: true, data: { testid: "api-key-kept" } })], async () => done()));

  // The first answer was lost on the way, and the key is in no other.
  const lost = (made) => h("section", { class: "card", tabindex: "-1" }, h("h3", { dir: "auto" }, made.name), h("p", { class: "note bad" }, t("admin.api_key_lost")), button(t("admin.back_to_api_keys"), async () => done(), { class: "main" }));

  fill(box, h("div", { class: "card" }, edit));
  el.append(h("p", {}, h("a", { class: "alone", href: "#api_keys" }, t("admin.back_to_api_keys"))), heading(t("admin.api_key_new")), box);
  return { dirty: () => (kept === null ? snapshot(edit) !== before : !kept) };
}
