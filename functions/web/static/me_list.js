// A list that grows by a button, with its states: loading, empty, failed.
import { h, fill, t, button, wordsOf } from "./core.js";

/**
 * Makes a list. fetch(next) returns {items, next}; next is undefined at first, and what the last answer had; null or false ends the list.
 * item returns the content of a list item. empty is the text for an empty list, or returns it. props are those of the list.
 * Returns {el, load, drop}: load begins anew, and what is shown stays until the answer is there; drop removes the list item that an
 * element is in. An answer that was asked for before may have that item still, so drop begins anew then.
 */
export function growing({ fetch, item, empty, props = {} }) {
  const list = h("ul", { class: "rows", ...props }), state = h("div");
  const nothing = () => h("p", { class: "soft" }, typeof empty === "function" ? empty() : empty);
  let run = 0, loading = false;
  async function more(next) {
    const mine = ++run;
    loading = next === undefined;
    if (next === undefined && !list.firstChild) fill(state, h("p", { class: "soft", role: "status" }, t("common.loading")));
    let answer;
    try {
      answer = await fetch(next);
    } catch (e) {
      if (mine !== run) return;
      loading = false;
      fill(state, h("p", { class: "error", role: "alert" }, wordsOf(e)), button(t("common.try_again"), () => more(next)));
      return;
    }
    if (mine !== run) return; // a newer request is under way
    loading = false;
    if (next === undefined) fill(list);
    const first = answer.items.length && next !== undefined ? list.children.length : -1;
    for (const value of answer.items) list.append(h("li", {}, item(value)));
    fill(state, list.firstChild ? null : nothing(), answer.next ? button(t("common.more"), () => more(answer.next), { data: { testid: "more" } }) : null);
    const target = first < 0 ? null : list.children[first].querySelector("a, button");
    if (target) target.focus(); // the button that had the focus is gone
  }
  return {
    el: h("div", {}, list, state),
    load: () => more(undefined),
    drop(el) {
      const li = el.closest("li"), target = li.nextElementSibling || li.previousElementSibling, stale = loading || !li.isConnected;
      li.remove();
      if (stale) more(undefined);
      if (target) (target.querySelector("a, button") || list).focus();
      else if (!state.firstChild) fill(state, nothing());
    },
  };
}
