// What staff read of a report: facts, how to reach the reporter, the place, the AI's findings, the log.
import { h, fill, t, button, place, moment, complain, language, count } from "./core.js";
import { staffApi } from "./sign_in.js";
import { rights } from "./desk_rights.js";
import { assignee, item } from "./desk_log.js";
import { text, known } from "./desk_text.js";

const fact = (name, value) => (value ? [h("dt", {}, text(name)), h("dd", {}, value)] : []);
const words = (value) => h("p", { class: "words", dir: "auto" }, value);

/** Kind, severity, who has it, until when, counts, who reported it. */
export function factsOf(work) {
  const r = work.report, person = assignee(work.log, work.agencies);
  const late = r.due_at && rights(work).open && Date.parse(r.due_at) < Date.now();
  return h("dl", {},
    fact("member_issue_type", t("label.issue_type." + r.issue_type) + (r.issue_type_raw ? " (" + r.issue_type_raw + ")" : "")),
    fact("member_severity", r.severity && t("label.severity." + r.severity)),
    fact("member_agency_id", r.assigned_agency ? r.assigned_agency.name : text("agency_none")),
    fact("member_user_id", person && person.full_name),
    fact("member_due_at", r.due_at && [moment(r.due_at), late ? h("strong", { class: "bad" }, " " + text("overdue")) : null]),
    fact("reported", moment(r.created_at)), fact("source", known("source_" + r.source, r.source)),
    fact("reporter", r.reporter ? r.reporter.full_name : text(r.is_anonymous ? "reporter_anonymous" : "reporter_none")),
    fact("numbers", ["confirmations", "followers", "comments"].filter((name) => r[name + "_count"]).map((name) => count("desk_report." + name, r[name + "_count"])).join(" · ")));
}

/** How to reach the reporter, after a press: each look is recorded. */
export function contactOf(work) {
  const box = h("div", { role: "status" });
  const look = button(text("contact"), async () => {
    const c = await staffApi("GET", "/reports/" + work.report.id + "/reporter");
    fill(box, h("dl", {}, fact("contact_name", c.full_name), fact("contact_phone", c.phone_number && h("a", { href: "tel:" + c.phone_number }, c.phone_number)),
      fact("contact_email", c.email && h("a", { href: "mailto:" + c.email }, c.email)), fact("contact_language", text("language_" + c.preferred_language)),
      fact("contact_sent_by", c.sent_by), fact("contact_system_email", c.system_email && h("a", { href: "mailto:" + c.system_email }, c.system_email))),
      c.sent_by ? h("p", { class: "soft" }, text("contact_of_system")) : null);
    look.hidden = true;
  }, { data: { testid: "contact" }, "aria-describedby": "contact-hint" });
  return [look, h("p", { class: "soft", id: "contact-hint" }, text("contact_hint")), box];
}

/** Where it is: a sketch, the words, links to maps. */
export function placeOf(work) {
  const r = work.report, at = r.latitude.toFixed(5) + "," + r.longitude.toFixed(5);
  const query = new URLSearchParams({ latitude: r.latitude, longitude: r.longitude, zoom: "15", width: "640", height: "320", pin: "true", lang: language });
  return [
    h("img", { class: "sketch", src: "/api/v1/public/sketch.svg?" + query, alt: text("sketch_alt", { place: place(r) || at }), width: "640", height: "320", loading: "lazy" }),
    h("p", {}, [r.address, place(r)].filter(Boolean).join(" · ") || text("place_unknown")),
    h("p", { class: "soft" }, at + (r.location_accuracy ? " · ± " + Math.round(r.location_accuracy) + " m" : "")),
    h("div", { class: "actions" }, h("a", { class: "button", href: "geo:" + at + "?q=" + at }, text("map_app")), h("a", { class: "button", href: "/r/" + r.report_number }, text("public_page"))),
  ];
}

/** What the AI found, in the language of the page. */
export function aiOf(work) {
  const ai = work.report.ai, box = h("div");
  if (!ai || ai.is_relevant === null) return h("p", { class: "soft" }, known("ai_" + (ai ? ai.status : "none"), text("ai_none")));
  staffApi("GET", "/reports/" + work.report.id + "/ai-analysis/latest").then((a) => {
    fill(box, a.relevance_reason ? words(a.relevance_reason) : null, a.description ? words(a.description) : null,
      h("dl", {}, fact("ai_damage", a.damage_type), fact("member_severity", a.severity && t("label.severity." + a.severity)), fact("ai_repair", a.recommended_repair), fact("ai_hazards", (a.hazards || []).join(", "))),
      h("p", { class: "soft" }, text(a.model === "person" ? "ai_person" : "ai_machine") + " · " + moment(a.created_at)));
  }).catch((e) => { if (e.status !== 404) complain(e); });
  const found = h("p", {}, h("strong", { class: ai.is_relevant ? "good" : "bad" }, text(ai.is_relevant ? "ai_relevant" : "ai_irrelevant")),
    ai.confidence === null ? null : " · " + text("ai_confidence", { n: Math.round(ai.confidence * 100) }),
    " · " + known("ai_" + ai.status, ai.status));
  if (!overruled(work.report)) return [found, box];
  found.firstChild.className = "";
  return h("details", { data: { testid: "overruled" } }, h("summary", {}, text("ai_overruled")), found, box);
}

// Whether people decided the opposite of what the AI found.
const overruled = ({ ai, status }) => (ai.is_relevant ? status === "rejected" : ["verified", "in_progress", "fixed"].includes(status));

/** Everything that was done, newest first. */
export const logOf = (work) => h("ol", { class: "plain log", reversed: true }, [...work.log].reverse().map((e) => item(e, work)));
