// A possible duplicate beside the report: pictures, words, places, dates.
import { h, t, dialog, titleOf, status, place, moment } from "./core.js";
import { staffApi } from "./sign_in.js";
import { text, alike } from "./desk_text.js";

/** Shows both. choose(number) is called when the person says that the report is a duplicate of the other one; null where that is not possible. */
export async function compare(work, candidate, choose) {
  await work.fresh();
  const other = await staffApi("GET", "/reports/" + candidate.id);
  const chosen = await dialog(text("compare_title"), (close) => [
    h("p", { class: "soft" }, alike(candidate)),
    h("div", { class: "compare" }, side(work.report, text("compare_this")), side(other, text("compare_other"))),
    h("div", { class: "actions" },
      choose ? h("button", { type: "button", class: "main", onclick: () => close(true), data: { testid: "compare-duplicate" } }, text("compare_choose", { number: other.report_number })) : null,
      h("button", { type: "button", onclick: () => close() }, t("common.close"))),
  ], "wide");
  if (chosen) choose(other.report_number);
}

const side = (r, heading) => {
  const picture = r.images.find((i) => i.image_url);
  return h("section", {}, h("h3", {}, heading + ": " + r.report_number),
    picture ? h("img", { src: picture.image_url, alt: text("picture_alt", { kind: t("label.issue_type." + r.issue_type) }), width: picture.width, height: picture.height }) : h("p", { class: "soft" }, text("no_pictures")),
    h("p", {}, h("strong", { dir: "auto" }, titleOf(r)), " ", status(r.status)), h("p", { class: "words", dir: "auto" }, r.description),
    h("p", { class: "soft" }, [t("label.issue_type." + r.issue_type), place(r), moment(r.created_at)].filter(Boolean).join(" · ")));
};
