// Parts of the account: sessions, password, second factor.
import { h, fill, t, api, button, field, form, moment, saveFile, toast } from "./core.js";
import { codeInput } from "./sign_in.js";
import { growing } from "./me_list.js";

const platforms = { web: "me.platform_web", android: "me.platform_android", ios: "me.platform_ios" };
const deviceOf = (s) => [t(platforms[s.platform] || "me.platform_other"), s.model].filter(Boolean).join(": ");

/** The list of sessions: {el, load}. */
export function sessions() {
  let others = [];
  const end = (s) => api("DELETE", "/users/me/sessions/" + s.id).catch((e) => { if (e.status !== 404) throw e; });
  const endOthers = button(t("me.end_others"), async () => {
    for (const s of others) await end(s);
    toast(t("me.ended"));
    await list.load();
  }, { hidden: true, data: { testid: "end-others" } });
  const list = growing({
    props: { data: { testid: "sessions" } }, empty: "",
    fetch: async () => {
      const { items } = await api("GET", "/users/me/sessions");
      others = items.filter((s) => !s.current);
      endOthers.hidden = others.length === 0;
      return { items: [...items.filter((s) => s.current), ...others], next: null };
    },
    item: (s) => [
      h("p", {}, h("strong", { dir: "auto" }, deviceOf(s)), s.current ? [" ", h("span", { class: "status fixed" }, t("me.this_device"))] : null, h("br"),
        h("span", { class: "soft" }, t("me.last_used", { at: moment(s.last_used_at) }), h("br"), t("me.since", { at: moment(s.created_at) }))),
      s.current ? null : h("div", { class: "actions" }, button(t("me.end"), async () => {
        await end(s);
        toast(t("me.ended"));
        await list.load();
      }, { "aria-label": t("me.end") + ": " + deviceOf(s) + ", " + moment(s.last_used_at), data: { testid: "end" } })),
    ],
  });
  return { el: h("section", { class: "card" }, h("h2", {}, t("me.sessions")), h("p", { class: "soft" }, t("me.sessions_text")), list.el, h("div", { class: "actions" }, endOthers)), load: list.load };
}

/** The form that changes the password. */
export function password(user, page) {
  const input = (name, autocomplete) => h("input", { type: "password", name, autocomplete, required: true, maxlength: "128" });
  const present = input("current_password", "current-password"), fresh = input("new_password", "new-password");
  const address = h("input", { type: "email", autocomplete: "username", value: user.email, hidden: true }); // for password managers
  const el = form("password-save", t("common.save"), [address, field(t("me.password_now"), present), field(t("me.password_new"), fresh, t("me.password_hint"))], async () => {
    await api("POST", "/users/me/change-password", { body: { current_password: present.value, new_password: fresh.value } });
    el.reset();
    page.saved();
    toast(t("me.password_changed"));
  });
  return h("section", { class: "card" }, h("details", {}, h("summary", {}, t("me.password")), h("p", {}, t("me.password_text")), el));
}

/** For staff: sets up the second factor. done runs when it is on. */
export function secondFactor(done) {
  const box = h("div");
  const begin = button(t("me.factor_begin"), async () => {
    const e = await api("POST", "/auth/totp/enroll");
    const code = codeInput({ name: "code" });
    fill(box, h("p", {}, t("me.factor_scan")), h("img", { src: "data:image/svg+xml," + encodeURIComponent(e.qr_svg), alt: t("me.factor_qr"), width: "220", height: "220", class: "qr", data: { testid: "qr" } }),
      h("p", {}, t("me.factor_secret"), " ", h("code", {}, e.secret)), form("code-send", t("me.factor_confirm"), field(t("me.factor_code"), code), async () => {
        const { recovery_codes: codes } = await api("POST", "/auth/totp/confirm", { body: { code: code.value } });
        recovery(codes);
        done();
      }));
    code.focus();
  }, { data: { testid: "factor" } });
  const recovery = (codes) => {
    const title = h("h3", { tabindex: "-1" }, t("me.factor_on"));
    fill(box, title, h("p", {}, t("me.recovery_text")), h("ul", { class: "plain codes", data: { testid: "recovery" } }, codes.map((c) => h("li", {}, h("code", {}, c)))),
      h("div", { class: "actions" }, button(t("me.recovery_save"), () => saveFile("lafaekstreet-recovery-codes.txt", codes.join("\r\n") + "\r\n"), { class: "main", data: { testid: "recovery-save" } })));
    title.focus();
  };
  fill(box, h("div", { class: "actions" }, begin));
  return h("section", { class: "card" }, h("h2", {}, t("me.factor")), h("p", { class: "soft" }, t("me.factor_text")), box);
}
