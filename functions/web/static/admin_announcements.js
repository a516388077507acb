// Announcements: what everybody, or everybody in a municipality, is told.
import { h, t, field, select, form, ask, toast, textArea, named, idempotent } from "./core.js";
import { call, heading, link, languages, municipalities, group, snapshot } from "./admin_parts.js";

export async function show(el) {
  const places = await municipalities();
  const where = select([["", t("admin.whole_country")], ...places.map((p) => [p.code, named(p)])], { name: "municipality_code" });
  const headers = idempotent();
  const text = (name, lang) => edit.elements[name + "." + lang].value.trim();
  const edit = form("announce", t("admin.announce_next"), [field(t("admin.for_whom"), where), h("p", { class: "soft" }, t("admin.announce_languages")),
    languages.map(([lang, own]) => group(own, "", field(t("admin.words_title"), h("input", { name: "title." + lang, lang, maxlength: "150", dir: "auto" })),
      field(t("admin.text"), textArea("text-" + lang, { name: "body." + lang, lang, maxlength: "2000" }))))], async () => {
    const body = { title: {}, body: {}, municipality_code: where.value || undefined };
    for (const [lang] of languages) {
      body.title[lang] = text("title", lang);
      body.body[lang] = text("body", lang);
    }
    const place = places.find((p) => p.code === where.value);
    const whom = place ? t("admin.goes_to_place", { place: named(place) }) : t("admin.goes_to_all");
    const sent = await ask("announce", t("admin.announce_sure"), { text: whom, controls: preview(body), label: t("admin.announce_send"), send: () => call("POST", "/admin/announcements", { body, headers: headers(body) }) });
    if (!sent) return;
    edit.reset();
    toast(t("admin.announced"));
  });
  el.append(heading(t("admin.announcements")), h("p", { class: "soft" }, t("admin.announcements_text")), h("div", { class: "card" }, edit),
    h("p", {}, h("a", { class: "alone", href: link("audit", [], { entity: "announcement" }) }, t("admin.announced_before"))));
  const before = snapshot(edit);
  return { dirty: () => snapshot(edit) !== before };
}

/** How the announcement reads in each language. One that is left out gets the words of the first that is there. */
function preview(body) {
  const first = languages.map(([lang]) => lang).find((lang) => body.title[lang]);
  return languages.map(([lang, own]) => {
    const from = body.title[lang] ? lang : first;
    return from ? h("section", { class: "note", lang: from }, h("p", { class: "soft" }, own + (from === lang ? "" : " " + t("admin.words_of_other"))),
      h("h3", { dir: "auto" }, body.title[from]), h("p", { class: "words", dir: "auto" }, body.body[from])) : null;
  });
}
