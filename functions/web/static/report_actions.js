// What people do with a report, on their own page and on the page of the report. The page has the topic "actions" of texts.
import { h, t, api, ApiError, ask, field, textArea, toast, saveFile, idempotent } from "./core.js";
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

/** Asks what is not fixed, and disputes the repair. Returns the report; undefined if the dialog was closed. */
export function dispute(number) {
  const note = textArea("note", { name: "note", maxlength: "1000" }), once = idempotent();
  const picture = h("input", { type: "file", accept: "image/*", name: "upload_id", data: { testid: "picture" } });
  const sent = {}; // the picture that was uploaded last
  return ask("dispute", t("actions.dispute"), {
    text: t("actions.dispute_text"), controls: [field(t("actions.note"), note), field(t("actions.picture"), picture)], label: t("common.send"),
    send: () => asUser(async () => {
      const file = picture.files[0], body = {};
      if (note.value.trim()) body.note = note.value;
      if (file && sent.file !== file) Object.assign(sent, { file, id: await upload(file) });
      if (file) body.upload_id = sent.id;
      const report = await api("POST", path(number, "/dispute"), { body, headers: once(body) })
        .catch((e) => { throw e.status === 403 ? new ApiError(403, { detail: t("actions.dispute_who") }, null) : e; });
      toast(t("actions.dispute_done"));
      return report;
    }),
  });
}

// Uploads a picture that was made small on this device.
async function upload(file) {
  const { scale } = await import("./picture.js").catch(() => { throw new ApiError(0, { detail: t("common.updated") }, null); });
  const { blob } = await scale(file).catch(() => { throw new ApiError(422, { detail: t("actions.bad_picture") }, null); });
  const form = new FormData();
  form.append("file", blob, "picture.jpg");
  return (await api("POST", "/reports/pre-upload-image", { form })).upload_id;
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
