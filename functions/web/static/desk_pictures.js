// The pictures of a report at the desk: looking closely, hiding, and blackening parts.
import { h, t, ask, button, complain, toast, later, ApiError } from "./core.js";
import { noteField, reasonField, says } from "./desk_fields.js";
import { hide, plain } from "./desk_hide.js";
import { rights } from "./desk_rights.js";
import { text } from "./desk_text.js";

const unsent = new Map(); // boxes by the id of their picture, until they are sent

const sizes = new Map(); // of pictures, by their id

/** Shows the pictures, oldest first. */
export const pictures = (work) => (work.report.images.length ? work.report.images.map((image, i) => figure(work, image, i)) : [h("p", { class: "soft" }, text("no_pictures"))]);

// Holds the room of a picture that is being made, so that nothing jumps when it comes.
function waiting(image) {
  const [width, height] = sizes.get(image.id) || [image.width, image.height];
  return image.status === "pending" && width && height ? h("div", { class: "look" }, h("canvas", { width, height, "aria-hidden": "true" })) : null;
}

function figure(work, image, i) {
  if (image.image_url && image.width) sizes.set(image.id, [image.width, image.height]);
  const r = work.report, title = text("picture_" + image.kind);
  const path = "/images/" + image.id;
  const state = [
    image.hidden && text(image.hidden === "flags" ? "picture_flagged" : "picture_hidden", { reason: t("label.reason." + image.hidden_reason) }),
    !image.is_public && !image.hidden && text("picture_not_public"), image.redacted && text("picture_redacted"),
    image.status === "pending" && text("picture_pending"), image.status === "refused" && text("picture_refused"),
  ].filter(Boolean);
  const look = async () => {
    await work.fresh();
    const { openPicture } = await later(import("./desk_zoom.js"));
    const now = work.report.images.find((x) => x.id === image.id) || image;
    openPicture(now.image_url, title + " · " + r.report_number, text("picture_alt", { kind: t("label.issue_type." + r.issue_type) }));
  };
  const label = text("picture_look", { n: i + 1 });
  return h("figure", { class: "picture" },
    image.image_url ? h("button", { type: "button", class: "look", "aria-label": label, title: label, onclick: () => look().catch(complain), data: { testid: "zoom" } },
      h("img", { src: image.image_url, alt: text("picture_alt", { kind: t("label.issue_type." + r.issue_type) }), width: image.width, height: image.height })) : waiting(image),
    h("figcaption", {}, h("strong", {}, title), state.map((s) => h("p", { class: "soft" }, s)), rights(work).moderates ? tools(work, image, path) : null));
}

const tools = (work, image, path) => h("div", { class: "actions" },
  image.hidden !== "moderator" ? button(text("hide"), () => hide(work, path + "/hide", "picture"), { data: { testid: "hide" } }) : null,
  image.hidden ? button(text("show"), () => plain(work, "show", path + "/unhide"), { data: { testid: "show" } }) : null,
  image.image_url ? button(text("redact"), () => redact(work, image, path), { data: { testid: "redact" } }) : null);

/** Asks for the boxes of a picture. They are kept until they are sent. */
async function redact(work, image, path) {
  await work.fresh().catch(complain);
  const { drawing } = await later(import("./desk_redact.js"));
  const boxes = unsent.get(image.id) || [], now = work.report.images.find((x) => x.id === image.id) || image;
  unsent.set(image.id, boxes);
  const reason = reasonField(), note = noteField(work, "redact" + image.id, { label: text("note_staff"), hint: text("note_other_hide") });
  await ask("redact", text("redact"), {
    text: text("why_redact"), size: "wide", danger: true, label: text("redact_confirm"),
    controls: [drawing(now, boxes, text("redact_alt")), h("div", { class: "fine" }, says("redact_keys")), reason.el, note.el],
    send: async () => {
      if (!boxes.length) throw new ApiError(422, { detail: text("redact_none") }, null);
      await work.change(path + "/redact", { boxes, reason_code: reason.value(), note: note.value() || undefined });
      unsent.delete(image.id);
      note.sent();
      toast(text("done_redact"));
      setTimeout(() => work.look(), 5000);
      return true;
    },
  });
}

/** Says whether a picture of a report has boxes that are not sent. */
export const hasBoxes = (report) => report.images.some((i) => (unsent.get(i.id) || []).length > 0);
