// The first administrator, and the second factor: an authenticator app and recovery codes.
import { $, h, fill, t, session, api, button, field, form } from "./core.js";
import { emailInput, codeInput } from "./sign_in.js";
import { call, heading, tick, copy } from "./admin_parts.js";

const appCode = () => codeInput({ name: "code" });

/** The secret: as a QR code for another device, as a link for this one, as text for typing. */
function secretCard(e) {
  return h("section", { class: "card" }, h("h3", {}, t("admin.app_title")), h("p", {}, t("admin.app_text")),
    h("p", {}, h("img", { class: "qr", data: { testid: "qr" }, width: "240", height: "240", alt: t("admin.qr_alt"), src: "data:image/svg+xml;charset=utf-8," + encodeURIComponent(e.qr_svg) })),
    h("p", {}, h("a", { class: "alone", href: e.otpauth_uri }, t("admin.app_here"))),
    h("p", {}, t("admin.secret"), h("br"), h("code", { class: "code", data: { testid: "secret" } }, e.secret.replace(/(.{4})(?=.)/g, "$1 ")), " ", copy(e.secret)));
}

/** The recovery codes, which are shown this one time. The form around it is sent only when they are saved. */
function codesCard(codes) {
  const download = h("a", { class: "button", download: "lafaekstreet-recovery-codes.txt", href: "data:text/plain;charset=utf-8," + encodeURIComponent(codes.join("\r\n") + "\r\n"), data: { testid: "codes-download" } }, t("admin.download"));
  return h("section", { class: "card" }, h("h3", {}, t("admin.codes_title")), h("p", {}, t("admin.codes_text")),
    h("ol", { class: "codes plain", data: { testid: "recovery-codes" } }, codes.map((c) => h("li", {}, h("code", { class: "code" }, c)))),
    h("div", { class: "actions" }, download, button(t("admin.print"), async () => window.print()), copy(codes.join("\n"))),
    tick("saved", "1", t("admin.codes_saved"), false, { required: true, data: { testid: "codes-saved" } }));
}

/** Shows the form of the first administrator in view. done is called when they are signed in. */
export function setUp(view, done) {
  const token = h("input", { name: "setup_token", type: "password", autocomplete: "off", required: true, maxlength: "512", data: { testid: "setup-token" } });
  const email = emailInput();
  const name = h("input", { name: "full_name", autocomplete: "name", required: true, maxlength: "100", data: { testid: "setup-name" } });
  const password = h("input", { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: "8", maxlength: "128", data: { testid: "setup-password" } });
  const state = { dirty: () => false };
  fill(view, h("div", { class: "narrow" }, heading(t("admin.first_setup")), h("p", {}, t("admin.setup_text")),
    h("div", { class: "card" }, form("setup-send", t("admin.setup_send"), [
      field(t("admin.setup_token"), token, t("admin.setup_token_hint")),
      field(t("admin.full_name"), name),
      field(t("common.email"), email),
      field(t("common.password"), password, t("admin.password_hint")),
    ], async () => {
      const answer = await api("POST", "/admin/setup", { body: { setup_token: token.value.trim(), email: email.value, password: password.value, full_name: name.value } })
        .catch((e) => {
          if (e.code === "setup_done") e.message += " " + t("admin.setup_done");
          throw e;
        });
      state.dirty = () => !session.user; // the codes are on no other page
      confirmSetUp(view, answer, { email: email.value, password: password.value }, done);
    })), h("p", {}, h("a", { class: "alone", href: "#people" }, t("admin.to_sign_in")))));
  $("h2", view).focus();
  return state;
}

/** The second step: the app, the codes, and the sign-in with a code of the app. */
function confirmSetUp(view, answer, login, done) {
  const code = appCode();
  fill(view, h("div", { class: "narrow" }, heading(t("admin.almost_done")), h("p", {}, t("admin.almost_done_text")), form("code-send", t("common.sign_in"), [
    secretCard(answer), codesCard(answer.recovery_codes), h("section", { class: "card" }, h("h3", {}, t("admin.try_code")), field(t("admin.app_code"), code, t("admin.app_code_hint"))),
  ], async () => {
    const challenge = await api("POST", "/auth/login", { body: login });
    const tokens = await api("POST", "/auth/totp/verify", { body: { challenge_id: challenge.challenge_id, code: code.value } });
    await session.start(tokens);
    done();
  })));
  $("h2", view).focus();
}

/** Shows how to set up the second factor of the signed-in person in view. done is called when it is on. */
export async function enroll(view, done) {
  const answer = await call("POST", "/auth/totp/enroll");
  const code = appCode();
  const state = { dirty: () => false };
  fill(view, h("div", { class: "narrow" }, heading(t("admin.need_factor")), h("p", {}, t("admin.need_factor_text")), form("code-send", t("admin.turn_on"), [
    secretCard(answer), h("section", { class: "card" }, h("h3", {}, t("admin.try_code")), field(t("admin.app_code"), code, t("admin.app_code_hint"))),
  ], async () => {
    const { recovery_codes: codes } = await call("POST", "/auth/totp/confirm", { body: { code: code.value } });
    let saved = false;
    state.dirty = () => !saved;
    fill(view, h("div", { class: "narrow" }, heading(t("admin.factor_on")), form("codes-done", t("admin.go_on"), [codesCard(codes)], async () => {
      saved = true;
      done();
    })));
    $("h2", view).focus();
  })));
  $("h2", view).focus();
  return state;
}
