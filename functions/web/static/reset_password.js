// A new password by a code from a mail, for staff.
import { h, fill, t, api, field, button, form } from "./core.js";
import { emailInput, codeInput } from "./sign_in.js";

/** Returns the form. done(address) is called with the address when the password is changed, back() by whoever remembers it. */
export function resetPassword(address, done, back) {
  const root = h("div");
  const away = () => button(t("common.cancel"), back);
  const ask = () => {
    const email = emailInput(address);
    fill(root, h("p", {}, t("common.reset_text")), form("email-send", t("common.send_code"), field(t("common.email"), email), async () => {
      address = email.value.trim();
      await api("POST", "/auth/forgot-password", { body: { email: address } });
      choose();
    }, { more: away() }));
    email.focus();
  };
  const choose = () => {
    const code = codeInput();
    const password = h("input", { type: "password", name: "new_password", autocomplete: "new-password", required: true, minlength: "8", maxlength: "128" });
    fill(root, h("p", { role: "status" }, t("common.code_sent", { email: address })), form("code-send", t("common.save"),
      [field(t("common.code"), code), field(t("common.new_password"), password, t("common.password_rule"))], async () => {
        await api("POST", "/auth/reset-password", { body: { email: address, otp: code.value, new_password: password.value } });
        done(address);
      }, { more: away() }));
    code.focus();
  };
  ask();
  return root;
}
