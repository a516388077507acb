// What people do with a report, on their own page and on the page of the report. The page has the topic "actions" of texts.
import { h, fill, t, api, ApiError, ask, field, textArea, toast, saveFile, idempotent, newID } from "./core.js";
import { asUser } from "./sign_in.js";

const path = (number, rest = "") => "/reports/" + encodeURIComponent(number) + rest;

/** Asks why a rejection is wrong, and appeals. Returns the report; undefined if the dialog was closed. */
export function appeal(number) {
  const reason = textArea("reason", { name: "reason", required: true, maxlength: "2000" }), once = idempotent();
  return ask("appeal", t("actions.appeal"), {
    text: t("actions.appeal_text"), controls: field(t("actions.reason"), reason), label: t("common.send"),
    send: () => asUser(async () => {
      const body = { reason: reason.value };
      const report = await api("POST", path(number, "/appeal"), { body, headers: once(body) });
      toast(t("actions.appeal_done"));
      return report;
    }),
  });
}

/**
 * Asks what is not fixed, and disputes the repair. Returns the report; {comment} where somebody who may not dispute sent the same
 * words as a comment; undefined if the dialog was closed.
 */
export function dispute(number) {
  const note = textArea("note", { name: "note", maxlength: "1000" }), once = idempotent(), client = newID(), instead = h("div", { class: "actions" });
  const picture = pictureField(t("actions.picture"));
  let asComment = false; // the button of a comment was pressed
  const refused = (e) => {
    if (e.status !== 403) throw e;
    fill(instead, h("button", { type: "submit", data: { testid: "as-comment" }, onclick: () => { asComment = true; } }, t("actions.as_comment")));
    throw new ApiError(403, { detail: t("actions.dispute_refused") }, null);
  };
  return ask("dispute", t("actions.dispute"), {
    text: t("actions.dispute_text") + " " + t("actions.dispute_who"), controls: [field(t("actions.note"), note, t("actions.public")), picture.element, instead], label: t("common.send"),
    send: () => asUser(async () => {
      const [comment, body] = [asComment, {}];
      asComment = false;
      if (comment) return { comment: await api("POST", path(number, "/comments"), { body: { content: note.value, client_id: client } }) };
      if (note.value.trim()) body.note = note.value;
      const uploaded = await picture.upload();
      if (uploaded) body.upload_id = uploaded;
      const report = await api("POST", path(number, "/dispute"), { body, headers: once(body) }).catch(refused);
      toast(t("actions.dispute_done"));
      return report;
    }),
  });
}

/**
 * Makes the field of a picture: a button in the language of the page, the chosen picture, and what goes on. Returns {element, upload()};
 * upload sends the picture once and returns its upload_id, or undefined where none was chosen.
 */
function pictureField(label) {
  const input = h("input", { type: "file", accept: "image/*", name: "upload_id", data: { testid: "picture" } }), said = h("p", { role: "status", class: "soft" });
  const name = h("span", {}, t("actions.choose_picture")), image = h("img", { class: "chosen-picture", alt: label, hidden: true });
  let scaled = null, id = "", address = "";
  const prepare = async (file) => {
    const { scale } = await import("./picture.js").catch(() => { throw new ApiError(0, { detail: t("common.updated") }, null); });
    return (await scale(file).catch(() => { throw new ApiError(422, { detail: t("actions.bad_picture") }, null); })).blob;
  };
  const show = (blob) => {
    if (address) URL.revokeObjectURL(address);
    address = blob ? URL.createObjectURL(blob) : "";
    image.hidden = !blob;
    if (blob) image.src = address;
  };
  const change = async () => {
    const file = input.files[0];
    id = "";
    show(null);
    name.textContent = t(file ? "actions.other_picture" : "actions.choose_picture");
    said.textContent = file ? t("actions.preparing") : "";
    const mine = scaled = file ? prepare(file) : null;
    const [blob, words] = await Promise.resolve(mine).then((b) => [b, ""], (e) => [null, e.message]);
    if (mine !== scaled) return; // another one was chosen meanwhile
    said.textContent = words;
    show(blob);
  };
  input.addEventListener("change", change);
  return {
    element: h("div", { class: "field" }, image, h("label", { class: "button pick" }, name, input), said),
    async upload() {
      const file = await scaled;
      if (!file || id) return id || undefined;
      const form = new FormData();
      form.append("file", file, "picture.jpg");
      id = (await api("POST", "/reports/pre-upload-image", { form })).upload_id;
      return id;
    },
  };
}

/** Asks whether to withdraw a report that is pending. Returns true; undefined if the dialog was closed. */
export function withdraw(number) {
  const reason = textArea("reason", { name: "reason", maxlength: "2000" });
  return ask("withdraw", t("actions.withdraw"), {
    text: t("actions.withdraw_text"), controls: field(t("actions.withdraw_reason"), reason), danger: true,
    send: () => asUser(async () => {
      await api("DELETE", path(number), { body: { reason: reason.value } });
      toast(t("actions.withdraw_done"));
      return true;
    }),
  });
}

/** Saves the receipt of a report of one's own. The page /verify takes the file. */
export async function saveReceipt(number) {
  const { receipt } = await asUser(() => api("GET", path(number)));
  if (receipt) saveFile(number + "-receipt.json", receipt);
  else toast(t("actions.no_receipt"), "bad");
}
