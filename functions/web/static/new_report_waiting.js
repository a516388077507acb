// The reports that this phone keeps: their list, and sending what waits.
import { $, h, fill, t, session, button, saveFile, toast, moment, language } from "./core.js";
import "./outbox.js";

const { outbox } = self;
const everyMs = 30000;
const rememberedOwner = "report_owner"; // in localStorage: id and address of who was signed in last, for when there is no link to ask

const stored = (key) => { try { return localStorage.getItem(key) || ""; } catch { return ""; } };
const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* storage is switched off */ } };

/** The address that is signed in, or was when this phone last had a link; "" for nobody. */
export function owner() {
  if (session.user) return session.user.email;
  const [id, address] = stored(rememberedOwner).split(" ");
  return address && id === stored("signed_in") ? address : "";
}

/** Who sends, as outbox.send wants it. */
export const sender = () => {
  const { email } = session.user;
  return { owner: email, lang: language, token: () => (session.user && session.user.email === email ? session.token : ""), renew: () => session.renew().then(() => session.user.email) };
};

session.watch((user) => { if (user) store(rememberedOwner, user.id + " " + user.email); });

/** Tells other tabs that entries changed. */
export const tell = () => store("reports_changed", String(Date.now()));

/** What an entry that waits waits for, in words. */
export function waitingFor({ problem, not_before: time, owner: of }) {
  const status = problem ? problem.status : 0;
  if (status === 401 || !of && !session.user && navigator.onLine) return t("new_report.waits_sign_in");
  if (status === 429) return t("new_report.waits_limit", { time: moment(new Date(time).toISOString()) });
  return t(status >= 500 ? "new_report.waits_server" : "new_report.waits_link");
}

/** A receipt as a file. */
export const saveReceipt = (e) => saveFile(e.number + "-receipt.json", e.receipt);

const kind = (e) => t("label.issue_type." + (e.fields.issue_type || "other"));

/**
 * Keeps the list and sends by itself. hidden(id) says which entries the form shows; open(e) puts a draft into the form; settled(e)
 * is called with each entry that was tried; signIn() asks who sends. Returns {refresh(), begin()}; begin is
 * called when it is known who is signed in, and nothing is shown before.
 */
export function onPhone({ hidden, open, settled, signIn }) {
  let sending = null, begun = false;

  const tryOne = async (e, options) => {
    const after = await outbox.send(e.client_id, sender(), options);
    if (after) settled(after);
    if (after && after.state === "sent" && hidden(after.client_id) === false) toast(t("new_report.sent_toast", { number: after.number }));
    tell();
  };

  // Sends what waits and is due, one after the other. What nobody owns waits for a press.
  const pass = async () => {
    if (!(await outbox.list(owner())).some((e) => e.state === "waiting")) return;
    if (!session.user) await session.resume().catch(() => null);
    if (!session.user) return;
    for (const e of await outbox.list(owner())) if (e.state === "waiting" && e.owner === session.user.email) await tryOne(e);
  };
  const sendAll = () => {
    sending = sending || pass().catch((e) => console.error(e)).then(refresh).finally(() => { sending = null; });
    return sending;
  };

  const actions = (e) => {
    if (e.state === "sent") {
      return [h("a", { class: "button", href: "/r/" + e.number }, t("new_report.open")), e.receipt ? button(t("new_report.receipt"), () => saveReceipt(e)) : null];
    }
    if (e.state === "draft") return [button(t("new_report.continue"), () => open(e)), button(t("new_report.delete"), () => remove(e), { class: "danger" })];
    return [button(t("new_report.send_now"), async () => {
      // A press always tries: a browser that says there is no link may be wrong. Without one, this throws and the person is told.
      if (!(await session.resume({ always: true })) && !(await signIn())) return;
      await tryOne(e, { adopt: true, now: true });
      await refresh();
    })];
  };
  const remove = async (e) => {
    await outbox.change(e.client_id, () => null);
    tell();
    await refresh();
  };
  const about = (e) => (e.state === "waiting" ? waitingFor(e) : e.problem ? e.problem.detail : t("new_report.state_" + e.state));
  const item = (e) => h("li", {}, h("div", { class: "row" },
    h("span", { class: "title" }, e.state === "sent" ? e.number + " · " + kind(e) : kind(e)),
    h("span", { class: "about" }, moment(e.created) + " · " + about(e)),
    h("div", { class: "actions" }, actions(e))));

  async function refresh() {
    if (!begun) return;
    const all = await outbox.list(owner());
    const others = await outbox.ofOthers(owner());
    const items = all.filter((e) => !hidden(e.client_id)).map(item);
    if (others) {
      items.push(h("li", {}, h("p", {}, t("new_report.of_others")), session.user ? null : button(t("common.sign_in"), async () => { await signIn(); await refresh(); })));
    }
    $("#on-phone").hidden = !items.length;
    fill($("#entries"), items);
    if (all.some((e) => e.state === "waiting")) askWorker();
  }

  const begin = async () => {
    begun = true;
    window.addEventListener("online", sendAll);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) sendAll(); });
    setInterval(sendAll, everyMs);
    await sendAll();
    await outbox.tidy(owner());
    await refresh();
  };
  return { refresh, begin };
}

// Asks the service worker to send when the link is back, also when the page is closed by then.
function askWorker() {
  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.ready.then((r) => r.sync && r.sync.register("reports")).catch(() => {}); // not allowed in this browser
}

/** Starts the service worker that opens the form without a link. */
export function startWorker() {
  if (!navigator.serviceWorker) return;
  const address = "/report-worker.js";
  const trusted = window.trustedTypes ? window.trustedTypes.createPolicy("report-worker", { createScriptURL: () => address }).createScriptURL("") : address;
  navigator.serviceWorker.register(trusted, { scope: "/report" }).catch(() => {}); // a private window
}
