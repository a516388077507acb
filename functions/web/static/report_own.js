// What a reporter has on the page of their own report: words and pictures that others do not see yet or any more, why it was
// rejected, the appeal, and the receipt.
import { $, fill, h, t, api, button, complain, day, titleOf, data } from "./core.js";
import { appeal, saveReceipt } from "./report_actions.js";
import { forgetPage } from "./report_flag.js";
import { comments } from "./report_comments.js";

const pictures = (r) => r.images.filter((i) => i.thumbnail_url).map((i) =>
  h("a", { href: i.image_url }, h("img", { src: i.thumbnail_url, alt: t("act.your_picture"), width: i.width, height: i.height, class: "photo", loading: "lazy" })));

const note = (r) => {
  const last = r.status_history.filter((s) => s.new_status === "rejected" && s.note).pop();
  return last ? h("p", { class: "words", dir: "auto" }, last.note) : null;
};

// The comments that others see after the verdict.
const early = () => api("GET", "/reports/" + data.number + "/comments?page_size=100").then(({ items }) => items.forEach(comments.add), complain);

/** Adds what belongs to the reporter of r, which they are. */
export function showOwn(r) {
  const hidden = r.content_pending || r.content_hidden || data.pending || data.removed || r.images.some((i) => i.thumbnail_url && !i.is_public);
  fill($("#own"), hidden ? h("div", { class: "note" }, h("p", { class: "soft" }, t(data.removed ? "act.own_removed" : "act.own_pending")),
    h("p", { dir: "auto" }, h("strong", {}, titleOf(r))), r.description ? h("p", { class: "words", dir: "auto" }, r.description) : null, h("div", { class: "pictures" }, pictures(r)),
    r.words_hidden ? h("p", {}, t("act.reason") + ": " + t("label.reason." + r.words_hidden.reason_code)) : null, note(r),
    r.appeal ? h("p", { class: "good", data: { testid: "appealed" } }, t("act.appealed", { day: day(r.appeal.at) })) : null) : null);
  if (data.pending) early();
  const hint = $("#may-appeal");
  if (hint) hint.remove();
  const receipt = r.receipt && button(t("actions.receipt"), () => saveReceipt(r.report_number), { data: { testid: "receipt" } });
  fill($("#own-actions"),
    data.removed === "rejected" && !r.appeal ? button(t("actions.appeal"), () => appeal(r.report_number).then((changed) => { if (changed) { forgetPage(); showOwn(changed); } }), { class: "main", data: { testid: "appeal" } }) : null, receipt);
}
