// One person: role and agency, suspension, profile, second factor, reports.
import { $, h, t, fill, session, button, field, select, reasonSelect, textArea, form, ask, toast, complain, row, day, moment, named } from "./core.js";
import { call, heading, link, mark, pager, agencies, agencySelect, roles, roleName, snapshot } from "./admin_parts.js";

/** Reads a person as administrators see them. The API finds people by address, so the address is read first. */
async function read(id) {
  const { email } = await call("GET", "/users/" + encodeURIComponent(id));
  const found = await call("GET", "/admin/users?page_size=100&q=" + encodeURIComponent(email));
  const person = found.items.find((p) => p.id === id);
  if (!person) throw new Error(t("admin.nobody_found"));
  return person;
}

export async function show(el, id, query) {
  let [person, known] = await Promise.all([read(id), agencies()]);
  let before = "", rights = null;
  /** Shows the person as they are now. */
  const draw = (p) => {
    person = p;
    rights = rightsForm(person, known, draw);
    fill(el, h("p", {}, h("a", { class: "alone", href: "#people" }, t("admin.back_to_people"))), heading(person.full_name || person.email), facts(person, known),
      h("section", { class: "card" }, h("h3", {}, t("admin.rights")), rights), actions(person, draw), h("div", { id: "reports-of" }));
    before = snapshot(rights);
    reports($("#reports-of", el), person, Number(query.get("page")) || 1).catch(complain);
  };
  draw(person);
  return { dirty: () => snapshot(rights) !== before };
}

function facts(p, known) {
  const agency = (id) => known.filter((a) => a.id === id).map(named)[0];
  const rows = [
    [t("common.email"), [p.email, " ", p.is_verified ? null : mark(t("admin.not_confirmed"), "pending")]],
    p.invited ? null : [t("admin.role"), [roleName(p.role), agency(p.agency_id)].filter(Boolean).join(", ")],
    p.invited ? [t("admin.invited_as"), [roleName(p.invited.role), agency(p.invited.agency_id), t("admin.until", { day: day(p.invited.expires_at) })].filter(Boolean).join(", ")] : null,
    p.suspended_at ? [t("admin.suspended"), moment(p.suspended_at) + (p.suspended_reason ? ": " + p.suspended_reason : "")] : null,
    [t("admin.second_factor"), p.second_factor ? t("admin.on") : t("admin.off")],
    [t("admin.registered"), day(p.created_at)],
    [t("admin.last_seen"), p.last_login_at ? moment(p.last_login_at) : t("admin.never")],
    p.phone_number ? [t("admin.phone"), p.phone_number] : null,
  ].filter(Boolean);
  return h("dl", { class: "card" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)]));
}

const change = (p, body) => call("PATCH", "/admin/users/" + p.id, { body });

/** Role and agency. For somebody who is invited, what the invitation gives. */
function rightsForm(p, known, draw) {
  const now = p.invited || p;
  const role = select(roles.map((r) => [r, roleName(r)]), { name: "role", onchange: fits, data: { testid: "role" } }, now.role);
  const agency = agencySelect(known, t("admin.none"), { name: "agency_id", data: { testid: "agency" } }, now.agency_id || "");
  const reason = h("input", { name: "reason", maxlength: "500", dir: "auto" });
  function fits() {
    agency.required = role.value === "government_official";
    agency.disabled = role.value === "citizen";
  }
  fits();
  return form("rights-send", t("common.save"), [field(t("admin.role"), role), field(t("admin.agency"), agency, t("admin.agency_hint")), field(t("admin.reason_log"), reason)], async () => {
    const next = await change(p, { role: role.value, agency_id: role.value === "citizen" ? null : agency.value || null, reason: reason.value });
    toast(t("admin.saved"));
    draw(next);
  });
}

/** Asks for a reason, then changes the person. */
function withReason(name, title, text, p, draw, send, required = true) {
  const reason = textArea("reason", { name: "reason", maxlength: "500", required });
  return ask(name, title, { text, controls: field(t("admin.reason_log"), reason), danger: true, send: () => send(reason.value) })
    .then((next) => {
      if (!next) return;
      toast(t("admin.saved"));
      draw(next);
    });
}

function actions(p, draw) {
  const own = session.user && session.user.id === p.id;
  const act = (name, title, text, send, required) => button(title, () => withReason(name, title, text, p, draw, send, required), { data: { testid: name } });
  const buttons = [
    p.invited ? button(t("admin.invite_again"), async () => {
      const body = { email: p.email, full_name: p.full_name || p.email, role: p.invited.role, agency_id: p.invited.agency_id, preferred_language: p.preferred_language };
      draw(await call("POST", "/admin/users/invite", { body }));
      toast(t("admin.invitation_sent", { email: p.email }));
    }, { data: { testid: "invite-again" } }) : null,
    p.is_active && !own ? act("suspend", t("admin.suspend"), t("admin.suspend_text"), (reason) => change(p, { suspended: true, reason })) : null,
    p.is_active ? null : act("reinstate", t("admin.reinstate"), t("admin.reinstate_text"), (reason) => change(p, { suspended: false, reason }), false),
    p.full_name ? act("clear-name", t("admin.clear_name"), t("admin.clear_name_text", { name: p.full_name }), (reason) => change(p, { clear_name: true, reason })) : null,
    p.avatar_url ? act("clear-avatar", t("admin.clear_avatar"), t("admin.clear_avatar_text"), (reason) => change(p, { clear_avatar: true, reason })) : null,
    p.second_factor && !own ? act("reset-factor", t("admin.reset_factor"), t("admin.reset_factor_text"), async (reason) => {
      await call("DELETE", "/admin/users/" + p.id + "/totp", { body: { reason } });
      return read(p.id);
    }) : null,
  ];
  return h("section", { class: "card" }, h("h3", {}, t("admin.actions")), p.avatar_url ? h("p", {}, h("img", { src: p.avatar_url, alt: t("admin.avatar"), width: "96", height: "96" })) : null, h("div", { class: "actions" }, buttons),
    h("p", {}, h("a", { class: "alone", href: link("audit", [], { actor: p.id }) }, t("admin.what_they_did"))), h("p", {}, h("a", { class: "alone", href: link("audit", [], { entity: "user", entity_id: p.id }) }, t("admin.what_happened"))));
}

/** The reports of a person in every state. Those that are open can be rejected together. */
async function reports(el, p, page) {
  const list = await call("GET", "/admin/users/" + p.id + "/reports?page_size=20&page=" + page);
  const boxes = new Map();
  const lines = list.items.map((r) => {
    const box = r.removed ? null : h("input", { type: "checkbox", "aria-label": t("admin.choose", { number: r.report_number }), data: { testid: "choose" } });
    if (box) boxes.set(box, r);
    return h("li", { class: "chosen" }, h("span", { class: "choice" }, box), row(r));
  });
  fill(el, h("section", { class: "card" }, h("h3", {}, t("admin.reports_of", { n: list.total })),
    list.total ? h("ul", { class: "rows", data: { testid: "reports" } }, lines) : h("p", {}, t("common.none")),
    list.total ? pager(list, (n) => link("people", [p.id], { page: n })) : null,
    boxes.size ? h("div", { class: "actions" },
      button(t("admin.choose_all"), async () => { for (const box of boxes.keys()) box.checked = true; }),
      button(t("admin.reject_chosen"), async () => {
        const chosen = [...boxes].filter(([box]) => box.checked).map(([, r]) => r);
        if (!chosen.length) return toast(t("admin.choose_first"), "bad");
        if (await reject(chosen)) await reports(el, p, page);
        return undefined;
      }, { data: { testid: "reject" }, class: "danger" })) : null));
}

/** Asks why, rejects reports, and says what was not rejected. */
function reject(chosen) {
  const why = reasonSelect();
  const note = textArea("note", { maxlength: "2000", required: true });
  return ask("reject", t("admin.reject_chosen"), {
    text: t("admin.reject_text", { n: chosen.length }), danger: true, controls: [field(t("admin.why"), why), field(t("admin.note"), note, t("admin.note_hint"))],
    send: async () => {
      const items = chosen.map((r) => ({ report_id: r.id, status: "rejected", reason_code: why.value, note: note.value, expected_version: r.version }));
      const { results } = await call("POST", "/staff/reports/bulk-status", { body: { items } });
      const refused = results.filter((r) => r.status !== "ok");
      toast(t("admin.rejected", { n: results.length - refused.length }), "");
      for (const r of refused) toast(chosen.find((c) => c.id === r.report_id).report_number + ": " + r.detail, "bad");
      return true;
    },
  });
}
