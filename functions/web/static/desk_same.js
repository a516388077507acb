// Marks a report as the same as another one: reports of its kind near by are shown, nearest first, and the chosen one before it is sent.
import { h, fill, t, ask, field, toast, titleOf, status, day, wordsOf } from "./core.js";
import { staffApi } from "./sign_in.js";
import { noteField, ready } from "./desk_fields.js";
import { text, alike } from "./desk_text.js";

const around = 100; // metres
const metres = 111320; // of a degree of latitude

const away = (a, b) => Math.hypot((a.latitude - b.latitude) * metres, (a.longitude - b.longitude) * metres * Math.cos(a.latitude * Math.PI / 180));

/** Reads the reports of the same kind near by, and those that look alike, the nearest first. */
async function nearby({ report: r }) {
  const up = around / metres, aside = up / Math.cos(r.latitude * Math.PI / 180);
  const bbox = [r.longitude - aside, r.latitude - up, r.longitude + aside, r.latitude + up].map((n) => n.toFixed(6)).join(",");
  const page = await staffApi("GET", "/reports?" + new URLSearchParams({ bbox, issue_type: r.issue_type, page_size: "50" }));
  const near = page.items.filter((x) => x.id !== r.id && !["rejected", "duplicate"].includes(x.status)).map((x) => ({ ...x, distance_meters: away(r, x), similarity: null }));
  const found = near.map((x) => ({ ...x, ...r.possible_duplicates.find((c) => c.id === x.id) }));
  return [...found, ...r.possible_duplicates.filter((c) => !near.some((x) => x.id === c.id) && c.status !== "duplicate")].sort((a, b) => a.distance_meters - b.distance_meters);
}

// A report in a few lines: picture, title, words, how far away.
const brief = (x) => [x.thumbnail_url ? h("img", { src: x.thumbnail_url, alt: "", width: "56", height: "56" }) : h("span", { class: "no-picture" }),
  h("span", {}, h("strong", { dir: "auto" }, x.issue_type ? titleOf(x) : x.report_number), " ", status(x.status), x.description ? h("span", { class: "said", dir: "auto" }, x.description.slice(0, 200)) : null,
    h("span", { class: "soft" }, [x.report_number, alike(x), x.created_at && day(x.created_at)].filter(Boolean).join(" · ")))];

/** Asks for the original. number is that of a report that was chosen already. */
export async function duplicate(work, number = "") {
  const input = h("input", { name: "duplicate_of", required: true, maxlength: "40", autocapitalize: "characters", autocomplete: "off", spellcheck: "false", value: number, data: { testid: "number" } });
  const list = h("div", { class: "near-list" }, h("p", { class: "soft", role: "status" }, t("common.loading"))), chosen = h("div", { class: "chosen", role: "status", data: { testid: "chosen" } });
  let known = [], shown = "";
  // Shows what the number stands for, so that nobody joins the wrong reports.
  const show = async () => {
    const wanted = input.value.trim().toUpperCase();
    if (wanted === shown) return;
    shown = wanted;
    fill(chosen);
    if (!wanted) return;
    try {
      const x = known.find((c) => c.report_number === wanted && c.issue_type) || await staffApi("GET", "/reports/" + encodeURIComponent(wanted));
      const picture = (x.images || []).find((i) => i.thumbnail_url || i.image_url);
      const whole = { ...x, thumbnail_url: x.thumbnail_url || picture && (picture.thumbnail_url || picture.image_url), distance_meters: away(work.report, x), similarity: null };
      if (shown === wanted) fill(chosen, h("p", {}, text("same_as")), h("div", { class: "near" }, brief(whole)));
    } catch (e) {
      if (shown === wanted) fill(chosen, h("p", { class: "error" }, wordsOf(e)));
    }
  };
  input.addEventListener("change", show);
  input.addEventListener("input", () => { if (/^LS-\d{4}-\d{6,}$/i.test(input.value.trim())) show(); });
  const choose = (x) => { input.value = x.report_number; show(); };
  nearby(work).then((all) => {
    known = all;
    fill(list, all.length ? all.map((x) => h("label", { class: "near" }, h("input", { type: "radio", name: "near", checked: x.report_number === input.value.trim(), data: { testid: "near" }, onchange: () => choose(x) }), brief(x)))
      : h("p", { class: "soft" }, text("near_none")));
  }).catch((e) => fill(list, h("p", { class: "error" }, wordsOf(e))));
  if (number) show();
  const note = noteField(work, "duplicate", { status: "duplicate", hint: text("note_everybody") });
  const asked = ask("duplicate", text("act_duplicate"), {
    text: text("why_duplicate"),
    controls: [h("fieldset", {}, h("legend", {}, text("near")), list), field(text("number"), input, text("number_hint")), chosen, note.el],
    send: async () => {
      const answer = await work.change("/status", { status: "duplicate", duplicate_of: input.value.trim(), note: note.value() || undefined });
      note.sent();
      toast(text("done_duplicate"));
      return answer;
    },
  });
  if (number) ready("duplicate");
  return asked;
}
