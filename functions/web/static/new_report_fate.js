// What became of a report that was sent from the form: it arrived, it waits, or it was refused.
import { $, h, fill, t, api, button } from "./core.js";
import { signInByCode } from "./sign_in.js";
import { draft, fresh } from "./new_report_draft.js";
import { waitingFor, saveReceipt } from "./new_report_waiting.js";

const { outbox } = self;

/**
 * Returns {show(entry), refused(entry)}. form is what it needs of the form: load(entry), go(step), step(), complainPlace(text),
 * attempt(entry), who(), send() and another().
 */
export function reportFate(form) {
  const another = () => button(t("new_report.another"), form.another, { data: { testid: "another" } });
  const tryAgain = async (id) => form.attempt(await outbox.change(id, () => undefined));

  let last = "";

  /** Shows what became of an entry, once for each news. */
  function show(e) {
    $("#send-status").textContent = "";
    const news = [e.client_id, e.state, e.problem && e.problem.status].join();
    if (form.step() === "done" && news === last) return undefined;
    last = news;
    if (e.state === "draft") return refused(e);
    if (!draft.empty && draft.entry.client_id === e.client_id) form.load(fresh());
    if (e.state === "sent") $("#keeping").textContent = "";
    $("#done-title").textContent = t(e.state === "sent" ? "new_report.thanks" : "new_report.waits");
    fill($("#done"), e.state === "sent" ? sent(e) : waits(e));
    return form.go("done");
  }

  const sent = (e) => [h("p", { class: "number" }, e.number), h("p", {}, t("new_report.thanks_hint")),
    (e.warnings || []).map((w) => h("p", { class: "note" }, w.message)),
    h("div", { class: "actions" }, h("a", { class: "button main", href: "/r/" + e.number }, t("new_report.open")), another()),
    e.receipt ? h("div", { class: "receipt" }, h("p", { class: "soft", id: "receipt-hint" }, t("new_report.receipt_hint")),
      h("button", { type: "button", "aria-describedby": "receipt-hint", onclick: () => saveReceipt(e), data: { testid: "receipt" } }, t("new_report.receipt"))) : null];

  const waits = (e) => {
    const signedOut = e.problem && e.problem.status === 401;
    return [h("p", { role: "status" }, waitingFor(e)), signedOut ? signInByCode(() => tryAgain(e.client_id), t("new_report.sign_in"), t("new_report.sign_in_send")) : null,
      h("div", { class: "actions" }, signedOut ? null : button(t("new_report.send_now"), async () => {
        await form.who();
        await tryAgain(e.client_id);
      }), another())];
  };

  /** Says why an entry was refused, where the person can mend it. It is a draft again. */
  function refused(e) {
    if (e !== draft.entry) form.load(e);
    const { status, code, detail, errors, report_id: id } = e.problem || {};
    if (!status) return;
    const words = [detail, ...errors.map((f) => f.message)].filter(Boolean).join(" ");
    const about = (pattern) => errors.some((f) => pattern.test(f.field));
    if (code === "outside_area" || about(/latitude|longitude/)) {
      form.go("place");
      form.complainPlace(detail || words);
    } else if (status === 413 || status === 415 || about(/image|file|upload/)) {
      form.go("photo");
      $("#photo-error").textContent = words + " " + t("new_report.photo_refused");
    } else {
      if (form.step() !== "send") form.go("send");
      $("#send-error").textContent = words + " " + t(id || status === 410 ? "new_report.reused" : "new_report.refused");
      if (id || status === 410) offerNew(id);
    }
  }

  // After a lost answer the server may hold an earlier version of this report.
  async function offerNew(id) {
    const known = id ? await api("GET", "/public/reports/" + id).catch(() => null) : null;
    fill($("#send-extra"), h("div", { class: "actions" }, known ? h("a", { class: "button", href: "/r/" + known.report_number }, known.report_number) : null,
      button(t("new_report.send_as_new"), async () => {
        await outbox.change(draft.entry.client_id, () => null);
        draft.renew();
        await form.send();
      })));
  }

  return { show, refused };
}
