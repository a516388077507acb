// The queue as a file for a spreadsheet. The API gives it in parts, each with the names of the columns.
import { t, saveFile, toast } from "./core.js";
import { staffApi } from "./sign_in.js";
import { parameters } from "./desk_address.js";

/** Saves all reports of the queue, with its filters, as one CSV file. */
export async function exportQueue(desk) {
  const parts = [];
  let cursor = "";
  do {
    const { answer, content } = await staffApi("GET", "/staff/export.csv?" + parameters(desk.state, cursor ? { cursor } : {}), { full: true });
    const text = content.replace(/^\ufeff/, "");
    parts.push(parts.length ? text.slice(text.indexOf("\n") + 1) : text);
    cursor = answer.headers.get("Next-Cursor");
    if (cursor) toast(t("desk.csv_part", { n: parts.length }));
  } while (cursor);
  saveFile("lafaekstreet-" + desk.state.kind + ".csv", "\ufeff" + parts.join(""));
}
