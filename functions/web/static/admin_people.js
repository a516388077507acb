// People: search, invitations, and the list. One person is in admin_person.js.
import { h, fill, t, later, button, field, select, ask, toast, day, named, idempotent } from "./core.js";
import { call, heading, link, line, mark, pager, agencies, agencySelect, roles, roleName } from "./admin_parts.js";

/** invited is a person who was invited just now: the list says so. */
export async function show(el, to, invited = null) {
  const { below, query } = to;
  if (below[0]) return (await later(import("./admin_person.js"))).show(el, below[0], query);
  const filters = { q: query.get("q") || "", role: query.get("role") || "", agency: query.get("agency") || "", suspended: query.get("suspended") || "" };
  const page = Number(query.get("page")) || 1;
  const asked = new URLSearchParams(Object.entries({ ...filters, page, page_size: 20 }).filter(([, value]) => value !== ""));
  const [list, known] = await Promise.all([call("GET", "/admin/users?" + asked), agencies()]);
  const more = () => invite(known, (person) => show(el, to, person));
  fill(el, h("div", { class: "split" }, heading(t("admin.people")), button(t(invited ? "admin.invite_another" : "admin.invite"), more, { class: "main", data: { testid: "invite" } })),
    invited ? h("p", { class: "note good" }, t("admin.invitation_sent", { email: invited.email }), " ", h("a", { class: "alone", href: link("people", [invited.id]) }, t("admin.open_it"))) : null,
    search(filters, known),
    list.items.length ? h("ul", { class: "rows card", data: { testid: "list" } }, list.items.map((p) => personLine(p, known))) : h("p", { class: "card" }, t("admin.nobody_found")),
    pager(list, (n) => link("people", [], { ...filters, page: n })));
  return null;
}

function search(filters, known) {
  const q = h("input", { type: "search", name: "q", maxlength: "100", value: filters.q, data: { testid: "find" } });
  const role = select([["", t("admin.all")], ...roles.map((r) => [r, roleName(r)])], { name: "role" }, filters.role);
  const agency = agencySelect(known, t("admin.all"), { name: "agency" }, filters.agency);
  const suspended = h("input", { type: "checkbox", name: "suspended", checked: filters.suspended === "true" });
  return h("form", { class: "card filters", role: "search", onsubmit: (e) => {
    e.preventDefault();
    location.hash = link("people", [], { q: q.value.trim(), role: role.value, agency: agency.value, suspended: suspended.checked ? "true" : "" });
  } }, field(t("admin.name_or_email"), q), field(t("admin.role"), role), field(t("admin.agency"), agency),
  h("label", { class: "choice" }, suspended, t("admin.only_suspended")), h("button", { type: "submit" }, t("admin.search")));
}

/** The state of a person as a mark: suspended, invited, or the role. */
function stateOf(p) {
  if (!p.is_active) return mark(t("admin.suspended"), "rejected");
  if (p.invited) return mark(t("admin.invited"), "pending");
  return mark(roleName(p.role), p.role === "citizen" ? "duplicate" : "verified");
}

function personLine(p, known) {
  const waits = p.invited ? roleName(p.invited.role) : null;
  const agency = known.find((a) => a.id === ((p.invited || p).agency_id));
  return line(link("people", [p.id]), p.full_name || p.email, stateOf(p),
    [p.full_name ? p.email : null, waits, agency ? named(agency) : null, t("admin.since", { day: day(p.created_at) })].filter(Boolean).join(" · "));
}

/** Asks whom to invite, and calls invited. An address that has an account leads to that person: their role is changed there. */
async function invite(known, invited) {
  const email = h("input", { type: "email", name: "email", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true, maxlength: "254", data: { testid: "invite-email" } });
  const name = h("input", { name: "full_name", maxlength: "100", autocomplete: "off", data: { testid: "invite-name" } });
  const role = select(roles.slice(1).map((r) => [r, roleName(r)]), { name: "role", onchange: needsAgency, data: { testid: "invite-role" } }, "moderator");
  const agency = agencySelect(known, t("admin.none"), { name: "agency_id", data: { testid: "invite-agency" } });
  const language = select([["tet", "Tetun"], ["pt", "Português"], ["en", "English"]], { name: "preferred_language", data: { testid: "invite-language" } }, "tet");
  const headers = idempotent();
  function needsAgency() { agency.required = role.value === "government_official"; }
  const done = await ask("invite", t("admin.invite"), {
    text: t("admin.invite_text"), label: t("admin.send_invitation"),
    controls: [field(t("common.email"), email), field(t("admin.full_name"), name, t("admin.invite_name_hint")), field(t("admin.role"), role),
      field(t("admin.agency"), agency, t("admin.agency_hint")), field(t("admin.mail_language"), language)],
    send: async () => {
      const body = { email: email.value, full_name: name.value.trim() || email.value.split("@")[0], role: role.value, agency_id: agency.value || null, preferred_language: language.value };
      try {
        return await call("POST", "/admin/users/invite", { body, headers: headers(body) });
      } catch (e) {
        if (e.code !== "account_exists" || !e.body.user_id) throw e;
        toast(e.message);
        return { id: e.body.user_id };
      }
    },
  });
  if (!done) return;
  if (!done.invited) {
    location.hash = link("people", [done.id]);
    return;
  }
  toast(t("admin.invitation_sent", { email: done.email }));
  await invited(done);
}
