// What staff do with several reports at once: verify, reject, assign, print.
import { $, h, fill, t, count, button, newID, field, ask, textArea, reasonSelect, select, named, toast } from "./core.js";
import { staffApi } from "./sign_in.js";

const atOnce = 100; // of bulk-status and bulk-assign

/**
 * Sends an item for each report and returns the results, in order. done has the results of an earlier try by report number; its
 * reports are not sent again.
 */
async function send(path, reports, itemOf, done, keys) {
  for (let from = 0; from < reports.length; from += atOnce) {
    const part = reports.slice(from, from + atOnce).filter((r) => !done.has(r.report_number));
    if (!part.length) continue;
    const body = { items: part.map((r) => ({ report_id: r.report_number, expected_version: r.version, ...itemOf(r) })) };
    const text = JSON.stringify(body);
    keys.set(text, keys.get(text) || newID()); // the same request, sent again after a lost answer, gets that answer
    const answer = await staffApi("POST", "/staff/reports/" + path, { body, headers: { "Idempotency-Key": keys.get(text) } });
    for (const result of answer.results) done.set(result.report_id, result);
  }
  return reports.map((r) => done.get(r.report_number));
}

/** Makes the bar of the selected reports. */
export function makeBulk(desk) {
  let chosen = [];
  const said = h("strong", { role: "status" });
  const acts = h("div", { class: "actions" });
  const bar = h("section", { class: "bulk", "aria-label": t("desk.selected_actions"), hidden: true }, said, acts);

  // Asks, sends and says what became of each report. What was refused stays selected.
  async function act(name, path, title, { text = "", controls = [], danger = false, itemOf }) {
    const reports = chosen, done = new Map(), keys = new Map();
    const results = await ask(name, title, { text, controls, danger, label: title, send: () => send(path, reports, itemOf, done, keys) });
    if (!results) return;
    const refused = results.filter((r) => r.status !== "ok");
    desk.list.mark(reports.filter((r) => !refused.some((bad) => bad.report_id === r.report_number)), false);
    await desk.list.reload({ keep: true });
    desk.list.say(h("div", { class: refused.length ? "note bad" : "note good", data: { testid: "bulk-result" } },
      h("p", {}, [count("desk.bulk_done", results.length - refused.length), refused.length ? count("desk.bulk_refused", refused.length) : ""].join(" ")),
      refused.length ? h("ul", {}, refused.map((r) => h("li", {}, h("strong", {}, r.report_id), ": ", [r.detail, ...(r.errors || []).map((e) => e.message)].join(" ")))) : null));
    desk.reopen(reports);
  }

  const note = () => textArea("note", { name: "note", maxlength: "2000" });
  const verify = () => {
    const words = note();
    return act("bulk-verify", "bulk-status", count("desk.verify_n", chosen.length), { text: t("desk.verify_why"), controls: field(t("desk.note_public"), words),
      itemOf: () => ({ status: "verified", ...(words.value.trim() ? { note: words.value.trim() } : {}) }) });
  };
  const reject = () => {
    const words = note(), reason = reasonSelect();
    return act("bulk-reject", "bulk-status", count("desk.reject_n", chosen.length), { danger: true,
      controls: [field(t("desk.reason"), reason), field(t("desk.note_reporter"), words)],
      itemOf: () => ({ status: "rejected", reason_code: reason.value, ...(words.value.trim() ? { note: words.value.trim() } : {}) }) });
  };
  const assign = async () => {
    if (!desk.agencies.length) toast(t("common.loading"));
    await desk.lists;
    const words = note();
    const agencies = desk.agency ? [desk.agency] : desk.agencies;
    const people = select([["", t("desk.keep")]], { name: "user_id" });
    const agency = select([["", t("desk.agency_best")], ...agencies.map((a) => [a.id, named(a)])], { name: "agency_id", onchange: () => showPeople() }, desk.agency ? desk.agency.id : "");
    const due = h("input", { type: "date", name: "due_at" });
    const showPeople = () => {
      const of = desk.agencies.find((a) => a.id === agency.value);
      fill(people, h("option", { value: "" }, t(of ? "desk.nobody_yet" : "desk.keep")), of ? of.people.map((p) => h("option", { value: p.id }, p.full_name)) : []);
    };
    showPeople();
    return act("bulk-assign", "bulk-assign", count("desk.assign_n", chosen.length), {
      controls: [field(t("desk.agency"), agency), field(t("desk.person"), people), field(t("desk.due"), due, t("desk.due_hint")), field(t("desk.note_staff"), words)],
      itemOf: () => ({ ...(agency.value ? { agency_id: agency.value } : {}), ...(people.value ? { user_id: people.value } : {}),
        ...(due.value ? { due_at: due.value + "T23:59:59+09:00" } : {}), ...(words.value.trim() ? { note: words.value.trim() } : {}) }) });
  };

  return {
    element: bar,
    /** Shows how many are selected. */
    show(reports) {
      chosen = reports;
      said.textContent = reports.length ? count("desk.selected", reports.length) : "";
      if (bar.hidden !== (reports.length === 0)) {
        bar.hidden = reports.length === 0;
        document.documentElement.classList.toggle("selecting", !bar.hidden);
        fill(acts, bar.hidden ? [] : [
          button(t("desk.verify"), verify, { class: "main", data: { testid: "bulk-verify" } }),
          desk.user.role === "government_official" ? null : button(t("desk.reject"), reject, { class: "danger", data: { testid: "bulk-reject" } }),
          button(t("desk.assign"), assign, { data: { testid: "bulk-assign" } }),
          button(t("desk.sheet"), () => desk.sheet(chosen.map((r) => r.report_number)), { data: { testid: "sheet" } }),
          button(t("desk.deselect"), () => { desk.list.clearMarks(); const first = $(".list .rows a"); if (first) first.focus(); })]);
      }
    },
  };
}
