// The list of a queue: rows with tick boxes, pages, and a word when there is something new. Rows never move by themselves.
import { $, $$, h, fill, t, count, button, row, day, wordsOf, named } from "./core.js";
import { staffApi } from "./sign_in.js";
import { addressOf, parameters } from "./desk_address.js";

const pageSize = 30;

// Days in Dili since a report came.
const daysOld = (iso) => Math.floor((Date.now() + 9 * 3600e3) / 864e5) - Math.floor((Date.parse(iso) + 9 * 3600e3) / 864e5);

const percent = (n) => Math.round(n * 100) + " %";

// What the AI said, in a few words; none where people decided the opposite.
function verdict(r) {
  if (r.ai && r.ai.is_relevant === false && ["verified", "in_progress", "fixed"].includes(r.status)) return "";
  if (r.ai && r.ai.is_relevant !== null) {
    return t(r.ai.is_relevant ? "desk.ai_relevant" : "desk.ai_irrelevant") + (r.ai.confidence === null ? "" : " " + percent(r.ai.confidence));
  }
  return t("desk.ai_" + r.ai_status);
}

/** What staff decide by, as texts with a class each: age, deadline, verdict, marks, who has it. */
function marks(r) {
  const days = daysOld(r.created_at);
  const late = r.due_at && Date.parse(r.due_at) < Date.now() && !["fixed", "rejected", "duplicate"].includes(r.status);
  return [
    r.appeal && ["warn", t("desk.mark_appeal")],
    r.flags_count && ["bad", count("desk.mark_flags", r.flags_count)],
    r.content_hidden && ["warn", t("desk.mark_hidden")],
    r.due_at && [late ? "bad" : "", t(late ? "desk.mark_overdue" : "desk.mark_due", { day: day(r.due_at) })],
    ["", days < 1 ? t("desk.age_today") : count("desk.age", days)],
    r.severity && ["", t("desk.mark_severity", { severity: t("label.severity." + r.severity) })],
    verdict(r) && ["", verdict(r)],
    r.possible_duplicates_count && ["", count("desk.mark_duplicates", r.possible_duplicates_count)],
    r.confirmations_count && ["", count("desk.mark_confirmations", r.confirmations_count)],
    r.assigned_agency && ["", [named(r.assigned_agency), r.assigned_to && r.assigned_to.full_name].filter(Boolean).join(", ")],
  ].filter(Boolean);
}

const saysTotal = (n) => (n >= 10000 ? t("desk.total_many") : count("desk.total", n));

/** Makes the list of the desk. See desk.js for what desk has. */
export function makeList(desk) {
  const rows = h("ul", { class: "rows", data: { testid: "list" } });
  const total = h("span", { role: "status" });
  const fresh = h("div", { role: "status" });
  const notice = h("div", { role: "status" });
  const all = h("input", { type: "checkbox", onchange: () => list.mark(items, all.checked) });
  const more = button(t("common.more"), () => load(items.length + pageSize, true), { hidden: true });
  let items = [], next = null, found = 0, marked = new Map(), anchor = null, running = null;

  // Reads the queue until there are wanted rows. more: goes on behind the rows that are there.
  async function load(wanted, goOn = false) {
    if (running) running.abort();
    const mine = running = new AbortController();
    if (!goOn) total.textContent = t("common.loading");
    try {
      let got = goOn ? items : [], cursor = goOn ? next : "", page;
      do {
        page = await staffApi("GET", "/staff/queue?" + parameters(desk.state, { page_size: Math.min(100, wanted - got.length), ...(cursor ? { cursor } : {}) }), { signal: mine.signal });
        got = got.concat(page.items.filter((r) => !got.some((was) => was.id === r.id)));
        cursor = page.next_cursor;
      } while (cursor && got.length < wanted);
      take(got, page, goOn);
    } catch (e) {
      if (mine.signal.aborted) return;
      total.textContent = "";
      fill(notice, h("div", { class: "note bad" }, h("p", {}, wordsOf(e)), h("div", { class: "actions" },
        button(t("common.try_again"), () => load(wanted, goOn)), desk.clearButton())));
    }
  }

  function take(got, page, goOn) {
    const first = items.length;
    [items, next, found] = [got, page.next_cursor, page.total];
    marked = new Map(got.filter((r) => marked.has(r.report_number)).map((r) => [r.report_number, r]));
    fill(notice);
    fill(fresh);
    if (goOn) rows.append(...items.slice(first).map(item));
    else fill(rows, items.map(item));
    more.hidden = !next;
    total.textContent = saysTotal(found);
    if (!items.length) fill(notice, h("p", { class: "empty" }, t(desk.filtered() ? "desk.empty_filtered" : "desk.empty")), desk.clearButton());
    desk.showCounts(page.counts);
    desk.onList();
    showMarked();
    list.current(desk.state.report);
  }

  function item(r) {
    const box = h("input", { type: "checkbox", "aria-label": t("desk.select", { number: r.report_number }), checked: marked.has(r.report_number) });
    box.addEventListener("click", (e) => {
      const numbers = items.map((i) => i.report_number);
      const [from, to] = [numbers.indexOf(e.shiftKey && anchor || r.report_number), numbers.indexOf(r.report_number)].sort((a, b) => a - b);
      list.mark(items.slice(Math.max(from, 0), to + 1), box.checked);
      anchor = r.report_number;
      requestAnimationFrame(() => box.closest("li").scrollIntoView({ block: "nearest" })); // the bar does not cover it
    });
    const link = row(r, { href: addressOf({ ...desk.state, report: r.report_number }), data: { testid: "row" }, onclick: (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return; // another tab
      e.preventDefault();
      desk.open(r.report_number);
    } });
    if (r.description) link.append(h("span", { class: "said", dir: "auto" }, r.description.slice(0, 200)));
    link.append(h("span", { class: "marks" }, marks(r).map(([kind, text]) => h("span", { class: kind || null }, text))));
    return h("li", { data: { number: r.report_number } }, h("label", { class: "tick" }, box), link);
  }

  const of = (number) => $$("li", rows).find((li) => li.dataset.number === number);

  function showMarked() {
    for (const li of $$("li", rows)) $("input", li).checked = marked.has(li.dataset.number);
    all.checked = items.length > 0 && marked.size === items.length;
    all.indeterminate = marked.size > 0 && !all.checked;
    desk.selectionChanged([...marked.values()]);
  }

  const list = {
    element: h("section", { class: "list", "aria-label": t("desk.list") },
      h("div", { class: "list-head" }, h("label", { class: "choice" }, all, t("desk.select_all")), total), fresh, notice, rows, h("div", { class: "actions" }, more)),
    items: () => items,
    /** Reads the queue from its beginning. keep: as many rows as there are. */
    reload: ({ keep = false } = {}) => load(keep ? Math.max(pageSize, items.length) : pageSize),
    /** Selects reports, or not. */
    mark(reports, on) {
      for (const r of reports) on ? marked.set(r.report_number, r) : marked.delete(r.report_number);
      showMarked();
    },
    marked: (number) => marked.has(number),
    clearMarks() { list.mark([...marked.values()], false); },
    /** Shows a text or elements above the rows, until the list is read again. */
    say(...content) { fill(notice, content); },
    /** Marks the row of the report that is open. */
    current(number) {
      for (const li of $$("li", rows)) $("a", li)[li.dataset.number === number ? "setAttribute" : "removeAttribute"]("aria-current", "true");
    },
    /** Shows a changed report in its row, which stays where it is. */
    replace(r) {
      const was = items.find((i) => i.id === r.id);
      if (!was) return;
      Object.assign(was, r, { ai: was.ai, thumbnail_url: was.thumbnail_url });
      const li = of(r.report_number), focused = li.contains(document.activeElement), now = item(was);
      li.replaceWith(now);
      if (focused) $("a", now).focus();
      list.current(desk.state.report);
    },
    /** The number of the row with the focus; "" for none. */
    focused() {
      const li = document.activeElement && document.activeElement.closest(".list .rows > li");
      return li ? li.dataset.number : "";
    },
    focus(number) {
      const li = of(number);
      if (li) $("a", li).focus();
      return Boolean(li);
    },
    /** The number of the report after (1) or before (-1) another one; of the first one without another. */
    next(number, step) {
      const at = items.findIndex((r) => r.report_number === number);
      const to = items[at < 0 ? 0 : at + step];
      return to ? to.report_number : "";
    },
    /** Asks whether the queue has changed. Rows stay; a button shows what is new. */
    async check() {
      const page = await staffApi("GET", "/staff/queue?" + parameters(desk.state, { page_size: 1 }));
      desk.showCounts(page.counts);
      found = Math.min(found, page.total); // what was decided has left the queue; its row stays
      total.textContent = saysTotal(page.total);
      const [newest] = page.items;
      const some = newest && !items.some((r) => r.id === newest.id);
      const n = page.total - found;
      if (!some && n <= 0) return;
      fill(fresh, button(n > 0 ? count("desk.fresh", n) : t("desk.fresh_some"), () => list.reload(), { class: "fresh", data: { testid: "fresh" } }));
    },
  };
  return list;
}
