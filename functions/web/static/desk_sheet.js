// The crew sheet: reports on paper for those who go out, A4, made by the styles for print.
import { $, h, t, named, place, titleOf, status, day, button, complain } from "./core.js";
import { staffApi } from "./sign_in.js";

const zoom = 16; // of the sketch map: a few streets

const point = (r) => r.latitude.toFixed(5) + ", " + r.longitude.toFixed(5);
const sketch = (r) => "/api/v1/public/sketch.svg?" + new URLSearchParams({ latitude: r.latitude, longitude: r.longitude, zoom, width: 360, height: 240, pin: 1 });
const picture = (r) => (r.images || []).find((i) => i.kind === "evidence" && (i.image_url || i.thumbnail_url));

// The place in words, each once.
const whole = (r) => [r.address, ...place(r).split(", ").filter((part) => !(r.address || "").includes(part))].filter(Boolean).join(", ");

// A report on paper, half a page.
function entry(r, at, total) {
  const photo = picture(r);
  const address = location.origin + "/r/" + r.report_number;
  const facts = [
    ["sheet_place", whole(r) || "–"], ["sheet_coordinates", point(r)],
    ["due", r.due_at ? day(r.due_at) : t("desk.sheet_none")], ["sheet_came", day(r.created_at)],
    ["severity", r.severity ? t("label.severity." + r.severity) : "–"], ["type", t("label.issue_type." + r.issue_type)],
    ["agency", r.assigned_agency ? named(r.assigned_agency) : "–"],
  ];
  return h("article", { class: "entry" },
    h("div", { class: "top" }, h("div", {}, h("p", { class: "number" }, r.report_number, " ", status(r.status)), h("h2", { dir: "auto" }, titleOf(r))),
      h("img", { class: "qr", src: "/api/v1/public/reports/" + r.report_number + "/qr.svg", width: "96", height: "96", alt: t("desk.sheet_qr", { address }), data: { testid: "qr" } })),
    h("div", { class: "pictures" },
      photo ? h("img", { src: photo.image_url || photo.thumbnail_url, alt: t("desk.sheet_photo", { number: r.report_number }) }) : null,
      h("img", { class: "plan", src: sketch(r), width: "360", height: "240", alt: t("desk.sheet_map") })),
    h("dl", {}, facts.map(([key, value]) => [h("dt", {}, t("desk." + key)), h("dd", { dir: "auto" }, value)])),
    r.description ? h("p", { class: "words", dir: "auto" }, r.description) : null,
    h("div", { class: "lines" }, h("span", {}, t("desk.sheet_notes")), h("span", {}), h("span", {}), h("span", {}, t("desk.sheet_done")), h("span", {}, t("desk.sheet_by"))),
    h("p", { class: "page soft" }, t("desk.sheet_of", { n: at + 1, total })));
}

/**
 * Shows the sheet of reports, by their numbers, over the page, with a button that prints it. Resolves when it is shown. Closing it
 * leads back to what was there.
 */
export async function openSheet(numbers) {
  const before = document.activeElement;
  const reports = [];
  for (const number of numbers) reports.push(await staffApi("GET", "/reports/" + encodeURIComponent(number)));
  const hidden = [...document.body.children].filter((el) => el.id !== "toasts" && !el.hidden && el.tagName !== "SCRIPT");
  const close = () => {
    sheet.remove();
    for (const el of hidden) el.hidden = false;
    document.removeEventListener("keydown", escape, true);
    if (before && before.isConnected) before.focus();
  };
  const escape = (e) => {
    e.stopPropagation(); // the keys of the desk are off
    if (e.key === "Escape") close();
  };
  const print = async () => {
    // A picture that has not come yet would be missing on the paper.
    await Promise.all([...sheet.querySelectorAll("img")].map((img) => (img.complete ? null : new Promise((done) => { img.onload = img.onerror = done; }))));
    window.print();
  };
  const sheet = h("main", { class: "sheet", data: { testid: "crew-sheet" } },
    h("div", { class: "sheet-top no-print" }, h("h1", {}, t("desk.sheet_title")), h("div", { class: "on-screen" },
      button(t("desk.sheet_print"), () => print().catch(complain), { class: "main", data: { testid: "sheet-send" } }), " ", h("button", { type: "button", onclick: close, data: { testid: "sheet-close" } }, t("desk.sheet_close")))),
    reports.map((r, i) => entry(r, i, reports.length)));
  for (const el of hidden) el.hidden = true;
  document.body.append(sheet);
  document.addEventListener("keydown", escape, true);
  window.scrollTo(0, 0);
  $("button", sheet).focus();
}
