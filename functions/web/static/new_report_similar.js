// Open reports near by that may be the same.
import { $, h, fill, t, api, row } from "./core.js";

const near = 150; // metres within which a report may be the same
const patience = 6000; // milliseconds that the form waits for an answer
const degree = 111000; // metres of latitude
let asked = ""; // the place and kind of the last question

/** Shows open reports of the same kind near by. Reports whether there are any; each place and kind is asked once. */
export async function showSimilar({ latitude, longitude, issue_type: kind = "other" }) {
  const question = [latitude.toFixed(4), longitude.toFixed(4), kind].join();
  if (asked === question || navigator.onLine === false) return false;
  const narrow = Math.cos(latitude * Math.PI / 180);
  const high = near / degree, wide = high / narrow;
  const box = [longitude - wide, latitude - high, longitude + wide, latitude + high].map((x) => x.toFixed(5)).join();
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), patience);
  const found = await api("GET", `/public/reports?bbox=${box}&issue_type=${kind}&status=pending,verified,in_progress&page_size=5`, { signal: abort.signal }).catch(() => null);
  clearTimeout(late);
  if (!found || !found.items.length) return false;
  asked = question;
  const distance = (r) => Math.hypot((r.latitude - latitude) * degree, (r.longitude - longitude) * degree * narrow);
  fill($("#similar"), found.items.sort((a, b) => distance(a) - distance(b))
    .map((r) => h("li", {}, row(r), h("p", { class: "soft" }, t("new_report.distance", { metres: Math.max(10, Math.round(distance(r) / 10) * 10) })))));
  return true;
}
