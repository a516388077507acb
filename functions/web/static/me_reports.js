// The part of the page that lists the person's own reports.
import { h, fill, t, count, api, ApiError, button, select, row, day, status, wordsOf } from "./core.js";
import { appeal, dispute, saveReceipt, withdraw } from "./report_actions.js";
import { growing } from "./me_list.js";

const open = ["pending", "verified", "in_progress"];
const statuses = [...open, "fixed", "rejected", "duplicate"];

/** What is known of a report besides its row: agency, deadline, people. */
export function facts(r) {
  const late = r.due_at && open.includes(r.status) && Date.parse(r.due_at) < Date.now();
  const words = [
    r.assigned_agency && r.assigned_agency.name,
    r.due_at && open.includes(r.status) && t("me.due", { day: day(r.due_at) }),
    r.duplicate_of && t("me.duplicate_of", { number: r.duplicate_of.report_number }),
    r.confirmations_count > 0 && count("me.confirmations", r.confirmations_count),
    r.comments_count > 0 && count("me.comments", r.comments_count),
    r.followers_count > 0 && count("me.followers", r.followers_count),
  ].filter(Boolean).join(" · ");
  if (!words && !late) return null;
  return h("p", { class: "facts" }, late ? [h("span", { class: "status overdue" }, t("me.overdue")), " "] : null, h("span", { dir: "auto" }, words));
}

const action = (name, r, act, props = {}) => button(t("actions." + name), act, { "aria-label": t("actions." + name) + ": " + r.report_number, data: { testid: name }, ...props });

// A rejected report: why, and the appeal. Whether there was one, only the report itself tells.
function rejected(r, again) {
  const el = h("div", { class: "note" }, h("p", { class: "words", dir: "auto" }, r.rejection_reason || t("label.status.rejected")));
  const offer = () => el.append(action("appeal", r, async () => { if (await appeal(r.report_number)) await again(); }));
  api("GET", "/reports/" + r.id).then((full) => {
    if (!full.appeal) return offer();
    return el.append(h("p", { data: { testid: "appealed" } }, t(full.ai && full.ai.status === "needs_review" ? "me.appeal_waits" : "me.appeal_decided", { day: day(full.appeal.at) })));
  }, offer);
  return el;
}

// A report that was withdrawn or removed.
const removed = (r) => h("p", { class: "note", data: { testid: "removed" } }, t(r.removed.status === "withdrawn" ? "me.withdrawn" : "me.removed", { day: day(r.removed.removed_at) }),
  r.rejection_reason ? " " + r.rejection_reason : null);

function item(r, again) {
  const gone = r.removed && r.removed.status !== "rejected";
  const actions = h("div", { class: "actions" },
    r.status === "fixed" && !gone ? action("dispute", r, async () => { if (await dispute(r.report_number)) await again(); }) : null,
    action("receipt", r, () => saveReceipt(r.report_number), { class: "link" }),
    r.status === "pending" && !gone ? action("withdraw", r, async () => { if (await withdraw(r.report_number)) await again(); }, { class: "link" }) : null);
  return [row(r), facts(r), gone ? removed(r) : r.status === "rejected" ? rejected(r, again) : null, actions];
}

// What the reports on this phone are that were not sent yet; the page /report has them.
async function waiting(el, user) {
  await import("./outbox.js");
  const entries = (await self.outbox.list(user.email)).filter((e) => e.state !== "sent");
  if (entries.length) fill(el, h("p", { class: "note" }, count("me.waiting", entries.length) + " ", h("a", { href: "/report" }, t("me.to_waiting"))));
}

function welcome(user) {
  const out = [];
  if (user.role !== "citizen") out.push(h("p", { class: "note" }, t("me.staff") + " ", h("a", { href: user.role === "admin" ? "/admin" : "/desk" }, t("me.to_desk"))));
  else if (!user.full_name) out.push(h("p", { class: "note" }, t("me.no_name") + " ", h("a", { href: "#account" }, t("me.to_account"))));
  return out;
}

// One report, by its number. It may be somebody else's, or gone.
async function single(el, number, again) {
  fill(el, h("p", { class: "soft", role: "status" }, t("common.loading")));
  const all = h("p", {}, h("a", { href: "#reports" }, t("me.all_reports")));
  try {
    const r = await api("GET", "/reports/" + encodeURIComponent(number));
    if (!r.receipt && !r.client_id) throw new ApiError(404, {}, null);
    fill(el, h("ul", { class: "rows" }, h("li", {}, item(r, again))), all);
  } catch (e) {
    if (e.status === 410 || e.status === 404) location.replace("/r/" + encodeURIComponent(number));
    else fill(el, h("p", { class: "error", role: "alert" }, wordsOf(e)), button(t("common.try_again"), () => single(el, number, again)), all);
  }
}

export function make(user) {
  const filter = select([["", t("me.all")], ...statuses.map((s) => [s, t("label.status." + s)])], { data: { testid: "filter" }, onchange: () => list.load() });
  const counts = (c) => {
    for (const option of filter.options) option.textContent = option.value ? t("label.status." + option.value) + " (" + (c[option.value] || 0) + ")" : t("me.all") + " (" + Object.values(c).reduce((a, b) => a + b, 0) + ")";
  };
  const list = growing({
    props: { data: { testid: "list" } }, empty: () => t(filter.value ? "me.none_filtered" : "me.no_reports"),
    fetch: async (next) => {
      const query = new URLSearchParams({ page_size: "20" });
      if (filter.value) query.set("status", filter.value);
      if (next) query.set("cursor", next);
      const page = await api("GET", "/reports/my-reports?" + query);
      counts(page.status_counts);
      return { items: page.items, next: page.next_cursor };
    },
    item: (r) => item(r, list.load),
  });
  const one = h("div", { hidden: true }), local = h("div");
  const many = h("div", {}, welcome(user), local, h("div", { class: "bar-of-list" }, h("a", { class: "button main", href: "/report" }, t("me.report")), h("label", {}, h("span", {}, t("me.filter")), filter)), list.el);
  waiting(local, user).catch(() => {});
  return {
    el: h("section", { class: "card" }, many, one),
    show(number) {
      many.hidden = Boolean(number);
      one.hidden = !number;
      if (number) single(one, number, () => single(one, number));
      else list.load();
    },
  };
}
