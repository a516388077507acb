// The keys of the desk. They are off while somebody types or a dialog is open, and can be switched off for good.
import { h, t, dialog, toast } from "./core.js";

const memory = "desk_keys_off";
let off = false;
try { off = localStorage.getItem(memory) === "1"; } catch { /* storage is switched off */ }

const acts = ["v", "r", "d", "a", "s", "f", "h"];

const typing = (el) => el.isContentEditable || el.tagName === "TEXTAREA" || el.tagName === "SELECT" || el.tagName === "INPUT" && !["checkbox", "radio", "button"].includes(el.type);

/** Shows the keys, with a switch: whoever speaks to the computer, or hits keys by mistake, turns them off. */
export function showKeys() {
  const line = (keys, what) => [h("dt", {}, keys.map((k, i) => [i ? " " : "", h("kbd", {}, k)])), h("dd", {}, t("desk.key_" + what))];
  return dialog(t("desk.keys"), (close) => [
    h("dl", { class: "keys" }, line(["J", "↓"], "next"), line(["K", "↑"], "previous"), line(["O", "Enter"], "open"), line(["X"], "select"), line(["/"], "find"),
      acts.map((k) => line([k.toUpperCase()], k)), line(["Esc"], "back"), line(["?"], "help")),
    h("label", { class: "choice" }, h("input", { type: "checkbox", checked: !off, onchange: (e) => {
      off = !e.target.checked;
      try { off ? localStorage.setItem(memory, "1") : localStorage.removeItem(memory); } catch { /* it holds until the page is left */ }
    } }), t("desk.keys_on")),
    h("div", { class: "actions" }, h("button", { type: "button", class: "main", onclick: () => close() }, t("common.close")))]);
}

/** Listens to the keys for a desk. */
export function listenToKeys(desk) {
  const { list } = desk;
  const here = () => list.focused() || desk.state.report;
  const step = (by) => {
    const number = list.next(here(), by);
    if (!number) return;
    if (desk.state.report) desk.open(number, { stay: desk.beside() });
    list.focus(number);
  };
  const act = (key) => {
    const open = desk.state.report;
    if (!open || list.focused() && list.focused() !== open) {
      if (!list.focused()) return toast(t("desk.key_choose"));
      desk.pending = { key, number: list.focused() }; // the report says what it takes when it is there
      return desk.open(list.focused());
    }
    if (desk.keys[key]) return desk.keys[key]();
    return toast(t("desk.key_not_now"));
  };
  document.addEventListener("keydown", (e) => {
    if (off || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    const arrows = e.target.closest && e.target.closest(".list .rows");
    const table = {
      j: () => step(1), k: () => step(-1), ArrowDown: arrows && (() => step(1)), ArrowUp: arrows && (() => step(-1)),
      o: list.focused() && (() => desk.open(list.focused())),
      x: list.focused() && (() => { const number = list.focused(); list.mark(list.items().filter((r) => r.report_number === number), !list.marked(number)); }),
      "/": () => desk.filters.focus(), "?": showKeys,
      Escape: () => (desk.state.report ? desk.close() : list.clearMarks()),
    };
    const run = table[key] || acts.includes(key) && (() => act(key));
    if (!run) return;
    e.preventDefault();
    run();
  });
}
