// The page of an invitation: an invited person chooses a password and is signed in with it. The token of the link works once. It
// is taken out of the address at once, so that it is in no picture of the screen and in no history, and kept for this tab alone:
// the page may be loaded again, or read in another language.
import { $, h, fill, t, api, field, form, started } from "./core.js";
import { emailInput, signInByPassword } from "./sign_in.js";

const view = $("#view");
const key = "welcome_token";
const kept = (act) => { try { return act(sessionStorage); } catch { return null; } }; // storage may be switched off

const token = new URLSearchParams(location.search).get("token") || kept((s) => s.getItem(key)) || "";
kept((s) => s.setItem(key, token));
const query = new URLSearchParams(location.search);
query.delete("token");
history.replaceState(null, "", location.pathname + (String(query) ? "?" + query : ""));

// Shows the sign-in with what was typed.
function signIn(email, password) {
  const view = signInByPassword((user) => location.replace(user.role === "citizen" ? "/me" : "/desk"));
  $("[type=email]", view).value = email;
  $("[type=password]", view).value = password;
  return view;
}

// The link was used, is too old, or a newer one was sent. Somebody whose answer got lost has chosen a password already.
function over(email = "", password = "") {
  kept((s) => s.removeItem(key));
  fill(view, h("div", { class: "note bad", role: "alert" }, h("p", {}, t("welcome.over")), h("p", {}, t("welcome.over_next"))),
    h("section", { class: "card" }, h("h2", {}, t("welcome.chosen")), signIn(email, password)),
    h("p", {}, t("welcome.citizen"), " ", h("a", { href: "/me" }, t("common.sign_in"))));
}

function choose() {
  const email = emailInput();
  const password = h("input", { type: "password", name: "new_password", autocomplete: "new-password", required: true, minlength: "8", maxlength: "128", data: { testid: "password" } });
  const shown = h("input", { type: "checkbox", onchange: () => { password.type = shown.checked ? "text" : "password"; } });
  const controls = [field(t("common.email"), email, t("welcome.email_hint")), field(t("welcome.password"), password, t("welcome.rules")),
    h("label", { class: "choice" }, shown, t("welcome.show"))];
  fill(view, h("p", {}, t("welcome.what")), h("section", { class: "card" }, form("welcome-send", t("welcome.send"), controls, async () => {
    try {
      await api("POST", "/users/update-password", { body: { token, new_password: password.value } });
    } catch (e) {
      if (e.code !== "link_invalid") throw e;
      return over(email.value, password.value);
    }
    kept((s) => s.removeItem(key));
    const next = signIn(email.value, password.value);
    fill(view, h("p", { class: "note good", role: "status" }, t("welcome.done")), h("section", { class: "card" }, next));
    $("[type=submit]", next).click();
    return undefined;
  })));
}

if (token) choose();
else over();
started();
