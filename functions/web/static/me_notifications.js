// The part of the page that lists notifications.
import { h, t, api, button, moment } from "./core.js";
import { growing } from "./me_list.js";

// A rejected report is shown on this page, where its reporter can appeal; others on their own page.
const address = (n) => (["report_rejected", "report_removed"].includes(n.type) ? "#reports/" : "/r/") + encodeURIComponent(n.data.report_number);

const size = 20;

export function make(user, page) {
  let unread = 0;
  const tell = (n) => {
    unread = Math.max(0, n);
    page.unread(unread);
    readAll.hidden = unread === 0;
  };
  const readAll = button(t("me.read_all"), async () => {
    await api("POST", "/notifications/read-all");
    await list.load();
  }, { hidden: true, data: { testid: "read-all" } });

  function item(n) {
    const read = (keepalive) => {
      if (n.is_read) return Promise.resolve();
      n.is_read = true;
      return api("POST", "/notifications/" + n.id + "/read", { keepalive }).then(() => {
        badge.remove();
        mark.remove();
        tell(unread - 1);
      });
    };
    const badge = n.is_read ? null : h("span", { class: "status verified", data: { testid: "new" } }, t("me.new"));
    const title = h("strong", { dir: "auto" }, n.title);
    const mark = n.is_read ? null : button(t("me.read"), () => read(false), { "aria-label": t("me.read") + ": " + n.title, data: { testid: "read" } });
    const el = h("div", { class: "notification" },
      h("p", {}, n.data.report_number ? h("a", { href: address(n), data: { testid: "notification" }, onclick: () => { read(true).catch(() => { n.is_read = false; }); } }, title) : title, " ", badge),
      h("p", { class: "words", dir: "auto" }, n.body), h("p", { class: "soft" }, moment(n.created_at)),
      h("div", { class: "actions" }, mark, button(t("me.remove"), async () => {
        await api("DELETE", "/notifications/" + n.id).catch((e) => { if (e.status !== 404) throw e; });
        shown.delete(n.id);
        list.drop(el);
        if (!n.is_read) tell(unread - 1);
      }, { class: "link", "aria-label": t("me.remove") + ": " + n.title, data: { testid: "remove" } })));
    return el;
  }
  let shown = new Set(); // ids in the list; what was removed or came meanwhile moves the pages
  const list = growing({
    props: { data: { testid: "notifications" } }, empty: t("me.no_notifications"), item,
    fetch: async (next) => {
      if (!next) shown = new Set();
      const ids = shown, counted = api("GET", "/notifications/unread-count"), items = [];
      let page = Math.floor(ids.size / size), found;
      do {
        found = await api("GET", "/notifications?page_size=" + size + "&page=" + ++page);
        items.push(...found.items.filter((n) => !ids.has(n.id)));
        for (const n of items) ids.add(n.id);
      } while (items.length < size / 2 && found.has_next);
      tell((await counted).unread_count);
      return { items, next: found.has_next };
    },
  });
  return { el: h("section", { class: "card" }, h("div", { class: "actions" }, readAll), list.el), show: () => list.load() };
}
