// Parts of the account: what is kept about the person, signing out, and the end of the account.
import { h, t, api, ApiError, data, session, ask, button, field, saveFile, toast } from "./core.js";
import { asUser, codeInput } from "./sign_in.js";

/** Saves everything that is kept about the person as one file. */
export function exportData() {
  const save = button(t("me.export"), async () => {
    let whole = null, cursor = "";
    do { // a long answer comes in parts
      const part = await api("GET", "/users/me/export" + (cursor ? "?cursor=" + encodeURIComponent(cursor) : ""));
      cursor = part.next_cursor;
      if (whole) for (const [kind, records] of Object.entries(part.records)) whole.records[kind].push(...records);
      else whole = part;
    } while (cursor);
    delete whole.next_cursor;
    saveFile("lafaekstreet-export.json", whole);
  }, { data: { testid: "export" } });
  return h("section", { class: "card" }, h("h2", {}, t("me.data")), h("p", { class: "soft" }, t("me.data_text")), h("div", { class: "actions" }, save));
}

/** Signs out here, or everywhere. */
export function signOut(page) {
  const here = button(t("common.sign_out"), () => { page.saved(); return session.end(); }, { data: { testid: "sign-out" } });
  const all = button(t("me.sign_out_all"), async () => {
    page.saved();
    await api("POST", "/auth/logout", { body: { all_devices: true } }).catch((e) => { if (e.status !== 401) throw e; });
    await session.end();
  }, { data: { testid: "sign-out-all" } });
  return h("section", { class: "card" }, h("h2", {}, t("common.sign_out")), h("p", { class: "soft" }, t("me.sign_out_text")), h("div", { class: "actions" }, here, all));
}

/** The end of the account: says what goes and what stays, and needs a code from a mail and a word. */
export function deletion(user, page) {
  const start = button(t("me.delete"), () => {
    const said = h("p", { role: "status" });
    const mail = button(t("common.send_code"), async () => {
      await api("POST", "/auth/email-code", { body: { email: user.email } });
      said.textContent = t("common.code_sent", { email: user.email });
      code.focus();
    }, { data: { testid: "email-send" } });
    const code = codeInput();
    const word = h("input", { name: "word", required: true, autocomplete: "off", autocapitalize: "characters", maxlength: "20", data: { testid: "word" } });
    return ask("delete", t("me.delete"), {
      danger: true,
      controls: [h("p", {}, h("strong", {}, t("me.delete_goes_title")), " ", t("me.delete_goes")), h("p", {}, h("strong", {}, t("me.delete_stays_title")), " ", t("me.delete_stays")), h("p", { class: "soft" }, data.public_for_ever),
        h("div", { class: "actions" }, mail), said, field(t("common.code"), code), field(t("me.delete_word_label", { word: t("me.delete_word") }), word)],
      send: async () => {
        if (word.value.trim().toLowerCase() !== t("me.delete_word").toLowerCase()) throw new ApiError(422, { detail: t("me.delete_word_wrong", { word: t("me.delete_word") }) }, null);
        await asUser(() => api("DELETE", "/users/me", { body: { otp: code.value } }));
        await page.leave(t("me.deleted"));
        toast(t("me.deleted"));
      },
    });
  }, { class: "danger", data: { testid: "delete" } });
  return h("section", { class: "card" }, h("h2", {}, t("me.delete")), h("p", { class: "soft" }, t("me.delete_text")), h("div", { class: "actions" }, start));
}
