// The part of the page with the account: profile and mails; see me_security.js and me_data.js for the rest.
import { h, t, api, session, language, field, form, select, toast } from "./core.js";
import { password, secondFactor, sessions } from "./me_security.js";
import { deletion, exportData, signOut } from "./me_data.js";

// Sends a change of the profile, and takes the answer over as the person who is signed in.
async function change(body, page) {
  session.user = await api("PATCH", "/users/me", { body });
  page.saved();
  toast(t("me.saved"));
}

const tick = (name, label, checked, props = {}) => h("label", { class: "choice" }, h("input", { type: "checkbox", name, checked, ...props }), h("span", {}, label));

function profile(user, page) {
  const name = h("input", { name: "full_name", maxlength: "100", autocomplete: "name", dir: "auto", value: user.full_name });
  const phone = h("input", { name: "phone_number", type: "tel", maxlength: "32", autocomplete: "tel", value: user.phone_number || "" });
  const speaks = select([["tet", "Tetun"], ["pt", "Português"], ["en", "English"]], { name: "preferred_language" }, user.preferred_language);
  const share = tick("share_contact", t("me.share"), user.share_contact);
  const controls = [field(t("me.name"), name, t("me.name_hint")), field(t("me.phone"), phone, t("me.phone_hint")), share, field(t("me.language"), speaks, t("me.language_hint"))];
  return h("section", { class: "card" }, h("h2", {}, t("me.profile")), h("p", { class: "soft", dir: "auto" }, user.email), form("profile-save", t("common.save"), controls, async () => {
    const body = { phone_number: phone.value, preferred_language: speaks.value, share_contact: share.firstChild.checked };
    if (name.value.trim() || user.full_name) body.full_name = name.value; // who has no name may stay without one
    await change(body, page);
    if (speaks.value !== language) location.assign("/me?lang=" + speaks.value + "#account");
  }));
}

const kinds = ["report_received", "report_verified", "report_rejected", "report_removed", "report_edited", "report_status_changed", "report_fixed", "report_disputed", "report_assigned", "report_duplicate", "comment_added", "blockchain_confirmed", "announcement", "alerts"];
const staffKinds = ["report_overdue", "digest"];

function mails(user, page) {
  const { email, push, muted = [] } = user.notification_prefs;
  const shown = user.role === "citizen" ? kinds : [...kinds, ...staffKinds];
  const any = tick("email", t("me.mails_any"), email !== false, { data: { testid: "mails" }, onchange: (e) => { each.hidden = !e.target.checked; } });
  const boxes = shown.map((kind) => tick("muted", t("stop.kind." + kind), !muted.includes(kind), { value: kind }));
  const each = h("fieldset", { hidden: email === false }, h("legend", {}, t("me.mails_which")), boxes);
  return h("section", { class: "card" }, h("h2", {}, t("me.mails")), h("p", { class: "soft" }, t("me.mails_text")), form("mails-save", t("common.save"), [any, each], () => {
    const off = boxes.map((b) => b.firstChild).filter((b) => !b.checked).map((b) => b.value);
    const prefs = { email: any.firstChild.checked, muted: [...muted.filter((m) => !shown.includes(m)), ...off] };
    if (push !== undefined) prefs.push = push;
    return change({ notification_prefs: prefs }, page);
  }));
}

export function make(user, page) {
  const list = sessions();
  return {
    // The sessions are read afterwards and come last: nothing moves under a finger then.
    el: h("div", {}, profile(user, page), mails(user, page), user.role === "citizen" ? null : secondFactor(list.load), password(user, page), exportData(), deletion(user, page), signOut(page), list.el),
    show: () => list.load(),
  };
}
