// The setting holidays: days without work that no rule gives. Those of the law are shown beside them.
import { $$, h, fill, t, data, button, day } from "./core.js";

const inWords = (date) => day(date + "T00:00:00Z");

/** Returns {element, read()}: a list of dates, each once, in their order. */
export function holidayEditor(dates, label, hint) {
  const list = h("ul", { class: "plain", data: { testid: "holidays" } });
  const add = h("input", { type: "date", min: "2020-01-01", max: "2100-12-31", "aria-label": t("admin.holiday_date"), data: { testid: "holiday" } });
  const values = () => $$("input", list).map((el) => el.value);
  const draw = (all) => fill(list, [...new Set(all)].sort().map((date) => h("li", { class: "split" }, h("span", {}, inWords(date)), h("input", { type: "hidden", name: "holidays", value: date }),
    button(t("admin.take_out"), async () => {
      draw(values().filter((d) => d !== date));
      add.focus();
    }, { "aria-label": t("admin.take_out") + ": " + inWords(date) }))));
  draw(dates);
  const known = data.holidays.map((d) => h("li", {}, inWords(d.date) + ": " + t("admin.holiday_" + d.key)));
  const element = h("fieldset", {}, h("legend", {}, label), h("small", { class: "soft" }, hint), list,
    h("div", { class: "actions" }, add, button(t("admin.holiday_add"), async () => {
      if (!/^\d{4}-\d\d-\d\d$/.test(add.value)) return add.focus();
      draw([...values(), add.value]);
      add.value = "";
      return add.focus();
    }, { data: { testid: "holiday-add" } })),
    h("details", {}, h("summary", {}, t("admin.holidays_known")), h("ul", {}, known)));
  return { element, read: values };
}
