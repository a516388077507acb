// Acting on a report as somebody who is signed in, and telling moderators of what should not be shown.
import { t, api, ask, field, toast, textArea, reasonSelect, later } from "./core.js";

/**
 * Runs act for a person who is signed in, after the sign-in if need be. act gets the function asUser of sign_in.js, which repeats
 * a call of the API after the session had ended and the person signed in again.
 */
export async function personally(why, act) {
  const { needUser, asUser } = await later(import("./sign_in.js"));
  return (await needUser(why)) ? act(asUser) : undefined;
}

/** Makes the note of a dialog: the text area, and the same with its label. */
export const noteField = (hint = "") => {
  const note = textArea("note", { name: "note", maxlength: "1000" });
  return [note, field(t("act.note"), note, hint)];
};

/** Asks why a report or a comment should not be shown, and tells the moderators. what is its path in the API. */
export async function flag(what) {
  await personally(t("act.why_flag"), async (asUser) => {
    const [note, noted] = noteField();
    const reason = reasonSelect({ name: "reason" });
    const done = await ask("flag", t("act.flag"), { text: t("act.flag_text"), controls: [field(t("act.reason"), reason), noted], label: t("common.send"),
      send: () => asUser(() => api("POST", what + "/flag", { body: { reason: reason.value, note: note.value.trim() || undefined } })).then(() => true) });
    if (done) toast(t("act.flag_done"));
  });
}

/** After an action: the next visit of the page, also within the minute for which a browser keeps it, has its effect. */
export const forgetPage = () => fetch(location.href.replace(/#.*/, ""), { cache: "reload" }).catch(() => {});
