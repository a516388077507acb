// Signing in: citizens by a code from a mail, staff by password and second factor.
import { h, fill, t, api, session, later, deviceId, field, button, form, dialog, complain } from "./core.js";

/** The input of an e-mail address that signs in. */
export const emailInput = (value = "") => h("input", { type: "email", autocomplete: "username", autocapitalize: "off", spellcheck: "false", required: true, maxlength: "254", value, name: "email", data: { testid: "email" } });

/** The input of a code: from a mail, of an authenticator, or a recovery code, which has letters. */
export const codeInput = (props = {}) => h("input", { name: "otp", inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off", spellcheck: "false", required: true, maxlength: "40", data: { testid: "code" }, ...props });

// Ends a sign-in: with tokens, or after the second factor that the answer asks for.
async function finish(answer, show, done, label = t("common.sign_in")) {
  if (answer.kind === "tokens") {
    await session.start(answer);
    return done(answer.user);
  }
  const code = codeInput({ inputmode: "text" });
  const view = form("code-send", label, field(t("common.second_code"), code), async () => {
    // A recovery code has letters; a code of an authenticator has digits alone.
    const typed = code.value.trim();
    const body = /[a-z]/i.test(typed) ? { recovery_code: typed } : { code: typed };
    await finish(await api("POST", "/auth/totp/verify", { body: { challenge_id: answer.challenge_id, ...body } }), show, done, label);
  });
  show(view);
  code.focus();
  return undefined;
}

/**
 * Returns a form that signs a person in by a code from a mail. done is called with the user. text says why, if given. label is that
 * of the button that ends it, where more than the sign-in follows.
 */
export function signInByCode(done, text = "", label = t("common.sign_in")) {
  const root = h("div");
  const show = (...views) => fill(root, views);
  const first = (address = "") => {
    const email = emailInput(address);
    show(text ? h("p", {}, text) : null, form("email-send", t("common.send_code"), field(t("common.email"), email, t("common.why_email")), async () => {
      await api("POST", "/auth/email-code", { body: { email: email.value } });
      second(email.value.trim());
    }));
  };
  const second = (address) => {
    const code = codeInput();
    const again = button(t("common.another_code"), async () => {
      await api("POST", "/auth/email-code", { body: { email: address } });
      code.focus();
    }, { class: "link" });
    show(h("p", { role: "status" }, t("common.code_sent", { email: address })), form("code-send", label, field(t("common.code"), code), async () => {
      const answer = await api("POST", "/auth/email-code/verify", { body: { email: address, otp: code.value, device: device() } });
      await finish(answer, show, done, label);
    }),
    h("p", {}, again, " ", h("button", { type: "button", class: "link", onclick: () => first(address) }, t("common.other_email"))));
    code.focus();
  };
  first();
  return root;
}

/**
 * Returns a form that signs staff in by e-mail, password and second factor, with a way to a new password. extra are further
 * elements below it.
 */
export function signInByPassword(done, ...extra) {
  const root = h("div");
  const show = (...views) => fill(root, views);
  const first = (address = "", said = "") => {
    const email = emailInput(address);
    const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true, maxlength: "128" });
    const forgot = button(t("common.forgot_password"), async () => {
      const { resetPassword } = await later(import("./reset_password.js"));
      show(resetPassword(email.value, (known) => first(known, t("common.password_changed")), () => first(email.value)));
    }, { class: "link" });
    show(said ? h("p", { class: "note good", role: "status" }, said) : null,
      form("sign-in", t("common.sign_in"), [field(t("common.email"), email), field(t("common.password"), password)], async () => {
        const answer = await api("POST", "/auth/login", { body: { email: email.value, password: password.value, device: device() } });
        await finish(answer, show, done);
      }), h("p", {}, forgot), ...extra);
  };
  first();
  return root;
}

let asking = null; // the dialog that is open, shared by calls at the same time
let last = null; // the id of who was signed in on this page last
session.watch((user) => { if (user) last = user.id; });

// Opens a dialog with the sign-in of staff and returns the user; undefined if it was closed. Another tab may sign in, too.
const signInAgain = () => dialog(t("common.sign_in"), (close) => {
  let open = true;
  const once = (user) => {
    if (open && user) close(user);
    open = open && !user;
  };
  session.watch(once);
  return [h("p", {}, t("common.signed_out")), signInByPassword(once)];
});

/**
 * Calls the API as api does, for staff. If the session has ended, a dialog says so, with the sign-in; then the call is repeated.
 * What was typed on the page stays.
 */
export async function staffApi(method, path, options) {
  try {
    return await api(method, path, options);
  } catch (e) {
    if (e.status !== 401) throw e;
    const before = last;
    asking = asking || signInAgain().finally(() => { asking = null; });
    const user = await asking;
    if (!user || before && user.id !== before) throw e; // never as another person
    return api(method, path, options);
  }
}

// This browser as a device of the account's list of sessions.
function device() {
  const id = deviceId();
  return id ? { device_id: id, platform: "web", model: browserName() } : undefined;
}

// The browser in words by which its owner knows it again in the list of sessions: "Chrome, Android".
function browserName() {
  const first = (pairs) => (pairs.find(([pattern]) => pattern.test(navigator.userAgent)) || [])[1];
  return [first([[/Edg/, "Edge"], [/OPR|Opera/, "Opera"], [/Firefox|FxiOS/, "Firefox"], [/SamsungBrowser/, "Samsung"], [/Chrome|CriOS/, "Chrome"], [/Safari/, "Safari"]]),
    first([[/Android/, "Android"], [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Windows/, "Windows"], [/Mac/, "Mac"], [/Linux/, "Linux"]])].filter(Boolean).join(", ");
}

/** Returns the user, after a dialog with the sign-in if nobody is signed in; undefined if that was closed. */
export async function needUser(text) {
  const known = await session.resume().catch(complain);
  return known || dialog(t("common.sign_in"), (close) => signInByCode(close, text));
}

/**
 * Runs act for the person who is signed in. If the session has ended, it asks to sign in again, above what is open, and runs act
 * once more: nothing that was typed is lost. For staff see staffApi.
 */
export async function asUser(act) {
  const before = session.user;
  try {
    return await act();
  } catch (e) {
    if (e.status !== 401) throw e;
    const user = await needUser(t("common.signed_out"));
    if (!user || before && user.id !== before.id) throw e;
    return act();
  }
}
